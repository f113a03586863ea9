"""The pages of docs/ and the generator that writes some of them."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def docs() -> Path:
    return DOCS


@pytest.fixture(scope="session")
def extract() -> ModuleType:
    return load(HERE / "extract.py")


@pytest.fixture(scope="session")
def reference() -> ModuleType:
    return load(DOCS / "make_reference.py")


@pytest.fixture(scope="session")
def benchmarks() -> ModuleType:
    return load(DOCS / "make_benchmarks.py")
