"""The README's commands and its Python run as they stand, on a smaller sample."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import hva_ml as hva

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    beside = str(Path(sys.executable).parent)
    environment = {k: v for k, v in os.environ.items() if k != "HVA_HOME"}
    environment["PATH"] = beside + os.pathsep + environment["PATH"]
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, small_workspace: Callable[[Path], hva.Workspace]
) -> Path:
    place = tmp_path_factory.mktemp("readme")
    small_workspace(place)
    return place


def commands() -> list[str]:
    lines = [line.split("#")[0].strip() for block in blocks("console") for line in block.splitlines()]
    return [line for line in lines if line]


def test_the_readme_starts_with_the_two_commands_and_they_exist() -> None:
    assert commands()[:2] == ["make demo", "make test"]
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"demo", "test", "lint", "bench", "docs"} <= set(targets)


@pytest.mark.slow
def test_every_command_of_the_readme_runs(folder: Path) -> None:
    ran = 0
    for line in commands()[2:]:
        words = shlex.split(line)
        assert words[0] == "hva", line
        if words[1] == "promote":
            words += ["--force", "a smaller sample than the README's"]
        done = run(words, folder)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        ran += 1
    assert ran >= 8


@pytest.mark.slow
def test_the_five_lines_of_python_run(folder: Path) -> None:
    code = blocks("python")[0].replace("hva.promote(run)", 'hva.promote(run, force="a smaller sample")')
    done = run([sys.executable, "-c", code], folder)
    assert done.returncode == 0, done.stderr
    assert "€" in done.stdout


def test_every_linked_page_is_there() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
