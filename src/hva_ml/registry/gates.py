"""Gates: what a run must show on untouched cutoffs before a promotion. They measure and write nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import Gates
from hva_ml.errors import nearest
from hva_ml.evaluation.table import MODEL, ModelPrediction, compare, evaluate

LIKELIHOOD = "roc_auc"
REVENUE = "captured_revenue_top_20"
_KEY = ["account_id", "cutoff"]
_WORDS = {LIKELIHOOD: "ROC AUC", REVENUE: "revenue captured by the top 20 %"}


@dataclass(frozen=True)
class GateResult:
    """One gate.

    Attributes
    ----------
    name : str
        Stable name, e.g. ``roc_auc`` or ``roc_auc against prevalence``.
    passed : bool
        Whether it holds.
    what : str
        What is measured, in words.
    measured : float or None
        None if it could not be measured; the gate then does not hold.
    bound : str
        What is asked for, in words.
    """

    name: str
    passed: bool
    what: str
    measured: float | None
    bound: str

    def record(self) -> dict[str, object]:
        """Return the gate as a JSON-ready record."""
        return {
            "name": self.name,
            "passed": self.passed,
            "what": self.what,
            "measured": self.measured,
            "bound": self.bound,
        }

    def sentence(self) -> str:
        """Return the gate in one clause.

        Examples
        --------
        >>> GateResult("roc_auc", False, "ROC AUC", 0.48, "at least 0.5").sentence()
        'ROC AUC is 0.48, asked for is at least 0.5'
        """
        measured = "not defined" if self.measured is None else f"{self.measured:.4g}"
        return f"{self.what} is {measured}, asked for is {self.bound}"


def gates(
    config: Gates,
    metrics: pa.Table,
    summary: Mapping[str, Any],
    *,
    challenger: pa.Table | None,
    champion: pa.Table | Mapping[str, float] | None,
    resamples: int,
    seed: int,
) -> tuple[GateResult, ...]:
    """Measure a run against every gate.

    Against each baseline of ``beat_baselines`` two things are asked: a higher ROC AUC, and in the 20 % of
    highest expected value no less revenue than the baseline captures, but for ``champion_tolerance``.
    Against the champion both may be lower by no more than the tolerance; the two models are compared on the
    test rows they share (paired), or, where those hold fewer than ``min_converted`` conversions or are not
    in this workspace, each on its own.

    Parameters
    ----------
    config : Gates
        ``[gates]`` of the pipeline.
    metrics : pyarrow.Table
        Results table: model, metric, value, …
    summary : mapping
        ``sides.test.converted``, and ``findings`` with their ``severity``.
    challenger, champion : pyarrow.Table
        Test rows: account_id, cutoff, group_id, converted, value, probability, expected_value; None for a
        challenger whose rows are elsewhere. Of a champion whose rows are elsewhere its metrics as MLflow has
        them (``test.roc_auc``, …). No champion yet: no gate.
    resamples, seed : int
        Of the paired bootstrap whose interval is told with the champion gates.

    Returns
    -------
    tuple of GateResult
    """
    found = [*_absolute(config, metrics, summary)]
    for baseline in config.beat_baselines:
        found += _against_baseline(config, metrics, baseline)
    if champion is not None:
        if isinstance(champion, Mapping) or challenger is None:
            found += _apart(config, metrics, champion)
        else:
            found += _against_champion(config, challenger, champion, resamples, seed)
    errors = sum(1 for f in summary.get("findings", ()) if f["severity"] == "error")
    what = "number of data checks of severity error"
    found.append(GateResult("data_checks", errors == 0, what, float(errors), "0"))
    return tuple(found)


def _absolute(config: Gates, metrics: pa.Table, summary: Mapping[str, Any]) -> list[GateResult]:
    converted = float(summary["sides"]["test"]["converted"])
    auc, error, total = (
        _value(metrics, MODEL, name) for name in ("roc_auc", "calibration_error", "total_ratio")
    )
    low, high = config.total_ratio
    return [
        GateResult(
            "converted",
            converted >= config.min_converted,
            "number of conversions in the test rows",
            converted,
            f"at least {config.min_converted}",
        ),
        GateResult(
            "roc_auc",
            auc is not None and auc >= config.min_roc_auc,
            "ROC AUC",
            auc,
            f"at least {config.min_roc_auc:g}",
        ),
        GateResult(
            "calibration_error",
            error is not None and error <= config.max_calibration_error,
            "calibration error",
            error,
            f"at most {config.max_calibration_error:g}",
        ),
        GateResult(
            "total_ratio",
            total is not None and low <= total <= high,
            "total predicted / total actual value",
            total,
            f"between {low:g} and {high:g}",
        ),
    ]


def _against_baseline(config: Gates, metrics: pa.Table, baseline: str) -> list[GateResult]:
    known = set(metrics["model"].to_pylist()) - {MODEL}
    if baseline not in known:
        hint = nearest(baseline, known) or f" There are: {', '.join(sorted(known))}."
        what = f"the baseline '{baseline[:60]}' of beat_baselines"
        return [GateResult(f"baseline {baseline}", False, what, None, f"a baseline that was trained.{hint}")]
    found = []
    for metric, slack in ((LIKELIHOOD, 0.0), (REVENUE, config.champion_tolerance)):
        mine, theirs = _value(metrics, MODEL, metric), _value(metrics, baseline, metric)
        passed = mine is not None and theirs is not None
        if mine is not None and theirs is not None:
            passed = mine >= theirs - slack if slack else mine > theirs
        bound = f"not defined for {baseline}" if theirs is None else f"above {theirs:.4g} of {baseline}"
        if slack and theirs is not None:
            bound = f"at least {theirs - slack:.4g} ({baseline} less {slack:g})"
        found.append(GateResult(f"{metric} against {baseline}", passed, _WORDS[metric], mine, bound))
    return found


def _against_champion(
    config: Gates, challenger: pa.Table, champion: pa.Table, resamples: int, seed: int
) -> list[GateResult]:
    shared = challenger.join(champion.select([*_KEY, "probability", "expected_value"]), _KEY,
                             join_type="inner", right_suffix="_champion").sort_by(
        [("cutoff", "ascending"), ("account_id", "ascending")]
    )  # fmt: skip
    paired = (pc.sum(shared["converted"]).as_py() or 0) >= max(1, config.min_converted)
    if paired:
        told = compare(
            _prediction(shared), _prediction(shared, "_champion"), shared["converted"].to_numpy(),
            shared["value"].to_numpy(), _groups(shared), resamples=resamples, seed=seed, capacity=1,
        )  # fmt: skip
        rows = {r["metric"]: r for r in told.to_pylist()}
        where = f"on {shared.num_rows} shared test rows"
    else:
        mine, theirs = _alone(challenger, seed), _alone(champion, seed)
        rows = {
            m: {"difference": None if None in (mine[m], theirs[m]) else mine[m] - theirs[m], "low": None}  # type: ignore[operator]
            for m in (LIKELIHOOD, REVENUE)
        }
        where = "each on its own test rows: not paired"
    found = []
    for metric in (LIKELIHOOD, REVENUE):
        row = rows[metric]
        between = "" if row["low"] is None else f", 95 % interval {row['low']:.3g} to {row['high']:.3g}"
        found.append(_no_worse(config, metric, row["difference"], where + between))
    return found


def _apart(config: Gates, metrics: pa.Table, champion: pa.Table | Mapping[str, float]) -> list[GateResult]:
    """Compare what either was measured at, where the test rows of one are elsewhere."""
    told = champion if isinstance(champion, Mapping) else {}
    where = "each on its own test rows, those of one elsewhere: not paired"
    found = []
    for metric in (LIKELIHOOD, REVENUE):
        mine, theirs = _value(metrics, MODEL, metric), told.get(f"test.{metric}")
        found.append(
            _no_worse(config, metric, None if mine is None or theirs is None else mine - theirs, where)
        )
    return found


def _no_worse(config: Gates, metric: str, difference: float | None, where: str) -> GateResult:
    return GateResult(
        f"{metric} against champion",
        difference is not None and difference >= -config.champion_tolerance,
        f"{_WORDS[metric]} less the champion's ({where})",
        difference,
        f"at least {-config.champion_tolerance:g}",
    )


def _alone(rows: pa.Table, seed: int) -> dict[str, float | None]:
    ordered = rows.sort_by([("cutoff", "ascending"), ("account_id", "ascending")])
    told = evaluate(
        {MODEL: _prediction(ordered)}, ordered["converted"].to_numpy(), ordered["value"].to_numpy(),
        _groups(ordered), resamples=0, seed=seed, capacity=1,
    )  # fmt: skip
    return {r["metric"]: r["value"] for r in told.to_pylist()}


def _prediction(rows: pa.Table, suffix: str = "") -> ModelPrediction:
    probability = rows[f"probability{suffix}"].to_numpy()
    expected = rows[f"expected_value{suffix}"].to_numpy()
    value = np.divide(expected, probability, out=np.zeros(len(expected)), where=probability > 0)
    return ModelPrediction(probability, value, expected)


def _groups(rows: pa.Table) -> np.ndarray[Any, Any]:
    return np.asarray(rows["group_id"].to_pylist(), dtype=object)


def _value(metrics: pa.Table, model: str, metric: str) -> float | None:
    rows = metrics.filter((pc.field("model") == model) & (pc.field("metric") == metric))
    value: float | None = rows["value"][0].as_py() if rows.num_rows else None
    return value
