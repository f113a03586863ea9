"""A small simulated world, learned from once, and the nights after it."""

from dataclasses import dataclass

import pytest
from benchmarks.simulated_nights import Model, Shift, World, learn, nights

from hva_ml.monitoring.release import Release


@dataclass(frozen=True)
class Simulated:
    world: World
    model: Model
    release: Release


def simulated(count: int, shifts: tuple[Shift, ...] = (), seed: int = 5, accounts: int = 1_500) -> Simulated:
    world = World(accounts, seed, shifts, 12.0)
    model = learn(world)
    return Simulated(world, model, nights(world, model, count, every=5, resamples=20, capacity=60))


@pytest.fixture(scope="session")
def quiet() -> Simulated:
    """A hundred nights in which nothing happens."""
    return simulated(100)


@pytest.fixture(scope="session")
def moved() -> Simulated:
    """Sixty nights; in the last thirty a feature has moved by one standard deviation."""
    return simulated(60, (Shift("covariate", "strong", 30, 60),))
