"""A published night, summed up: counts in fixed bins and estimates, a few kilobytes, no row of an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.monitoring.estimate import Estimate, estimates
from hva_ml.monitoring.reference import SCORES, Reference

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
PREFIX = "scores."


@dataclass(frozen=True, eq=False)
class Digest:
    """What is kept of a night.

    Attributes
    ----------
    as_of, run_id, release, version : str
        Which night, and what scored it.
    sequence : int
        Of several runs of one day the one written last counts.
    accounts : int
        Number of accounts.
    counts : mapping of str to numpy.ndarray of int64, shape (1 + n_segments, n_bins)
        Accounts by subject of the reference, in its bins: all, then each segment.
    volumes : mapping of str to int
        Rows that each source brought within four weeks.
    estimates : tuple of Estimate
        Performance, estimated.
    promised : tuple of float
        Conversions and value that all accounts together were promised.
    """

    as_of: str
    run_id: str
    release: str
    version: str
    sequence: int
    accounts: int
    counts: Mapping[str, Ints]
    volumes: Mapping[str, int]
    estimates: tuple[Estimate, ...]
    promised: tuple[float, float]

    @property
    def day(self) -> date:
        """The night's day."""
        return date.fromisoformat(self.as_of)

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        return {
            "as_of": self.as_of,
            "run_id": self.run_id,
            "release": self.release,
            "version": self.version,
            "sequence": self.sequence,
            "accounts": self.accounts,
            "counts": {name: counts.tolist() for name, counts in self.counts.items()},
            "volumes": dict(self.volumes),
            "estimates": [e.record() for e in self.estimates],
            "promised": list(self.promised),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Digest":
        """Rebuild from `record`."""
        return cls(
            record["as_of"], record["run_id"], record["release"], record["version"], int(record["sequence"]),
            int(record["accounts"]),
            {name: np.array(counts, dtype=np.int64) for name, counts in record["counts"].items()},
            {name: int(n) for name, n in record["volumes"].items()},
            tuple(Estimate.from_record(e) for e in record["estimates"]),
            (float(record["promised"][0]), float(record["promised"][1])),
        )  # fmt: skip


def counted(reference: Reference | None, features: pa.Table, scores: pa.Table) -> dict[str, Ints]:
    """Count a night into the bins of its reference.

    Parameters
    ----------
    reference : Reference or None
        Of the release that scored it; without one nothing is counted.
    features, scores : pyarrow.Table
        As published, both in the same order of accounts.

    Returns
    -------
    dict of str to numpy.ndarray of int64, shape (1 + n_segments, n_bins)
    """
    if reference is None:
        return {}
    part = reference.parts(features)
    found = {}
    for subject in reference.subjects:
        name = subject.name
        mine = name.startswith(PREFIX) and name.removeprefix(PREFIX) in SCORES
        column = scores[name.removeprefix(PREFIX)] if mine else features[name]
        found[name] = subject.bins.split(column, part, len(reference.segments))
    return found


def estimated(
    reference: Reference | None, probability: Floats, value: Floats, seed: int
) -> tuple[Estimate, ...]:
    """Estimate a night's performance with the certainty of its release; nothing without one."""
    if reference is None or reference.certainty is None:
        return ()
    return estimates(probability, value, reference.certainty, seed)
