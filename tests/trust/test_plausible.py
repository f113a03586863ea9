"""What of a night of other scores counts as told; `python -m benchmarks.trust --only plausible` tries it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.trust import plausible
from benchmarks.trust.mutants import Night
from benchmarks.trust.tally import Tally

ONE, OTHER = pa.table({"expected_value": [1.0]}), pa.table({"expected_value": [2.0]})
OLD = ("HVD016", "info", "events.event_time")
HONEST: Night = (0, ONE, "a log line\n" + json.dumps({"findings": []}))


def _night(scores: pa.Table | None, *found: tuple[str, str, str], code: int = 0) -> Night:
    rows = [dict(zip(("code", "severity", "where"), f, strict=True)) for f in found]
    return code, scores, json.dumps({"findings": rows})


@pytest.mark.parametrize(
    ("night", "end", "bad"),
    [
        (_night(ONE), "the same scores", 0),
        (_night(None, code=3), "refused or held, with words", 0),
        (_night(OTHER, ("HVD012", "warning", "events.known_at")), "published with a warning", 0),
        (_night(OTHER, OLD), "published with a note", 0),
        (_night(OTHER), "other scores without a word", 1),
        (_night(None), "other scores without a word", 1),
        ((1, None, "Traceback (most recent call last)"), "not told", 1),
    ],
)
def test_a_night_is_counted_by_how_loudly_it_tells(night: Night, end: str, bad: int) -> None:
    tally = Tally("a trial")
    plausible.judged(tally, "a source", night, HONEST)
    assert dict(tally.ends) == {end: 1}
    assert len(tally.bad) == bad


def test_what_the_honest_night_tells_too_tells_nothing() -> None:
    tally = Tally("a trial")
    plausible.judged(tally, "a source", _night(OTHER, OLD), _night(ONE, OLD))
    assert dict(tally.ends) == {"other scores without a word": 1}


def test_days_and_months_are_exchanged_and_offsets_keep_the_instant() -> None:
    times = [datetime(2025, 3, 7, 9, tzinfo=UTC), datetime(2025, 3, 17, 9, tzinfo=UTC), None]
    column = pa.chunked_array([pa.array(times, pa.timestamp("us", "UTC"))])
    march, *others = plausible.exchanged(column).to_pylist()
    assert march == datetime(2025, 7, 3, 9, tzinfo=UTC)
    assert others == times[1:]
    told = plausible.offsets(column).to_pylist()
    assert [t[-6:] for t in told[:2]] == ["+01:00", "-05:00"]
    assert [t and datetime.fromisoformat(t) for t in told] == times


def test_every_change_has_a_name_of_its_own(tmp_path: Path) -> None:
    for name in ("companies", "deals", "invoices"):
        pq.write_table(ONE, tmp_path / f"{name}.parquet")
    names = [(m.source, m.name) for m in plausible.changes(tmp_path)]
    assert len(names) == len(set(names))
