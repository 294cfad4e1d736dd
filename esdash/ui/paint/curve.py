"""A curve of several lines, drawn with the strokes that frames are made of."""

from collections.abc import Sequence


def curve(values: Sequence[float], height: int) -> list[str]:
    """A column of cells for each value, the greatest in the first of `height` lines, the least in the last one."""
    least, greatest = min(values), max(values)
    scale = (height - 1) / (greatest - least) if greatest > least else 0
    levels = [round((value - least) * scale) for value in values]
    lines = [[" "] * len(levels) for _ in range(height)]
    for place, level in enumerate(levels):
        before = levels[max(0, place - 1)]
        lines[level][place] = "─"
        if level == before:
            continue
        lines[before][place], lines[level][place] = ("╯", "╭") if level > before else ("╮", "╰")
        for between in range(min(level, before) + 1, max(level, before)):
            lines[between][place] = "│"
    return ["".join(line) for line in reversed(lines)]
