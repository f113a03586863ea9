"""Every night against where its model learned: distances, chances, and the alarms that are no false ones.

A night is compared with the reference, never with the night before: nearly the same accounts come again every
night, so adding nights up would count one accident many times. What remains by chance is controlled over all
features and segments of a night (Benjamini and Hochberg 1995) at so small a level that the expected number of
false nights in a year stays below what is asked for, however much nights are alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from hva_ml.config import Monitoring
from hva_ml.monitoring import distance
from hva_ml.monitoring.digest import Digest
from hva_ml.monitoring.episodes import opened, rejected
from hva_ml.monitoring.reference import Reference, Subject

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
NIGHTS_A_YEAR = 365
SHARE = 0.25
VOLUME = "volume."
# Sums of few accounts are no sample to speak of.
LEAST_ACCOUNTS = 30


@dataclass(frozen=True, eq=False)
class Drift:
    """The nights of one release against its reference.

    Attributes
    ----------
    days : tuple of datetime.date, length n_nights
        The nights, oldest first.
    names : tuple of str, length n_tests
        Subject of each test: a feature, ``scores.<column>``, or ``volume.<source>``.
    segments : tuple of str, length n_tests
        Segment of each test, empty for all accounts.
    measured : numpy.ndarray of float64, shape (n_nights, n_tests)
        Stability index; of volumes: how many times as many rows as usual. NaN where nothing can be told.
    tolerated : numpy.ndarray of float64, shape (n_nights, n_tests)
        What is no finding.
    found : numpy.ndarray of bool, shape (n_nights, n_tests)
        Beyond what is tolerated, and beyond chance.
    opened : numpy.ndarray of bool, shape (n_nights, n_tests)
        Found on enough nights in a row, and not yet over.
    """

    days: tuple[date, ...]
    names: tuple[str, ...]
    segments: tuple[str, ...]
    measured: Floats
    tolerated: Floats
    found: Flags
    opened: Flags


def level_of(config: Monitoring) -> float:
    """Return at which level one family of tests is held each night: its share of the allowed false alarms."""
    return config.false_alarms_per_year * SHARE / NIGHTS_A_YEAR


def drift(nights: Sequence[Digest], reference: Reference, config: Monitoring) -> Drift:
    """Hold the nights of a release against its reference.

    Parameters
    ----------
    nights : sequence of Digest
        Of one release, oldest first, each of another day.
    reference : Reference
        Of that release.
    config : Monitoring
        ``[monitoring]`` of the pipeline.
    """
    columns = [_of_subject(nights, reference, s, config.max_drift) for s in reference.subjects]
    names = [s.name for s in reference.subjects for _ in ("", *reference.segments)]
    segments = ["", *reference.segments] * len(reference.subjects)
    measured = [m for m, _, _ in columns]
    chances = [p for _, p, _ in columns]
    tolerated = [t for _, _, t in columns]
    accounts = np.array([n.accounts for n in nights], dtype=np.float64)
    for habit in reference.habits:
        rows = np.array([float(n.volumes.get(habit.name, np.nan)) for n in nights])
        ratio, p = habit.excess(rows, accounts, config.max_volume_change)
        measured.append(ratio[:, None])
        chances.append(p[:, None])
        tolerated.append(np.full((len(nights), 1), config.max_volume_change))
        names.append(f"{VOLUME}{habit.name}")
        segments.append("")
    found = rejected(_joined(chances, len(nights)), level_of(config))
    return Drift(
        tuple(n.day for n in nights), tuple(names), tuple(segments), _joined(measured, len(nights)),
        _joined(tolerated, len(nights)), found, opened(found, config.confirm_nights),
    )  # fmt: skip


def _joined(columns: Sequence[Floats], nights: int) -> Floats:
    return np.column_stack(columns) if columns else np.zeros((nights, 0))


def _of_subject(
    nights: Sequence[Digest], reference: Reference, subject: Subject, least: float
) -> tuple[Floats, Floats, Floats]:
    """Return index, p-value and what is tolerated, each of shape (n_nights, 1 + n_segments)."""
    after = np.stack([_counts(n, subject) for n in nights])
    allowed = np.array([reference.tolerated(subject, n.day, least) for n in nights])
    tolerated = np.repeat(allowed[:, None], after.shape[1], axis=1)
    index, p = distance.excess(subject.counts, after, tolerated)
    few = (after.sum(axis=-1) < LEAST_ACCOUNTS) | (subject.counts.sum(axis=-1) < LEAST_ACCOUNTS)
    return np.where(few, np.nan, index), np.where(few, 1.0, p), tolerated


def _counts(night: Digest, subject: Subject) -> Floats:
    counts = night.counts.get(subject.name)
    whole = counts is not None and counts.shape == subject.counts.shape
    return counts.astype(np.float64) if whole and counts is not None else np.zeros(subject.counts.shape)
