"""The public data sets the shipped pipelines use: where they lie, how to get them and how to read them."""

import gzip
import io
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hva_ml.config import Source
from hva_ml.connectors import csv_files, download, files, workbook
from hva_ml.connectors.catalogue import Dataset, dataset, list_datasets
from hva_ml.connectors.download import Opener
from hva_ml.errors import IntegrityError, SourceError, UsageError, nearest
from hva_ml.workspace import Workspace

__all__ = ["Dataset", "Fetched", "dataset", "fetch", "folder", "list_datasets", "locate", "missing", "read"]

VARIABLE = "HVA_DATASETS"


@dataclass(frozen=True)
class Fetched:
    """What a fetch left behind.

    Attributes
    ----------
    path : pathlib.Path
        The Parquet file, or the folder that holds the tables.
    sha256 : str
        Of the Parquet file; "" where nothing was fetched and nothing recorded.
    notice : str
        Licence notice and what is (not) known about the download.
    rows : int
        Number of rows; 0 if it was already there and was not read.
    fetched : bool
        False if it was already there.
    """

    path: Path
    sha256: str
    notice: str
    rows: int
    fetched: bool

    def record(self) -> dict[str, object]:
        """Return the result as a JSON-ready record."""
        return {
            "path": str(self.path),
            "sha256": self.sha256,
            "rows": self.rows,
            "fetched": self.fetched,
            "notice": self.notice,
        }


def locate(ws: Workspace, name: str) -> Path | None:
    """Return where a data set is, or None: a Parquet file for a single table, else the folder of tables.

    The folder ``HVA_DATASETS`` wins if it holds the data set; then ``data/raw/datasets/<name>``.

    Raises
    ------
    UsageError
        If the name is unknown.
    """
    wanted = dataset(name)
    for place in _places(ws, wanted):
        if all((place / f).is_file() for f in wanted.files().values()):
            return place / wanted.files()[wanted.tables[0]] if len(wanted.tables) == 1 else place
    named = os.environ.get(VARIABLE, "")
    folder_ = Path(named).expanduser() / wanted.name
    if named and wanted.originals and all((folder_ / f).is_file() for f in wanted.originals):
        return folder_
    return None


def read(ws: Workspace, name: str, table: str = "") -> pa.Table:
    """Read one table of a data set.

    Parameters
    ----------
    ws : Workspace
        Holds what was fetched.
    name : str
        Name of the data set.
    table : str
        Name of the table; may be left out where there is only one.

    Raises
    ------
    UsageError
        If there is no such data set or table.
    SourceError
        If the data set is not here, or its file is damaged.
    IntegrityError
        If a fetched file is no longer what was fetched.
    """
    wanted = dataset(name)
    chosen = table or (wanted.tables[0] if len(wanted.tables) == 1 else "")
    if chosen not in wanted.tables:
        raise UsageError(
            f"The data set '{name}' has no table '{table[:60]}'.{nearest(table, wanted.tables)}"
            if table
            else f"The data set '{name}' has several tables.",
            where=f"data set {name}",
            fix=f"Write table = one of: {', '.join(wanted.tables)}.",
        )
    place = locate(ws, name)
    if place is None:
        raise missing(wanted)
    if place.is_dir() and (place / wanted.csv_files().get(chosen, "?")).is_file():
        return _original(place / wanted.csv_files()[chosen], name)
    path = place if len(wanted.tables) == 1 else place / wanted.files()[chosen]
    if path.is_relative_to(folder(ws, name)):
        _verify(path, name)
    return files.read_parquet(path, f"data set {name}")


def _original(path: Path, name: str) -> pa.Table:
    """Read a publisher's CSV file, packed or not: every column is text."""
    data = files.content(path, f"data set {name}")
    if path.suffix == ".gz":
        try:
            data = gzip.decompress(data)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise SourceError(
                "The file is no whole gzip archive.", where=str(path), fix="Get it from its publisher again."
            ) from error
    return pa.concat_tables(csv_files.parsed(io.BytesIO(data), Source(kind="csv"), f"data set {name}", path))


