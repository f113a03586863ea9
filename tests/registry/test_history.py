"""The line of champions: promotions lengthen it, rollbacks shorten it, and nobody can change it unseen."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.errors import IntegrityError
from hva_ml.registry.history import Step, line, note, replayed, steps

PROMOTED = [Step("promoted", "1", ""), Step("promoted", "2", "1", "forced"), Step("promoted", "3", "2")]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "toy").mkdir()
    return tmp_path / "toy"


def test_without_a_file_lower_numbers_count_as_champions_before(folder):
    assert steps(folder) == ()
    for version in ("1", "2", "3", "10", "beta"):
        (folder / version).mkdir()
        (folder / version / "release.json").write_text("{}", encoding="utf-8")
    assert line(folder, "3") == ("1", "2", "3")
    assert line(folder, "10") == ("1", "2", "3", "10")
    assert line(folder, "beta") == ("beta",)
    # The first step written keeps what was before it.
    note(folder, Step("rolled back", "2", "3"))
    assert line(folder, "2") == ("1", "2")
    note(folder, Step("promoted", "10", "2"))
    assert line(folder, "10") == ("1", "2", "10")


def test_steps_are_read_back_and_one_that_was_stopped_gives_way(folder):
    for step in PROMOTED:
        note(folder, step)
    assert steps(folder) == tuple(PROMOTED)
    back = Step("rolled back", "2", "3", "why", "0" * 16, done=False)
    note(folder, back)
    assert line(folder, "3") == ("1", "2", "3")
    note(folder, replace(back, done=True))
    assert steps(folder) == (*PROMOTED, replace(back, done=True))
    assert line(folder, "2") == ("1", "2")
    assert [p.name for p in folder.iterdir()] == ["HISTORY"]


def test_an_alias_that_was_moved_in_mlflow_itself_is_part_of_the_line(folder):
    for step in PROMOTED:
        note(folder, step)
    assert line(folder, "7") == ("1", "2", "3", "7")
    note(folder, Step("promoted", "8", "7"))
    assert line(folder, "8") == ("1", "2", "3", "7", "8")


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 5)), max_size=30))
def test_going_back_as_often_as_there_are_champions_ends_at_the_first(moves):
    """Against a plain pile: promote puts on top, back takes off; the top is the champion."""
    pile, known = [], []
    for forward, version in moves:
        name, now = str(version), pile[-1] if pile else ""
        if forward and name != now:
            known.append(Step("promoted", name, now))
            pile.append(name)
        elif not forward and len(pile) > 1:
            known.append(Step("rolled back", pile[-2], now))
            pile.pop()
            # The nearest of that name is meant.
            assert replayed(known)[-1] == pile[-1]
    assert replayed(known) == tuple(pile)


@given(st.integers(0), st.integers(0, 7))
def test_a_changed_bit_is_noticed(tmp_path_factory, place, bit):
    folder = tmp_path_factory.mktemp("history")
    for step in PROMOTED:
        note(folder, step)
    content = bytearray((folder / "HISTORY").read_bytes())
    content[place % len(content)] ^= 1 << bit
    (folder / "HISTORY").write_bytes(content)
    with suppress(IntegrityError):
        # White space is the same content.
        assert steps(folder) == tuple(PROMOTED)


def test_a_changed_history_names_its_file_and_the_way_without_it(folder):
    note(folder, PROMOTED[0])
    text = (folder / "HISTORY").read_text(encoding="utf-8")
    (folder / "HISTORY").write_text(text.replace('"1"', '"9"'), encoding="utf-8")
    with pytest.raises(IntegrityError, match="has been changed") as caught:
        steps(folder)
    assert caught.value.where == str(folder / "HISTORY")
    assert "hva rollback toy --to VERSION" in caught.value.fix
