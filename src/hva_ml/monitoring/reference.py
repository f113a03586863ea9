"""What the data looked like where a model has learned: fixed bins, their counts, and how much is usual.

It is made at training, goes with the release, and holds counts only, never a row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.cutoffs import Calendar
from hva_ml.errors import IntegrityError
from hva_ml.evaluation.stability import index
from hva_ml.features.definition import FeatureSet
from hva_ml.monitoring import distance
from hva_ml.monitoring.bins import Bins
from hva_ml.monitoring.estimate import Certainty, Estimate
from hva_ml.monitoring.pace import Pace
from hva_ml.monitoring.volumes import Habit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
FORMAT = "hva-reference-1"
SCORES = ("conversion_probability", "value_if_converted", "expected_value")
MOST_SEGMENTS = 6
SMALLEST_SEGMENT = 100
LOOK_BACK_DAYS = 365


def score(name: str) -> str:
    """Return what a column of the scores is called beside the features.

    Examples
    --------
    >>> score("expected_value")
    'scores.expected_value'
    """
    return f"scores.{name}"


@dataclass(frozen=True, eq=False)
class Subject:
    """One feature or score as the model has seen it.

    Attributes
    ----------
    bins : Bins
        Where its values are counted.
    counts : numpy.ndarray of float64, shape (1 + n_segments, n_bins)
        Accounts in each bin: all, then each segment. An account that was seen at many cutoffs counts once.
    habit : float
        The largest stability index of a single cutoff against all, less what chance gives: how far it
        usually moves.
    """

    bins: Bins
    counts: Floats
    habit: float

    @property
    def name(self) -> str:
        """Name of the feature, or ``scores.<column>``."""
        return self.bins.name

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        counts = [[round(c, 2) for c in line] for line in self.counts.tolist()]
        return {**self.bins.record(), "counts": counts, "habit": round(self.habit, 6)}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Subject":
        """Rebuild from `record`."""
        return cls(Bins.from_record(record), np.array(record["counts"], np.float64), float(record["habit"]))


@dataclass(frozen=True, eq=False)
class Reference:
    """What a release compares nights with.

    Attributes
    ----------
    first, last : datetime.date
        The cutoffs that were counted: those of the last year of the training.
    gap, horizon : int
        Days: what was promised for.
    segment : str
        Category feature that makes the segments; empty for none.
    segments : tuple of str
        Its largest categories.
    subjects : tuple of Subject
        Features in the order of the release, then the scores. What is the same for all accounts of a day (the
        season) is left out: it tells the day, not the accounts.
    habits : tuple of Habit
        How many rows each source usually brings.
    pace : Pace
        How soon conversions come.
    certainty : Certainty or None
        How sure the calibration is.
    estimates : tuple of Estimate
        Performance as estimated from the probabilities where the model was calibrated.
    promises : tuple of Estimate
        Performance as it was on the untouched cutoffs.
    """

    first: date
    last: date
    gap: int
    horizon: int
    segment: str
    segments: tuple[str, ...]
    subjects: tuple[Subject, ...]
    habits: tuple[Habit, ...] = ()
    pace: Pace | None = None
    certainty: Certainty | None = None
    estimates: tuple[Estimate, ...] = ()
    promises: tuple[Estimate, ...] = ()

    @property
    def learned(self) -> date:
        """The day on which the newest cohort that taught the release was complete.

        A night before it is one in hindsight: the release has learned from what came of it.
        """
        return self.last + timedelta(days=self.gap + self.horizon)

    def tolerated(self, subject: Subject, day: date, least: float) -> float:
        """Return how far a subject may lie on a day: `least`, or as far as it has always moved by then.

        What has moved within the reference moves on: its habit holds for half the span of the reference, and
        grows with the distance from its middle.
        """
        half = (self.last - self.first).days / 2
        away = (day - self.first).days - half
        return max(least, subject.habit * (max(1.0, away / half) if half else 1.0))

    def parts(self, features: pa.Table) -> Ints:
        """Return the segment of each row, −1 for none of `segments`; shape (n_rows,)."""
        if not self.segment or self.segment not in features.column_names:
            return np.full(features.num_rows, -1, dtype=np.int64)
        return _codes(features[self.segment], self.segments)

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        return {
            "format": FORMAT,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "gap": self.gap,
            "horizon": self.horizon,
            "segment": self.segment,
            "segments": list(self.segments),
            "subjects": [s.record() for s in self.subjects],
            "habits": [h.record() for h in self.habits],
            "pace": self.pace.record() if self.pace else None,
            "certainty": asdict(self.certainty) if self.certainty else None,
            "estimates": [e.record() for e in self.estimates],
            "promises": [e.record() for e in self.promises],
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Reference":
        """Rebuild from `record`.

        Raises
        ------
        IntegrityError
            If it is not in the form that this version writes.
        """
        try:
            if record["format"] != FORMAT:
                raise ValueError(record["format"])
            return cls(
                date.fromisoformat(record["first"]), date.fromisoformat(record["last"]),
                int(record["gap"]), int(record["horizon"]), str(record["segment"]),
                tuple(map(str, record["segments"])),
                tuple(Subject.from_record(s) for s in record["subjects"]),
                tuple(Habit.from_record(h) for h in record["habits"]),
                Pace.from_record(record["pace"]) if record["pace"] else None,
                Certainty(**record["certainty"]) if record["certainty"] else None,
                tuple(Estimate.from_record(e) for e in record["estimates"]),
                tuple(Estimate.from_record(e) for e in record["promises"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError(
                "The reference of the monitoring is not in the form this version writes.",
                where="profile.json",
                fix="Use the version of hva-ml that trained the release, or train and promote again.",
            ) from error


def reference(
    features: FeatureSet,
    calendar: Calendar,
    calibrated: npt.NDArray[np.bool_],
    scores: Mapping[str, Floats],
    segment: str = "",
) -> Reference:
    """Count features and scores where a model has learned.

    Features are counted over the last year: over all seasons, and not over times when histories were short.

    Parameters
    ----------
    features : FeatureSet
        All accounts at all matured cutoffs.
    calendar : Calendar
        These cutoffs, gap and horizon.
    calibrated : numpy.ndarray of bool, shape (n_rows,)
        The latest of these cutoffs, which the trees have not seen: there the scores are counted.
    scores : mapping of str to numpy.ndarray of float64, shape (n_calibrated,)
        `SCORES` on those rows.
    segment : str
        Category feature; empty for none.

    Returns
    -------
    Reference
        Without habits of sources, pace, certainty, estimates and promises.
    """
    table = features.table
    recent = calendar.only(tuple(d for d in calendar.days if (calendar.days[-1] - d).days <= LOOK_BACK_DAYS))
    lately = table.filter(pa.array(np.isin(_integers(table["cutoff"]), recent.micros)))
    names = _segments(lately, segment) if segment else ()
    rows = _Rows.of(lately, segment, names)
    found = [_subject(d.name, lately[d.name], rows) for d in features.definitions]
    latest = _Rows.of(table.filter(pa.array(calibrated)), segment, names)
    found += [_subject(score(name), scores[name], latest) for name in SCORES]
    return Reference(
        recent.days[0], recent.days[-1], calendar.gap_days, calendar.horizon_days, segment if names else "",
        names, tuple(s for s in found if s is not None),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of several cutoffs: their segments, cutoffs, and how many different accounts they are."""

    part: Ints
    parts: int
    cutoff: Ints
    accounts: Floats

    @classmethod
    def of(cls, table: pa.Table, segment: str, names: Sequence[str]) -> "_Rows":
        part = _codes(table[segment], names) if names else np.full(table.num_rows, -1, dtype=np.int64)
        account = _integers(table["account_id"].combine_chunks().dictionary_encode().indices)
        cutoff = np.unique(_integers(table["cutoff"]), return_inverse=True)[1]
        here = [len(np.unique(account[part == k])) for k in range(len(names))]
        accounts = np.array([len(np.unique(account)), *here], dtype=np.float64)
        return cls(part, len(names), cutoff.astype(np.int64), accounts)


