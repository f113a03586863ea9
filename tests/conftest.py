"""What all tests share: quiet libraries, and the real data sets where they are present."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data sets; skips where it is absent."""
    named = os.environ.get("HVA_DATASETS", "")
    if not named or not Path(named).is_dir():
        pytest.skip("real data are not here: HVA_DATASETS names no folder")
    return Path(named)
