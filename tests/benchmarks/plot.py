"""Small plots of how costs grow: SVG for pages, text for terminals. The horizontal axis is logarithmic."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

WIDTH: Final = 360
HEIGHT: Final = 200
MARGIN: Final = 44


@dataclass(frozen=True, slots=True)
class Curve:
    """One cost by size."""

    name: str
    unit: str
    sizes: str
    """What the sizes count."""
    points: Sequence[tuple[int, float]]


def svg(curves: Sequence[Curve]) -> str:
    """The curves side by side, each from zero up, so that flat looks flat."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * len(curves)}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="11" fill="#444">',
        f'<rect width="{WIDTH * len(curves)}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for number, curve in enumerate(curves):
        parts.append(f'<g transform="translate({number * WIDTH} 0)">{_drawn(curve)}</g>')
    return "\n".join([*parts, "</svg>", ""])


def text(curves: Sequence[Curve]) -> str:
    """The curves as bars."""
    lines = []
    for curve in curves:
        most = max(value for _, value in curve.points)
        lines.append(f"{curve.name}, {curve.unit}")
        for size, value in curve.points:
            lines.append(f"  {size:>11,} {curve.sizes:<6} {'█' * max(1, round(30 * value / most)):<30} {value:.4g}")
    return "\n".join(lines)


def _drawn(curve: Curve) -> str:
    first, last = math.log10(curve.points[0][0]), math.log10(curve.points[-1][0])
    most = max(value for _, value in curve.points) * 1.2

    def across(size: int) -> float:
        return MARGIN + (math.log10(size) - first) / max(last - first, 1e-9) * (WIDTH - 2 * MARGIN)

    def up(value: float) -> float:
        return HEIGHT - MARGIN - value / most * (HEIGHT - 2 * MARGIN)

    line = " ".join(f"{across(size):.1f},{up(value):.1f}" for size, value in curve.points)
    parts = [
        f'<text x="{MARGIN}" y="20" font-weight="bold">{escape(f"{curve.name}, {curve.unit}")}</text>',
        f'<path d="M{MARGIN} {MARGIN}V{HEIGHT - MARGIN}H{WIDTH - MARGIN}" fill="none" stroke="#999"/>',
        f'<polyline points="{line}" fill="none" stroke="#0a6" stroke-width="2"/>',
    ]
    for size, value in curve.points:
        parts.append(f'<circle cx="{across(size):.1f}" cy="{up(value):.1f}" r="3" fill="#0a6"/>')
        parts.append(f'<text x="{across(size):.1f}" y="{up(value) - 8:.1f}" text-anchor="middle">{value:.3g}</text>')
        label = f"{size:,}".replace(",000,000", " M").replace(",000", " k")
        parts.append(f'<text x="{across(size):.1f}" y="{HEIGHT - MARGIN + 16}" text-anchor="middle">{label}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(curve.sizes)}</text>')
    return "".join(parts)