def fetch(
    ws: Workspace,
    name: str,
    *,
    opener: Opener = download.https,
    url: str = "",
    least_rows: Mapping[str, int] = workbook.LEAST_ROWS,
) -> Fetched:
    """Download a data set from its publisher into ``data/raw/datasets/<name>/``, unless it is here.

    Parameters
    ----------
    ws : Workspace
        Where it goes.
    name : str
        Name of the data set.
    opener : callable
        Opens an address; the default allows https only.
    url : str
        Another address of the same file, such as a mirror.
    least_rows : mapping of str to int
        Rows each sheet must at least have, by sheet name.

    Raises
    ------
    UsageError
        If the name is unknown.
    SourceError
        If there is no plain origin, the download fails, or the file is not what it should be.
    IntegrityError
        If the publisher's file differs from the one fetched before.
    """
    wanted = dataset(name)
    here = locate(ws, name)
    if here is not None:
        known = _recorded(here.with_name(here.name + ".sha256")) if here.is_file() else ""
        return Fetched(here, known, f"Already there, nothing was fetched. {wanted.notice}", 0, False)
    if not wanted.download:
        raise missing(wanted)
    target = folder(ws, name) / wanted.files()[wanted.tables[0]]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with download.temporary(target.parent) as scratch:
            archive = scratch / "download.zip"
            digest = download.save(url or wanted.download, archive, opener)
            said = download.compare(target.parent / "download.sha256", digest)
            found = archive
            for member in wanted.members:
                found = download.extract(found, member, scratch)
            if found.suffix == ".csv":
                table = _original(found, name)
                rows = table.num_rows
                pq.write_table(table, scratch / target.name)
            else:
                rows = workbook.to_parquet(found, scratch / target.name, least_rows)
            download.record(target.parent / "download.sha256", digest)
            sha256 = download.sha256(scratch / target.name)
            download.record(target.with_name(target.name + ".sha256"), sha256)
            notice = f"{wanted.notice} {said}"
            (target.parent / "NOTICE.txt").write_text(notice + "\n", encoding="utf-8")
            (scratch / target.name).replace(target)
    except OSError as error:
        raise SourceError(
            "The data set cannot be written.",
            where=str(target.parent),
            fix="Check permissions and free space (about 300 MB while it is converted).",
        ) from error
    return Fetched(target, sha256, notice, rows, True)


def missing(wanted: Dataset) -> SourceError:
    """Return the error that says how to get a data set that is not here."""
    files_ = wanted.files()
    inside = f"{wanted.name}.parquet" if len(files_) == 1 else f"{wanted.name}/{wanted.tables[0]}.parquet …"
    if wanted.originals:
        inside = f"{wanted.name}/{wanted.originals[0]}" + (" …" if len(wanted.originals) > 1 else "")
    if wanted.download:
        fix = f"hva datasets fetch {wanted.name}   (or set {VARIABLE} to a folder that holds {inside})"
    elif wanted.originals:
        fix = f"Get its files from {wanted.origin} and set {VARIABLE} to the folder that holds {inside}."
    else:
        fix = (
            f"Export its tables as Parquet from {wanted.origin} and set {VARIABLE} to the folder that holds "
            f"{inside}; hva datasets fetch {wanted.name} has no plain file to download."
        )
    return SourceError(
        f"The data set '{wanted.name}' is not here.",
        where=f"{VARIABLE} and data/raw/datasets/{wanted.name}",
        why="The pipeline reads it.",
        fix=fix,
    )


def folder(ws: Workspace, name: str) -> Path:
    """Return the folder of the workspace where a fetched data set lies."""
    return ws.raw("datasets") / name


def _places(ws: Workspace, wanted: Dataset) -> list[Path]:
    places = [folder(ws, wanted.name)]
    named = os.environ.get(VARIABLE, "")
    if named:
        root = Path(named).expanduser()
        places = [root if len(wanted.tables) == 1 else root / wanted.name, *places]
    return places


def _verify(path: Path, name: str) -> None:
    known = _recorded(path.with_name(path.name + ".sha256"))
    if known and download.sha256(path) != known:
        raise IntegrityError(
            "The fetched file is no longer what was fetched: its sha256 differs.",
            where=str(path),
            why="Training on changed data would not be what the record says.",
            fix=f"Remove the file and run: hva datasets fetch {name}",
        )


def _recorded(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""
