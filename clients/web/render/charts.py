"""Pictures of numbers as SVG, made on the server: one module for pages, in light and dark, and for papers.

A picture has presentation attributes alone, which papers show; the style sheet gives each class its colours of light
and dark. Every number stands as text in it or in the table beside it, a small one is hollow or dashed, and shades
differ in lightness: it reads the same without colour.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate, pairwise
from math import ceil, hypot, log1p, sqrt
from textwrap import wrap

_FONT = 'font-family="system-ui, DejaVu Sans, sans-serif" font-size="14"'
_REGULAR = 400
_INK, _QUIET, _LINE, _PAPER = "#18202b", "#4e5a69", "#c9d0d9", "#ffffff"
_SHADES = ("#eef4fb", "#d3e4f5", "#b1cfed", "#86b3e0", "#5891cc", "#2f6cae", "#164e87")
_DARK_FROM = 4  # the first shade on which text is white
_LABELS, _DRAWN, _LETTERS, _LINE_HEIGHT, _HEAD = 330, 330, 42, 17, 48
_CELL, _MARGIN, _BAR, _GAP, _WIDTH = 64, 64, 26, 12, 640
_LETTER = 9  # the width of a letter, about
_ACROSS = 34  # letters of a line on a telephone
_FULL = 98.0  # per cent of the width that the longest bar has: a mark at its end stays in the picture
_DRAWING, _MAP, _GRID = (f' class="{names}" {_FONT}' for names in ("drawing", "drawing map", "drawing grid"))

# Where a party is, in tiles from the left and from the top: only who lies beside whom is meant.
_PLACES = {
    "AT": (0.6, 0.0),
    "HU": (2.2, 0.2),
    "MD": (4.6, 0.3),
    "SI": (0.0, 0.9),
    "HR": (1.1, 1.2),
    "RO": (3.7, 1.1),
    "RS": (2.6, 1.7),
    "BA": (1.6, 2.1),
    "BG": (4.1, 2.4),
    "ME": (1.9, 3.0),
    "MK": (3.1, 3.1),
    "AL": (2.3, 3.9),
}
_TILE, _CIRCLE, _LEAST_CIRCLE, _WIDEST = 118, 34, 19, 12.0


@dataclass(frozen=True, slots=True)
class Amount:
    """A published number: its text, and the value of its shade or bar; None for a small one."""

    text: str
    size: int = 0

    @property
    def small(self) -> bool:
        """Return whether it is a small number, which has no size of its own."""
        return not self.size and self.text != "0"


def region(title: str, parties: Mapping[str, Amount], pairs: Mapping[tuple[str, str], Amount]) -> str:
    """Return a map of tiles: each party at its place, and the hits of two parties as an arc between them.

    Args:
        title: What the picture shows, read out to who cannot see it.
        parties: The number of each party, which its circle stands for.
        pairs: Hits by pair. An arc is as thick as their logarithm, and dashed where they are few.
    """
    elsewhere = {party: (float(n), 5.0) for n, party in enumerate(sorted(set(parties) - set(_PLACES)))}
    places = {party: _PLACES.get(party) or elsewhere[party] for party in parties}
    left, top = (min((at[axis] for at in places.values()), default=0) for axis in (0, 1))
    at = {party: (60 + (x - left) * _TILE, 46 + (y - top) * _TILE) for party, (x, y) in places.items()}
    width, height = (max((point[axis] for point in at.values()), default=0) + 60 for axis in (0, 1))
    most = max((amount.size for amount in pairs.values()), default=0)
    drawn = [
        _arc(at[one], at[other], f"{one} - {other}: {amount.text}", _part(amount, most), small=amount.small)
        for (one, other), amount in pairs.items()
        if amount.size or amount.small
    ]
    most = max((amount.size for amount in parties.values()), default=0)
    for party, (x, y) in at.items():
        amount = parties[party]
        share = sqrt(amount.size / most) if most else 0.0
        radius = _LEAST_CIRCLE + (_CIRCLE - _LEAST_CIRCLE) * share
        shade = round(_DARK_FROM + 2 * share) if amount.size else None
        drawn += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" {_fill(shade)}/>',
            _text(x, y + 5, party, weight=600, shade=shade),
            f'<g class="halo" stroke="{_PAPER}" stroke-width="4" paint-order="stroke">',
            _text(x, y + radius + 16, amount.text),
            "</g>",
        ]
    return svg_document(title, width, height + 12, drawn, attributes=_MAP)


def _part(amount: Amount, most: int) -> float:
    """Return which part of the largest number one is, by logarithms: counts differ by orders of magnitude."""
    return log1p(amount.size) / log1p(most) if most else 0.0


def _arc(start: tuple[float, float], end: tuple[float, float], words: str, part: float, *, small: bool) -> str:
    """Return an arc, bent a little to one side so that it passes the circles between its ends."""
    (x, y), (to_x, to_y) = sorted((start, end))
    bend = 0.16 if hypot(to_x - x, to_y - y) > 1.5 * _TILE else 0.06
    middle = (x + to_x) / 2 + (to_y - y) * bend, (y + to_y) / 2 - (to_x - x) * bend
    dashes = ' stroke-dasharray="5 5"' if small else ""
    width = 1.5 if small else 1.5 + (_WIDEST - 1.5) * part**2
    return (
        f'<path class="arc" d="M{x:.1f} {y:.1f}Q{middle[0]:.1f} {middle[1]:.1f} {to_x:.1f} {to_y:.1f}" fill="none" '
        f'stroke="{_SHADES[3]}" stroke-width="{width:.1f}"{dashes}><title>{escape(words)}</title></path>'
    )


def heat_map(title: str, parties: Sequence[str], cells: Mapping[tuple[str, str], Amount]) -> str:
    """Return a map of hits between parties.

    Args:
        title: What the picture shows, read out to who cannot see it.
        parties: The parties, in ascending order.
        cells: Hits by pair in ascending order; a pair that is not there is never compared.
    """
    halves = {(row, column): cells.get((column, row)) for row in parties for column in parties if column < row}
    return grid(title, parties[1:], parties[:-1], halves)


def grid(
    title: str, rows: Sequence[str], columns: Sequence[str], cells: Mapping[tuple[str, str], Amount | None]
) -> str:
    """Return a table whose cells are shaded by their numbers.

    Args:
        title: What the picture shows.
        rows: Words of the rows, from the top.
        columns: Words of the columns, from the left.
        cells: Numbers by row and column; None is drawn as a dash.
    """
    edge = max(_MARGIN, 2 * _GAP + _LETTER * max(map(len, rows), default=0))
    most = max((amount.size for amount in cells.values() if amount), default=0)
    wide = max(_CELL, _GAP + _LETTER * max(map(len, columns), default=0))
    drawn = [_text(edge + wide * (n + 0.5), _MARGIN - 14, name, weight=600) for n, name in enumerate(columns)]
    for row, name in enumerate(rows):
        y = _MARGIN + _CELL * row
        drawn.append(_text(edge - _GAP, y + _CELL / 2 + 5, name, anchor="end", weight=600))
        for column, other in enumerate(columns):
            if (name, other) in cells:
                drawn += _cell(edge + wide * column, y, wide, cells[name, other], most)
    size = edge + wide * len(columns) + 8, _MARGIN + _CELL * len(rows) + 8
    return svg_document(title, *size, drawn, attributes=_GRID)


def bars(title: str, rows: Sequence[tuple[str, Amount]], full: int = 0) -> str:
    """Return horizontal bars.

    Args:
        title: What the picture shows.
        rows: Each bar's words and number, with its unit.
        full: The number of a bar of full length; by default the largest.
    """
    return stacked(title, [(words, [amount], None) for words, amount in rows], full=full)


def stacked(  # what a picture of parts is made of
    title: str,
    rows: Sequence[tuple[str, Sequence[Amount], float | None]],
    names: Sequence[str] = (),
    mark: str = "",
    full: int = 0,
) -> str:
    """Return horizontal bars of several parts each, the darkest first, and a line through the marks of the rows.

    The words of a bar are above it, and bars are as long as there is room: on a telephone letters are as large as
    elsewhere.

    Args:
        title: What the picture shows.
        rows: Each bar's words, its parts in one order, and where its mark is, if it has one.
        names: Words of the parts, for the legend above the bars. Without them, the text of the parts is above a bar;
            with them, it would be longer than the bars, and is left to the table.
        mark: Words of the marks, for the legend.
        full: The sum of a bar of full length; by default the largest.
    """
    sums = [sum(amount.size for amount in parts) for _, parts, _ in rows]
    full = full or ceil(max([*sums, *(at or 0 for _, _, at in rows)], default=0)) or 1
    drawn, top = _legend(names, mark if any(at is not None for _, _, at in rows) else "")
    marks = []
    for words, parts, at in rows:
        text, x = "" if names else " + ".join(amount.text for amount in parts), 0.0
        lines = wrap(words, max(_ACROSS - len(text), _ACROSS // 3)) or [""]
        top += _GAP + _LINE_HEIGHT * len(lines)
        drawn += [_text(0, top - 6 - _LINE_HEIGHT * n, line, anchor="start") for n, line in enumerate(reversed(lines))]
        if text:
            drawn.append(_text("100%", top - 6, text, anchor="end", weight=600))
        for number, amount in enumerate(parts):
            wide = max(_FULL * amount.size / full, 0.25)
            drawn.append(_rectangle(_percent(x), top, _percent(wide), _BAR, _part_shade(number, len(parts))))
            x += wide
        top += _BAR
        if at is not None:
            marks.append((_percent(_FULL * at / full), top - _BAR / 2))
    line = f'class="mark" stroke="{_INK}" stroke-width="2"'
    drawn += [
        f'<line {line} x1="{x}" y1="{y:.1f}" x2="{to_x}" y2="{to_y:.1f}"/>' for (x, y), (to_x, to_y) in pairwise(marks)
    ]
    drawn += [_point(x, y) for x, y in marks]
    return svg_document(title, _WIDTH, top + _GAP, drawn, attributes=_DRAWING, flows=True)


def _percent(part: float) -> str:
    return f"{part:.2f}%"


def _part_shade(number: int, parts: int) -> int:
    """Return the shade of a bar's part: from the darkest to the lightest."""
    darkest = len(_SHADES) - 1
    return darkest - darkest * number // (parts - 1) if parts > 1 else darkest - 1


