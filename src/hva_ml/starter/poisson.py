"""Poisson processes of piecewise constant intensity: drawing their points, and integrating them exactly."""

from dataclasses import dataclass

import numpy as np

from hva_ml.starter.period import DAY, Floats, Ints, Period


@dataclass(frozen=True)
class Pieces:
    """Intervals in which an account orders at a constant rate; those of one account may overlap and add up.

    Attributes
    ----------
    account : numpy.ndarray of int64, shape (n_pieces,)
        Position of the account.
    lo, hi : numpy.ndarray of int64, shape (n_pieces,)
        Half-open interval ``[lo, hi)`` in microseconds; empty where hi = lo.
    rate : numpy.ndarray of float64, shape (n_pieces,)
        Expected orders a day, at least 0.
    value : numpy.ndarray of float64, shape (n_pieces,)
        Expected amount of one order in cents.
    deal : numpy.ndarray of int64, shape (n_pieces,)
        Position of the deal whose decision this is, -1 for repeat business.
    """

    account: Ints
    lo: Ints
    hi: Ints
    rate: Floats
    value: Floats
    deal: Ints

    def upto(self, n_accounts: int) -> "Pieces":
        """Keep the pieces of the first `n_accounts` accounts."""
        keep = self.account < n_accounts
        return Pieces(
            self.account[keep], self.lo[keep], self.hi[keep],
            self.rate[keep], self.value[keep], self.deal[keep],
        )  # fmt: skip

    @classmethod
    def joined(cls, parts: list["Pieces"], offsets: list[int]) -> "Pieces":
        """Put blocks one after another; `offsets` are added to their account positions."""
        moved = [p.account + o for p, o in zip(parts, offsets, strict=True)]
        names = ("lo", "hi", "rate", "value", "deal")
        return cls(np.concatenate(moved), *(np.concatenate([getattr(p, n) for p in parts]) for n in names))


def months_alive(period: Period, birth: Ints) -> tuple[Ints, Ints]:
    """Return begin and end of each account's months, cut at its birth; both of shape (n_accounts, n_months).

    A month before the birth is empty: it begins where it ends.
    """
    hi = np.broadcast_to(period.edges[1:], (len(birth), period.n_months))
    lo = np.minimum(np.maximum(period.edges[:-1], birth[:, None]), hi)
    return lo, hi


def points(rng: np.random.Generator, lo: Ints, hi: Ints, rate: Floats) -> tuple[Ints, Ints]:
    """Draw the points of the processes on ``[lo, hi)``.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    lo, hi : numpy.ndarray of int64, shape (n,)
        Microseconds.
    rate : numpy.ndarray of float64, shape (n,)
        Points a day.

    Returns
    -------
    tuple of numpy.ndarray
        Position of the piece and time in microseconds of each point, ordered by piece.
    """
    length = hi - lo
    counts = rng.poisson(rate * (length / DAY))
    index = np.repeat(np.arange(len(lo)), counts)
    span = length[index]
    within = np.minimum((rng.random(len(index)) * span).astype(np.int64), span - 1)
    return index, lo[index] + within


def overlap_days(lo: Ints, hi: Ints, start: int, end: int) -> Floats:
    """Return the days that ``[lo, hi)`` and ``[start, end)`` have in common, shape as `lo`.

    Examples
    --------
    >>> overlap_days(np.array([0, 0]), np.array([DAY, 4 * DAY]), DAY, 3 * DAY).tolist()
    [0.0, 2.0]
    """
    common: Floats = np.maximum(np.minimum(hi, end) - np.maximum(lo, start), 0) / DAY
    return common
