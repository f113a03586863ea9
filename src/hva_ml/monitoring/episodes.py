"""When alarms were open: tests over nights become stretches with a beginning and an end."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Episode:
    """One alarm, from the day on which it was raised.

    Attributes
    ----------
    code, where, segment : str
        As in `hva_ml.monitoring.findings`.
    raised : str
        ISO day on which it was raised.
    since : str
        ISO day of the first night of it.
    over : str
        ISO day on which it was over; empty while it is open.
    """

    code: str
    where: str
    segment: str
    raised: str
    since: str
    over: str

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Watched:
    """Tests of one kind, night by night.

    Attributes
    ----------
    codes, wheres, segments : tuple of str, length n_tests
        What each test looks at.
    days : tuple of datetime.date, length n_nights
        The nights, increasing.
    known : tuple of datetime.date, length n_nights
        When each could be judged: the same day, or when its horizon was over.
    opened : numpy.ndarray of bool, shape (n_nights, n_tests)
        Where an alarm is open.
    lead : int
        Nights that had to be found before an alarm was raised.
    """

    codes: tuple[str, ...]
    wheres: tuple[str, ...]
    segments: tuple[str, ...]
    days: tuple[date, ...]
    known: tuple[date, ...]
    opened: Flags
    lead: int = 0

    def episodes(self) -> list[Episode]:
        """Return every alarm there was, by test, then by day."""
        found = []
        for j in np.flatnonzero(self.opened.any(axis=0)):
            edges = np.flatnonzero(np.diff(np.concatenate([[False], self.opened[:, j], [False]]).astype(int)))
            for begin, end in edges.reshape(-1, 2).tolist():
                over = self.known[end].isoformat() if end < len(self.known) else ""
                found.append(
                    Episode(
                        self.codes[j], self.wheres[j], self.segments[j], self.known[begin].isoformat(),
                        self.days[max(0, begin - self.lead)].isoformat(), over,
                    )
                )  # fmt: skip
        return found

    def since(self, test: int) -> str:
        """Return the first night of an alarm that is open on the last night, as ISO."""
        before = np.flatnonzero(~self.opened[:, test])
        begin = int(before[-1]) + 1 if len(before) else 0
        return self.days[max(0, begin - self.lead)].isoformat()


def rejected(p: Floats, level: float) -> Flags:
    """Return which hypotheses of each row are rejected so that at most `level` of them are false on average.

    Benjamini and Hochberg (1995); where no hypothesis of a row is false, that is also the probability of
    rejecting any.

    Examples
    --------
    >>> rejected(np.array([[0.001, 0.02, 0.9]]), 0.05).tolist()
    [[True, True, False]]
    """
    if not p.shape[-1]:
        return np.zeros(p.shape, dtype=np.bool_)
    ordered = np.sort(p, axis=-1)
    rank = np.arange(1, p.shape[-1] + 1)
    holds = ordered <= level * rank / p.shape[-1]
    last = np.where(holds, rank, 0).max(axis=-1, keepdims=True)
    bound = np.take_along_axis(ordered, np.maximum(last - 1, 0), axis=-1)
    return np.asarray((last > 0) & (p <= bound))


def opened(found: Flags, confirm: int) -> Flags:
    """Return where an alarm is open: after so many findings in a row, until so many nights without one.

    Parameters
    ----------
    found : numpy.ndarray of bool, shape (n_nights, n_tests)
    confirm : int
        At least 1.

    Examples
    --------
    >>> opened(np.array([[1, 1, 0, 1, 0, 0, 1]], dtype=bool).T, 2).ravel().tolist()
    [False, True, True, True, True, False, False]
    """
    state = np.zeros(found.shape, dtype=np.bool_)
    now = np.zeros(found.shape[1], dtype=np.bool_)
    ones, zeros = np.zeros(found.shape[1], dtype=np.int64), np.zeros(found.shape[1], dtype=np.int64)
    for night, here in enumerate(found):
        ones, zeros = np.where(here, ones + 1, 0), np.where(here, 0, zeros + 1)
        now = np.where(now, zeros < confirm, ones >= confirm)
        state[night] = now
    return state
