"""What the parts of all charts share: number axes, labels that fit, bars of text. It draws nothing."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from hva_ml.config import NO_CURRENCY
from hva_ml.reports.charts import NARROW, WIDE
from hva_ml.reports.language import Tongue
from hva_ml.reports.palette import BLUE, GREEN, INK, MUTED, OCHRE, PURPLE, RULE, VERMILLION

__all__ = ["NARROW", "WIDE"]

MODEL = "hva_ml"
PERFECT = "perfect"
CHARACTER = 6.3

# Lines differ in colour and in dash, so that a grey print or a colour-blind eye still tells them apart.
LINES: tuple[tuple[str, list[int]], ...] = (
    (VERMILLION.light, [6, 3]),
    (GREEN.light, [2, 2]),
    (PURPLE.light, [8, 3, 2, 3]),
    (OCHRE.light, [4, 4]),
    (MUTED.light, [1, 3]),
)


def frame(width: int) -> dict[str, Any]:
    """Return the outer size of a chart: `width` counts labels and axes too."""
    return {"width": width, "autosize": {"type": "fit-x", "contains": "padding"}}


def is_narrow(width: int) -> bool:
    """Tell whether a chart is for a telephone: labels then stand above their bars, not beside them."""
    return width < (WIDE + NARROW) // 2


def fitted(label: str, narrow: bool) -> str:
    r"""Break a label into at most two lines beside its bar, or cut it to one line above it.

    Examples
    --------
    >>> fitted("Tage seit der letzten Aktivität (geöffnete E-Mails)", narrow=False)
    'Tage seit der letzten Aktivität\n(geöffnete E-Mails)'
    >>> fitted("Tage seit der letzten Aktivität (geöffnete E-Mails)", narrow=True)
    'Tage seit der letzten Aktivität (geöffnete …'
    """
    width, lines = (46, 1) if narrow else (36, 2)
    return "\n".join(wrap(label, width, max_lines=lines, placeholder=" …") or [""])


def length(label: str) -> float:
    """Return about how many pixels the longest line of a label takes."""
    return CHARACTER * max(len(line) for line in label.split("\n"))


def distinct(labels: Sequence[str]) -> list[str]:
    """Give labels that come again a number, because a bar is found by its label.

    Examples
    --------
    >>> distinct(["a", "b", "a"])
    ['a', 'b', 'a (2)']
    """
    seen: set[str] = set()
    found = []
    for label in labels:
        name, k = label, 1
        while name in seen:
            k += 1
            name = f"{label} ({k})"
        seen.add(name)
        found.append(name)
    return found


def quantity(field: str, domain: list[float], axis: dict[str, Any] | None) -> dict[str, Any]:
    """Return the encoding of a number on a scale from ``domain[0]`` to ``domain[1]``."""
    return {"field": field, "type": "quantitative", "scale": {"domain": domain, "nice": False}, "axis": axis}


def percent_axis(tongue: Tongue, title: str, width: int, **more: Any) -> dict[str, Any]:
    """Return an axis for shares, written as the language writes percent."""
    blank = "" if tongue.language == "en" else "\u00a0"
    return {
        "title": title,
        "labelExpr": f"format(datum.value * 100, ',.3~f') + '{blank}%'",
        "tickCount": 3 if is_narrow(width) else 5,
        **more,
    }


def money_axis(
    tongue: Tongue, title: str, currency: str, largest: float, width: int, **more: Any
) -> dict[str, Any]:
    """Return an axis for money; large amounts are counted in thousands or millions, and the title says so."""
    divisor, unit = 1, tongue.word("wins") if currency == NO_CURRENCY else currency
    for size, word in ((1_000_000, "millions"), (1_000, "thousands")):
        if abs(largest) >= 2 * size:
            divisor, unit = size, tongue.word(word, currency=currency)
            break
    return {
        "title": f"{title} ({unit})",
        "labelExpr": f"format(datum.value / {divisor}, ',.2~f')",
        "tickCount": 3 if is_narrow(width) else 5,
        **more,
    }


def line_styles(models: Sequence[str]) -> tuple[list[str], list[list[int]], list[float]]:
    """Return colours, dashes and widths of the lines of models: ours strong, perfect foresight thin."""
    colours, dashes, widths = [], [], []
    others = 0
    for model in models:
        if model == MODEL:
            colour, dash, wide = BLUE.light, [1, 0], 3.0
        elif model == PERFECT:
            colour, dash, wide = RULE.light, [1, 0], 1.5
        else:
            (colour, dash), wide = LINES[others % len(LINES)], 2.0
            others += 1
        colours.append(colour)
        dashes.append(dash)
        widths.append(wide)
    return colours, dashes, widths


def room_for(text_width: float, largest: float, plot: float) -> float:
    """Return the end of a money axis that leaves `text_width` pixels free beyond the longest bar."""
    return largest / max(0.3, 1.0 - text_width / plot) if largest > 0 else 1.0


def bar_rows(field: str, narrow: bool) -> dict[str, Any]:
    """Return the y encoding of labelled bars: one row for each value of `field`, in the order of the data."""
    # Vega centres the first of two lines on its row; half a line up centres both.
    two_lines = {"condition": {"test": "indexof(datum.value, '\\n') >= 0", "value": -7}, "value": 0}
    beside = {
        "labelColor": INK.light,
        "labelPadding": 10,
        "labelExpr": "split(datum.value, '\\n')",
        "labelOffset": two_lines,
    }
    axis = None if narrow else beside
    return {
        "field": field,
        "type": "ordinal",
        "sort": None,
        "title": None,
        "axis": axis,
        "scale": {"padding": 0},
    }


def labelled_bars(
    x: dict[str, Any], colour: dict[str, Any], label: str, narrow: bool, end: str = "", right: str = ""
) -> list[dict[str, Any]]:
    """Return bars with the field ``text`` written to their right.

    On a narrow screen the label stands above its bar, so bar and text move to the lower half of the row.
    With `end` the bars float from ``x`` to that field; `right` then names the field of their right end.
    """
    down = 9 if narrow else 0
    span = {"x": x, "x2": {"field": end}} if end else {"x": x}
    text = {"type": "text", "align": "left", "baseline": "middle", "color": INK.light}
    layers = [
        {
            "mark": {"type": "bar", "height": 16 if narrow else 20, "yOffset": down},
            "encoding": {**span, "color": colour},
        },
        {
            "mark": {**text, "dx": 7, "yOffset": down},
            "encoding": {"x": {**x, "field": right or x["field"]}, "text": {"field": "text"}},
        },
    ]
    if narrow:
        above = {"x": {"datum": 0, "type": "quantitative"}, "text": {"field": label}}
        layers.append({"mark": {**text, "dx": 2, "yOffset": -9}, "encoding": above})
    return layers
