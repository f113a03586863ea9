"""What a new workspace gets, and that nothing in it is ever overwritten."""

from pathlib import Path

import pytest

from hva_ml import config
from hva_ml.starter import files
from hva_ml.workspace import Workspace

REPOSITORY = Path(__file__).parents[2]


def test_a_new_workspace_has_every_pipeline_with_its_queries(tmp_path: Path) -> None:
    written = files.copy_into(tmp_path / "new")
    names = {p.relative_to(tmp_path / "new").as_posix() for p in written}
    assert {".gitignore", "data/README.md", "models/README.md", "pipelines/dach_sample.toml"} <= names
    ws = Workspace.find(tmp_path / "new")
    assert ws.names() == files.PIPELINES
    assert "dach_sample" in files.PIPELINES
    for name in files.PIPELINES:
        declared = ws.config(name)
        for table in declared.tables.values():
            # A table of leads may be a source as it is.
            assert (ws.queries(name) / table.sql).is_file() or (declared.leads and not table.sql)


def test_the_second_time_writes_nothing(tmp_path: Path) -> None:
    first = files.copy_into(tmp_path)
    assert first
    assert files.copy_into(tmp_path) == []


def test_existing_files_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    mine = tmp_path / "pipelines" / "dach_sample.toml"
    mine.write_text("mine", encoding="utf-8")
    dangling = tmp_path / ".gitignore"
    dangling.symlink_to(tmp_path / "elsewhere")
    written = files.copy_into(tmp_path)
    assert mine not in written
    assert mine.read_text(encoding="utf-8") == "mine"
    assert dangling not in written
    assert not (tmp_path / "elsewhere").exists()
    assert tmp_path / "data" / "README.md" in written


def test_the_repository_is_a_workspace_with_the_same_pipelines(tmp_path: Path) -> None:
    if not (REPOSITORY / "pipelines").exists():
        pytest.skip("not run from the repository")
    for path in files.copy_into(tmp_path):
        relative = path.relative_to(tmp_path)
        if relative.name != ".gitignore":
            assert (REPOSITORY / relative).read_bytes() == path.read_bytes(), relative
    assert config.load(REPOSITORY / "pipelines" / "dach_sample.toml").name == "dach_sample"
