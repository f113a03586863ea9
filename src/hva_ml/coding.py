"""Strings as numbers, chunk after chunk, in memory that grows with different strings and not with rows.

A compiled hash table over the bytes as Arrow holds them; hashes only find strings, their bytes decide.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.compiled import in_blocks, kernel

Whole = npt.NDArray[np.integer[Any]]
Small = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]

_FEW = 1024
_FREE = np.uint64(2**64 - 1)
_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 by the golden ratio
_AHEAD = 32
_ROWS_AT_ONCE = 1 << 20
_NONE_MISSING = np.empty(0, dtype=np.uint8)


class Coder:
    """Gives each different string a number from 0, in the order in which strings first occur.

    Examples
    --------
    >>> coder = Coder()
    >>> coder.codes(pa.array(["b", "a", None])).tolist(), coder.codes(pa.array(["a", "c"])).tolist()
    ([0, 1, -1], [1, 2])
    >>> coder.strings().to_pylist()
    ['b', 'a', 'c']
    """

    def __init__(self) -> None:
        self._known = 0
        # For each string a word with its code and length, then its bytes; by code, where that begins.
        self._kept = np.zeros(8 * _FEW, dtype=np.uint64)
        self._place = np.zeros(_FEW + 1, dtype=np.int64)
        # The hash table: half of the hash, and where the string is kept.
        self._slots = np.full(2 * _FEW, _FREE, dtype=np.uint64)

    def __len__(self) -> int:
        return self._known

    def codes(self, column: "pa.Array | pa.ChunkedArray") -> Small:
        """Return the codes of a column of strings (or what casts to them), shape (n_rows,), -1 for null."""
        found = np.empty(len(column), dtype=np.int32)
        place = 0
        for chunk in _chunks(column):
            here = found[place : place + len(chunk)]
            if pa.types.is_dictionary(chunk.type):
                self._add_coded(chunk, here)
            else:
                self._add(chunk, here)
            place += len(chunk)
        return found

    def strings(self) -> pa.Array:
        """Return the different strings, in the order of their codes."""
        place = self._place[: self._known]
        length = (self._kept[place] & _LOW).astype(np.int64)
        offsets = np.zeros(self._known + 1, dtype=np.int64)
        np.cumsum(length, out=offsets[1:])
        gaps = np.repeat(8 * (place + 1) - offsets[:-1], length)
        data = self._kept.view(np.uint8)[np.arange(offsets[-1]) + gaps]
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        return pa.Array.from_buffers(pa.large_string(), self._known, buffers).cast(pa.string())

    def _add_coded(self, chunk: pa.DictionaryArray, found: Small) -> None:
        """Code what is coded already: each string that occurs is looked at once."""
        words = chunk.dictionary
        index = np.asarray(chunk.indices.cast(pa.int32()).fill_null(len(words)))
        occurs = np.zeros(len(words) + 1, dtype=np.bool_)
        occurs[index] = True
        places = np.flatnonzero(occurs[:-1])
        code = np.full(len(words) + 1, -1, dtype=np.int32)
        code[places] = self.codes(words.take(pa.array(places)))
        np.take(code, index, out=found)

    def _add(self, chunk: pa.Array, found: Small) -> None:
        missing = _NONE_MISSING
        if chunk.null_count:
            missing = np.array(chunk.is_null().cast(pa.uint8()))
        offsets, words = _bytes(chunk)
        done = 0
        while done < len(chunk):
            done, self._known = _code(
                words, offsets, missing, done, found, self._known, self._kept, self._place, self._slots
            )
            if done < len(chunk):
                self._grow(int(offsets[done + 1] - offsets[done]))

    def _grow(self, length: int) -> None:
        """Make room for one more string of so many bytes."""
        if self._known == len(self._place) - 1:
            self._place = np.concatenate((self._place, np.zeros(self._known, dtype=np.int64)))
            self._slots = np.full(2 * len(self._slots), _FREE, dtype=np.uint64)
            _fill(self._slots, self._kept, self._place, self._known)
        while self._place[self._known] + length // 8 + 2 > len(self._kept):
            self._kept = np.concatenate((self._kept, np.zeros_like(self._kept)))


def hashes(column: "pa.Array | pa.ChunkedArray") -> Hashes:
    """Return a hash of every string, shape (n_rows,): different hashes mean different strings.

    Equal hashes mean nothing: hold the strings themselves against each other. Null has a hash, too.

    Examples
    --------
    >>> a, b, again = hashes(pa.array(["a", "b", "a"]))
    >>> bool(a == again), bool(a == b)
    (True, False)
    """
    found = np.empty(len(column), dtype=np.uint64)
    place = 0
    for chunk in _chunks(column):
        here = found[place : place + len(chunk)]
        if pa.types.is_dictionary(chunk.type):
            index = chunk.indices.cast(pa.int64()).fill_null(len(chunk.dictionary))
            np.take(np.append(hashes(chunk.dictionary), _FREE), np.asarray(index), out=here)
        else:
            _add_hashes(chunk, here)
        place += len(chunk)
    return found


def mixed(hashed: Hashes, numbers: npt.NDArray[np.int64]) -> Hashes:
    """Return hashes that also tell whole numbers apart, shape (n_rows,)."""
    found = np.empty_like(hashed)
    in_blocks(lambda a, b: _mix(hashed, numbers, found, a, b), len(found), _ROWS_AT_ONCE)
    return found


def _add_hashes(chunk: pa.Array, found: Hashes) -> None:
    offsets, words = _bytes(chunk)
    in_blocks(lambda a, b: _hash_rows(words, offsets, found, a, b), len(found), _ROWS_AT_ONCE)
    if chunk.null_count:
        found[np.asarray(chunk.is_null())] = _FREE


def _chunks(column: "pa.Array | pa.ChunkedArray") -> Iterator[pa.Array]:
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind)):
        column = column.cast(pa.string())
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    yield from (chunk for chunk in chunks if len(chunk))


def _bytes(chunk: pa.Array) -> tuple[Whole, npt.NDArray[np.uint64]]:
    """Return offsets, and the bytes from the first to the last of them in words, with one word to spare."""
    _, offsets, data = chunk.buffers()
    limits: Whole = np.frombuffer(offsets, dtype=np.int32 if pa.types.is_string(chunk.type) else np.int64)
    limits = limits[chunk.offset : chunk.offset + len(chunk) + 1]
    size = int(limits[-1] - limits[0])
    words = np.zeros(size // 8 + 2, dtype=np.uint64)
    if size:
        words.view(np.uint8)[:size] = np.frombuffer(data, dtype=np.uint8, count=size, offset=int(limits[0]))
    return limits, words


@kernel
def _code(words, offsets, missing, first, found, known, kept, places, slots):  # type: ignore[no-untyped-def]
    """Code rows from `first` on; returns the row at which there was no room left, and how many are known."""
    mixed = np.empty(_AHEAD, dtype=np.uint64)
    here = np.empty(_AHEAD, dtype=np.uint64)
    for block in range(first, len(found), _AHEAD):
        end = min(block + _AHEAD, len(found))
        # The memory of several rows is fetched at once; one after the other, each would wait for its own.
        for i in range(block, end):
            mixed[i - block] = _hash(words, offsets[i] - offsets[0], offsets[i + 1] - offsets[i])
        for i in range(block, end):
            here[i - block] = slots[_slot(mixed[i - block], slots)]
        for i in range(block, end):
            if here[i - block] != _FREE:
                here[i - block] = kept[here[i - block] & _LOW]
        for i in range(block, end):
            if len(missing) > 0 and missing[i]:
                found[i] = -1
                continue
            begin, length = offsets[i] - offsets[0], offsets[i + 1] - offsets[i]
            slot, code = _find(words, begin, length, mixed[i - block], kept, slots)
            if code < 0:
                n_words = (length + 7) >> 3
                place = places[known]
                if known == len(places) - 1 or place + 1 + n_words > len(kept):
                    return i, known
                kept[place] = np.uint64(known) << _HALF | np.uint64(length)
                for j in range(n_words):
                    kept[place + 1 + j] = _word(words, begin, length, j)
                slots[slot] = mixed[i - block] >> _HALF << _HALF | np.uint64(place)
                code = known
                known += 1
                places[known] = place + 1 + n_words
            found[i] = code
    return len(found), known


@kernel
def _find(words, begin, length, mixed, kept, slots):  # type: ignore[no-untyped-def]
    """Return the slot and the code of a string, or a free slot and -1."""
    n_words = (length + 7) >> 3
    slot = _slot(mixed, slots)
    while slots[slot] != _FREE:
        if slots[slot] >> _HALF == mixed >> _HALF:
            place = np.int64(slots[slot] & _LOW)
            j = 0 if kept[place] & _LOW == length else n_words + 1
            while j < n_words and kept[place + 1 + j] == _word(words, begin, length, j):
                j += 1
            if j == n_words:
                return slot, np.int64(kept[place] >> _HALF)
        slot = (slot + 1) & (len(slots) - 1)
    return slot, np.int64(-1)


@kernel
def _hash(words, begin, length):  # type: ignore[no-untyped-def]
    mixed = np.uint64(length) * _ODD
    for j in range((length + 7) >> 3):
        mixed = _mixed(mixed, _word(words, begin, length, j))
    return _mixed(mixed, np.uint64(0))


@kernel
def _hash_rows(words, offsets, found, first, last):  # type: ignore[no-untyped-def]
    for i in range(first, last):
        found[i] = _hash(words, offsets[i] - offsets[0], offsets[i + 1] - offsets[i])


@kernel
def _mix(hashed, numbers, found, first, last):  # type: ignore[no-untyped-def]
    for i in range(first, last):
        found[i] = _mixed(hashed[i], np.uint64(numbers[i]))


@kernel
def _word(words, begin, length, j):  # type: ignore[no-untyped-def]
    """Return the j-th eight bytes of a string that begins anywhere, zeros after its end."""
    at = begin + 8 * j
    shift = np.uint64(8 * (at & 7))
    word = words[at >> 3] >> shift
    if shift > 0:
        word |= words[(at >> 3) + 1] << (np.uint64(64) - shift)
    rest = length - 8 * j
    if rest < 8:
        word &= (np.uint64(1) << np.uint64(8 * rest)) - np.uint64(1)
    return word


@kernel
def _mixed(mixed, word):  # type: ignore[no-untyped-def]
    """Take one more word into a hash."""
    mixed = (mixed ^ word) * _ODD
    return mixed ^ (mixed >> _HALF)


@kernel
def _slot(mixed, slots):  # type: ignore[no-untyped-def]
    return np.int64(mixed & np.uint64(len(slots) - 1))


@kernel
def _fill(slots, kept, places, known):  # type: ignore[no-untyped-def]
    """Put all strings into an empty hash table."""
    for code in range(known):
        place = places[code]
        length = np.int64(kept[place] & _LOW)
        mixed = np.uint64(length) * _ODD
        for j in range((length + 7) >> 3):
            mixed = _mixed(mixed, kept[place + 1 + j])
        mixed = _mixed(mixed, np.uint64(0))
        slot = _slot(mixed, slots)
        while slots[slot] != _FREE:
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = mixed >> _HALF << _HALF | np.uint64(place)
