"""Whether promises are kept: by tier, in total, and apart from each other."""

from collections.abc import Iterator
from math import sqrt

import numpy as np
import pyarrow.compute as pc

from hva_ml.contracts.records import Violation
from hva_ml.evaluation.checks.judged import Judged

TOTAL = 0.15
TIER = 0.25
SIGMAS = 3.0
TIES = 0.2
COVERAGE = 0.04


def by_tier(j: Judged) -> Iterator[Violation]:
    """Yield ``HVA008`` for tiers whose conversions are far from the promise, by more than chance."""
    p = j.ours.probability
    for tier in np.unique(j.tier).tolist():
        here = j.tier == tier
        promised, came = float(p[here].sum()), float(j.converted[here].sum())
        chance = SIGMAS * sqrt(float((p[here] * (1 - p[here])).sum()))
        far = abs(came - promised)
        if promised > 0 and far > chance and far > TIER * promised:
            yield Violation(
                "HVA008", f"tier {tier}", int(here.sum()), "warning",
                f"Tier {tier} was promised {promised:.0f} conversions and got {came:.0f} "
                f"({came / promised:.2f} of the promise); chance explains ±{chance:.0f}.",
                "Calibrate on later cutoffs ([split] calibrate_cutoffs), or try another form ([models] "
                "calibration).",
            )  # fmt: skip


def total(j: Judged) -> Iterator[Violation]:
    """Yield ``HVA009`` if the total promised value is off by more than 15 %."""
    value, low, high = j.metric("total_ratio")
    if value is None or abs(value - 1) <= TOTAL:
        return
    chance = "" if low is None or high is None else f" (between {low:.2f} and {high:.2f})"
    within = low is not None and high is not None and low <= 1 <= high
    yield Violation(
        "HVA009", "value", len(j.value), "warning",
        f"The total promised value is {value:.2f} times what came{chance}"
        + (", which includes 1: too few large accounts to tell." if within else "."),
        "Make no budget from the sum of expected values yet; the order of accounts is another matter.",
    )  # fmt: skip


def coverage(j: Judged) -> Iterator[Violation]:
    """Yield ``HVA013`` if bounds of the value hold more or less often than they say, by more than 4 points.

    Of severity info where that may be chance.
    """
    value, low, high = j.metric("value_coverage")
    if value is None or abs(value - j.interval) <= COVERAGE:
        return
    chance = low is not None and high is not None and low <= j.interval <= high
    between = "" if low is None or high is None else f" (between {low:.1%} and {high:.1%})"
    yield Violation(
        "HVA013", "value", int(j.converted.sum()), "info" if chance else "warning",
        f"{value:.1%} of the conversions brought a value between the bounds told before{between}, not "
        f"{j.interval:.0%}" + (": too few conversions to tell." if chance else "."),
        "Let more cohorts teach the bounds ([split] calibrate_cutoffs); expected values are another matter.",
    )  # fmt: skip


def ties(j: Judged) -> Iterator[Violation]:
    """Yield ``HVA014`` if many accounts of a cutoff share their expected value with another."""
    cutoffs = pc.rank(j.test.table["cutoff"], tiebreaker="dense").to_numpy()
    pairs = np.column_stack([cutoffs, j.ours.expected_value])
    _, where, count = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    tied = int((count[where.ravel()] > 1).sum())
    if tied > TIES * len(pairs):
        yield Violation(
            "HVA014", "model", tied, "warning",
            f"{tied / len(pairs):.0%} of the accounts have the same expected value as another of their "
            "cutoff: among them only the account id decides the rank.",
            "Add features, or let trees have more leaves ([search] num_leaves).",
        )  # fmt: skip
