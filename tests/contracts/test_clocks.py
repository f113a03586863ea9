"""Local times in Europe/Berlin and elsewhere: skipped, doubled, dates, strings. Oracle: zoneinfo."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hva_ml.contracts.clocks import Instants, instants

BERLIN = "Europe/Berlin"
ZONES = st.sampled_from(
    [BERLIN, "UTC", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kolkata"]
)
LOCAL = st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2030-12-31"))
NEAR_CHANGE = st.builds(
    lambda day, minutes: datetime.fromisoformat(day) + timedelta(minutes=minutes),
    st.sampled_from(["2024-03-31", "2024-10-27", "2018-11-04", "2018-02-17"]),
    st.integers(-180, 1600),
)  # fmt: skip


def utc(read: Instants) -> list[datetime | None]:
    return [v and v.astimezone(UTC) for v in read.values.to_pylist()]


def one(value: object, zone: str = BERLIN) -> tuple[datetime | None, str]:
    read = instants(pa.array([value]), zone)
    words = [w for w in ("unreadable", "impossible", "absurd", "ambiguous") if getattr(read, w)[0]]
    return utc(read)[0], " ".join(words)


@pytest.mark.parametrize(
    ("local", "expected", "word"),
    [
        ("2024-03-31 01:59:59", "2024-03-31 00:59:59", ""),
        ("2024-03-31 02:00:00", None, "impossible"),
        ("2024-03-31 02:59:59", None, "impossible"),
        ("2024-03-31 03:00:00", "2024-03-31 01:00:00", ""),
        ("2024-10-27 01:59:59", "2024-10-26 23:59:59", ""),
        ("2024-10-27 02:00:00", "2024-10-27 00:00:00", "ambiguous"),
        ("2024-10-27 02:59:59", "2024-10-27 00:59:59", "ambiguous"),
        ("2024-10-27 03:00:00", "2024-10-27 02:00:00", ""),
        ("1899-12-31 23:00:00", None, "absurd"),
        ("2101-01-01 00:00:00", None, "absurd"),
    ],
)
def test_berlin(local: str, expected: str | None, word: str) -> None:
    want = expected and datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert one(datetime.fromisoformat(local)) == (want or None, word)
    assert one(local) == (want or None, word)


@given(st.lists(st.one_of(st.none(), LOCAL, NEAR_CHANGE), min_size=1, max_size=30), ZONES)
@example([datetime.fromisoformat("2018-11-04T00:30")], "America/Sao_Paulo")
def test_naive_times_agree_with_zoneinfo(times: list[datetime | None], zone: str) -> None:
    read = instants(pa.array(times, pa.timestamp("us")), zone)
    tz = ZoneInfo(zone)
    for place, (local, found) in enumerate(zip(times, utc(read), strict=True)):
        if local is None:
            assert found is None
            continue
        first, second = (local.replace(tzinfo=tz, fold=f).astimezone(UTC) for f in (0, 1))
        exists = first.astimezone(tz).replace(tzinfo=None) == local
        assert found == (first if exists else None)
        assert read.impossible[place] == (not exists)
        assert read.ambiguous[place] == (exists and first < second)


@given(st.lists(LOCAL, min_size=1, max_size=20), st.sampled_from(["s", "ms", "us", "ns"]))
def test_units_and_strings_say_the_same(times: list[datetime], unit: str) -> None:
    whole = pa.array([t.replace(microsecond=0) for t in times], pa.timestamp(unit))
    text = pa.array([t.replace(microsecond=0).isoformat() for t in times])
    assert instants(whole, BERLIN).values.equals(instants(text, BERLIN).values)


def test_aware_times_keep_their_instant() -> None:
    moment = datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo(BERLIN), fold=1)
    assert one(moment) == (moment.astimezone(UTC), "")
    for text in ("2024-10-27T02:30:00+01:00", "2024-10-27T01:30Z", "2024-10-26 20:30:00.000-0500"):
        assert one(text) == (datetime(2024, 10, 27, 1, 30, tzinfo=UTC), "")


def test_dates_are_local_midnight() -> None:
    expected = (datetime(2024, 6, 30, 22, tzinfo=UTC), "")
    assert one(date(2024, 7, 1)) == expected
    assert one("2024-07-01") == expected


def test_a_date_whose_midnight_was_skipped_begins_later() -> None:
    first_moment = datetime(2018, 11, 4, 3, tzinfo=UTC)  # 01:00 local; 00:00 was skipped
    assert one(date(2018, 11, 4), "America/Sao_Paulo") == (first_moment, "")
    assert one(datetime.fromisoformat("2018-11-04"), "America/Sao_Paulo") == (None, "impossible")


@pytest.mark.parametrize(
    "text", ["gestern", "01.02.2024", "2024-13-01", "2024-02-30", "20240101", "2024-01-01T25:00"]
)
def test_what_is_no_iso_time_is_unreadable(text: str) -> None:
    assert one(text) == (None, "unreadable")


@pytest.mark.parametrize("value", [20240101, 1.5, True])
def test_numbers_are_no_times(value: object) -> None:
    assert instants(pa.array([value]), BERLIN).values is None