def _legend(names: Sequence[str], mark: str) -> tuple[list[str], float]:
    """Return the words of shades and of the mark, in as many lines as they need, and how high they are."""
    drawn, x, y = list[str](), 0.0, 0.0
    for number, words in enumerate([*names, *([mark] if mark else [])]):
        wide = 2.5 * _GAP + _LETTER * len(words)
        if x and x + wide > _LETTER * _ACROSS:
            x, y = 0.0, y + 2 * _GAP
        if number < len(names):
            drawn.append(_rectangle(x, y, 14, 14, _part_shade(number, len(names))))
        else:
            drawn.append(_point(x + 7, y + 7))
        drawn.append(_text(x + 20, y + 12, words, anchor="start", colour="quiet"))
        x += wide + _GAP
    return drawn, (y + 14 if drawn else 0.0)


def _point(x: float | str, y: float) -> str:
    return f'<circle class="mark" stroke="{_INK}" stroke-width="2" cx="{x}" cy="{y:.1f}" r="4" fill="{_PAPER}"/>'


@dataclass(frozen=True, slots=True)
class Share:
    """A measured share in percent: its words, the share, what it may be, and what was promised at least."""

    words: str
    percent: int
    least: int
    most: int
    promised: int


def shares(title: str, rows: Sequence[Share]) -> str:
    """Return a point for each measured share, a line for what it may be, and an upright mark for what was promised.

    The words of a line are above it, and lines are as long as there is room, as bars are.
    """

    def across(percent: float) -> str:
        return _percent((100 - _FULL) / 2 + _FULL * percent / 100)

    ticks = ((0, "start"), (50, "middle"), (100, "end"))
    drawn = [_text(f"{percent}%", 12, f"{percent} %", anchor=anchor, colour="quiet") for percent, anchor in ticks]
    top = 16
    for row in rows:
        top += _GAP + _LINE_HEIGHT
        y = top + _BAR / 2
        drawn += [
            _text(0, top - 4, row.words, anchor="start"),
            _text("100%", top - 4, f"{row.percent} %", anchor="end", weight=600),
            f'<line class="line" x1="{across(0)}" y1="{y:.1f}" x2="{across(100)}" y2="{y:.1f}" stroke="{_LINE}"/>',
            _rectangle(across(row.least), y - 5, _percent(max(_FULL * (row.most - row.least) / 100, 0.25)), 10, 3),
            _upright(across(row.promised), y - 13, y + 13),
            f'<circle cx="{across(row.percent)}" cy="{y:.1f}" r="6" {_fill(6)}/>',
        ]
        top += _BAR
    return svg_document(title, _WIDTH, top + _GAP, drawn, attributes=_DRAWING, flows=True)


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
        steps: The steps from zero on; one that lowers the sum is hollow.
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
        shade = None if step.size < 0 else 6 if step is total else 4
        middle = top + height / 2
        drawn += [
            _text(_LABELS - 10, middle - _LINE_HEIGHT * (len(lines) - 1) / 2 + _LINE_HEIGHT * n + 5, line, anchor="end")
            for n, line in enumerate(lines)
        ]
        drawn += [
            _rectangle(left, middle - _BAR / 2, width, _BAR, shade),
            _text(_LABELS + _DRAWN + 8, middle + 5, step.text, anchor="start", weight=600),
        ]
        top += height + _GAP
    for n, (words, value) in enumerate(borders):
        x = across(value)
        drawn += [_upright(x, _HEAD - 8, top), _text(x, 16 + _LINE_HEIGHT * (n % 2), words, weight=600)]
    return svg_document(title, _LABELS + _DRAWN + 70, top, drawn, attributes=_DRAWING)


