"""Rank, percentile, tier and capacity: the order of the accounts by expected value, ties by account id."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hva_ml.config import Scoring

BY_VALUE = "expected_value"
BY_WEIGHT = "strategic_weight"


@dataclass(frozen=True, eq=False)
class Tiers:
    """Where each account stands, all arrays of shape (n_accounts,).

    Attributes
    ----------
    rank : numpy.ndarray of int64
        1 is best; ties by account id.
    percentile : numpy.ndarray of float64
        Percent of accounts whose expected value is not higher, in (0, 100]; ties have the same.
    tier : numpy.ndarray of str
        A, B or C.
    reason : numpy.ndarray of str
        ``expected_value``, or ``strategic_weight`` where the user's weight has lifted the tier.
    in_capacity : numpy.ndarray of bool
        Whether the account is among the best `capacity`.
    """

    rank: npt.NDArray[np.int64]
    percentile: npt.NDArray[np.float64]
    tier: npt.NDArray[np.str_]
    reason: npt.NDArray[np.str_]
    in_capacity: npt.NDArray[np.bool_]


def tiers(
    account_id: npt.NDArray[np.str_],
    expected_value: npt.NDArray[np.float64],
    strategic_weight: npt.NDArray[np.float64],
    config: Scoring,
) -> Tiers:
    """Order accounts and cut them into tiers by cumulative expected value (Pareto).

    An account is A if the accounts before it hold less than ``tier_a`` of all expected value, B if they hold
    less than ``tier_b``, else C: the A accounts together hold at least ``tier_a``. A strategic weight of
    ``strategic_from`` or more lifts the tier to at least ``strategic_tier``; rank, capacity and numbers stay.

    Parameters
    ----------
    account_id : numpy.ndarray of str, shape (n_accounts,)
        Unique.
    expected_value : numpy.ndarray of float64, shape (n_accounts,)
        Currency units, ≥ 0.
    strategic_weight : numpy.ndarray of float64, shape (n_accounts,)
        The user's own weight, NaN where there is none.
    config : Scoring
        Thresholds.

    Examples
    --------
    >>> found = tiers(np.array(["a", "b", "c"]), np.array([1.0, 8.0, 1.0]), np.full(3, np.nan), Scoring())
    >>> found.tier.tolist(), found.rank.tolist()
    (['C', 'A', 'C'], [2, 1, 3])
    """
    n = len(account_id)
    order = np.lexsort((account_id, -expected_value))
    rank = np.empty(n, dtype=np.int64)
    rank[order] = np.arange(1, n + 1)
    ordered = expected_value[order]
    through = np.cumsum(ordered)
    before = np.r_[0.0, through[:-1]]
    total = float(through[-1]) if n else 0.0
    tier = np.full(n, "C")
    tier[order] = np.where(
        before < config.tier_a * total, "A", np.where(before < config.tier_b * total, "B", "C")
    )
    lifted = np.zeros(n, dtype=np.bool_)
    if config.strategic_from is not None:
        # NaN reaches no threshold; "B" > "A": a later letter is a lower tier.
        lifted = (strategic_weight >= config.strategic_from) & (tier > config.strategic_tier)
        tier[lifted] = config.strategic_tier
    reason = np.where(lifted, BY_WEIGHT, BY_VALUE)
    not_higher = np.searchsorted(-ordered, -expected_value, side="left")
    percentile = 100.0 * (n - not_higher) / max(n, 1)
    return Tiers(rank, percentile, tier, reason, rank <= config.capacity)
