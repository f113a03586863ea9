"""What the numbers of a new champion are on the scale that readers know, so that no threshold jumps.

Fitted once, at the promotion, on the accounts of one published night; from then on part of the release.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hva_ml.errors import IntegrityError
from hva_ml.folders import pretty
from hva_ml.registry.identity import FIX

Floats = npt.NDArray[np.float64]
FILE = "continuity.json"
FORMAT = "hva-continuity-1"
SHARES = (*np.arange(0.0, 0.99, 0.01).round(2).tolist(), 0.99, 0.995, 0.999, 1.0)
"""Shares of the accounts at which the two scales are held to each other; finer where readers look."""


@dataclass(frozen=True)
class Continuity:
    """A monotone map from expected values to the scale of an earlier champion.

    Attributes
    ----------
    version : str
        The champion whose scale it continues.
    run_id : str
        The published night on whose accounts both were held to each other.
    accounts : int
        How many these were.
    ours, theirs : tuple of float
        Expected values of this model, strictly rising, and what they are there, never falling. Currency
        units, > 0.
    """

    version: str
    run_id: str
    accounts: int
    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    def stable(self, expected: Floats) -> Floats:
        """Return expected values on the earlier scale; their order stays.

        Between the points the logarithm is interpolated; beyond them the factor of the last point holds.

        Parameters
        ----------
        expected : numpy.ndarray of float64, shape (n,)
            Of this model, currency units, > 0.

        Examples
        --------
        >>> twice = Continuity("1", "r", 2, (1.0, 10.0), (2.0, 20.0))
        >>> twice.stable(np.array([0.5, 1.0, 10.0, 40.0])).round(9).tolist()
        [1.0, 2.0, 20.0, 80.0]
        """
        x, ours, theirs = np.log(expected), np.log(self.ours), np.log(self.theirs)
        inside = np.interp(x, ours, theirs)
        below, above = np.minimum(x - ours[0], 0.0), np.maximum(x - ours[-1], 0.0)
        return np.asarray(np.exp(inside + below + above))

    def text(self) -> str:
        """Return the content of its file."""
        return pretty({"format": FORMAT, **asdict(self)})


def continuity(version: str, run_id: str, ours: Floats, theirs: Floats) -> Continuity | None:
    """Fit the map by which as many accounts lie above every threshold as before.

    Parameters
    ----------
    version, run_id : str
        The champion before, and the night.
    ours : numpy.ndarray of float64, shape (n,)
        Expected values by the new model, of the accounts of that night.
    theirs : numpy.ndarray of float64, shape (n,)
        Of the same accounts, what readers saw.

    Returns
    -------
    Continuity or None
        None if one of the two tells no account from another, or is not positive.

    Notes
    -----
    Quantiles are matched (equipercentile linking; Kolen and Brennan, Test Equating, 2014), because a team's
    threshold stands for a number of accounts that it can work.
    """
    both = np.stack([ours, theirs])
    if both.shape[1] == 0 or not (np.isfinite(both).all() and (both > 0).all()):
        return None
    mine, known = (np.quantile(x, SHARES, method="inverted_cdf") for x in both)
    # Where many accounts share a value of ours, the middle of what they had stands for it.
    points, place = np.unique(mine, return_inverse=True)
    if len(points) < 2 or known[0] == known[-1]:
        return None
    there = np.bincount(place, np.log(known)) / np.bincount(place)
    matched = np.exp(np.maximum.accumulate(there))
    return Continuity(version, run_id, int(both.shape[1]), tuple(points.tolist()), tuple(matched.tolist()))


def read(folder: Path) -> Continuity | None:
    """Return the map of a release that is known to be whole; None if it has a scale of its own.

    Raises
    ------
    IntegrityError
        If the file is none of this form.
    """
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        if told.pop("format") != FORMAT:
            raise ValueError("another form")
        rows = {name: tuple(map(float, told[name])) for name in ("ours", "theirs")}
        return Continuity(**{**told, **rows})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise IntegrityError("The map to the scores before is damaged.", where=str(file), fix=FIX) from error
