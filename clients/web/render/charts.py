"""Pictures of numbers as SVG, made on the server and shown as images, so that the pages' policy stays strict.

A picture has presentation attributes alone, every number stands in it as text, and a pattern tells small ones: it reads
the same without colour and in print. A table with the same numbers stands beside each picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from math import log1p
from textwrap import wrap

_FONT = 'font-family="system-ui, DejaVu Sans, sans-serif"'
_INK, _QUIET, _LINE, _PAPER = "#18202b", "#4e5a69", "#c9d0d9", "#ffffff"
_SHADES = ("#eef4fb", "#d3e4f5", "#b1cfed", "#86b3e0", "#5891cc", "#2f6cae", "#164e87")
_DARK_FROM = 4  # the first shade on which text is white
_LABELS, _DRAWN, _LETTERS, _LINE_HEIGHT, _HEAD = 330, 330, 42, 17, 48
_CELL, _MARGIN, _BAR, _GAP, _WIDTH = 64, 64, 26, 12, 640


@dataclass(frozen=True, slots=True)
class Amount:
    """A published number: its text, and the value of its shade or bar; None for a small one."""

    text: str
    size: int = 0

    @property
    def small(self) -> bool:
        """Return whether it is a small number, which has no size of its own."""
        return not self.size and self.text != "0"


def heat_map(title: str, parties: Sequence[str], cells: Mapping[tuple[str, str], Amount]) -> str:
    """Return a map of hits between parties.

    Args:
        title: What the picture shows, read out to who cannot see it.
        parties: The parties, in the order of rows and columns.
        cells: Hits by pair in ascending order; a pair that is not there is never compared.
    """
    size = _MARGIN + _CELL * len(parties) + 8
    most = max((amount.size for amount in cells.values()), default=0)
    drawn = []
    for index, party in enumerate(parties):
        middle = _MARGIN + _CELL * index + _CELL / 2
        drawn += [_text(middle, _MARGIN - 14, party, weight=600), _text(_MARGIN - 28, middle + 5, party, weight=600)]
    for row, left in enumerate(parties):
        for column, right in enumerate(parties):
            pair = (min(left, right), max(left, right))
            drawn.append(_cell(row, column, cells.get(pair), most, own=left == right))
    return _svg(title, size, size, drawn)


def bars(title: str, rows: Sequence[tuple[str, Amount]], most: int | None = None) -> str:
    """Return horizontal bars.

    Args:
        title: What the picture shows.
        rows: Each bar's words and number, with its unit.
        most: What a full bar stands for; the largest number by default.
    """
    full = most or max((amount.size for _, amount in rows), default=0) or 1
    label = 12 + 8 * max((len(words) for words, _ in rows), default=0)
    room = _WIDTH - label - 90
    drawn = []
    for index, (words, amount) in enumerate(rows):
        top = _GAP + index * (_BAR + _GAP)
        length = room * min(1.0, amount.size / full)
        drawn += [
            _text(label - 8, top + _BAR * 0.68, words, anchor="end"),
            f'<rect x="{label}" y="{top}" width="{max(length, 1):.1f}" height="{_BAR}" rx="3" fill="{_SHADES[5]}"/>',
            _text(label + max(length, 1) + 8, top + _BAR * 0.68, amount.text, anchor="start", weight=600),
        ]
    return _svg(title, _WIDTH, _GAP + len(rows) * (_BAR + _GAP), drawn)


@dataclass(frozen=True, slots=True)
class WaterfallStep:
    """A step of a waterfall: its words, by how much it moves the sum, and that as text."""

    words: str
    size: float
    text: str


def waterfall(
    title: str, steps: Sequence[WaterfallStep], total: WaterfallStep, borders: Sequence[tuple[str, float]]
) -> str:
    """Return a waterfall: each bar begins where the one before ended, and upright lines are the borders of levels.

    Args:
        title: What the picture shows.
        steps: The steps from zero on; one that lowers the sum is hatched.
        total: The sum of all of them.
        borders: Words and value of each border.
    """
    sums = [0.0, *accumulate(step.size for step in steps)]
    ends = [0.0, *sums, *(value for _, value in borders)]
    least, most = min(ends), max(ends)
    scale = _DRAWN / ((most - least) or 1.0)

    def across(value: float) -> float:
        return _LABELS + (value - least) * scale

    rows = [*((step, sums[n], sums[n + 1]) for n, step in enumerate(steps)), (total, 0.0, sums[-1])]
    drawn, top = [], float(_HEAD)
    for step, start, end in rows:
        lines = wrap(step.words, _LETTERS) or [""]
        height = max(_BAR, _LINE_HEIGHT * len(lines))
        left, width = across(min(start, end)), max(abs(end - start) * scale, 1)
        fill = "url(#small)" if step.size < 0 else _SHADES[6 if step is total else 4]
        frame = f'fill="{fill}" stroke="{_QUIET}"'
        middle = top + height / 2
        drawn += [
            _text(_LABELS - 10, middle - _LINE_HEIGHT * (len(lines) - 1) / 2 + _LINE_HEIGHT * n + 5, line, anchor="end")
            for n, line in enumerate(lines)
        ]
        drawn += [
            f'<rect x="{left:.1f}" y="{middle - _BAR / 2:.1f}" width="{width:.1f}" height="{_BAR}" {frame}/>',
            _text(_LABELS + _DRAWN + 8, middle + 5, step.text, anchor="start", weight=600),
        ]
        top += height + _GAP
    for n, (words, value) in enumerate(borders):
        x = across(value)
        drawn += [
            f'<path d="M{x:.1f} {_HEAD - 8}V{top:.1f}" stroke="{_INK}" stroke-width="1.5" stroke-dasharray="5 4"/>',
            _text(x, 16 + _LINE_HEIGHT * (n % 2), words, weight=600),
        ]
    return _svg(title, _LABELS + _DRAWN + 70, top, drawn)


def _cell(row: int, column: int, amount: Amount | None, most: int, *, own: bool) -> str:
    x, y = _MARGIN + _CELL * column, _MARGIN + _CELL * row
    frame = f'x="{x + 2}" y="{y + 2}" width="{_CELL - 4}" height="{_CELL - 4}" rx="4"'
    if own or amount is None:
        dash = "" if own else _text(x + _CELL / 2, y + _CELL / 2 + 5, "-", colour=_QUIET)
        return f'<rect {frame} fill="#f4f5f7" stroke="{_LINE}"/>{dash}'
    # Counts of pairs differ by orders of magnitude; shades follow their logarithm, and the number stands in the cell.
    shade = round((len(_SHADES) - 1) * log1p(amount.size) / log1p(most)) if most else 0
    fill = "url(#small)" if amount.small else _SHADES[shade]
    colour = _PAPER if shade >= _DARK_FROM else _INK
    return f'<rect {frame} fill="{fill}" stroke="{_LINE}"/>' + _text(
        x + _CELL / 2, y + _CELL / 2 + 5, amount.text, colour=colour, weight=600
    )


def _text(x: float, y: float, words: str, *, anchor: str = "middle", colour: str = _INK, weight: int = 400) -> str:
    return text_mark(x, y, words, anchor, f' font-size="14" font-weight="{weight}" fill="{colour}" {_FONT}')


def _svg(title: str, width: float, height: float, drawn: Sequence[str]) -> str:
    small = (
        '<defs><pattern id="small" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8" fill="{_PAPER}"/><path d="M0 8L8 0" stroke="{_LINE}" stroke-width="2"/>'
        "</pattern></defs>"
    )
    return svg_document(title, width, height, drawn, definitions=small)


def text_mark(x: float, y: float, words: str, anchor: str, attributes: str = "") -> str:
    """Return a text element with escaped words; further attributes are written as they are, a blank before each."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{attributes}>{escape(words)}</text>'


def svg_document(
    title: str, width: float, height: float, drawn: Sequence[str], *, attributes: str = "", definitions: str = ""
) -> str:
    """Return a whole picture on white, with its title, which is read out to who cannot see it.

    Args:
        title: What the picture shows; it is escaped.
        width: In pixels.
        height: In pixels.
        drawn: The elements, in the order of drawing.
        attributes: Presentation attributes that all elements inherit, with a blank before each.
        definitions: Patterns that elements refer to.
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img"{attributes}>'
        f"<title>{escape(title)}</title>{definitions}"
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="{_PAPER}"/>{"".join(drawn)}</svg>'
    )
