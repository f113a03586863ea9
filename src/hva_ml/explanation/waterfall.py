"""Factors told in money: steps from the typical account's expected value to this account's."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from hva_ml.training.trees import Floats

STEPS = pa.schema(
    [
        ("step", pa.string()),
        ("kind", pa.string()),
        ("factor", pa.float64()),
        ("start", pa.float64()),
        ("end", pa.float64()),
        ("change", pa.float64()),
    ]
)


def waterfall(
    labels: Sequence[str],
    contributions: Floats,
    log_base: float,
    *,
    base: str = "typical account",
    other: str = "other",
    total: str = "this account",
    limit: int = 8,
    threshold: float = 0.0,
) -> pa.Table:
    """Return the steps of a waterfall whose bars sum to the expected value.

    Factors multiply, bars add: each step's bar is what its factor does to the amount reached so far,
    strongest factors first, so a bar's length depends on the steps before it while its factor does not.
    Features of one label are one step; those beyond `limit` or weaker than `threshold` are one step "other",
    always last.

    Parameters
    ----------
    labels : sequence of str, length n_features
        What each contribution is called.
    contributions : numpy.ndarray of float64, shape (n_features,)
        In log space.
    log_base : float
        ln(expected value) of the reference account.
    base, other, total : str
        Words for the first bar, the grouped step and the last bar.
    limit : int
        Most named steps.
    threshold : float
        Least absolute log factor of a named step.

    Returns
    -------
    pyarrow.Table
        step, kind (``base``, ``step``, ``other`` or ``total``), factor, start, end, change (currency units).

    Examples
    --------
    >>> steps = waterfall(["visits", "size"], np.log([2.0, 0.5]), float(np.log(100.0)))
    >>> [round(change, 6) for change in steps["change"].to_pylist()]
    [100.0, -50.0, 50.0, 100.0]
    """
    sums: dict[str, float] = {}
    for label, contribution in zip(labels, contributions, strict=True):
        sums[label] = sums.get(label, 0.0) + float(contribution)
    effects = sorted(sums.items(), key=lambda item: (-abs(item[1]), item[0]))
    effects = [(name, effect) for name, effect in effects if effect != 0.0]
    named = [item for item in effects[:limit] if abs(item[1]) >= threshold]
    rest = [effect for _, effect in effects[len(named) :]]
    steps = [(name, "step", effect) for name, effect in named]
    if rest:
        steps.append((other, "other", float(np.sum(rest))))
    log_end = log_base + float(np.sum(contributions))
    amount = float(np.exp(log_base))
    rows = [_row(base, "base", 1.0, 0.0, amount)]
    reached = log_base
    for k, (name, kind, effect) in enumerate(steps):
        # The last step ends on the score itself, whatever rounding the steps before it left.
        reached = log_end if k == len(steps) - 1 else reached + effect
        following = float(np.exp(reached))
        rows.append(_row(name, kind, float(np.exp(effect)), amount, following))
        amount = following
    rows.append(_row(total, "total", float(np.exp(log_end - log_base)), 0.0, amount))
    return pa.Table.from_pylist(rows, schema=STEPS)


def _row(step: str, kind: str, factor: float, start: float, end: float) -> dict[str, object]:
    return {"step": step, "kind": kind, "factor": factor, "start": start, "end": end, "change": end - start}
