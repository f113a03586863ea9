"""One small simulation for all tests of the room."""

from datetime import date

import pytest

from hva_ml.starter.simulator import Simulated, simulate

SIZE = {"seed": 7, "first": date(2023, 1, 1), "last": date(2024, 12, 31), "events_per_account": 20.0}


@pytest.fixture(scope="session")
def simulated() -> Simulated:
    return simulate(accounts=1300, **SIZE)


@pytest.fixture(scope="session")
def standard() -> Simulated:
    """The size that the shipped pipeline uses."""
    return simulate(
        accounts=3000, seed=7, first=date(2022, 1, 1), last=date(2025, 12, 31), events_per_account=40.0
    )
