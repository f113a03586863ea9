"""The curve of captured revenue: how much of all value lies in the best-scored part of the accounts."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from hva_ml.evaluation.ranking import Floats, Gains, Order, captured

CURVE = pa.schema([("model", pa.string()), ("share", pa.float64()), ("captured", pa.float64())])
POINTS = 50
PERFECT = "perfect"


def captured_curve(expected: Mapping[str, Floats], value: Floats) -> pa.Table:
    """Return the captured share of value over the best-scored share of accounts, for plots.

    Parameters
    ----------
    expected : mapping of str to numpy.ndarray, shape (n_rows,)
        Expected value by model.
    value : numpy.ndarray, shape (n_rows,)
        Actual value.

    Returns
    -------
    pyarrow.Table
        model, share, captured; the model ``perfect`` is hindsight. Empty without any positive total.

    Examples
    --------
    >>> curve = captured_curve({"m": np.array([2.0, 1.0])}, np.array([3.0, 1.0])).to_pylist()
    >>> [row["captured"] for row in curve if row["model"] == "m" and row["share"] == 0.5]
    [0.75]
    """
    weight = np.ones((1, len(value)))
    rows: list[dict[str, object]] = []
    if value.sum() > 0:
        for model, score in (*expected.items(), (PERFECT, value)):
            gains = Gains.of(Order.of(score), value, weight)
            for k in range(POINTS + 1):
                share = k / POINTS
                told = float(captured(gains, share)[0]) if k else 0.0
                rows.append({"model": model, "share": share, "captured": told})
    return pa.Table.from_pylist(rows, schema=CURVE)