def _cell(x: float, y: float, width: float, amount: Amount | None, most: int) -> list[str]:
    frame, middle = (x + 2, y + 2, width - 4, _CELL - 4), (x + width / 2, y + _CELL / 2 + 5)
    if amount is None:
        return [_rectangle(*frame, 0), _text(*middle, "-", colour="quiet")]
    shade = None if amount.small else round((len(_SHADES) - 1) * _part(amount, most))
    return [_rectangle(*frame, shade), _text(*middle, amount.text, weight=600, shade=shade)]


def _rectangle(x: float | str, y: float, width: float | str, height: float, shade: int | None) -> str:
    place = f'x="{_length(x)}" y="{y:.1f}" width="{_length(width)}" height="{height:.1f}"'
    return f'<rect {place} rx="3" {_fill(shade)}/>'


def _length(length: float | str) -> str:
    return length if isinstance(length, str) else f"{length:.1f}"


def _upright(x: float | str, top: float, bottom: float) -> str:
    """Return a dashed upright line."""
    ends = f'x1="{_length(x)}" y1="{top:.1f}" x2="{_length(x)}" y2="{bottom:.1f}"'
    return f'<line class="mark" {ends} stroke="{_INK}" stroke-width="1.5" stroke-dasharray="5 4"/>'


def _fill(shade: int | None) -> str:
    """Return the attributes of a surface; without a shade, of one that is hollow."""
    if shade is None:
        return f'class="hollow" fill="{_PAPER}" stroke="{_QUIET}" stroke-dasharray="4 3"'
    return f'class="shade{shade}" fill="{_SHADES[shade]}" stroke="{_LINE}"'


