"""How a feature's factor depends on its value, and the swarm of accounts behind the strongest topics."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from hva_ml.explanation.ranks import levels
from hva_ml.explanation.selection import Floats, Ints, Topics

BINS = 8
BAND = (0.1, 0.5, 0.9)
SWARM = 2000
_SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("category", pa.string()),
        ("n_accounts", pa.int64()),
        ("factor_low", pa.float64()),
        ("factor", pa.float64()),
        ("factor_high", pa.float64()),
    ]
)


def of_number(values: Floats, log_factors: Floats, bins: int = BINS) -> pa.Table:
    """Return a number's factor by its value, in bins of about equally many accounts.

    Few different values have a bin each. Equal values are never in two bins, so a value that is frequent
    leaves fewer bins.

    Parameters
    ----------
    values : numpy.ndarray of float64, shape (n_rows,)
        NaN where unknown.
    log_factors : numpy.ndarray of float64, shape (n_rows,)
        The feature's contributions to ln(expected value).
    bins : int
        Most bins.

    Returns
    -------
    pyarrow.Table
        By value, unknown last: kind (``number``, ``category`` or ``unknown``), low and high (least and
        greatest value of the bin), category, n_accounts, and the 10 %, 50 % and 90 % quantiles of the factor
        as factor_low, factor, factor_high.
    """
    known = ~np.isnan(values)
    # Adding zero makes -0 and 0 one value.
    value, effect = values[known] + 0.0, log_factors[known]
    edges = np.unique(value)
    if len(edges) > bins:
        at = [k / bins for k in range(1, bins)]
        edges = np.unique(np.quantile(value, at, method="inverted_cdf"))
    place = np.searchsorted(edges, value, side="left")
    rows = []
    for k in np.unique(place).tolist():
        here = place == k
        low, high = float(value[here].min()), float(value[here].max())
        rows.append({"kind": "number", "low": low, "high": high, **_factors(effect[here])})
    return _table(rows, log_factors[~known])


def of_category(values: Sequence[str | None], log_factors: Floats) -> pa.Table:
    """Return a category's factor, the most frequent first, equals by name; columns as in `of_number`."""
    names, codes = np.unique(np.array(["" if v is None else v for v in values]), return_inverse=True)
    known = np.array([v is not None for v in values], dtype=np.bool_)
    rows = []
    for code, name in enumerate(names.tolist()):
        here = (codes == code) & known
        if here.any():
            rows.append({"kind": "category", "category": name, **_factors(log_factors[here])})
    rows.sort(key=lambda r: (-r["n_accounts"], r["category"]))
    return _table(rows, log_factors[~known])


def sample(n: int, most: int = SWARM) -> Ints:
    """Return at most `most` of n rows, evenly spread.

    Examples
    --------
    >>> sample(10, 4).tolist(), sample(3, 4).tolist()
    ([1, 3, 6, 8], [0, 1, 2])
    """
    if n <= most:
        return np.arange(n, dtype=np.int64)
    return ((2 * np.arange(most, dtype=np.int64) + 1) * n) // (2 * most)


def swarm(ids: Sequence[str], found: Topics, chosen: Sequence[int], values: Sequence[Floats]) -> pa.Table:
    """Return some accounts' effects of some topics, beside how high the topic's heaviest feature is.

    Parameters
    ----------
    ids : sequence of str, length n_rows
        Account ids, sorted; at most 2,000 of them are taken, evenly spread.
    found : Topics
        Effects of all.
    chosen : sequence of int
        Which topics, at least one, in the order of the rows returned.
    values : sequence of numpy.ndarray of float64, each of shape (n_rows,)
        For each chosen topic the feature that colours it; all NaN where it is no number.

    Returns
    -------
    pyarrow.Table
        topic, account_id, log_factor, level (in (0, 1) among all accounts, null where unknown).
    """
    rows = sample(len(ids))
    kept = [ids[k] for k in rows.tolist()]
    parts = [
        pa.table(
            {
                "topic": pa.array([found.names[t]] * len(rows), pa.string()),
                "account_id": pa.array(kept, pa.string()),
                "log_factor": pa.array(found.effects[rows, t]),
                "level": pa.array(levels(column)[rows], from_pandas=True),
            }
        )
        for t, column in zip(chosen, values, strict=True)
    ]
    return pa.concat_tables(parts)


def _factors(effects: Floats) -> dict[str, float]:
    # Sorted first: the interpolation then sees the same neighbours in any order of the rows.
    low, middle, high = np.exp(np.quantile(np.sort(effects), BAND)).tolist()
    return {"n_accounts": len(effects), "factor_low": low, "factor": middle, "factor_high": high}


def _table(rows: list[dict[str, object]], unknown: Floats) -> pa.Table:
    if len(unknown):
        rows = [*rows, {"kind": "unknown", **_factors(unknown)}]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)
