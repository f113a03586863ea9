"""The colours of pages and charts, each with its form on a dark screen. Colour never carries meaning alone.

Hues are those of Okabe and Ito (Color Universal Design, 2008), darker where text or thin lines need it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Colour:
    """One colour on white and on a dark screen, as ``#rrggbb``."""

    light: str
    dark: str


INK = Colour("#1c2733", "#e7ecf1")
MUTED = Colour("#566270", "#a6b2be")
RULE = Colour("#8d98a4", "#6d7985")
GRID = Colour("#e2e7ec", "#2f3945")
BAND = Colour("#c9d1d9", "#4a5663")
BLUE = Colour("#0072b2", "#56b4e9")
PALE_BLUE = Colour("#7fb8d8", "#2f7fab")
VERMILLION = Colour("#c85200", "#f0894a")
GREEN = Colour("#00805e", "#3cc79c")
PURPLE = Colour("#a3508a", "#dd9bc4")
OCHRE = Colour("#9a6a00", "#e3b04b")
PAPER = Colour("#ffffff", "#141a21")
PANEL = Colour("#f4f6f8", "#1d252e")
NOTE = Colour("#fff6e5", "#33291a")

NAMED = {
    "ink": INK, "muted": MUTED, "rule": RULE, "grid": GRID, "band": BAND, "blue": BLUE,
    "pale-blue": PALE_BLUE, "vermillion": VERMILLION, "green": GREEN, "purple": PURPLE, "ochre": OCHRE,
    "paper": PAPER, "panel": PANEL, "note": NOTE,
}  # fmt: skip


def css() -> str:
    """Return the colours as CSS: variables for pages, and dark forms for the fixed colours inside charts.

    Charts name their colours as SVG attributes, so that they are whole without a stylesheet; on a dark screen
    (never on paper) an attribute selector puts the dark form in their place.
    """
    light = "".join(f"--{name}:{c.light};" for name, c in NAMED.items())
    dark = "".join(f"--{name}:{c.dark};" for name, c in NAMED.items())
    charts = "".join(
        f'svg [{part}="{c.light}"]{{{part}:{c.dark}}}' for c in NAMED.values() for part in ("fill", "stroke")
    )
    return (
        f":root{{color-scheme:light dark;{light}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}{charts}}}"
    )
