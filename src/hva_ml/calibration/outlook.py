"""The level of a day: how the market is expected to move, learned from cohorts, added to both margins."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hva_ml.errors import IntegrityError, NotEnoughDataError

Array = npt.NDArray[np.float64]

SWING_SD = 0.2
MISS_SD = 0.1
DRIFT_SD = 0.15
SWING_WEIGHT = 2.0
MISS_WEIGHT = 4.0


@dataclass(frozen=True)
class Outlook:
    """What the market is expected to do, and what that means for the models.

    An account's value moves with the market: a market at twice its usual level doubles it, so the logarithm
    of the expected change is added to the log of a value and to the log-odds of a conversion. All accounts of
    a day get the same, so reasons stay exact.

    Attributes
    ----------
    column : int
        Which encoded column holds ``season.outlook``.
    usual : float
        Mean change of the market that cohorts have seen, log scale; what is expected without an outlook.
    weight : float
        Share of the difference between outlook and `usual` that is believed, in [0, 1].
    drift : float
        By how much the market has been above its outlook, log scale.
    odds : float
        Log-odds that the trees of the conversion model leave out.
    seen : int
        Which encoded column holds ``season.outlook_seen``, the share of its days that an outlook has seen; -1
        in a model from before that was told, for which it has seen all of them.
    """

    column: int
    usual: float
    weight: float
    drift: float
    odds: float = 0.0
    seen: int = -1

    def __post_init__(self) -> None:
        numbers = (self.usual, self.weight, self.drift, self.odds)
        places = self.column >= 0 and self.seen >= -1
        if not (np.isfinite(numbers).all() and 0 <= self.weight <= 1 and places):
            raise IntegrityError(
                f"The outlook of a model must be finite and believed by 0 to 100 %: {asdict(self)}.",
                where="metadata.json",
                fix="Restore the model files, or train again.",
            )

    @classmethod
    def learn(
        cls, column: int, days: Array, realised: Array, foreseen: Array, wait_days: float,
        share: Array | None = None, seen: int = -1,
    ) -> "Outlook":  # fmt: skip
        """Learn from matured cohorts how far an outlook is to be believed.

        The market has swung around its mean with variance s², and missed its outlook by a drift with variance
        t² around it; so the best guess between mean and outlook is weighted s² / (s² + t²), credibility in
        the sense of Bühlmann (1967, ASTIN Bulletin 4, 199-207). Little is known of either with few cohorts:
        s starts at 0.2 (with the weight of two cohorts), t at 0.1 (of four), the drift at 0 ± 0.15. Cohorts
        whose horizons overlap count as many as fit beside each other. An outlook that has seen a part of its
        days misses by the season of the others, so it tells nothing of the drift: only whole ones are asked.

        Parameters
        ----------
        column : int
            Which encoded column holds the outlook.
        days : ndarray, shape (n_cohorts,)
            Cutoffs in days, increasing.
        realised, foreseen : ndarray, shape (n_cohorts,)
            How the market moved (`labels.market`) and what the outlook was; NaN where unknown.
        wait_days : float
            Days from a cutoff until its outcomes are known.
        share : ndarray, shape (n_cohorts,), optional
            Of its days that each outlook has seen, in [0, 1]; without it all of them.
        seen : int
            Which encoded column holds that share.

        Raises
        ------
        NotEnoughDataError
            If no cohort knows how the market moved.

        Examples
        --------
        >>> one = Outlook.learn(0, np.array([0.0]), np.array([0.3]), np.array([np.nan]), 90)
        >>> one.usual, round(one.weight, 2), one.drift
        (0.3, 0.73, 0.0)
        """
        known = np.isfinite(realised)
        if not known.any():
            raise NotEnoughDataError(
                "No cohort knows how the market moved.",
                where="[features] outlook",
                why="Without amounts before the cutoff there is nothing to compare a season with.",
                fix="Set outlook = false, or begin [cutoffs] first 30 days or more after the first amounts.",
            )
        if share is not None:
            foreseen = np.where(share < 1.0, np.nan, foreseen)
        days, realised, foreseen = days[known], realised[known], foreseen[known]
        apart = (1.0 + (days[-1] - days[0]) / wait_days) / len(days)
        each = min(1.0, apart)
        usual = float(realised.mean())
        swing = SWING_WEIGHT * SWING_SD**2 + each * float(((realised - usual) ** 2).sum())
        swing /= SWING_WEIGHT + each * len(days)
        missed = (realised - foreseen)[np.isfinite(foreseen)]
        count = each * len(missed)
        drift = each * float(missed.sum()) / (MISS_SD**2 / DRIFT_SD**2 + count)
        miss = MISS_WEIGHT * MISS_SD**2 + each * float(((missed - drift) ** 2).sum())
        miss /= MISS_WEIGHT + count
        return cls(column, usual, swing / (swing + miss), drift, seen=seen)

    @property
    def columns(self) -> list[int]:
        """The encoded columns that no tree may look at."""
        return [self.column] if self.seen < 0 else [self.column, self.seen]

    def market(self, outlook: Array, share: Array | float = 1.0) -> Array:
        """Return the expected change of the market, log scale.

        Parameters
        ----------
        outlook : ndarray, shape (n_rows,)
            ``season.outlook``, NaN where nobody knows.
        share : ndarray, shape (n_rows,), optional
            Of its days that it has seen, in [0, 1]: what was not seen is expected to be as usual.

        Examples
        --------
        >>> Outlook(0, 0.1, 0.5, 0.0).market(np.array([-0.5, np.nan])).round(3).tolist()
        [-0.2, 0.1]
        >>> Outlook(0, 0.1, 0.5, 0.0).market(np.array([0.0, -0.05]), np.array([0.0, 0.1])).round(3).tolist()
        [0.1, 0.07]
        """
        expected = self.usual + self.weight * (outlook + share * (self.drift - self.usual))
        return np.where(np.isnan(expected), self.usual, expected)

    def of(self, X: Array) -> Array:
        """Return the expected change of the market of encoded rows, log scale, shape (n_rows,)."""
        return self.market(X[:, self.column], 1.0 if self.seen < 0 else X[:, self.seen])

    def record(self) -> dict[str, Any]:
        """Return a JSON-ready record."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Outlook":
        """Read what `record` gives; KeyError, TypeError or ValueError if it is not that."""
        usual, weight, drift, odds = (float(record[k]) for k in ("usual", "weight", "drift", "odds"))
        return cls(int(record["column"]), usual, weight, drift, odds, int(record.get("seen", -1)))


def day_terms(outlook: Outlook | None, X: Array) -> tuple[Array, Array]:
    """Return what their day adds to log-odds and log value of encoded rows, each of shape (n_rows,)."""
    if outlook is None:
        return np.zeros(len(X)), np.zeros(len(X))
    market = outlook.of(X)
    return market + outlook.odds, market