def _text(
    x: float | str,
    y: float,
    words: str,
    *,
    anchor: str = "middle",
    colour: str = "ink",
    weight: int = _REGULAR,
    shade: int | None = None,
) -> str:
    """Return a text; on a dark shade it is light."""
    if shade is not None and shade >= _DARK_FROM:
        colour = "over"
    fill = {"ink": _INK, "quiet": _QUIET, "over": _PAPER}[colour]
    bold = f' font-weight="{weight}"' if weight != _REGULAR else ""
    attributes = f' class="{colour}" fill="{fill}"{bold}'
    return text_mark(x, y, words, anchor, attributes)


def text_mark(x: float | str, y: float, words: str, anchor: str, attributes: str = "") -> str:
    """Return a text element with escaped words; further attributes are written as they are, a blank before each."""
    return f'<text x="{_length(x)}" y="{y:.1f}" text-anchor="{anchor}"{attributes}>{escape(words)}</text>'


def svg_document(
    title: str, width: float, height: float, drawn: Iterable[str], *, attributes: str = "", flows: bool = False
) -> str:
    """Return a whole picture with its title, which is read out to who cannot see it; on white but for a style sheet.

    Args:
        title: What the picture shows; it is escaped.
        width: In pixels.
        height: In pixels.
        drawn: The elements, in the order of drawing.
        attributes: A class, or presentation attributes that all elements inherit, with a blank before each.
        flows: Whether its parts are placed in per cent: then a page makes it narrower or wider, and does not scale it.
    """
    box = "" if flows else f' viewBox="0 0 {width:.0f} {height:.0f}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"{box} '
        f'role="img"{attributes}>'
        f"<title>{escape(title)}</title>"
        f'<rect class="paper" width="100%" height="100%" fill="{_PAPER}"/>{"".join(drawn)}</svg>'
    )
