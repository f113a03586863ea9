"""Whether there was enough to learn from and to judge on, and for whom it stands."""

from collections.abc import Iterator

import numpy as np

from hva_ml.contracts.records import Violation
from hva_ml.evaluation.checks.judged import Judged, Refits

REFUSED, FEW, FULL = 10, 40, 200
RISING, SURE = 0.005, 0.9
STABLE = 0.7


def too_few(j: Judged) -> Iterator[Violation]:
    """Yield ``HVA001`` for sides of the split with few rows of either outcome."""
    for name, side in j.sides.items():
        least = min(side.converted, side.others)
        if least >= FULL or (least >= FEW and name != "test"):
            continue
        kind = "conversions" if side.converted <= side.others else "rows without a conversion"
        what = f"The {name} side holds only {least} {kind}"
        if least >= FEW:
            yield Violation(
                "HVA001", f"{name} side", least, "info",
                f"{what}: tiers rest on fewer than {FULL} and are provisional.",
                "More test cutoffs or a longer history make them firm.",
            )  # fmt: skip
        else:
            yield Violation(
                "HVA001", f"{name} side", least, "error" if least < REFUSED else "warning",
                f"{what}; from {FEW} on results mean something, from {FULL} on tiers do.",
                "Use more or earlier cutoffs, a longer horizon, or a wider conversion event.",
            )  # fmt: skip


def immature(j: Judged) -> Iterator[Violation]:
    """Yield ``HVA006`` for declared cutoffs that were left out because their horizon is not over."""
    if j.not_over:
        yield Violation(
            "HVA006", "[cutoffs]", j.not_over, "info",
            f"{j.not_over} declared cutoffs were left out: their horizon is not over yet, so nobody "
            "there has failed to convert.",
            "Nothing to do; they count once their horizon is over.",
        )  # fmt: skip


def overlap(j: Judged) -> Iterator[Violation]:
    """Yield ``HVA007`` for test rows whose group of companies was learned from."""
    known = set(j.train.table["group_id"].to_pylist())
    again = sum(g in known for g in j.test.table["group_id"].to_pylist())
    if not again:
        return
    share = again / j.test.table.num_rows
    if j.disjoint:
        yield Violation(
            "HVA007", "[split]", again, "error",
            f"{again} test rows ({share:.0%}) belong to groups that were learned from.",
            'Report it: with groups = "disjoint" this must not happen.',
        )  # fmt: skip
    else:
        yield Violation(
            "HVA007", "[split]", again, "info",
            f"{again} test rows ({share:.0%}) are later cutoffs of groups that were learned from: results "
            "hold for accounts you know, less for new ones.",
            'groups = "disjoint" in [split] judges on unknown groups.',
        )  # fmt: skip


def selection(j: Judged) -> Iterator[Violation]:
    """Yield ``HVA017`` if only accounts that somebody worked on have labels."""
    if j.population == "deal_stages":
        yield Violation(
            "HVA017", "[population]", j.test.table.num_rows, "warning",
            "Only accounts with a deal have labels, and somebody chose them: the model knows nothing of "
            "accounts that nobody worked on, and feeds on its own choices once sales follow it.",
            "Take accounts or events as population where you can; let sales work some accounts at random.",
        )  # fmt: skip


def learning_curve(refits: Refits) -> Iterator[Violation]:
    """Yield ``HVA016``: whether more conversions would still help, or the curve is flat."""
    if len(refits.loss) < 2:
        return
    (fewer, all_), (before, now) = refits.conversions[-2:], refits.loss[-2:]
    gained = (before - now) / before
    told = f"From {fewer} to {all_} conversions log loss on later cutoffs went from {before:.4f} to {now:.4f}"
    if gained > RISING and refits.sure is not None and refits.sure >= SURE:
        yield Violation(
            "HVA016", "model", all_, "info",
            f"{told}: the learning curve still rises, and {all_ - fewer} more would probably help by "
            "about half as much again.",
            "Begin [cutoffs] first earlier, or train again once more accounts have converted.",
        )  # fmt: skip
    else:
        yield Violation(
            "HVA016", "model", all_, "info",
            f"{told}: the learning curve is flat, more of the same rows would hardly help.",
            "Other features would help more than more rows.",
        )  # fmt: skip


def unstable_top(refits: Refits) -> Iterator[Violation]:
    """Yield ``HVA015`` if another seed puts other accounts on top."""
    if refits.overlap and (least := float(np.mean(refits.overlap))) < STABLE:
        yield Violation(
            "HVA015", "model", refits.top, "warning",
            f"With another seed only {least:.0%} of the best {refits.top} accounts stay the best.",
            "More rounds with a smaller learning_rate, a higher min_child_samples or more data make it firm.",
        )  # fmt: skip
