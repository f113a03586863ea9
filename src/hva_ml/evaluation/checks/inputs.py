"""What the model reads: whether it has moved, whether one feature carries all or says nothing."""

from collections.abc import Iterator

import numpy as np

from hva_ml.contracts.records import Violation
from hva_ml.evaluation.checks.judged import Judged
from hva_ml.evaluation.stability import shift
from hva_ml.training.outcome import numbers

MOVED, MANY_MOVED = 0.25, 0.2
DOMINANT = 0.5
UNSEEN = 0.01
_NAMED = 5


def drift(j: Judged) -> Iterator[Violation]:
    """Yield ``HVA005`` for features distributed otherwise at the test cutoffs than where was learned."""
    moved: dict[str, float] = {}
    asked = [d for d in j.test.definitions if d.kind == "number" and d.family != "season"]
    for d in asked:
        before, after = (
            column[np.isfinite(column)] for column in (numbers(s, d.name) for s in (j.train, j.test))
        )
        if len(before) and len(after):
            found = shift(before, after)
            if found.index > max(MOVED, found.chance):
                moved[d.name] = found.index
    if moved:
        most = sorted(moved, key=lambda n: (-moved[n], n))[:_NAMED]
        many = len(moved) > MANY_MOVED * len(asked)
        told = ", ".join(f"{n} ({moved[n]:.2f})" for n in most)
        yield Violation(
            "HVA005", "features", len(moved), "warning" if many else "info",
            f"{len(moved)} of {len(asked)} features are distributed otherwise in the test rows "
            f"(population stability index above {MOVED}): {told}.",
            "Look whether their sources have changed. Windows longer than the history grow with it; shorter "
            "ones do not.",
        )  # fmt: skip


def dominance(j: Judged) -> Iterator[Violation]:
    """Yield ``HVA010`` if one column brings more than half of what a model has learned."""
    for model, gain in j.gain.items():
        whole = float(gain.sum())
        if whole > 0 and gain.max() > DOMINANT * whole:
            name = j.columns[int(gain.argmax())]
            yield Violation(
                "HVA010", f"{model} model", 1, "warning",
                f"{name} brings {gain.max() / whole:.0%} of what the {model} model has learned.",
                "Ask when its values are really recorded. If they are honest, a rule on it alone may do.",
            )  # fmt: skip


def idle(j: Judged) -> Iterator[Violation]:
    """Yield ``HVA011`` for columns that never vary or say the same as another one."""
    constant: list[str] = []
    twins: list[str] = []
    seen: dict[bytes, str] = {}
    for k, name in enumerate(j.columns):
        column = np.where(np.isnan(j.matrix[:, k]), -np.inf, j.matrix[:, k])
        if len(column) and column.min() == column.max():
            constant.append(name)
            continue
        first = seen.setdefault(column.tobytes(), name)
        if first != name:
            twins.append(f"{name} (as {first})")
    for names, what in ((constant, "never vary"), (twins, "say the same as another")):
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            yield Violation(
                "HVA011", "features", len(names), "info",
                f"{len(names)} features {what}: {', '.join(names[:_NAMED])}{more}.",
                "They do no harm; leaving them out of [features] makes everything faster.",
            )  # fmt: skip


def unseen(j: Judged) -> Iterator[Violation]:
    """Yield ``HVA012`` for categories at the test cutoffs that training has not seen."""
    rows = j.test.table.num_rows
    for name, count in j.unseen.items():
        if count > UNSEEN * rows:
            yield Violation(
                "HVA012", name, count, "warning",
                f"{count} test rows ({count / rows:.0%}) have a category of {name} unseen in training.",
                "Look whether its spelling has changed in the source; else train again with newer cutoffs.",
            )  # fmt: skip
