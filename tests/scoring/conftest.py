"""The small trained bundle of the registry's tests."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


def _registry() -> ModuleType:
    path = Path(__file__).parents[1] / "registry" / "conftest.py"
    spec = importlib.util.spec_from_file_location("registry_conftest", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def toy() -> ModuleType:
    return _registry()


@pytest.fixture(scope="session")
def bundle(toy):
    return toy.train()


@pytest.fixture(scope="session")
def rows(toy):
    return toy.features(300, seed=11, new_category=True)
