"""The checks HVA001 … of a training: rows with a stable code; those of severity error refuse a promotion."""

from hva_ml.contracts.records import Violation
from hva_ml.evaluation.checks import enough, inputs, promises, worth
from hva_ml.evaluation.checks.judged import Judged, Refits, Side
from hva_ml.evaluation.checks.running import running

__all__ = ["CHECKS", "Judged", "Refits", "Side", "model_checks", "running"]

CHECKS = (
    enough.too_few, worth.no_better_than_rules, worth.nothing_to_learn, worth.too_good, inputs.drift,
    enough.immature, enough.overlap, promises.by_tier, promises.total, promises.coverage,
    inputs.dominance, inputs.idle, inputs.unseen, promises.ties, enough.selection,
)  # fmt: skip


def model_checks(judged: Judged, refits: Refits | None) -> tuple[Violation, ...]:
    """Return what the checks found, by code.

    Parameters
    ----------
    judged : Judged
        The model on the untouched rows.
    refits : Refits, optional
        For ``HVA015`` and ``HVA016``; without it they are not asked.
    """
    found = [v for check in CHECKS for v in check(judged)]
    if refits is not None:
        found += [*enough.unstable_top(refits), *enough.learning_curve(refits)]
    return tuple(sorted(found, key=lambda v: v.code))
