"""The recipes in deploy/ call the command as it is: what they would start is read by its own parser."""

import ast
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from hva_ml.cli import app
from hva_ml.jobs.nights import metrics
from hva_ml.jobs.nights.summary import Nightly
from hva_ml.jobs.nights.watch import Watch

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PAGE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
TODAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def understood(words: list[str]) -> dict[str, Any]:
    """Let the real command read its words; return what it understood. It refuses unknown options."""
    command, *rest = words
    found = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    return dict(found.make_context(command, rest).params)


@pytest.fixture
def started(tmp_path: Path) -> Any:
    """Run a line of shell in which `hva` only notes its words, and let the real command read them."""
    notes = tmp_path / "words"
    stub = tmp_path / "hva"
    stub.write_text(
        f'#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word"; done > {notes}\n', encoding="utf-8"
    )
    stub.chmod(0o755)

    def run(script: str, **environment: str) -> dict[str, Any]:
        notes.unlink(missing_ok=True)
        home = {"HVA_HOME": str(tmp_path), "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            ["/bin/sh", "-euc", script.replace("/opt/hva/bin/hva", str(stub))],
            env={**home, "TZ": "Europe/Berlin", **environment}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return understood(notes.read_text(encoding="utf-8").splitlines())

    return run


def today() -> set[date]:
    """Return the days that are today somewhere around now: a test may run at midnight."""
    from zoneinfo import ZoneInfo

    now = datetime.now(ZoneInfo("Europe/Berlin"))
    return {now.date(), datetime.now(UTC).date()}


def test_every_recipe_has_its_files_and_its_place_on_the_page() -> None:
    files = {
        str(p.relative_to(ROOT)) for p in DEPLOY.rglob("*") if p.is_file() and "__pycache__" not in p.parts
    }
    assert {f.split("/")[1] for f in files} == {
        "cron", "systemd", "kubernetes", "airflow", "dagster", "prometheus",
    }  # fmt: skip
    assert {f for f in files if f"../{f}" not in PAGE} == set()


def test_the_commands_of_the_page_are_real() -> None:
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    lines = [line.split("   #")[0] for block in blocks for line in block.splitlines()]
    ours = [shlex.split(line) for line in lines if line.startswith("hva ")]
    assert len(ours) >= 2
    for words in ours:
        understood(words[1:])


def test_cron(started: Any) -> None:
    lines = (DEPLOY / "cron" / "hva-nightly").read_text(encoding="utf-8").splitlines()
    (job,) = [line for line in lines if re.match(r"[\d*]", line)]
    minute, hour, *days = job.split()[:5]
    assert (0 <= int(minute) < 60, 0 <= int(hour) < 24, days) == (True, True, ["*"] * 3)
    user, command = job.split(maxsplit=6)[5:]
    assert user == "hva"
    # To cron, a bare % ends the command, and a backslash takes that meaning away.
    assert not re.search(r"(?<!\\)%", command)
    variables = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    assert not any(re.search(r"\s#", value) for value in variables.values())
    read = started(command.replace(r"\%", "%"), HVA="hva")
    assert (read["pipeline"], read["log"]) == ("dach_sample", "json")
    assert read["as_of"].date() in today()
    # Not a crontab of a user: those have no column for one.
    assert variables["SHELL"] == "/bin/sh"


def test_systemd(started: Any) -> None:
    text = (DEPLOY / "systemd" / "hva-nightly@.service").read_text(encoding="utf-8")
    (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    shell, flag, script = shlex.split(line)
    assert (shell, flag) == ("/bin/sh", "-c")
    read = started(script.replace("%%", "%").replace("$$", "$").replace("%i", "online_retail"))
    assert (read["pipeline"], read["log"]) == ("online_retail", "json")
    assert read["as_of"].date() in today()
    assert re.search(r"^RestartPreventExitStatus=2 3$", text, re.MULTILINE)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    units = [str(p) for p in sorted((DEPLOY / "systemd").iterdir())]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, [x for x in done.stderr.splitlines() if "hva-nightly" in x]) == (0, [])


def cronjob() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "kubernetes" / "cronjob.yaml").read_text(encoding="utf-8"))


PLANNED = int(datetime(2025, 12, 31, 1, 15, tzinfo=UTC).timestamp()) // 60


