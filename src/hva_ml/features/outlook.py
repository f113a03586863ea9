"""What the market did in the horizon's days a year before, over the usual, and how far the data show that.

Numbers of all accounts together at each cutoff; it reads no table.
"""

from dataclasses import dataclass

import numpy as np

from hva_ml.features.log import Floats, Ints

MARKET_DAYS = 90
YEAR_DAYS = 365
OUTLOOK = "season.outlook"
SEEN = "season.outlook_seen"
DOUBTED_ROWS = 25
"""So many rows tell as much as is known without: the logarithm of a sum of n like amounts has variance 1 / n,
and a market swings by 0.2² = 1 / 25 (`calibration.outlook.SWING_SD`)."""


@dataclass(frozen=True)
class Market:
    """Visible amounts of all accounts at each cutoff.

    Attributes
    ----------
    recent, year : numpy.ndarray of int64, shape (n_cutoffs,)
        Cents of the last 90 and the last 365 days.
    then, rows : numpy.ndarray of int64, shape (n_cutoffs,)
        Cents and number of amounts in the horizon's days a year (365 days) earlier.
    age_days : numpy.ndarray of int64, shape (n_cutoffs,)
        Days from the first amount to the cutoff, begun ones included, 365 at most; 0 without any.
    """

    recent: Ints
    year: Ints
    then: Ints
    rows: Ints
    age_days: Ints


def seen(market: Market, horizon_days: int, gap_days: int) -> Floats:
    """Return on which share of the horizon's days a year earlier there were data, in [0, 1].

    Shape (n_cutoffs,). It grows from nothing, day by day, while data that begin come to be a year old.

    Examples
    --------
    >>> age, none = np.array([275, 276, 320, 365]), np.zeros(4, dtype=np.int64)
    >>> seen(Market(none, none, none, none, age), 90, 0).round(3).tolist()
    [0.0, 0.011, 0.5, 1.0]
    """
    return _days(market, horizon_days, gap_days) / horizon_days


def outlook(market: Market, horizon_days: int, gap_days: int) -> Floats:
    """Return ln of the amount per day in the horizon's days a year earlier over the usual one.

    The usual one is the geometric mean of the amounts per day of the last 90 and the last 365 days, or of as
    many as there are data. Days that were not `seen` count as usual, and so do 25 rows more than there are,
    for a few amounts may be any. NaN where nothing is seen, or an amount is not positive; shape (n_cutoffs,).

    Examples
    --------
    >>> one = [np.array([n]) for n in (90_000, 320_000, 22_500, 75)]
    >>> outlook(Market(*one, np.array([320])), 90, 0).round(3).tolist()
    [-0.208]
    >>> round(float(np.log(1 + 0.5 * 75 / 100 * (0.5 - 1))), 3)
    -0.208
    """
    days = _days(market, horizon_days, gap_days)
    known = (days > 0) & (market.then > 0) & (market.recent > 0) & (market.year > 0)
    found = np.full(len(known), np.nan)
    age, rows = market.age_days[known], market.rows[known]
    recent = market.recent[known] / np.minimum(age, MARKET_DAYS)
    usual = np.sqrt(recent * (market.year[known] / age))
    told = days[known] / horizon_days * (rows / (rows + DOUBTED_ROWS))
    found[known] = np.log1p(told * (market.then[known] / days[known] / usual - 1.0))
    return found


def _days(market: Market, horizon_days: int, gap_days: int) -> Ints:
    """Return on how many of the horizon's days a year earlier there were data."""
    before = YEAR_DAYS - gap_days - horizon_days
    return np.asarray(np.clip(market.age_days - before, 0, horizon_days))
