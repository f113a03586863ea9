"""The command line: help with examples, JSON for machines, the documented exit codes, no traceback."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hva_ml.cli import app
from hva_ml.publication import lock

RUNNER = CliRunner()
PIPELINE = "dach_sample"
COMMANDS = (
    ("init",), ("demo",), ("datasets", "list"), ("datasets", "fetch"), ("check",), ("train",), ("compare",),
    ("promote",), ("score",), ("explain",), ("changes",), ("advise",), ("overview",), ("backtest",),
    ("rollback",), ("recalibrate",), ("prune",), ("deliver",), ("nightly",), ("monitor",),
)  # fmt: skip


def call(*words: str) -> Any:
    return RUNNER.invoke(app, list(words))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_examples_and_a_root(words: tuple[str, ...]) -> None:
    result = call(*words, "--help")
    assert result.exit_code == 0
    assert "Examples" in result.output
    assert f"hva {' '.join(words)}" in result.output
    assert "--root" in result.output or words == ("init",)
    assert "--json" in result.output


def test_the_help_tells_the_exit_codes() -> None:
    result = call("--help")
    assert result.exit_code == 0
    assert "3 refused" in result.output
    assert "alarm" in result.output
    for words in COMMANDS:
        assert words[0] in result.output


def test_reading_everything_anew_gives_the_run_that_reading_what_is_new_gives(main_job: Any) -> None:
    root = str(main_job.ws.root)
    for flags in (("--full",), ()):
        scored = call("score", PIPELINE, "--as-of", "2025-12-31", "--root", root, "--json", *flags)
        record = json.loads(scored.stdout)
        assert (record["published"], record["run_id"]) == (False, main_job.scores.run_id)
        reused = {r["table"]: r["reused"] for r in record["read"]}
        assert reused["accounts"] == 0
        assert (reused["events"] > 0) == (not flags)


def test_scores_and_explanations_come_as_json(main_job: Any) -> None:
    root = str(main_job.ws.root)
    scored = call("score", PIPELINE, "--as-of", "2025-12-31", "--root", root, "--json")
    assert scored.exit_code == 0
    record = json.loads(scored.stdout)
    assert (record["published"], record["run_id"]) == (False, main_job.scores.run_id)
    best = main_job.scores.table["account_id"][0].as_py()
    told = call("explain", PIPELINE, best, "--lang", "de", "--root", root, "--json")
    assert told.exit_code == 0
    assert json.loads(told.stdout)["account_id"] == best
    assert isinstance(json.loads(call("compare", PIPELINE, "--root", root, "--json").stdout), list)


def test_the_tables_for_people_show_what_counts(main_job: Any) -> None:
    root = str(main_job.ws.root)
    best = main_job.scores.table["account_id"][0].as_py()
    assert best in call("score", PIPELINE, "--as-of", "2025-12-31", "--root", root).output
    assert "Typischer Account" in call("explain", PIPELINE, best, "--lang", "de", "--root", root).output
    assert "champion" in call("compare", PIPELINE, "--root", root).output


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("train", "dach_sampel"), 2, "Did you mean 'dach_sample'?"),
        (("score", PIPELINE), 2, "--as-of"),
        (("score", PIPELINE, "--as-of", "yesterday"), 2, "yesterday"),
        (("nosuch",), 2, "nosuch"),
        (("explain", PIPELINE, "NOBODY"), 2, "no published score"),
        (("promote", PIPELINE, "--run", "zzzz"), 2, "no finished run"),
        (("demo", "--lang", "fr"), 2, "language 'fr'"),
        (("datasets", "fetch", "online_retial_ii"), 2, "Did you mean 'online_retail_ii'?"),
    ],
)
def test_mistakes_exit_with_2_and_say_how_to_mend_them(
    main_job: Any, words: tuple[str, ...], code: int, says: str
) -> None:
    extra = () if words == ("nosuch",) else ("--root", str(main_job.ws.root))
    result = call(*words, *extra)
    assert result.exit_code == code
    assert says in result.output
    assert "Traceback" not in result.output


def test_a_refusal_exits_with_3_and_a_held_lock_with_4(
    main_job: Any, tmp_path: Path, small_workspace: Any
) -> None:
    ws = small_workspace(tmp_path)
    refused = call("score", PIPELINE, "--as-of", "2025-12-31", "--root", str(ws.root))
    assert refused.exit_code == 3
    assert "hva promote" in refused.output
    with lock(main_job.ws.lock(PIPELINE)):
        busy = call("train", PIPELINE, "--root", str(main_job.ws.root), "--json")
    assert busy.exit_code == 4
    assert json.loads(busy.stderr.strip().splitlines()[-1])["error"] == "BusyError"


def test_outside_a_workspace_the_command_names_hva_init(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HVA_HOME", raising=False)
    result = call("train", PIPELINE)
    assert result.exit_code == 1
    assert "hva init" in result.output


def test_importing_the_package_loads_none_of_the_heavy_libraries() -> None:
    heavy = {"numpy", "pandas", "pyarrow", "lightgbm", "mlflow", "sklearn", "duckdb", "pydantic", "rich"}
    code = f"import sys, hva_ml; print(sorted({heavy} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_the_public_names_are_few_and_all_load() -> None:
    import hva_ml

    assert len(hva_ml.__all__) <= 30
    assert all(getattr(hva_ml, name) is not None for name in hva_ml.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        hva_ml.nothing  # noqa: B018


def test_a_full_disk_is_one_sentence(main_job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "/data")

    monkeypatch.setattr("hva_ml.jobs.score.score", full)
    result = call("score", PIPELINE, "--as-of", "2025-12-31", "--root", str(main_job.ws.root))
    assert result.exit_code == 1
    assert "No space left on device" in result.output
    assert "Traceback" not in result.output
