"""Small plots as SVG text: lines and bars with axes, a legend and a title. No library, no script, nothing from other hosts.

Colours are Okabe and Ito's, which colour-blind people can tell apart; axes take the colour of the page's text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import cycle

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 20, 34, 44
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
TICKS = 5

Point = tuple[float, float]
Range = tuple[float, float]


def line_chart(
    title: str,
    series: Mapping[str, Sequence[Point]],
    labels: tuple[str, str],
    x_range: Range,
    y_range: Range,
    ideal: bool = False,
    rising: bool = False,
) -> str:
    """A line for each series. `labels` are those of the axes; `ideal` draws the diagonal on which y equals x; the legend of
    `rising` lines stands below them."""
    parts = [_axes(labels, x_range, y_range)]
    if ideal:
        parts.append(f'<polyline points="{_path([(0, 0), (1, 1)], x_range, y_range)}" stroke="currentColor" stroke-dasharray="4" {_LINE}/>')
    for colour, points in zip(cycle(COLOURS), series.values()):
        parts.append(f'<polyline points="{_path(points, x_range, y_range)}" stroke="{colour}" {_LINE}/>')
        if len(points) <= 12:
            parts += [_dot(point, colour, x_range, y_range) for point in points]
    return _svg(title, parts + _legend(list(series), low=rising))


def bar_chart(title: str, series: Mapping[str, Sequence[Point]], labels: tuple[str, str], x_range: Range) -> str:
    """Bars of equal width from each x on, side by side for several series; their heights from 0."""
    highest = max((y for points in series.values() for _, y in points), default=0) or 1
    parts = [_axes(labels, x_range, (0, highest))]
    bars = max((len(points) for points in series.values()), default=1)
    width = (WIDTH - LEFT - RIGHT) / max(1, bars) / max(1, len(series))
    for number, (colour, points) in enumerate(zip(cycle(COLOURS), series.values())):
        for x, y in points:
            left, top = _place((x, y), x_range, (0, highest))
            tall = HEIGHT - BOTTOM - top
            parts.append(f'<rect x="{left + number * width:.1f}" y="{top:.1f}" width="{width:.1f}" height="{tall:.1f}" fill="{colour}"/>')
    return _svg(title, parts + _legend(list(series)))


def histogram(values: Sequence[float], highest: float, bins: int = 24) -> list[Point]:
    """(left edge, share) of each bin from 0 to `highest`; what lies above is in the last one."""
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int(value / highest * bins))] += 1
    return [(number * highest / bins, count / max(1, len(values))) for number, count in enumerate(counts)]


_LINE = 'fill="none" stroke-width="2" stroke-linejoin="round"'


def _svg(title: str, parts: Sequence[str]) -> str:
    heading = f'<text x="{LEFT}" y="16" font-weight="bold">{escape(title)}</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}" '
        f'font-family="system-ui, sans-serif" font-size="11" fill="currentColor">{heading}{"".join(parts)}</svg>'
    )


def _axes(labels: tuple[str, str], x_range: Range, y_range: Range) -> str:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="currentColor"/>']
    for x in _ticks(*x_range):
        across, _ = _place((x, y_range[0]), x_range, y_range)
        parts.append(f'<text x="{across:.1f}" y="{bottom + 15}" text-anchor="middle">{_tick(x)}</text>')
    for y in _ticks(*y_range):
        _, up = _place((x_range[0], y), x_range, y_range)
        parts.append(f'<text x="{LEFT - 6}" y="{up + 4:.1f}" text-anchor="end">{_tick(y)}</text>')
        parts.append(f'<path d="M{LEFT} {up:.1f}H{right}" stroke="currentColor" opacity="0.15"/>')
    parts.append(f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(labels[0])}</text>')
    middle = (TOP + bottom) / 2
    parts.append(f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">{escape(labels[1])}</text>')
    return "".join(parts)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers in a range, some five of them: (1, 10) -> 2, 4, 6, 8, 10."""
    rough = (high - low) / TICKS
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= 0.99 * rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _legend(names: Sequence[str], low: bool = False) -> list[str]:
    """One line a series at the right, at the top or the bottom; nothing for a single one."""
    if len(names) < 2:
        return []
    first = HEIGHT - BOTTOM - 8 - 14 * (len(names) - 1) if low else TOP + 12
    return [
        f'<text x="{WIDTH - RIGHT}" y="{first + 14 * row}" text-anchor="end" class="legend">'
        f'{escape(name)} <tspan fill="{colour}">■</tspan></text>'
        for row, (name, colour) in enumerate(zip(names, cycle(COLOURS)))
    ]


def _dot(point: Point, colour: str, x_range: Range, y_range: Range) -> str:
    x, y = _place(point, x_range, y_range)
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"><title>{_tick(point[0])}: {point[1]:.3f}</title></circle>'


def _path(points: Sequence[Point], x_range: Range, y_range: Range) -> str:
    return " ".join("{:.1f},{:.1f}".format(*_place(point, x_range, y_range)) for point in points)


def _place(point: Point, x_range: Range, y_range: Range) -> Point:
    """Values to the drawing's own units."""
    across = (point[0] - x_range[0]) / (x_range[1] - x_range[0])
    up = (point[1] - y_range[0]) / (y_range[1] - y_range[0])
    return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


def _tick(value: float) -> str:
    """0.30000000000000004 -> '0.3', 1250.0 -> '1,250'."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
