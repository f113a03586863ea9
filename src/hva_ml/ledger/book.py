"""The rows of one contract table as they were read, part by part, on disk; columns of words as numbers.

Files are never changed: new rows make new ones, and a single step replaces the page that says which count.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hva_ml.contracts.draft import Longs, hashes_of
from hva_ml.contracts.notes import Note, added
from hva_ml.contracts.reading import Reading
from hva_ml.contracts.schema import TableContract
from hva_ml.errors import IntegrityError
from hva_ml.folders import canonical, replace_file, text_hash
from hva_ml.ledger import files
from hva_ml.ledger.words import Small, Words, by_column, coded, renumbered

PAGE = "PAGE"
HASH = "key_hash"
SEGMENT_ROWS = 4_000_000
MANY = 32
"""More small segments, or more files of words, than this are put together."""


@dataclass(frozen=True)
class Found:
    """What reading a part gave besides its rows: see ``Reading``; of the notes only those that found any."""

    delivered: int
    given: dict[str, int]
    notes: dict[str, list[Any]]


@dataclass(frozen=True)
class Segment:
    """Some rows on disk: the entries of two files, and the parts they belong to, in the order of the rows."""

    rows: dict[str, Any]
    keys: dict[str, Any]
    parts: tuple[tuple[str, int], ...]

    @property
    def size(self) -> int:
        """Number of rows."""
        return sum(n for _, n in self.parts)


class Book:
    """The parts of one table that have been read. One writer at a time.

    Parameters
    ----------
    folder : Path
        Where it is kept.
    contract : TableContract
        The table.
    identity : str
        What the rows depend on besides the content of the parts; with another one, all begins anew.
    asked : tuple of Note
        What reading looks for, in its order; all parts were asked the same.

    Attributes
    ----------
    lost : str
        Why what lay there does not count; empty if it does, or if nothing lay there.
    """

    def __init__(self, folder: Path, contract: TableContract, identity: str, asked: tuple[Note, ...]) -> None:
        self._folder, self._contract, self._asked = folder, contract, asked
        self._identity = text_hash(canonical([identity, [n.asked for n in asked]]))
        self._coded = coded(contract)
        self._tables: dict[str, pa.Table] = {}
        self._pending: list[tuple[str, pa.Table, pa.Table]] = []
        self._changed = False
        self.lost = ""
        try:
            self._open()
        except (IntegrityError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self.lost = error.what if isinstance(error, IntegrityError) else "The ledger cannot be read."
            self._begin()

    @property
    def parts(self) -> Collection[str]:
        """The parts that have been read."""
        return self._found.keys()

    def add(self, key: str, reading: Reading) -> None:
        """Add the rows of a part; they count from the next `keep` on."""
        columns = {name: reading.rows[name].combine_chunks() for name in reading.rows.column_names}
        hashed = hashes_of(columns, self._contract.key)
        first = self._contract.key[0]
        rows = {
            name: self._words.codes(name, column) if name in self._coded else column
            for name, column in columns.items()
            if name != first
        }
        table = pa.table({**rows, HASH: pa.array(hashed)})
        self._pending.append((key, table, pa.table({first: columns[first]})))
        self._found[key] = Found(
            reading.delivered,
            reading.given,
            {str(k): n.record() for k, n in enumerate(reading.notes) if n.said},
        )
        self._changed = True
        if sum(t.num_rows for _, t, _ in self._pending) >= SEGMENT_ROWS:
            self._flush()

    def keep(self, keys: Collection[str]) -> None:
        """Let exactly these parts count from now on, and write it all down by a single step."""
        alive = set(keys)
        self._flush()
        if any(key not in alive for key in self._found):
            self._forget(alive)
        small = [s for s in self._segments if s.size < SEGMENT_ROWS // 4]
        if len(small) > MANY:
            self._rewrite(small, alive, {})
        if self._changed:
            self._write()

    def rows(self) -> pa.Table:
        """Return all rows but for the first column of their key, words as dictionaries, and their hashes."""
        table = pa.concat_tables([self._nothing(), *(self._tables[s.rows["name"]] for s in self._segments)])
        words = self._words.all()
        columns = {
            name: pa.DictionaryArray.from_arrays(table[name].combine_chunks(), words[name])
            if name in self._coded
            else table[name].combine_chunks()
            for name in table.column_names
        }
        return pa.table(columns)

    def keys(self, places: Longs) -> pa.Array:
        """Return the first column of the key of some rows, numbered as in `rows`, ascending."""
        found, first = [pa.array([], pa.string())], 0
        for segment in self._segments:
            inside = places[(places >= first) & (places < first + segment.size)]
            if len(inside):
                column = self._tables[segment.keys["name"]][self._contract.key[0]].combine_chunks()
                found.append(column.take(pa.array(inside - first)))
            first += segment.size
        return pa.concat_arrays(found)

    def found(self) -> tuple[int, dict[str, int], tuple[Note, ...]]:
        """Return what reading all parts gave besides rows: rows delivered, cells given, and notes."""
        parts = [[self._asked[k] for k in range(len(self._asked))]]
        for found in self._found.values():
            nothing = [0, [], False]
            records = (found.notes.get(str(k), nothing) for k in range(len(self._asked)))
            parts.append([n.found(r) for n, r in zip(self._asked, records, strict=True)])
        given: dict[str, int] = {}
        for found in self._found.values():
            for name, cells in found.given.items():
                given[name] = given.get(name, 0) + cells
        return sum(f.delivered for f in self._found.values()), given, added(parts)

    def _nothing(self) -> pa.Table:
        """Return the form of the rows, without any."""
        kinds = {
            f.name: pa.int32() if f.name in self._coded else f.type
            for f in self._contract.arrow_schema
            if f.name != self._contract.key[0]
        }
        return pa.schema({**kinds, HASH: pa.uint64()}).empty_table()

    def _begin(self) -> None:
        self._segments: list[Segment] = []
        self._found: dict[str, Found] = {}
        self._word_files: list[dict[str, Any]] = []
        self._tables.clear()
        self._words = Words({name: pa.array([], pa.string()) for name in self._coded}, written=True)

    def _open(self) -> None:
        self._begin()
        path = self._folder / PAGE
        if not path.is_file():
            return
        page = json.loads(path.read_bytes())
        if page.pop("seal") != text_hash(canonical(page)):
            raise IntegrityError("The page of the ledger has been changed.", where=str(path))
        if page["identity"] != self._identity:
            self.lost = "The query, the contract or the library has changed."
            return
        for entry in page["words"]:
            self._tables[entry["name"]] = files.read(self._folder, entry)
        for record in page["segments"]:
            segment = Segment(record["rows"], record["keys"], tuple((k, n) for k, n in record["parts"]))
            for entry in (segment.rows, segment.keys):
                table = self._tables[entry["name"]] = files.read(self._folder, entry)
                if table.num_rows != segment.size:
                    raise IntegrityError("Rows of the ledger are missing.", where=entry["name"])
            self._segments.append(segment)
        self._word_files = page["words"]
        self._found = {k: Found(*found) for k, found in page["parts"].items()}
        tables = [self._tables[e["name"]] for e in self._word_files]
        self._words = Words(by_column(tables, self._coded), written=True)

    def _flush(self) -> None:
        """Write what is pending as a segment."""
        if self._pending:
            keys, rows, firsts = zip(*self._pending, strict=True)
            sizes = tuple((k, t.num_rows) for k, t in zip(keys, rows, strict=True))
            self._segments.append(Segment(self._new("rows", rows), self._new("keys", firsts), sizes))
            self._pending = []

    def _new(self, what: str, tables: tuple[pa.Table, ...]) -> dict[str, Any]:
        """Write tables as one file; from then on their memory is that of the file."""
        self._folder.mkdir(parents=True, exist_ok=True)
        entry = files.write(self._folder, what, pa.concat_tables(tables))
        self._tables[entry["name"]] = files.read(self._folder, entry)
        return entry

    def _forget(self, alive: Collection[str]) -> None:
        """Let go the parts that are not alive, and the words that only they had."""
        self._changed = True
        self._found = {k: f for k, f in self._found.items() if k in alive}
        words = self._words.all()
        numbers: dict[str, Small] = {}
        for name in self._coded:
            used = np.zeros(len(words[name]) + 1, dtype=np.bool_)
            for segment in self._segments:
                for _, rows, _ in self._live(segment, alive):
                    used[np.asarray(rows[name].combine_chunks().fill_null(-1))] = True
            words[name], numbers[name] = renumbered(words[name], used[:-1])
        if any((number < 0).any() for number in numbers.values()):
            self._words, self._word_files = Words(words, written=False), []
            self._rewrite(self._segments, alive, numbers)
        else:
            stale = [s for s in self._segments if any(key not in alive for key, _ in s.parts)]
            self._rewrite(stale, alive, {})

    def _rewrite(self, stale: list[Segment], alive: Collection[str], numbers: Mapping[str, Small]) -> None:
        """Write the living rows of some segments anew, with other numbers of words."""
        self._changed = True
        gone = {s.rows["name"] for s in stale}
        self._segments = [s for s in self._segments if s.rows["name"] not in gone]
        for segment in stale:
            for key, rows, keys in self._live(segment, alive):
                for name, number in numbers.items():
                    old = rows[name].combine_chunks()
                    new = np.append(number, number.dtype.type(-1))[np.asarray(old.fill_null(-1))]
                    place = rows.schema.get_field_index(name)
                    rows = rows.set_column(place, name, pa.array(new, mask=new < 0))
                self._pending.append((key, rows, keys))
                if sum(n.num_rows for _, n, _ in self._pending) >= SEGMENT_ROWS:
                    self._flush()
        self._flush()

    def _live(self, segment: Segment, alive: Collection[str]) -> Iterator[tuple[str, pa.Table, pa.Table]]:
        rows, keys = (self._tables[e["name"]] for e in (segment.rows, segment.keys))
        first = 0
        for key, size in segment.parts:
            if key in alive:
                yield key, rows.slice(first, size), keys.slice(first, size)
            first += size

    def _write(self) -> None:
        """Replace the page; then remove the files that it does not name."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if len(self._word_files) >= MANY:
            self._words, self._word_files = Words(self._words.all(), written=False), []
        if (new := self._words.unwritten()).num_rows:
            self._word_files = [*self._word_files, files.write(self._folder, "words", new)]
        page = {
            "identity": self._identity,
            "words": self._word_files,
            "segments": [asdict(s) for s in self._segments],
            "parts": {k: [f.delivered, f.given, f.notes] for k, f in self._found.items()},
        }
        page = json.loads(canonical(page))
        replace_file(self._folder / PAGE, canonical({**page, "seal": text_hash(canonical(page))}))
        named = {e["name"] for s in self._segments for e in (s.rows, s.keys)}
        named |= {PAGE, *(e["name"] for e in self._word_files)}
        for path in self._folder.iterdir():
            if path.name not in named:
                with suppress(OSError):
                    path.unlink()
        self._changed = False
