"""A run is held against last night before a byte of it is written."""

from dataclasses import replace

import pytest

from hva_ml.publication import AuditError, AuditRow, current, kept, publish, read
from hva_ml.publication.nights import of_published

N = 400


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "toy"


def tables(make, night):
    """The tables of a night, ordered as it is; the audit of the numbers asks for products that hold."""
    scores = make(0, N)["scores"]
    for name, column in (("account_id", night.account_id), ("tier", night.tier), *night.numbers.items()):
        scores = scores.set_column(scores.column_names.index(name), name, [column])
    return {"scores": scores}


def send(folder, make, tonight, number=0):
    night = tonight.night
    identity = {
        "as_of": night.as_of.isoformat(), "model_version": night.version, "release": night.release,
        "scoring": night.settings, "number": number,
    }  # fmt: skip
    with kept(folder, night.as_of, lambda _: None):
        return publish(folder, [tables(make, night)], identity, expected_rows=N, tonight=tonight)


def test_the_first_run_has_nothing_to_be_compared_with_and_the_second_one_has(folder, make, night, tonight):
    first = send(folder, make, tonight(night(day="2025-01-01")))
    assert {r.outcome for r in first.audit if "first run" in r.what} == {"not applicable", "passed"}
    second = send(folder, make, tonight(night()))
    assert [r.outcome for r in second.audit[:11]] == ["passed"] * 11
    assert [r.code for r in second.audit[-2:]] == ["HVS010", "HVS011"]
    assert current(folder).audit == second.audit
    assert (first.sequence, second.sequence) == (1, 2)


def test_what_was_known_of_a_night_is_read_back_as_it_was(folder, make, night, tonight):
    one = night()
    run = send(folder, make, tonight(one))
    told = of_published(folder, run)
    for name in (
        "as_of",
        "version",
        "release",
        "settings",
        "features",
        "without_history",
        "zoneless",
        "varied",
    ):
        assert getattr(told, name) == getattr(one, name)
    assert told.account_id.equals(one.account_id)
    assert told.tier.equals(one.tier)
    assert all(told.numbers[n].tobytes() == v.tobytes() for n, v in one.numbers.items())


def test_a_shifted_night_is_refused_and_the_last_one_stays_stale(folder, make, night, tonight):
    first = send(folder, make, tonight(night(day="2025-01-01")))
    with pytest.raises(AuditError) as caught:
        send(folder, make, tonight(night(scale=2.0)))
    error = caught.value
    assert (error.exit_code, {r.code for r in error.rows if r.outcome == "found"}) == (
        3,
        {"HVS005", "HVS007"},
    )
    assert "HVS007" in error.what
    assert "2025-01-01 stay and are marked stale" in error.why
    assert "hva score toy --as-of 2025-01-02 --force" in error.fix
    now = current(folder)
    assert (now.run_id, now.stale.as_of) == (first.run_id, "2025-01-02")
    assert now.stale.rows == error.rows
    assert [p.name for p in (folder / "runs").iterdir()] == [first.run_id]


def test_no_piece_is_asked_for_when_the_whole_does_not_hold(folder, make, night, tonight):
    send(folder, make, tonight(night(day="2025-01-01")))

    def pieces():
        raise AssertionError("explained although it is refused")
        yield

    identity = {"as_of": "2025-01-02"}
    with pytest.raises(AuditError):
        publish(folder, pieces(), identity, expected_rows=N, tonight=tonight(night(scale=2.0)))


def test_a_reason_publishes_all_the_same_and_is_kept(folder, make, night, tonight):
    send(folder, make, tonight(night(day="2025-01-01")))
    done = send(folder, make, tonight(night(scale=2.0), force="prices doubled"))
    assert (done.published, done.forced) == (True, "prices doubled")
    assert current(folder).forced == "prices doubled"
    assert {r.code for r in done.audit if r.outcome == "found"} == {"HVS005", "HVS007"}
    # A reason that was not needed is none.
    assert send(folder, make, tonight(night(day="2025-01-03", scale=2.0), force="just in case")).forced == ""


def test_no_reason_forces_numbers_that_cannot_be_true(folder, make, night, tonight):
    bad = night()
    bad.numbers["conversion_probability"][3] = 1.5
    with pytest.raises(Exception, match="HVS010"):
        send(folder, make, tonight(bad, force="I insist"))
    assert current(folder) is None


def test_a_source_that_did_not_arrive_refuses_the_first_run_too(folder, make, night, tonight):
    gone = AuditRow(
        "HVS001", "found", "events", "'events' arrived 9 days ago.", 9.0, "at most 2 days", "Look."
    )
    with pytest.raises(AuditError, match="HVS001") as caught:
        send(folder, make, replace(tonight(night()), arrivals=(gone,)))
    assert "Nothing is published" in caught.value.why
    assert current(folder) is None


def test_a_day_far_away_is_not_compared_unless_the_days_between_were_refused(folder, make, night, tonight):
    send(folder, make, tonight(night(day="2025-01-01")))
    far = send(folder, make, tonight(night(day="2025-03-01", scale=2.0)))
    assert "59 days" in far.audit[0].what
    assert [r.outcome for r in far.audit[:7]] == ["not applicable"] * 7
    for day in ("2025-03-08", "2025-03-15", "2025-03-22"):
        with pytest.raises(AuditError):
            send(folder, make, tonight(night(day=day, scale=4.0)))
    assert current(folder).run_id == far.run_id


def test_a_new_release_is_held_to_the_rows_of_last_night_only(folder, make, night, tonight):
    send(folder, make, tonight(night(day="2025-01-01")))
    new = send(folder, make, tonight(night(scale=2.0, release="r2", version="2")))
    told = {r.code: r.outcome for r in new.audit}
    assert (told["HVS002"], told["HVS005"], told["HVS007"]) == ("passed", "not applicable", "not applicable")


def test_after_a_damaged_night_the_next_one_is_not_compared_and_says_so(folder, make, night, tonight):
    first = send(folder, make, tonight(night(day="2025-01-01")))
    (first.path / "scores.parquet").write_bytes(b"")
    new = send(folder, make, tonight(night(scale=2.0)))
    assert "damaged" in new.audit[0].what
    assert read(folder).num_rows == N
