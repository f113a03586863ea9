"""The Online Retail II workbook, both yearly sheets, as one Parquet file. Values are kept as they are."""

import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl import Workbook, load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from hva_ml.errors import SourceError

MEMBER = "online_retail_II.xlsx"
LEAST_ROWS: dict[str, int] = {"Year 2009-2010": 500_000, "Year 2010-2011": 500_000}
"""Sheets, and how many rows each has at least; published are 525,461 and 541,910."""

SCHEMA = pa.schema(
    [
        pa.field("Invoice", pa.string(), nullable=False),
        pa.field("StockCode", pa.string(), nullable=False),
        pa.field("Description", pa.string()),
        pa.field("Quantity", pa.int64(), nullable=False),
        pa.field("InvoiceDate", pa.timestamp("us"), nullable=False),
        pa.field("Price", pa.float64(), nullable=False),
        pa.field("Customer ID", pa.int64()),
        pa.field("Country", pa.string(), nullable=False),
        pa.field("sheet", pa.string(), nullable=False),
    ]
)
"""Columns of the table; `InvoiceDate` is UK local time, `sheet` the years of the sheet."""

MAX_UNPACKED_BYTES = 1_500_000_000
_BATCH = 50_000
_BROKEN = (InvalidFileException, zipfile.BadZipFile, zlib.error, KeyError, ValueError, ParseError)


def to_parquet(path: Path, target: Path, least_rows: Mapping[str, int] = LEAST_ROWS) -> int:
    """Convert the workbook.

    Parameters
    ----------
    path : pathlib.Path
        The .xlsx file.
    target : pathlib.Path
        Parquet file to write, with page checksums.
    least_rows : mapping of str to int
        Exactly these sheets must be there, each with at least so many rows.

    Returns
    -------
    int
        Number of rows, in the order of the sheets.

    Raises
    ------
    SourceError
        If it is no workbook, unpacks too large, or sheets, columns, cell types or row counts are not as
        published.
    """
    _refuse_bomb(path)
    try:
        with path.open("rb") as stream:
            book = load_workbook(stream, read_only=True, data_only=True)
            try:
                return _convert(book, target, least_rows, path)
            finally:
                book.close()
    except _BROKEN as error:
        raise _changed("it is no readable workbook, or a sheet in it is damaged", path) from error


def _convert(book: Workbook, target: Path, least_rows: Mapping[str, int], path: Path) -> int:
    if sorted(book.sheetnames) != sorted(least_rows):
        raise _changed(f"its sheets are not {' and '.join(sorted(least_rows))}", path)
    total = 0
    with pq.ParquetWriter(target, SCHEMA, compression="zstd", write_page_checksum=True) as out:
        for name in sorted(least_rows):
            rows = 0
            for batch in _batches(book[name].iter_rows(values_only=True), name, path):
                out.write_table(batch)
                rows += batch.num_rows
            if rows < least_rows[name]:
                raise _changed(f"the sheet '{name}' has only {rows:,} rows", path)
            total += rows
    return total


def _batches(rows: Iterator[Sequence[Any]], sheet: str, path: Path) -> Iterator[pa.Table]:
    header = tuple(next(rows, ()))
    if header != tuple(SCHEMA.names[:-1]):
        raise _changed(f"the columns of the sheet '{sheet}' are other ones", path)
    label = sheet.removeprefix("Year ")
    while batch := list(islice(rows, _BATCH)):
        filled = [r for r in batch if any(c is not None for c in r)]
        columns = list(zip(*filled, strict=True)) if filled else [()] * len(header)
        try:
            arrays = [
                pa.array([_cell(v, f.type) for v in column], f.type)
                for f, column in zip(SCHEMA, columns, strict=False)
            ]
            arrays.append(pa.array([label] * len(filled), pa.string()))
            table = pa.Table.from_arrays(arrays, schema=SCHEMA)
            table.validate(full=True)
            if any(c.null_count for c, f in zip(table.columns, SCHEMA, strict=True) if not f.nullable):
                raise _changed(f"the sheet '{sheet}' has empty cells where it should have none", path)
        except (TypeError, ValueError) as error:
            raise _changed(f"the sheet '{sheet}' has cells of another type", path) from error
        yield table


def _cell(value: object, kind: pa.DataType) -> object:
    if value is None:
        return None
    if pa.types.is_string(kind):
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    if pa.types.is_timestamp(kind):
        if not isinstance(value, datetime):
            raise TypeError(kind)
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(kind)
    if pa.types.is_integer(kind):
        if value != int(value):
            raise ValueError(kind)
        return int(value)
    return float(value)


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(i.file_size for i in packed.infolist()) > MAX_UNPACKED_BYTES:
                raise _changed(f"unpacked it is larger than {MAX_UNPACKED_BYTES:,} bytes", path)
    except zipfile.BadZipFile as error:
        raise _changed("it is no readable workbook", path) from error


def _changed(what: str, path: Path) -> SourceError:
    return SourceError(
        f"The workbook is not the one we know: {what}.",
        where=path.name,
        why="A table of another form would be read wrongly.",
        fix="Set HVA_DATASETS to a folder that holds online_retail_ii.parquet, or tell us of the change.",
    )
