"""Words and names that nobody can read end in words, before anything is made."""

import os
from pathlib import Path

import optuna
import pytest
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml.cli import app
from hva_ml.errors import UsageError
from hva_ml.jobs.nights.metrics import checked


@pytest.mark.parametrize("name", ["ab\x1b[2Jc", "a\u202eb", "two\nlines", os.fsdecode(b"\xff\xfe")])
def test_a_folder_whose_name_cannot_be_shown_is_no_workspace(tmp_path: Path, name: str) -> None:
    made = CliRunner().invoke(app, ["init", str(tmp_path / name)])
    assert made.exit_code == 1
    assert "cannot be shown" in made.output
    assert not list(tmp_path.iterdir())
    (tmp_path / name / "pipelines").mkdir(parents=True)
    found = CliRunner().invoke(app, ["check", "dach_sample", "--root", str(tmp_path / name)])
    assert found.exit_code == 1
    assert "Rename the folder" in found.output
    assert "\x1b" not in found.output


def test_a_folder_may_have_any_letters_and_blanks(tmp_path: Path) -> None:
    for name in ("Müller & Söhne", "schmales\u202fLeerzeichen", "festes\u00a0Leerzeichen", "日本"):
        assert CliRunner().invoke(app, ["init", str(tmp_path / name)]).exit_code == 0


def test_bytes_that_are_no_utf8_are_refused_in_words(tmp_path: Path) -> None:
    for call in (["explain", "dach_sample"], ["advise", "dach_sample"]):
        told = CliRunner().invoke(app, [*call, "--root", str(tmp_path), "--", os.fsdecode(b"\xff\xfe")])
        assert told.exit_code == 2
        assert "no UTF-8" in told.output


def test_metrics_without_a_name_are_refused_in_words(tmp_path: Path) -> None:
    hva.init(tmp_path)
    told = CliRunner().invoke(
        app, ["nightly", "dach_sample", "--as-of=2025-12-31", "--metrics=", "--root", str(tmp_path)]
    )
    assert told.exit_code == 2
    assert "must end in .prom" in told.output
    assert "--metrics night.prom" in told.output


def test_metrics_keep_the_folder_that_was_asked_for() -> None:
    with pytest.raises(UsageError) as refused:
        checked("/var/lib/node/night.txt")
    assert refused.value.fix == "--metrics /var/lib/node/night.prom"


def test_a_folder_with_braces_keeps_its_study(tmp_path: Path) -> None:
    ws, _ = hva.init(tmp_path / "{0.x} {{%s}")
    ws.mlruns.mkdir(exist_ok=True)
    optuna.create_study(storage=optuna.storages.RDBStorage(ws.optuna_uri))
    assert (ws.mlruns / "optuna.db").is_file()
