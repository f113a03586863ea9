"""A workspace in a temporary folder, and pipeline files made of a few lines about sources."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hva_ml import config as pipeline_file
from hva_ml.config import PipelineConfig
from hva_ml.workspace import Workspace

REST = """
[tables.accounts]
sql = "accounts.sql"
[tables.invoices]
sql = "invoices.sql"
[cutoffs]
first = 2024-01-01
last = 2024-06-01
[horizon]
days = 30
[population]
table = "invoices"
[target]
table = "invoices"
"""

Declare = Callable[..., PipelineConfig]


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("HVA_DATASETS", raising=False)
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "data" / "raw").mkdir(parents=True)
    return Workspace(tmp_path.resolve())


@pytest.fixture(scope="session")
def declare() -> Declare:
    """Make a pipeline whose ``[sources.x]`` has the given lines."""

    def make(*lines: str, timezone: str = "Europe/Berlin", more: str = "") -> PipelineConfig:
        head = f'[pipeline]\nname = "p"\ntitle = "P"\ncurrency = "EUR"\ntimezone = "{timezone}"\n'
        return pipeline_file.parse(head + "[sources.x]\n" + "\n".join(lines) + "\n" + more + REST, "p.toml")

    return make
