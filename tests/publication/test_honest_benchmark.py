"""What counts as a false alarm; `python -m benchmarks.honest` counts them over a year of honest nights."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from benchmarks import rhythm
from benchmarks.diary import Case, Diary
from benchmarks.honest import CASES, nights, vendor
from benchmarks.incremental import PIPELINE
from benchmarks.trust.mutants import put, text, words

from hva_ml.errors import RefusedError, UsageError
from hva_ml.publication import AuditError, AuditRow

DAY = date(2025, 3, 1)
ZONE, FROZEN = "HVS013", "HVS014"
CASE = Case("a year", PIPELINE, date(2025, 3, 31), right={date(2025, 3, 7): "the market closed"})


def told(*held: tuple[str, ...]) -> Diary:
    """A diary of a night for each, held by these audits."""
    diary = Diary(CASE)
    for k, codes in enumerate(held):
        day = DAY + timedelta(days=k)
        rows = [AuditRow(code, "found", "a table", "what") for code in codes]
        if codes:
            passed = AuditRow("HVS001", "passed", "a table", "what")
            diary.refused(day, AuditError([passed, *rows], where="a", why="b", fix="c"))
        else:
            diary.days.append(day)
    return diary


def test_an_alarm_that_lasts_is_one_with_follow_ups_and_a_new_audit_is_another() -> None:
    row = told((), (ZONE,), (ZONE,), (ZONE, FROZEN), (FROZEN,), (), (FROZEN,)).row()
    assert (row["nights"], row["held"], row["first alarms"], row["follow-ups"]) == (7, 5, 3, 2)
    assert row["held by"] == f"{ZONE} 3, {FROZEN} 3"
    # The last one is right.
    assert row["of them right"] == 1
    assert row["false alarms a year"] == round(2 / (6 / 365.25), 1)


def test_no_alarm_in_a_year_is_not_none_for_ever() -> None:
    row = told(*[()] * 366).row()
    assert (row["held"], row["held by"], row["false alarms a year"]) == (0, "none", 0.0)
    # Of a Poisson count: exp(-3) is 5 %.
    assert row["at most, 95 %"] == 3.0


def test_a_contract_that_refuses_counts_and_what_is_no_refusal_does_not_pass() -> None:
    diary = Diary(CASE)
    diary.refused(DAY, RefusedError("HVD021: rows are twice.", where="a", fix="b"))
    diary.refused(DAY + timedelta(days=1), RefusedError("There is no champion.", where="a", fix="b"))
    assert diary.row()["held by"] == "HVD021 1, RefusedError 1"
    with pytest.raises(UsageError):
        diary.refused(DAY, UsageError("a typing error", where="a", fix="b"))


def test_a_year_ends_with_its_data_and_begins_a_year_before() -> None:
    for case in CASES:
        days = case.days("full")
        assert days == sorted(set(days))
        assert days[-1] == case.last
        assert 364 - case.step < (days[-1] - days[0]).days <= 366
        assert case.days("small") == days[-11:]


@pytest.mark.slow
def test_a_night_whose_times_lost_their_zone_is_held_and_honest_ones_are_not(
    main_job: Any, tmp_path: Path
) -> None:
    case = Case("planted", PIPELINE, date(2025, 12, 31), accounts=300)
    ws, exported = vendor(case, tmp_path, main_job.release.path)
    days = case.days("small")[-4:]

    def before(day: date, last: date | None) -> None:
        exported(day, last)
        if day == days[2]:
            file = ws.raw(PIPELINE) / "invoices.parquet"
            pq.write_table(put("issued_at", text("%Y-%m-%d %H:%M:%S.%f"))(pq.read_table(file)), file)

    diary = nights(ws, case, days, before)
    assert list(diary.held) == [days[2]]
    assert list(diary.held[days[2]]) == [ZONE, "HVS015"]
    row = diary.row()
    assert (row["nights"], row["held"], row["first alarms"]) == (4, 1, 1)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [False, True])
def test_a_newsletter_that_leaves_its_window_holds_no_night_and_one_whose_kind_is_renamed_does(
    main_job: Any, tmp_path: Path, fault: bool
) -> None:
    case = Case("a calendar", PIPELINE, date(2025, 8, 12), accounts=500)
    ws, exported = vendor(case, tmp_path, main_job.release.path)
    rhythm.give(tmp_path / "made")
    # Newsletters come on the tenth: on 10 August that of July is 31 days old, that of August not there yet.
    days = [date(2025, 8, k) for k in (9, 10, 11)]

    def before(day: date, last: date | None) -> None:
        exported(day, last)
        if fault and day == days[1]:
            for file in (ws.raw(PIPELINE) / "engagement").iterdir():
                renamed = put("event_type", words(lambda kind: kind.replace("email_", "mail_")))
                pq.write_table(renamed(pq.read_table(file)), file)

    diary = nights(ws, case, days, before)
    assert list(diary.held)[:1] == days[1:2] * fault
    assert not fault or {"HVS004", "HVS012", "HVS014"} <= set(diary.held[days[1]])
