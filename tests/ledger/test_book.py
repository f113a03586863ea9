"""A book holds exactly the parts that count, whatever came and went; a damaged one is never believed."""

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml import folders
from hva_ml.contracts.notes import Note
from hva_ml.contracts.reading import Reading
from hva_ml.contracts.tables import CONTRACT
from hva_ml.ledger import book as book_module
from hva_ml.ledger import files
from hva_ml.ledger.book import PAGE, Book

EVENTS = CONTRACT["events"]
ASKED = (Note("HVD010", "events", 0, said=True), Note("HVD014", "events.event_type", 0, said=False))
WORDS = st.sampled_from([None, "a", "b", "ä", "", "long " * 9])
ROWS = st.lists(st.tuples(st.text(max_size=3), WORDS, st.integers(0, 5), WORDS), max_size=5)


def reading(rows) -> Reading:
    columns = {
        "event_id": [r[0] for r in rows], "account_id": [r[1] for r in rows],
        "event_time": [r[2] for r in rows], "known_at": [r[2] + 1 for r in rows],
        "event_type": [r[3] for r in rows], "contact_id": [None for _ in rows],
    }  # fmt: skip
    notes = (
        Note("HVD010", "events", len(rows)),
        Note(
            "HVD014",
            "events.event_type",
            rows.count(None),
            tuple(sorted({r[0] for r in rows}))[:5],
            bool(rows),
        ),
    )
    return Reading(pa.table(columns, EVENTS.arrow_schema), len(rows) + 1, {"contact_id": len(rows)}, notes)


def opened(folder: Path, identity: str = "i") -> Book:
    return Book(folder, EVENTS, identity, ASKED)


def held(book: Book) -> list[str]:
    """All rows, their keys among them, in a fixed order."""
    table = book.rows()
    plain = table.append_column("event_id", book.keys(np.arange(table.num_rows)))
    return sorted(map(repr, plain.to_pylist()))


def wanted(parts) -> list[str]:
    """The same from the parts themselves."""
    with TemporaryDirectory() as folder:
        alone = opened(Path(folder))
        for key, rows in parts.items():
            alone.add(key, reading(rows))
        alone.keep(parts)
        return held(alone)


@given(
    nights=st.lists(st.dictionaries(st.sampled_from("pqrstuvw"), ROWS, max_size=6), min_size=1, max_size=5)
)
@settings(max_examples=60, deadline=None)
def test_after_every_night_it_holds_what_counts_and_nothing_else(nights) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(book_module, "SEGMENT_ROWS", 4)
        patch.setattr(book_module, "MANY", 2)
        for module in (files, folders):
            patch.setattr(module, "sync", lambda _: None)
        rows_of: dict[str, list] = {}
        for night in nights:
            book = opened(Path(folder))
            assert book.lost == ""
            # A part is named by its content: one that comes again is what it was.
            parts = {key: rows_of.setdefault(key, rows) for key, rows in night.items()}
            for key, rows in parts.items():
                if key not in book.parts:
                    book.add(key, reading(rows))
            book.keep(parts)
            for now in (book, opened(Path(folder))):
                assert set(now.parts) == set(parts)
                assert held(now) == wanted(parts)
                delivered, given_cells, notes = now.found()
                assert delivered == sum(len(r) + 1 for r in parts.values())
                assert given_cells.get("contact_id", 0) == sum(map(len, parts.values()))
                assert [n.count for n in notes] == [sum(map(len, parts.values())), 0]
                smallest = sorted({r[0] for rows in parts.values() for r in rows})[:5]
                assert notes[1].keys == tuple(smallest)
                assert [n.said for n in notes] == [True, any(parts.values())]
        if any(nights):
            kept = {w for rows in parts.values() for r in rows for w in (r[1], r[3]) if w is not None}
            table = now.rows()
            found = {
                w
                for c in ("account_id", "event_type")
                for w in table[c].combine_chunks().dictionary.to_pylist()
            }
            assert found == kept, "words of rows that are gone are gone"
            named = json.loads((Path(folder) / PAGE).read_bytes())
            assert len(list(Path(folder).iterdir())) == 1 + len(named["words"]) + 2 * len(named["segments"])


