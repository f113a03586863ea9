"""Kept nights: read back as they were, never a part of one, and told where one is damaged."""

import gzip
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from hva_ml.monitoring.history import History


@pytest.fixture
def kept(quiet: object, tmp_path: Path) -> History:
    history = History(tmp_path)
    for night in quiet.release.nights[:5]:
        history.keep(night)
    for outcome in quiet.release.outcomes:
        history.keep_outcome(outcome)
    for part in quiet.release.under_way:
        history.keep_under_way(part)
    history.keep_reference("abc", quiet.model.reference.record())
    return history


def test_everything_comes_back_as_it_was(kept: History, quiet: object) -> None:
    nights = kept.nights(date.max)
    assert [n.record() for n in nights] == [n.record() for n in quiet.release.nights[:5]]
    assert kept.outcomes(date.max) == quiet.release.outcomes
    assert [u.seen.tolist() for u in kept.under_way(date.max)] == [
        u.seen.tolist() for u in quiet.release.under_way
    ]
    assert kept.reference("abc").record() == quiet.model.reference.record()
    assert kept.reference("nobody") is None
    assert kept.damaged() == ()


def test_keeping_the_same_again_changes_no_byte(kept: History, quiet: object) -> None:
    before = {p: p.read_bytes() for p in kept.folder.rglob("*.gz")}
    kept.keep(quiet.release.nights[0])
    kept.keep_reference("abc", {"other": 1})
    assert {p: p.read_bytes() for p in kept.folder.rglob("*.gz")} == before


def test_later_days_are_not_seen(kept: History, quiet: object) -> None:
    assert len(kept.nights(quiet.release.nights[1].day)) == 2
    assert kept.nights(date(2000, 1, 1)) == ()


def test_of_two_runs_of_a_day_the_one_written_last_counts(kept: History, quiet: object) -> None:
    first = quiet.release.nights[0]
    kept.keep(replace(first, run_id="f" * 16, sequence=first.sequence + 9))
    kept.keep(replace(first, run_id="e" * 16, sequence=first.sequence + 3))
    assert kept.nights(date.max)[0].run_id == "f" * 16
    assert len(kept.nights(date.max)) == 5


@pytest.mark.parametrize("how", ["flipped", "cut", "empty", "forged"])
def test_a_damaged_night_is_left_out_and_named(kept: History, quiet: object, how: str) -> None:
    path = sorted((kept.folder / "nights").glob("*.gz"))[2]
    whole = path.read_bytes()
    forged = gzip.compress(gzip.decompress(whole).replace(b'"accounts":1500', b'"accounts":1501'), mtime=0)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    path.write_bytes({"flipped": bytes(flipped), "cut": whole[:-9], "empty": b"", "forged": forged}[how])
    assert len(kept.nights(date.max)) == 4
    assert kept.damaged() == (path,)
    kept.keep(quiet.release.nights[2])
    assert kept.damaged() == ()


def test_every_flipped_bit_is_noticed(kept: History) -> None:
    path = sorted((kept.folder / "under_way").glob("*.gz"))[0]
    whole = path.read_bytes()
    known = kept.under_way(date.max)[0].record()
    for k in range(0, 8 * len(whole), 13):
        flipped = bytearray(whole)
        flipped[k // 8] ^= 1 << (k % 8)
        path.write_bytes(bytes(flipped))
        found = kept.under_way(date.max)
        # What gzip says of its own making is not content.
        assert path in kept.damaged() or found[0].record() == known