@pytest.mark.parametrize(
    ("job", "day"),
    [
        (f"hva-nightly-dach-sample-{PLANNED}", date(2025, 12, 31)),
        # Half past eleven in the evening, in UTC, is the next day where the vendor is.
        (f"hva-nightly-dach-sample-{PLANNED - 105}", date(2025, 12, 31)),
        (f"hva-nightly-dach-sample-{PLANNED - 195}", date(2025, 12, 30)),
        ("by-hand", None),
        ("", None),
    ],
)
def test_kubernetes_makes_the_night_it_was_planned_for(started: Any, job: str, day: date | None) -> None:
    spec = cronjob()["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert container["command"] == ["/bin/sh", "-c"]
    named = {entry["name"] for entry in container["env"]}
    assert {"JOB_NAME", "TZ", "HVA_HOME"} <= named
    read = started(container["args"][0], JOB_NAME=job)
    assert (read["pipeline"], read["log"]) == ("dach_sample", "json")
    assert read["as_of"].date() in ({day} if day else today())


def test_kubernetes_does_not_try_again_what_was_refused() -> None:
    spec = cronjob()["spec"]
    assert (spec["concurrencyPolicy"], spec["timeZone"]) == ("Forbid", "Europe/Berlin")
    job = spec["jobTemplate"]["spec"]
    rule = job["podFailurePolicy"]["rules"][0]
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", [2, 3])
    # The policy only holds for pods that are not started again in their place.
    assert job["template"]["spec"]["restartPolicy"] == "Never"


@pytest.mark.skipif(
    importlib.util.find_spec("kubernetes_validate") is None, reason="kubernetes-validate is not installed"
)
def test_kubernetes_knows_every_field() -> None:
    import kubernetes_validate

    kubernetes_validate.validate(cronjob(), "1.32", strict=True)


@pytest.mark.parametrize("which", ["airflow", "dagster"])
def test_airflow_and_dagster_call_the_command_as_it_is(which: str) -> None:
    """What stands in the list `command` is read by the real command."""
    tree = ast.parse((DEPLOY / which / "hva_nightly.py").read_text(encoding="utf-8"))
    (command,) = [
        node.value for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "command"
    ]  # fmt: skip
    assert isinstance(command, ast.List)
    names = {"PIPELINE": "dach_sample", "day": "2025-12-31"}
    words = [
        e.value if isinstance(e, ast.Constant) else names.get(getattr(e, "id", ""), "hva")
        for e in command.elts
    ]
    assert words[0] == "hva"
    read = understood([str(w) for w in words[1:]])
    assert (read["pipeline"], read["as_of"].date(), read["log"]) == (
        "dach_sample",
        date(2025, 12, 31),
        "json",
    )
    assert read["as_json"] is (which == "dagster")
    assert "FOR_GOOD" in {getattr(n, "id", "") for n in ast.walk(tree)}


@pytest.mark.slow
@pytest.mark.skipif("HVA_AIRFLOW" not in os.environ, reason="HVA_AIRFLOW names no airflow command")
def test_airflow_runs_it(night_home: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ, "AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__DAGS_FOLDER": str(DEPLOY / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "HVA_HOME": str(night_home),
        "HVA": str(hva_command(tmp_path)),
    }  # fmt: skip
    airflow = os.environ["HVA_AIRFLOW"]
    subprocess.run([airflow, "db", "migrate"], env=environment, check=True, timeout=600, capture_output=True)
    subprocess.run(
        [airflow, "dags", "test", "hva_nightly_dach_sample", "2025-12-31T02:15:00+01:00"],
        env=environment, check=True, timeout=600, capture_output=True,
    )  # fmt: skip
    assert (night_home / "data/scores/dach_sample/nights/2025-12-31.json").is_file()


@pytest.mark.slow
@pytest.mark.skipif("HVA_DAGSTER" not in os.environ, reason="HVA_DAGSTER names no dagster command")
def test_dagster_runs_it(night_home: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ, "DAGSTER_HOME": str(tmp_path), "HVA_HOME": str(night_home),
        "HVA": str(hva_command(tmp_path)),
    }  # fmt: skip
    subprocess.run(
        [
            os.environ["HVA_DAGSTER"], "asset", "materialize", "--select", "dach_sample_scores",
            "--partition", "2025-12-31", "-f", str(DEPLOY / "dagster" / "hva_nightly.py"),
        ],
        env=environment, check=True, timeout=600, capture_output=True,
    )  # fmt: skip
    assert (night_home / "data/scores/dach_sample/nights/2025-12-31.json").is_file()


@pytest.fixture
def night_home(main_job: Any, tmp_path: Path) -> Path:
    """A workspace with a champion."""
    home = tmp_path / "home"
    shutil.copytree(main_job.ws.root, home)
    return home


def hva_command(folder: Path) -> Path:
    """Return the command `hva` of this interpreter, wherever its environment was made."""
    import sys

    command = folder / "hva"
    path = os.pathsep.join([str(ROOT / "src")])
    command.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {sys.executable} -m hva_ml.cli "$@"\n', "utf-8")
    command.chmod(0o755)
    return command


def test_the_rules_for_prometheus_name_metrics_that_there_are() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "hva.rules.yml").read_text(encoding="utf-8"))
    used = {m for rule in rules["groups"][0]["rules"] for m in re.findall(r"hva_\w+", rule["expr"])}
    registry = CollectorRegistry()
    told = metrics.Metrics(registry, "toy")
    now = datetime.now(UTC)
    told.night(Nightly("toy", now.date(), "0" * 8, "published", now, now))
    told.scores(Path("nowhere"))
    told.watch(Watch({}, {}, {}, {}, None, None, None, None, False))
    known = set(re.findall(r"^# TYPE (hva_\w+)", generate_latest(registry).decode(), re.MULTILINE))
    assert used <= known | {"hva_scores_as_of_timestamp_seconds", "hva_scores_stale"}
    assert len(used) == 5
