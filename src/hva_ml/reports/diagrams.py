"""The diagrams that the pages of runs and comparisons share, each with a line that explains it."""

from collections.abc import Callable
from typing import Any

from hva_ml.evaluation.diagrams import Diagrams
from hva_ml.reports import diagram_charts, model_charts
from hva_ml.reports.charts import Chart
from hva_ml.reports.language import Tongue

Drawing = Callable[[int], Chart]

NOTES = {
    "captured_revenue": "Accounts of highest expected value first; perfect foresight is the limit.",
    "gains": "Likeliest accounts first; the thin line is chance. The height over it is the lift.",
    "precision": "Accounts of highest expected value first, at every cutoff; the thin line marks how many "
    "your team can work.",
    "calibration": "Ten bins of equal size; bars are 95% intervals. On the dashed line a promise is kept.",
    "residuals": "Expected value, conversions or not: mean of each group, 95% interval of what came.",
}


def drawings(
    found: Diagrams, capacity: int, currency: str, tongue: Tongue, pointed: str | None = None
) -> dict[str, Drawing]:
    """Return what draws each diagram that has rows, by name.

    Parameters
    ----------
    found : Diagrams
        Of one or several models.
    capacity : int
        Accounts that can be worked at each cutoff.
    currency : str
        ISO 4217 code.
    tongue : Tongue
        Language and country.
    pointed : str, optional
        The one model whose reliability and residuals are shown; by default all.
    """

    def of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return rows if pointed is None else [r for r in rows if r["model"] == pointed]

    captured, gained, reach = (t.to_pylist() for t in (found.captured, found.gains, found.capacity))
    calibration, residuals = (of(t.to_pylist()) for t in (found.calibration, found.residuals))
    drawn: dict[str, tuple[list[dict[str, Any]], Drawing]] = {
        "captured_revenue": (captured, lambda w: model_charts.captured_revenue(captured, tongue, w)),
        "gains": (gained, lambda w: diagram_charts.gains(gained, tongue, w)),
        "precision": (reach, lambda w: diagram_charts.precision(reach, capacity, tongue, w)),
        "value": (reach, lambda w: diagram_charts.reach(reach, capacity, currency, tongue, w)),
        "calibration": (calibration, lambda w: diagram_charts.reliability(calibration, tongue, w)),
        "residuals": (residuals, lambda w: diagram_charts.residuals(residuals, currency, tongue, w)),
    }
    return {name: draw for name, (rows, draw) in drawn.items() if rows}
