"""Charts of what was measured, in SVG with presentation attributes alone: calibration, and bars of several series.

The pages' own charts are `clients/web/render/charts.py`; text, escaping and the whole picture come from there.
"""

from collections.abc import Mapping, Sequence
from html import escape
from math import log10

from clients.web.render.charts import svg_document, text_mark
from tests.quality.measuring.measures import Bin

_STYLE = ' font-family="sans-serif" font-size="13" fill="#222222"'
_WIDTH, _HEIGHT, _LEFT, _TOP, _SIDE = 760, 520, 80, 40, 400
_COLOURS = ("#1b5e8a", "#b5541c", "#3d7a3d", "#7a3d78", "#555555", "#a08a1f")
_TICKS = (0.5, 0.7, 0.9, 0.95, 0.99, 0.999, 0.9999)
_MOST_ODDS = 4.5
_LEAST_ODDS = -0.1
_ROW = 17


def calibration_plot(sets: Mapping[str, Sequence[Bin]]) -> str:
    """Draw what probabilities say against what was right, both by their odds; a circle is as large as its bin.

    On the line both agree; above it the matching is more careful than it need be, below it is too sure.
    """
    drawn = [_frame()]
    for place, (name, bins) in enumerate(sets.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        for one in bins:
            right = (one.right + 0.5) / (one.count + 1)  # a bin without a fault does not say that there are none
            radius = 2 + 2.2 * log10(one.count + 1)
            drawn.append(
                f'<circle cx="{_across(one.said):.1f}" cy="{_down(right):.1f}" r="{radius:.1f}" fill="{colour}" '
                f'fill-opacity="0.55"><title>{escape(name)}: said {one.said:.4f}, right {one.right} of {one.count}'
                "</title></circle>"
            )
        drawn.append(f'<circle cx="{_LEFT + _SIDE + 30}" cy="{_TOP + 16 + place * 24}" r="6" fill="{colour}"/>')
        drawn.append(_text(_LEFT + _SIDE + 44, _TOP + 21 + place * 24, name))
    return _picture(_WIDTH, _HEIGHT, "Calibration: what probabilities say against what was right", drawn)


def bars(title: str, series: Mapping[str, Mapping[str, float]]) -> str:
    """Draw bars under each other for each name, one of each series; values below zero go to the left."""
    values = [value for one in series.values() for value in one.values()]
    most = max(map(abs, values), default=0.0) or 1.0
    zero = 300 if all(value >= 0 for value in values) else 380
    width, row = 640 - zero, _ROW * len(series) + 8
    names = list(next(iter(series.values()), {}))
    drawn = []
    for place, name in enumerate(names):
        middle = 80 + place * row + row // 2
        drawn.append(_text(288, middle, name, anchor="end"))
        for number, one in enumerate(series.values()):
            value, top = one[name], 80 + place * row + number * _ROW
            length = abs(value) / most * (width if value >= 0 else zero - 300)
            start, colour = zero if value >= 0 else zero - length, _COLOURS[number % len(_COLOURS)]
            drawn.append(f'<rect x="{start:.1f}" y="{top}" width="{length:.1f}" height="{_ROW - 3}" fill="{colour}"/>')
            drawn.append(_text(zero + (length if value >= 0 else 0) + 8, top + _ROW - 5, f"{value:g}"))
    for number, name in enumerate(series):
        drawn.append(f'<circle cx="{300 + number * 200}" cy="52" r="6" fill="{_COLOURS[number % len(_COLOURS)]}"/>')
        drawn.append(_text(314 + number * 200, 57, name))
    return _picture(_WIDTH, 96 + len(names) * row, title, drawn)


def _picture(width: int, height: int, title: str, drawn: Sequence[str]) -> str:
    heading = f'<text x="20" y="24" font-size="15" font-weight="bold">{escape(title)}</text>'
    lines = [f"\n{element}" for element in (heading, *drawn)]
    return svg_document(title, width, height, [*lines, "\n"], attributes=_STYLE) + "\n"


def _frame() -> str:
    """Draw axes, ticks, the promises of the levels, and the line on which both agree."""
    bottom, right = _TOP + _SIDE, _LEFT + _SIDE
    lines = [f'<rect x="{_LEFT}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}" fill="#f6f6f4" stroke="#999999"/>']
    for tick in _TICKS:
        x, y = _across(tick), _down(tick)
        lines.append(f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#dddddd"/>')
        lines.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#dddddd"/>')
        lines.append(_text(x, bottom + 18, f"{tick:g}", anchor="middle"))
        lines.append(_text(_LEFT - 8, y + 4, f"{tick:g}", anchor="end"))
    lines.append(
        f'<line x1="{_across(0.5):.1f}" y1="{_down(0.5):.1f}" x2="{right}" y2="{_TOP}" stroke="#222222" '
        'stroke-dasharray="5 4"/>'
    )
    lines.append(_text(_LEFT + _SIDE / 2, bottom + 42, "probability that was said", anchor="middle"))
    lines.append(_text(_LEFT, _TOP + _SIDE + 64, "Upwards: the share that was right. Both axes by their odds."))
    return "\n".join(lines)


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return text_mark(x, y, words, anchor)


def _across(probability: float) -> float:
    return _LEFT + _SIDE * _odds(probability)


def _down(probability: float) -> float:
    return _TOP + _SIDE * (1 - _odds(probability))


def _odds(probability: float) -> float:
    """Return where the logarithm of the odds lies between the ends of an axis, 0 to 1."""
    low, high = 1e-6, 1 - 1e-6
    held = min(high, max(low, probability))
    place = (log10(held / (1 - held)) - _LEAST_ODDS) / (_MOST_ODDS - _LEAST_ODDS)
    return min(1.0, max(0.0, place))
