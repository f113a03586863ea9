"""The published table of lifetime values: one row for each existing customer and horizon."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.calibration import KNOWN_BY, LifetimeValue
from hva_ml.features.definition import FeatureSet

Floats = npt.NDArray[np.float64]


def lifetime_table(
    model: LifetimeValue, rows: FeatureSet, probability: Floats, value_if_converted: Floats
) -> pa.Table:
    """Return what customers bring over each horizon; accounts that never bought have no row.

    Parameters
    ----------
    model : LifetimeValue
    rows : FeatureSet
        Accounts of one day.
    probability, value_if_converted : numpy.ndarray of float64, shape (n_rows,)
        Their scores.

    Returns
    -------
    pyarrow.Table
        ``account_id``, ``from_days``, ``horizon_days``, ``probability``, ``value_if_active``,
        ``value_in_window``, ``value``, ``survival``: see `Curve`; in the order of `rows`, horizons rising.
    """
    known = np.asarray(rows.table[KNOWN_BY].is_valid())
    curve = model.curve(probability[known], value_if_converted[known])
    n, windows = int(known.sum()), len(model.edges) - 1
    ids = rows.table["account_id"].combine_chunks().filter(pa.array(known))
    told = ("probability", "value_if_active", "value_in_window", "value", "survival")
    return pa.table(
        {
            "account_id": ids.take(pa.array(np.repeat(np.arange(n), windows))),
            "from_days": pa.array(np.tile(model.edges[:-1], n), pa.int64()),
            "horizon_days": pa.array(np.tile(model.edges[1:], n), pa.int64()),
            **{name: pa.array(getattr(curve, name).ravel()) for name in told},
        }
    )
