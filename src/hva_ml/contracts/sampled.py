"""A sample of what accounts have in each column, so that a later night can tell whether it is still there.

It judges nothing. Kept are hashes of account and value, of some accounts and of these some values, both
chosen by hashes: the same are chosen again whatever has been added since, in any order of rows.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.contracts.records import ContractTables
from hva_ml.contracts.volumes import HISTORY

SAMPLED = ("accounts", *HISTORY)
ACCOUNTS, VALUES = 64, 100
SIZE = 5
_LEFT_OUT = frozenset({"account_id", "known_at"})


@dataclass(frozen=True)
class Sample:
    """What some accounts have in one column.

    Attributes
    ----------
    level : tuple of int
        One account in 2**level[0] was chosen, and of what these have one value in 2**level[1].
    values : frozenset of int
        Hashes of account and value, of `SIZE` bytes.
    """

    level: tuple[int, int]
    values: frozenset[int]

    def packed(self) -> dict[str, Any]:
        """Return it as a JSON-ready record, see `unpacked`."""
        content = b"".join(value.to_bytes(SIZE, "big") for value in sorted(self.values))
        return {"level": list(self.level), "values": base64.b64encode(content).decode()}

    def finer(self, level: int) -> frozenset[int]:
        """Return the values that are chosen at a level, at least their own."""
        return frozenset(value for value in self.values if _chosen(value, level))


def unpacked(record: Mapping[str, Any]) -> Sample:
    """Return the sample of a record of `Sample.packed`."""
    content = base64.b64decode(record["values"])
    parts = (content[at : at + SIZE] for at in range(0, len(content), SIZE))
    accounts, values = record["level"]
    return Sample((accounts, values), frozenset(int.from_bytes(part, "big") for part in parts))


def sampled(tables: ContractTables) -> dict[str, Sample]:
    """Return a sample of every column of the accounts and of every table of history.

    When a row became known is left out.

    Parameters
    ----------
    tables : ContractTables
        As known on a day.

    Returns
    -------
    dict of str to Sample
        By ``table.column``: `VALUES` to twice as many values of about `ACCOUNTS` to twice as many accounts,
        or all if there are fewer.
    """
    if "accounts" not in tables.tables:
        return {}
    parts = [pc.unique(p["account_id"]).cast(pa.string()) for p in tables.pieces("accounts", ["account_id"])]
    hashes = {i: _hashed(i) for i in pa.chunked_array(parts, pa.string()).unique().to_pylist()}
    level = _level(len(hashes), ACCOUNTS)
    chosen = pa.array([i for i, h in hashes.items() if _chosen(h, level)], pa.string())
    found: dict[str, Sample] = {}
    for name in (t for t in SAMPLED if t in tables.tables):
        rows = _of_accounts(tables, name, chosen)
        for column in (c for c in rows.column_names if c not in _LEFT_OUT):
            found[f"{name}.{column}"] = _of_column(rows, column, level)
    return found


def _of_accounts(tables: ContractTables, table: str, accounts: pa.Array) -> pa.Table:
    return pa.concat_tables([p.filter(_is_in(p["account_id"], accounts)) for p in tables.pieces(table)])


def _is_in(ids: pa.ChunkedArray, accounts: pa.Array) -> pa.ChunkedArray:
    if not pa.types.is_dictionary(ids.type):
        return pc.is_in(ids, accounts)
    # Each word is looked up once, not each row.
    parts = [pc.is_in(c.dictionary, accounts).take(c.indices).fill_null(False) for c in ids.chunks]
    return pa.chunked_array(parts, pa.bool_())


def _of_column(rows: pa.Table, column: str, accounts: int) -> Sample:
    values = rows[column]
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.int64())
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    pairs = pa.table({"account": rows["account_id"].cast(pa.string()), "value": values})
    pairs = pairs.group_by(["account", "value"]).aggregate([])
    hashes = {_hashed(*p) for p in zip(pairs["account"].to_pylist(), pairs["value"].to_pylist(), strict=True)}
    level = _level(len(hashes), VALUES)
    return Sample((accounts, level), frozenset(h for h in hashes if _chosen(h, level)))


def _level(count: int, asked: int) -> int:
    """Return after how many halvings at least so many are left.

    Examples
    --------
    >>> _level(1_000, 200)
    2
    """
    return max(0, (count // asked).bit_length() - 1)


def _chosen(hashed: int, level: int) -> bool:
    return hashed >> (8 * SIZE - level) == 0


def _hashed(*cells: object) -> int:
    return int.from_bytes(blake2b(repr(cells).encode(), digest_size=SIZE).digest(), "big")
