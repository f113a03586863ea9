"""What a release carries along for its nights: counts by hand, a whole round trip, nothing of one day."""

import json
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest

from hva_ml.cutoffs import Calendar
from hva_ml.errors import IntegrityError
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.monitoring.digest import counted
from hva_ml.monitoring.reference import SCORES, Reference, reference

DAYS = (date(2023, 1, 1), date(2024, 1, 1), date(2024, 7, 1), date(2024, 12, 1))


def definition(name: str, kind: str = "number") -> FeatureDefinition:
    return FeatureDefinition(name, "engagement", kind, "events", "count", "count", name, name)  # type: ignore[arg-type]


def features(n: int = 300) -> FeatureSet:
    rng = np.random.default_rng(1)
    parts = []
    for k, day in enumerate(DAYS):
        parts.append(
            pa.table(
                {
                    "account_id": [f"A{i}" for i in range(n)],
                    "cutoff": pa.array([datetime(day.year, day.month, day.day, tzinfo=UTC)] * n,
                                       pa.timestamp("us", "UTC")),
                    "group_id": pa.nulls(n, pa.string()),
                    "still": rng.normal(size=n),
                    "wanders": rng.normal(size=n) + k,
                    "season": np.full(n, float(day.month)),
                    "country": np.where(np.arange(n) % 3 == 0, "AT", "DE").tolist(),
                }
            )
        )  # fmt: skip
    names = [definition(x) for x in ("still", "wanders", "season")]
    return FeatureSet(pa.concat_tables(parts), (*names, definition("country", "category")))


@pytest.fixture(scope="module")
def found() -> Reference:
    rows = features()
    calibrated = np.repeat([False, False, False, True], 300)
    scores = {name: np.linspace(0.01, 1, 300) for name in SCORES}
    return reference(rows, Calendar(DAYS, 90, 7, "UTC"), calibrated, scores, "country")


def test_features_are_counted_over_the_last_year_and_scores_where_the_model_was_calibrated(
    found: Reference,
) -> None:
    assert (found.first, found.last, found.gap, found.horizon) == (DAYS[1], DAYS[3], 7, 90)
    still = next(s for s in found.subjects if s.name == "still")
    assert still.counts[0].sum() == pytest.approx(300)
    assert still.counts.sum(axis=1).tolist() == pytest.approx([300, 200, 100])
    assert found.segments == ("DE", "AT")
    assert [s.name for s in found.subjects][-3:] == [f"scores.{n}" for n in SCORES]


def test_what_is_the_same_for_all_accounts_of_a_day_is_left_out(found: Reference) -> None:
    assert "season" not in [s.name for s in found.subjects]


def test_the_habit_is_how_far_single_cutoffs_lie(found: Reference) -> None:
    habit = {s.name: s.habit for s in found.subjects}
    assert habit["still"] < 0.02
    assert habit["wanders"] > 0.3


def test_a_record_is_the_same_reference(found: Reference) -> None:
    record = json.loads(json.dumps(found.record()))
    again = Reference.from_record(record)
    assert again.record() == found.record()
    night = features().table.slice(900, 300)
    scores = pa.table({name: np.linspace(0.01, 1, 300) for name in SCORES})
    one, other = counted(found, night, scores), counted(again, night, scores)
    assert {k: v.tolist() for k, v in one.items()} == {k: v.tolist() for k, v in other.items()}
    with pytest.raises(IntegrityError, match="not in the form"):
        Reference.from_record({**record, "format": "other"})


def test_a_night_is_counted_whole_and_by_segment_in_any_order(found: Reference) -> None:
    night = features().table.slice(900, 300)
    scores = pa.table({name: np.linspace(0.01, 1, 300) for name in SCORES})
    counts = counted(found, night, scores)
    assert all(c[0].sum() == 300 for c in counts.values())
    assert all(c[1:].sum(axis=1).tolist() == [200, 100] for c in counts.values())
    order = np.random.default_rng(2).permutation(300)
    mixed = counted(found, night.take(pa.array(order)), scores.take(pa.array(order)))
    assert {k: v.tolist() for k, v in mixed.items()} == {k: v.tolist() for k, v in counts.items()}
    assert counted(None, night, scores) == {}
