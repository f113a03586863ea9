"""Whether the model is worth anything: better than plain rules, than chance, or too good to be true."""

from collections.abc import Iterator

import numpy as np

from hva_ml.contracts.records import Severity, Violation
from hva_ml.evaluation.bootstrap import group_codes, interval, weightings
from hva_ml.evaluation.checks.judged import Judged
from hva_ml.evaluation.metrics import MODEL, case
from hva_ml.evaluation.ranking import Floats

MEASURES = {"roc_auc": "ROC AUC", "captured_revenue_top_20": "revenue captured by the best 20 %"}
TOO_GOOD = 0.95


def no_better_than_rules(j: Judged) -> Iterator[Violation]:
    """Yield ``HVA002`` for each baseline that the model does not beat, or not clearly (paired bootstrap)."""
    here, drawn = _measured(j)
    for name in j.predictions:
        if name == MODEL:
            continue
        leads = {m: here[MODEL][m] - here[name][m] for m in MEASURES}
        if not all(np.isfinite(lead) for lead in leads.values()):
            continue
        spans = {m: interval(drawn[MODEL][m] - drawn[name][m]) for m in MEASURES}
        told = "; ".join(_told(m, leads[m], spans[m]) for m in MEASURES)
        if all(lead <= 0 for lead in leads.values()):
            severity: Severity = "error" if name in j.must_beat else "warning"
            yield Violation(
                "HVA002", f"model against {name}", len(j.converted), severity,
                f"The model is no better than the plain rule '{name}': {told}.",
                "Use the rule, or give the model what the rule does not know: more history, other features.",
            )  # fmt: skip
        elif all(span is not None and span[0] <= 0 for span in spans.values()):
            yield Violation(
                "HVA002", f"model against {name}", len(j.converted), "warning",
                f"The model is not clearly better than the plain rule '{name}': {told}.",
                "More test cutoffs ([split] test_cutoffs) narrow the intervals; hva compare shows both.",
            )  # fmt: skip


def nothing_to_learn(j: Judged) -> Iterator[Violation]:
    """Yield ``HVA003`` if the model's order of later accounts could be chance."""
    value, low, high = j.metric("roc_auc")
    if value is not None and low is not None and high is not None and low <= 0.5:
        yield Violation(
            "HVA003", "model", len(j.converted), "error",
            f"Nothing to learn here: ROC AUC {value:.3f} on rows it had not seen, between {low:.3f} "
            f"and {high:.3f}; 0.5 is chance.",
            "Check that the target is what you mean, add features that were known before the cutoff, or wait "
            "for more conversions.",
        )  # fmt: skip


def too_good(j: Judged) -> Iterator[Violation]:
    """Yield ``HVA004`` if the model is better than honest models of sales data usually are."""
    value, _, _ = j.metric("roc_auc")
    if value is not None and value >= TOO_GOOD:
        yield Violation(
            "HVA004", "model", len(j.converted), "warning",
            f"A ROC AUC of {value:.3f} on rows it had not seen is suspiciously good.",
            "Ask of the strongest features when their values are really recorded (hva check --leakage).",
        )  # fmt: skip


def _measured(j: Judged) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, Floats]]]:
    """Return the deciding measures of every model, and under the same draws of groups."""
    codes = group_codes(j.test.table["group_id"].to_pylist())
    cases = {m: case(p, j.converted, j.value, 1, m) for m, p in j.predictions.items()}
    ones, names = np.ones((1, len(codes))), tuple(MEASURES)
    here = {m: {k: float(v[0]) for k, v in c.measure(ones, names).items()} for m, c in cases.items()}
    draws: dict[str, dict[str, list[Floats]]] = {m: {k: [] for k in names} for m in cases}
    for weight in weightings(codes, j.resamples, j.seed):
        for m, c in cases.items():
            for k, v in c.measure(weight, names).items():
                draws[m][k].append(v)
    return here, {m: {k: np.concatenate(v) for k, v in of.items()} for m, of in draws.items()}


def _told(metric: str, lead: float, span: tuple[float, float] | None) -> str:
    between = "" if span is None else f" ({span[0]:+.3f} to {span[1]:+.3f})"
    return f"{MEASURES[metric]} {lead:+.3f}{between}"
