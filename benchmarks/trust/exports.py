"""The files of a vendor's exports, CSV or Parquet: found, read and written again."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

import hva_ml as hva
from benchmarks.smaller import PIPELINE

_KEPT = csv.ConvertOptions(column_types={"postcode": pa.string(), "wz_code": pa.string()})


def files(ws: hva.Workspace, name: str) -> list[Path]:
    """Return the files of a source."""
    here = ws.raw(PIPELINE)
    return sorted((here / name).glob("*")) if (here / name).is_dir() else sorted(here.glob(f"{name}.*"))


def rows_of(path: Path) -> pa.Table:
    """Return the rows of a file."""
    return pq.read_table(path) if path.suffix == ".parquet" else csv.read_csv(path, convert_options=_KEPT)


def written(table: pa.Table, path: Path) -> None:
    """Write rows into a file, in place of what it held."""
    if path.suffix == ".parquet":
        pq.write_table(table, path, write_page_checksum=True)
    else:
        csv.write_csv(table, path)