def _subject(name: str, column: "pa.ChunkedArray | Floats", rows: _Rows) -> Subject | None:
    """Count one subject; None if it is the same for all accounts of a cutoff, but not of all cutoffs."""
    bins = Bins.of(name, column)
    by_cutoff = bins.count(column, rows.cutoff, int(rows.cutoff.max(initial=0)) + 1).astype(np.float64)
    whole = by_cutoff.sum(axis=0)
    if (whole > 0).sum() > 1 and len(by_cutoff) > 1 and ((by_cutoff > 0).sum(axis=1) == 1).all():
        return None
    counts = bins.split(column, rows.part, rows.parts).astype(np.float64)
    counts = distance.accounts_of(counts, rows.accounts)
    return Subject(bins, counts, _habit(counts[0], by_cutoff))


def _habit(whole: Floats, by_cutoff: Floats) -> float:
    """Return how far a single cutoff lay from all, less what chance gives on average."""
    if len(by_cutoff) < 2:
        return 0.0
    found = index(whole, by_cutoff)
    n = distance.size(whole, by_cutoff)
    chance = np.divide(distance.free(whole, by_cutoff), n, out=np.full(len(n), np.inf), where=n > 0)
    return float(np.maximum(found - chance, 0.0).max())


def _segments(table: pa.Table, column: str) -> tuple[str, ...]:
    named = pa.table({"account": table["account_id"], "segment": table[column].cast(pa.string())})
    counted = named.group_by("segment").aggregate([("account", "count_distinct")]).to_pylist()
    large = [
        (r["account_count_distinct"], r["segment"])
        for r in counted if r["segment"] is not None and r["account_count_distinct"] >= SMALLEST_SEGMENT
    ]  # fmt: skip
    return tuple(name for n, name in sorted(large, key=lambda x: (-x[0], x[1]))[:MOST_SEGMENTS])


def _codes(column: pa.ChunkedArray, names: Sequence[str]) -> Ints:
    found = pc.index_in(column.cast(pa.string()), value_set=pa.array(names, pa.string()))
    return _integers(pc.fill_null(found, -1))


def _integers(column: Any) -> Ints:
    return np.asarray(column.cast(pa.int64()).to_numpy(zero_copy_only=False), dtype=np.int64)
