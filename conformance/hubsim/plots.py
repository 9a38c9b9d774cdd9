"""Plots as SVG, each for itself: lines over time, and histograms."""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

type Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT = 720, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 30, 34
_COLOURS = ("#1f5fa8", "#c2541b", "#3a7d34", "#7b4aa0")
_TICKS = 5


class _Frame:
    """Where values are on the paper; both axes begin at 0."""

    def __init__(self, most_x: float, most_y: float) -> None:
        self.step_x, self.step_y = _step(most_x), _step(most_y)
        self.most_x = max(most_x, 1e-9)
        self.most_y = ceil(max(most_y, 1e-9) / self.step_y) * self.step_y

    def x(self, value: float) -> float:
        return round(_LEFT + value / self.most_x * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        return round(_HEIGHT - _BOTTOM - value / self.most_y * (_HEIGHT - _TOP - _BOTTOM), 1)

    def axes(self, title: str, unit_x: str) -> list[str]:
        parts = [f'<text x="{_LEFT}" y="16" class="title">{escape(title)}</text>']
        for place in range(floor(self.most_y / self.step_y) + 1):
            value = place * self.step_y
            y = self.y(value)
            parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}" class="grid"/>')
            parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{value:g}</text>')
        for place in range(floor(self.most_x / self.step_x) + 1):
            value = place * self.step_x
            parts.append(
                f'<text x="{self.x(value)}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{value:g}</text>'
            )
        parts.append(f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 4}" text-anchor="end">{escape(unit_x)}</text>')
        return parts


def lines(
    title: str,
    series: Mapping[str, Points],
    *,
    limits: Sequence[float] = (),
    shaded: Sequence[tuple[float, float]] = (),
) -> str:
    """Return lines over time (s), limits dashed, spans of time shaded."""
    every = [point for points in series.values() for point in points]
    frame = _Frame(max((x for x, _ in every), default=1.0), max([y for _, y in every] + [*limits], default=1.0))
    parts = [
        f'<rect x="{frame.x(begin)}" width="{max(0.0, frame.x(min(end, frame.most_x)) - frame.x(begin)):.1f}" y="{_TOP}" '
        f'height="{_HEIGHT - _TOP - _BOTTOM}" class="shaded"/>'
        for begin, end in shaded
    ]
    parts += frame.axes(title, "s")
    for limit in limits:
        y = frame.y(limit)
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}" class="limit"/>')
    for place, (name, points) in enumerate(series.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        drawn = " ".join(f"{frame.x(x)},{frame.y(y)}" for x, y in points)
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        x = _WIDTH - _RIGHT - 130 * (len(series) - place)
        parts.append(f'<text x="{x}" y="16" fill="{colour}">{escape(name)}</text>')
    return _svg(title, parts)


def histogram(title: str, unit: str, values: Sequence[float], bins: int = 40) -> str:
    """Return how often values occur."""
    most = max(values, default=1.0) or 1.0
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, floor(value / most * bins))] += 1
    frame = _Frame(most, max(counts))
    parts = frame.axes(title, unit)
    for place, count in enumerate(counts):
        left, right, y = frame.x(place * most / bins), frame.x((place + 1) * most / bins), frame.y(count)
        parts.append(
            f'<rect x="{left}" y="{y}" width="{right - left - 1:.1f}" height="{frame.y(0) - y:.1f}" fill="{_COLOURS[0]}"/>'
        )
    return _svg(title, parts)


def bars(title: str, values: Mapping[str, float]) -> str:
    """Return a bar for each name, with its value."""
    most = max(values.values(), default=1.0) or 1.0
    parts = [f'<text x="{_LEFT}" y="16" class="title">{escape(title)}</text>']
    for place, (name, value) in enumerate(values.items()):
        y = _TOP + 20 * place
        parts.append(f'<text x="150" y="{y + 12}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect x="156" y="{y}" width="{value / most * 480:.1f}" height="15" fill="{_COLOURS[0]}"/>')
        parts.append(f'<text x="{162 + value / most * 480:.1f}" y="{y + 12}">{value:g}</text>')
    return _svg(title, parts, _TOP + 20 * len(values) + 6)


def _step(most: float) -> float:
    """Return a round distance of ticks, of which there are about five."""
    rough = max(most, 1e-9) / _TICKS
    power = 10.0 ** floor(log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)


def _svg(title: str, parts: Sequence[str], height: int = _HEIGHT) -> str:
    begin = f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title, quote=True)}">'
    return "\n".join([begin, *parts, "</svg>"])