def filled(folder: Path) -> Book:
    book = opened(folder)
    for key, rows in {"p": [("1", "a", 1, "x")], "q": [("2", "b", 2, "y")]}.items():
        book.add(key, reading(rows))
    book.keep({"p", "q"})
    return book


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "a bit flipped": flipped,
    "cut off": lambda p: p.write_bytes(p.read_bytes()[:-20]),
    "empty": lambda p: p.write_bytes(b""),
    "gone": Path.unlink,
    "a folder": lambda p: (p.unlink(), p.mkdir())[1],
}


@pytest.mark.parametrize("what", DAMAGE)
@pytest.mark.parametrize("which", [PAGE, "rows", "keys", "words"])
def test_a_damaged_book_is_given_up_and_begun_anew(tmp_path: Path, what: str, which: str) -> None:
    filled(tmp_path)
    [path] = [p for p in tmp_path.iterdir() if p.name.startswith(which)]
    DAMAGE[what](path)
    book = opened(tmp_path)
    assert set(book.parts) == set()
    assert book.rows().num_rows == 0
    # Without a page nothing was ever kept; all else is said.
    assert bool(book.lost) == ((which, what) not in {(PAGE, "gone"), (PAGE, "a folder")})


@pytest.mark.parametrize("page", ["[]", "{}", '{"seal": 1}', "null", '{"seal": "x", "identity": "i"}'])
def test_a_page_that_is_none_is_given_up(tmp_path: Path, page: str) -> None:
    filled(tmp_path)
    (tmp_path / PAGE).write_text(page)
    assert opened(tmp_path).lost
    again = filled(tmp_path)
    assert set(again.parts) == {"p", "q"}
    assert opened(tmp_path).lost == ""


def test_another_identity_or_other_questions_begin_anew(tmp_path: Path) -> None:
    filled(tmp_path)
    assert "has changed" in opened(tmp_path, "another").lost
    other = Book(tmp_path, EVENTS, "i", ASKED[:1])
    assert "has changed" in other.lost
    assert set(opened(tmp_path).parts) == {"p", "q"}


def test_a_night_that_is_stopped_leaves_the_one_before(tmp_path: Path, monkeypatch) -> None:
    before = held(filled(tmp_path))
    step = book_module.replace_file
    monkeypatch.setattr(book_module, "replace_file", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    book = opened(tmp_path)
    book.add("r", reading([("3", "c", 3, "z")]))
    with pytest.raises(KeyboardInterrupt):
        book.keep({"q", "r"})
    assert held(opened(tmp_path)) == before
    monkeypatch.setattr(book_module, "replace_file", step)
    again = opened(tmp_path)
    again.add("r", reading([("3", "c", 3, "z")]))
    again.keep({"q", "r"})
    assert held(opened(tmp_path)) == wanted({"q": [("2", "b", 2, "y")], "r": [("3", "c", 3, "z")]})
    named = json.loads((tmp_path / PAGE).read_bytes())
    assert len(list(tmp_path.iterdir())) == 1 + len(named["words"]) + 2 * len(named["segments"])


def test_a_night_without_news_writes_nothing(tmp_path: Path) -> None:
    filled(tmp_path)
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    opened(tmp_path).keep({"p", "q"})
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()} == before


def test_keys_are_those_of_the_rows_asked_for(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(book_module, "SEGMENT_ROWS", 2)
    book = opened(tmp_path)
    for k in range(5):
        book.add(f"p{k}", reading([(f"{k}{j}", "a", j, "x") for j in range(3)]))
    book.keep({f"p{k}" for k in range(5)})
    every = [f"{k}{j}" for k in range(5) for j in range(3)]
    assert book.keys(np.arange(15)).to_pylist() == every
    assert book.keys(np.array([0, 7, 14])).to_pylist() == ["00", "21", "42"]
    assert book.keys(np.array([], dtype=np.int64)).to_pylist() == []
