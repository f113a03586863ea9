"""Public data sets: found, read, fetched from a real server on this machine, and never half or unsafely."""

# ruff: noqa: DTZ001 - naive local times are what these files hold.

import hashlib
import io
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO, cast

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hva_ml.connectors import datasets, download, workbook
from hva_ml.errors import IntegrityError, SourceError, UsageError
from hva_ml.workspace import Workspace

HEADER = workbook.SCHEMA.names[:-1]
LEAST = {"Year 2009-2010": 2, "Year 2010-2011": 1}
NAME = "online_retail_ii"
ROWS: dict[str, list[list[object]]] = {
    "Year 2009-2010": [
        [489434, 85048, "GLASS BALL", 12, datetime(2009, 12, 1, 7, 45), 6.95, 13085, "United Kingdom"],
        ["C489449", "79323P", None, -12, datetime(2009, 12, 1, 10, 33), 0, None, "Österreich"],
    ],
    "Year 2010-2011": [[536365, "POST", 20713, 6, datetime(2010, 12, 1, 8, 26), 2.55, 17850.0, "Germany"]],
}


def book(rows: dict[str, list[list[object]]], header: list[str] = HEADER) -> bytes:
    made = openpyxl.Workbook(write_only=True)
    for name, lines in rows.items():
        sheet = made.create_sheet(name)
        for line in [header, *lines]:
            sheet.append(line)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def packed(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder; /cut.zip promises more than it sends."""

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_GET(self) -> None:
        if self.path != "/cut.zip":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"PK")


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("served")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    thread.join()
    server.server_close()


def loopback(url: str, timeout: float) -> AbstractContextManager[BinaryIO]:
    assert url.startswith("http://127.0.0.1:")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return cast("AbstractContextManager[BinaryIO]", opener.open(url, timeout=timeout))


def fetch(ws: Workspace, served: tuple[str, Path], data: bytes) -> datasets.Fetched:
    address, folder = served
    (folder / "o.zip").write_bytes(data)
    return datasets.fetch(ws, NAME, opener=loopback, url=f"{address}/o.zip", least_rows=LEAST)


def test_fetch_writes_one_table_of_both_sheets(ws: Workspace, served: tuple[str, Path]) -> None:
    data = packed({"online_retail_II.xlsx": book(ROWS)})
    got = fetch(ws, served, data)
    assert got.path == ws.root / "data/raw/datasets/online_retail_ii/online_retail_ii.parquet"
    assert got.fetched
    assert got.rows == 3
    assert got.sha256 == hashlib.sha256(got.path.read_bytes()).hexdigest()
    assert hashlib.sha256(data).hexdigest() in got.notice
    assert "CC BY 4.0" in got.notice
    assert "no checksum published" in got.notice
    assert (got.path.parent / "NOTICE.txt").read_text(encoding="utf-8").strip() == got.notice
    assert not list(got.path.parent.glob(".fetch-*"))
    assert datasets.locate(ws, NAME) == got.path
    table = datasets.read(ws, NAME)
    assert table.schema.equals(workbook.SCHEMA)
    assert table["Invoice"].to_pylist() == ["489434", "C489449", "536365"]
    assert table["Description"].to_pylist() == ["GLASS BALL", None, "20713"]
    assert table["Customer ID"].to_pylist() == [13085, None, 17850]
    assert table["sheet"].to_pylist() == ["2009-2010", "2009-2010", "2010-2011"]
    assert table["InvoiceDate"].to_pylist()[0] == datetime(2009, 12, 1, 7, 45)
    again = fetch(ws, served, b"never asked for")
    assert not again.fetched
    assert again.record()["sha256"] == got.sha256


def test_a_later_fetch_is_compared_with_the_first(ws: Workspace, served: tuple[str, Path]) -> None:
    first = fetch(ws, served, packed({"online_retail_II.xlsx": book(ROWS)}))
    data = (served[1] / "o.zip").read_bytes()
    first.path.unlink()
    assert "is the one recorded" in fetch(ws, served, data).notice
    first.path.unlink()
    with pytest.raises(IntegrityError, match="not the one fetched before"):
        fetch(ws, served, data + b" ")
    assert datasets.locate(ws, NAME) is None


def test_a_fetched_file_that_was_changed_is_not_read(ws: Workspace, served: tuple[str, Path]) -> None:
    got = fetch(ws, served, packed({"online_retail_II.xlsx": book(ROWS)}))
    pq.write_table(datasets.read(ws, NAME).slice(0, 2), got.path)
    with pytest.raises(IntegrityError, match="sha256 differs"):
        datasets.read(ws, NAME)


def changed(**sheets: list[list[object]]) -> bytes:
    return packed({"online_retail_II.xlsx": book({**ROWS, **sheets})})


LINE = ROWS["Year 2010-2011"][0]
REFUSED = {
    "zip slip": (packed({"online_retail_II.xlsx": book(ROWS), "../../evil": b"x"}), "leaves its folder"),
    "absolute name": (packed({"online_retail_II.xlsx": book(ROWS), "/evil": b"x"}), "leaves its folder"),
    "drive letter": (packed({"online_retail_II.xlsx": book(ROWS), "C:\\evil": b"x"}), "leaves its folder"),
    "no zip": (b"<html>moved</html>", "no readable ZIP"),
    "half a zip": (packed({"online_retail_II.xlsx": book(ROWS)})[:-60], "no readable ZIP"),
    "another file": (packed({"readme.txt": b"x"}), "does not hold one file"),
    "no workbook": (packed({"online_retail_II.xlsx": b"x"}), "no readable workbook"),
    "empty archive inside": (packed({"online_retail_II.xlsx": packed({"a": b"x"})}), "no readable workbook"),
    "one sheet": (
        packed({"online_retail_II.xlsx": book({"Year 2009-2010": [LINE, LINE]})}),
        "sheets are not",
    ),
    "other columns": (packed({"online_retail_II.xlsx": book(ROWS, HEADER[::-1])}), "other ones"),
    "too few rows": (changed(**{"Year 2009-2010": [LINE]}), "has only 1 rows"),
    "text as quantity": (changed(**{"Year 2010-2011": [[*LINE[:3], "six", *LINE[4:]]]}), "another type"),
    "half a quantity": (changed(**{"Year 2010-2011": [[*LINE[:3], 0.5, *LINE[4:]]]}), "another type"),
    "text as date": (changed(**{"Year 2010-2011": [[*LINE[:4], "1.1.2010", *LINE[5:]]]}), "another type"),
    "no invoice": (changed(**{"Year 2010-2011": [[None, *LINE[1:]]]}), "empty cells"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_the_known_file_leaves_nothing_behind(
    ws: Workspace, served: tuple[str, Path], case: str
) -> None:
    data, what = REFUSED[case]
    with pytest.raises(SourceError, match=what):
        fetch(ws, served, data)
    assert datasets.locate(ws, NAME) is None
    assert list(datasets.folder(ws, NAME).iterdir()) == []
    assert not list(ws.root.parent.glob("evil*"))


def test_bombs_are_refused_whatever_they_say_of_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = tmp_path / "honest.zip"
    honest.write_bytes(packed({"b.xlsx": bytes(5_000_000)}))
    with pytest.raises(SourceError, match="larger than 1,000,000 bytes"):
        download.extract(honest, "b.xlsx", tmp_path, limit=1_000_000)
    lying = tmp_path / "lying.zip"
    size = (5_000_000).to_bytes(4, "little")
    lying.write_bytes(honest.read_bytes().replace(size, (1000).to_bytes(4, "little")))
    with pytest.raises(SourceError):
        download.extract(lying, "b.xlsx", tmp_path, limit=1_000_000)
    inner = tmp_path / "o.xlsx"
    inner.write_bytes(packed({"xl/sheet1.xml": bytes(5_000_000)}))
    monkeypatch.setattr(workbook, "MAX_UNPACKED_BYTES", 1_000_000)
    with pytest.raises(SourceError, match="larger than 1,000,000 bytes"):
        workbook.to_parquet(inner, tmp_path / "o.parquet")


def test_a_download_is_bounded_whole_and_found(served: tuple[str, Path], tmp_path: Path) -> None:
    address, folder = served
    (folder / "large").write_bytes(bytes(2000))
    with pytest.raises(SourceError, match="larger than 1,000 bytes"):
        download.save(f"{address}/large", tmp_path / "x", loopback, limit=1000)
    with pytest.raises(SourceError, match="HTTP 404"):
        download.save(f"{address}/nothing", tmp_path / "x", loopback)
    with pytest.raises(SourceError, match=r"broke off|failed"):
        download.save(f"{address}/cut.zip", tmp_path / "x", loopback)
    assert download.save(f"{address}/large", tmp_path / "x", loopback) == download.sha256(folder / "large")


def test_only_https_is_opened(ws: Workspace, served: tuple[str, Path]) -> None:
    for url in (f"{served[0]}/o.zip", "file:///etc/hostname", "ftp://127.0.0.1/x"):
        with pytest.raises(SourceError, match="Only https"):
            datasets.fetch(ws, NAME, url=url)
    redirect = download._HttpsOnly()
    request = urllib.request.Request("https://example.org/a")
    with pytest.raises(SourceError, match="Only https"):
        redirect.redirect_request(request, None, 302, "Found", {}, "http://example.org/a")


def test_a_missing_data_set_says_how_to_get_it(ws: Workspace) -> None:
    with pytest.raises(SourceError) as caught:
        datasets.read(ws, NAME)
    assert "hva datasets fetch online_retail_ii" in caught.value.fix
    assert "HVA_DATASETS" in caught.value.fix
    for ask in (datasets.fetch, datasets.read):
        with pytest.raises(SourceError) as caught:
            ask(ws, "adventureworks_dw", **({"table": "DimReseller"} if ask is datasets.read else {}))
        assert "HVA_DATASETS" in caught.value.fix
        assert "hva datasets fetch adventureworks_dw" in caught.value.fix


def test_unknown_names_name_the_nearest(ws: Workspace) -> None:
    with pytest.raises(UsageError, match="Did you mean 'online_retail_ii'"):
        datasets.fetch(ws, "online_retail")
    with pytest.raises(UsageError, match="Did you mean 'DimReseller'"):
        datasets.read(ws, "adventureworks_dw", "DimResellers")
    with pytest.raises(UsageError, match="several tables"):
        datasets.read(ws, "adventureworks_dw")


def test_the_named_folder_wins(ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, named = datasets.folder(ws, NAME), tmp_path / "elsewhere"
    for place, value in ((own, 1), (named, 2)):
        place.mkdir(parents=True)
        pq.write_table(pa.table({"v": [value]}), place / "online_retail_ii.parquet")
    assert datasets.read(ws, NAME)["v"].to_pylist() == [1]
    monkeypatch.setenv("HVA_DATASETS", str(named))
    assert datasets.read(ws, NAME)["v"].to_pylist() == [2]
    got = datasets.fetch(ws, NAME)
    assert not got.fetched
    assert got.path == named / "online_retail_ii.parquet"
    assert "Already there" in got.notice


def test_records_are_plain(ws: Workspace) -> None:
    names = [d.record()["name"] for d in datasets.list_datasets()]
    assert names == ["adventureworks_dw", "bank_marketing", "olist_funnel", "online_retail_ii", "salvirt_b2b"]
    assert all(d.download.startswith("https://") or not d.download for d in datasets.list_datasets())


@pytest.mark.real_data
def test_real_data_have_the_form_that_fetch_writes(
    ws: Workspace, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HVA_DATASETS", str(real_data))
    lines = datasets.read(ws, NAME)
    assert lines.schema.equals(workbook.SCHEMA)
    assert lines.num_rows > 800_000
    assert set(lines["sheet"].unique().to_pylist()) == {s.removeprefix("Year ") for s in workbook.LEAST_ROWS}
    for name in datasets.dataset("adventureworks_dw").tables:
        assert datasets.read(ws, "adventureworks_dw", name).num_rows > 0
    assert datasets.read(ws, "adventureworks_dw", "DimReseller").num_rows == 701
