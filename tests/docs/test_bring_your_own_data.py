"""The page does what it says: its files and commands, run in order, end with an explained account."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hva_ml import config

PAGE = "bring-your-own-data.md"
PROGRAMS = {"hva": [sys.executable, "-m", "hva_ml.cli"], "python": [sys.executable]}


@pytest.fixture(scope="module")
def parts(docs: Path, extract: ModuleType) -> list[Any]:
    found: list[Any] = extract.blocks((docs / PAGE).read_text("utf-8"))
    return found


def test_the_page_has_the_files_and_commands_it_talks_about(parts: list[Any]) -> None:
    assert [b.path for b in parts if b.kind == "file"] == [
        "exports.py", "pipelines/my.toml", "pipelines/my/accounts.sql", "pipelines/my/invoices.sql",
        "pipelines/my/events.sql",
    ]  # fmt: skip
    verbs = [b.text.split()[1] for b in parts if b.kind == "command" and b.text.startswith("hva ")]
    assert verbs == ["init", "check", "train", "promote", "score", "explain"]


def test_the_pipeline_file_is_valid(parts: list[Any]) -> None:
    (block,) = [b for b in parts if b.path == "pipelines/my.toml"]
    read = config.parse(block.text, PAGE)
    assert read.name == "my"
    queries = {Path(b.path).name for b in parts if b.path.endswith(".sql")}
    assert queries == {table.sql for table in read.tables.values()}


def test_the_exports_look_like_those_of_a_dach_office(parts: list[Any], tmp_path: Path) -> None:
    (block,) = [b for b in parts if b.path == "exports.py"]
    (tmp_path / "exports.py").write_text(block.text, "utf-8")
    subprocess.run([sys.executable, "exports.py"], cwd=tmp_path, check=True, timeout=120)
    folder = tmp_path / "data" / "raw" / "my"
    customers = (folder / "kunden.csv").read_bytes().decode("cp1252").splitlines()
    assert customers[0].startswith("Kundennr;Firma;")
    assert "Gründungsjahr" in customers[0]
    assert all(line.startswith("0") for line in customers[1:])
    assert any("ü" in line for line in customers[1:])
    amounts = [
        line.rsplit(";", 1)[1] for line in (folder / "rechnungen.csv").read_text("cp1252").splitlines()[1:]
    ]
    assert all(a[-3] == "," for a in amounts)
    assert any(a.startswith("-") for a in amounts)
    assert any("." in a for a in amounts)


@pytest.mark.slow
def test_the_page_works_from_beginning_to_end(parts: list[Any], tmp_path: Path) -> None:
    here = tmp_path
    environment = {k: v for k, v in os.environ.items() if k not in ("HVA_HOME", "MLFLOW_TRACKING_URI")}
    environment |= {"HOME": str(tmp_path), "MLFLOW_DISABLE_TELEMETRY": "true"}
    for block in parts:
        if block.kind == "file":
            path = here / block.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
            continue
        program, *arguments = shlex.split(block.text)
        if program == "cd":
            here = here / arguments[0]
            continue
        done = subprocess.run(
            [*PROGRAMS[program], *arguments],
            cwd=here,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{PAGE} line {block.line}: {block.text}\n{done.stdout}\n{done.stderr}"
    pages = list((here / "data" / "reports" / "my").rglob("account-*.html"))
    assert len(pages) == 1
    assert "0000003" in pages[0].read_text("utf-8")
    assert (here / "data" / "scores" / "my" / "CURRENT").exists()
