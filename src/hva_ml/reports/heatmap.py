"""A heat map as a small SVG: one path for each level, each stretch of equal cells one stroke.

Thousands of cells as elements of their own would make a page of megabytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from hva_ml.reports import figures
from hva_ml.reports.charts import FONT, NARROW, WIDE
from hva_ml.reports.pages import ENLARGED, Figure
from hva_ml.reports.palette import BLUE, GRID, INK, MUTED, OCHRE, PALE_BLUE, VERMILLION

# What is not told, then from still to far: colour and strength rise together.
LEVELS = ("none", "still", "little", "some", "beyond", "alarm")
COLOURS = (GRID.light, PALE_BLUE.light, PALE_BLUE.light, BLUE.light, OCHRE.light, VERMILLION.light)
OPACITY = (1.0, 0.18, 0.55, 0.8, 0.9, 1.0)
_ROW, _ABOVE, _HEAD = 17, 15, 22


@dataclass(frozen=True, eq=False)
class HeatMap:
    """What a heat map shows.

    Attributes
    ----------
    title, description : str
        What it shows, in words.
    rows : tuple of str
        Labels.
    levels : numpy.ndarray of int64, shape (n_rows, n_columns)
        Index into `LEVELS`.
    ticks : tuple of (int, str)
        Columns that are named, and their names.
    borders : tuple of int
        Columns before which a line is drawn: another release begins.
    """

    title: str
    description: str
    rows: tuple[str, ...]
    levels: npt.NDArray[np.int64]
    ticks: tuple[tuple[int, str], ...]
    borders: tuple[int, ...] = ()


def draw(shown: HeatMap) -> Figure:
    """Draw a heat map for desks and for telephones."""
    return Figure(
        shown.title, shown.description, Markup(_svg(shown, WIDE, ENLARGED)), Markup(_svg(shown, NARROW, 1.0))
    )


def _svg(shown: HeatMap, width: int, scale: float) -> str:
    narrow = figures.is_narrow(width)
    labels = [figures.fitted(row, narrow=True) for row in shown.rows]
    longest = max((figures.length(label) for label in labels), default=0.0)
    left = 0.0 if narrow else min(longest + 10, width * 0.45)
    step = _ROW + (_ABOVE if narrow else 0)
    height = _HEAD + step * len(labels)
    columns = max(1, shown.levels.shape[1])
    across = (width - left) / columns
    text = f'font-family="{FONT}" font-size="12"'
    body = [
        f'<text x="{left + column * across:.1f}" y="13" {text} fill="{MUTED.light}">{escape(name)}</text>'
        for column, name in _apart(shown.ticks, across, 46 if not narrow else 60)
    ]
    for k, label in enumerate(labels):
        y = _HEAD + k * step + (11 if narrow else 12)
        place = f'x="0" y="{y}"' if narrow else f'x="{left - 8:.1f}" y="{y}" text-anchor="end"'
        body.append(f'<text {place} {text} fill="{INK.light}">{escape(label)}</text>')
    first = _HEAD + (_ABOVE if narrow else 0) + _ROW // 2
    strokes = "".join(
        f'<path stroke="{COLOURS[level]}" stroke-opacity="{OPACITY[level]}" d="{path}"/>'
        for level in range(len(LEVELS)) if (path := _path(shown.levels, level, first, step))
    )  # fmt: skip
    lines = "".join(
        f'<path stroke="{INK.light}" stroke-width="1.5" vector-effect="non-scaling-stroke" '
        f'd="M{column} {_HEAD - 4}V{height}"/>'
        for column in shown.borders
    )
    grid = (
        f'<g transform="translate({left:.1f} 0) scale({across:.4f} 1)" fill="none" '
        f'stroke-width="{_ROW - 3}">{strokes}{lines}</g>'
    )
    told = f'role="img" aria-label="{escape(shown.title)}"><desc>{escape(shown.description)}</desc>'
    size = f'width="{width * scale:.0f}" height="{height * scale:.0f}" viewBox="0 0 {width} {height}"'
    return f"<svg {size} {told}{''.join(body)}{grid}</svg>"


def _path(levels: npt.NDArray[np.int64], level: int, first: int, step: int) -> str:
    """Return one stroke for each stretch of cells of a level."""
    parts = []
    for k, row in enumerate(levels == level):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]]).astype(np.int8)))
        y = first + k * step
        parts += [f"M{a} {y}h{b - a}" for a, b in edges.reshape(-1, 2).tolist()]
    return "".join(parts)


def _apart(ticks: Sequence[tuple[int, str]], across: float, least: float) -> list[tuple[int, str]]:
    """Leave out names that would run into the one before."""
    kept: list[tuple[int, str]] = []
    for column, name in ticks:
        if not kept or (column - kept[-1][0]) * across >= max(
            least, figures.CHARACTER * len(kept[-1][1]) + 8
        ):
            kept.append((column, name))
    return kept
