"""Last night's scores stay when a night does not come out, and readers are told so."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.errors import BusyError, ContractError, RefusedError, UsageError
from hva_ml.publication import AuditError, Stale, current, kept, publish
from hva_ml.publication.rows import AuditRow
from hva_ml.publication.stale import clear, mark, told_of

FOUND = AuditRow("HVS005", "found", "scores", "It moved.", 0.4, "at most 0.1", "Look.")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "toy"


def send(folder, make, day, number=0):
    return publish(folder, [make(number)], {"as_of": day, "number": number}, expected_rows=40)


def fail(folder, day, error, marked=None):
    with (
        pytest.raises(type(error)),
        kept(folder, date.fromisoformat(day), (marked if marked is not None else []).append),
    ):
        raise error


def test_a_night_that_fails_marks_the_scores_and_the_next_one_mends_it(folder, make):
    run, marked = send(folder, make, "2025-01-01"), []
    fail(folder, "2025-01-02", ContractError("A source is empty."), marked)
    now = current(folder)
    assert (now.run_id, now.stale) == (run.run_id, Stale("2025-01-02", "A source is empty."))
    assert marked == [now]
    assert now.stale.missing == date(2025, 1, 2)
    with kept(folder, date(2025, 1, 3), marked.append):
        new = send(folder, make, "2025-01-03", 1)
    assert (current(folder).run_id, current(folder).stale) == (new.run_id, None)
    assert {p.name for p in folder.iterdir()} == {"runs", "CURRENT"}


def test_the_rows_of_the_audit_are_kept_with_the_mark(folder, make):
    send(folder, make, "2025-01-01")
    error = AuditError((FOUND,), where="here", why="so", fix="do")
    fail(folder, "2025-01-02", error)
    assert current(folder).stale.rows == (FOUND,)
    assert "HVS005: It moved." in current(folder).stale.what
    assert error.record()["audit"] == [FOUND.record()]
    assert error.exit_code == 3


def test_a_full_disk_marks_and_a_mistyped_command_or_a_held_lock_does_not(folder, make):
    send(folder, make, "2025-01-01")
    for harmless in (UsageError("What?"), BusyError("Busy."), KeyboardInterrupt()):
        fail(folder, "2025-01-02", harmless)
        assert current(folder).stale is None
    fail(folder, "2025-01-02", OSError(28, "No space left on device"))
    assert "No space left" in current(folder).stale.what


def test_a_backfill_of_an_earlier_day_neither_marks_nor_mends(folder, make):
    send(folder, make, "2025-01-05")
    fail(folder, "2025-01-02", RefusedError("An old day."))
    assert current(folder).stale is None
    fail(folder, "2025-01-06", RefusedError("Tonight."))
    fail(folder, "2025-01-05", RefusedError("The same day again."))
    assert current(folder).stale.as_of == "2025-01-06"
    with kept(folder, date(2025, 1, 5), lambda _: None):
        assert not send(folder, make, "2025-01-05").published
    assert current(folder).stale.as_of == "2025-01-06"


def test_the_same_day_that_succeeds_after_all_is_no_longer_stale(folder, make):
    send(folder, make, "2025-01-05")
    fail(folder, "2025-01-05", RefusedError("The source was away."))
    assert current(folder).stale is not None
    with kept(folder, date(2025, 1, 5), lambda _: None):
        send(folder, make, "2025-01-05")
    assert current(folder).stale is None


def test_the_mark_speaks_of_one_run_only(folder, make):
    first = send(folder, make, "2025-01-01", 1)
    fail(folder, "2025-01-02", RefusedError("No."))
    # As after a kill between the pointer and the removal of the note.
    send(folder, make, "2025-01-02", 2)
    assert (folder / "STALE").exists()
    assert current(folder).stale is None
    assert told_of(folder, first.run_id) is not None


def test_without_scores_there_is_nothing_to_mark(folder):
    fail(folder, "2025-01-01", RefusedError("No champion."))
    assert current(folder) is None
    assert not folder.exists()
    clear(folder, "2025-01-01")


@given(st.integers(0), st.integers(0, 7))
def test_a_damaged_mark_still_says_stale(tmp_path_factory, place, bit):
    folder = tmp_path_factory.mktemp("stale")
    mark(folder, "0" * 16, Stale("2025-01-02", "Why.", (FOUND,)))
    content = bytearray((folder / "STALE").read_bytes())
    content[place % len(content)] ^= 1 << bit
    (folder / "STALE").write_bytes(content)
    told = told_of(folder, "0" * 16)
    assert told is not None
    assert told in (
        Stale("2025-01-02", "Why.", (FOUND,)),
        Stale("", "The note that says why cannot be read."),
    )
