"""Small tables of scores that the audit accepts, each row carrying the number of its run."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from benchmarks.trust.made import tables_of

from hva_ml.config import Audit
from hva_ml.contracts.sampled import Sample
from hva_ml.publication.nights import NUMBERS, Night, Profile, Tonight


@pytest.fixture
def make():
    return tables_of


def night_of(
    n: int = 400, day: str = "2025-01-02", scale: float = 1.0, shuffle: int | None = None, **changes: object
) -> Night:
    """A night of `n` accounts with lognormal values; `scale` multiplies them."""
    rng = np.random.default_rng(n)
    probability, value = rng.beta(1, 4, n) * 0.98 + 0.01, np.exp(rng.normal(8, 1, n)) * scale
    expected = probability * value
    rank = np.argsort(np.argsort(-expected))
    tier = np.where(rank < n // 10, "A", np.where(rank < n // 3, "B", "C"))
    order = np.arange(n) if shuffle is None else np.random.default_rng(shuffle).permutation(n)
    numbers = (probability, value, expected)
    given: dict[str, object] = {
        "as_of": date.fromisoformat(day),
        "version": "1",
        "release": "r1",
        "settings": "s1",
        "account_id": pa.array([f"A{k:05d}" for k in order]),
        "tier": pa.array(tier[order].tolist()),
        "numbers": {name: v[order] for name, v in zip(NUMBERS, numbers, strict=True)},
        "features": {"f.a": Profile(0.0, 10.0, 5.0, 0.9), "f.b": Profile(0.25, apart=0.75)},
        "without_history": 0.3,
        "zoneless": {"events.event_time": 0.0, "invoices.event_time": 1.0},
        "varied": {"events.event_type": 20, "invoices.currency": 0},
        "sample": {"events.event_type": Sample((0, 0), frozenset(range(50)))},
    }
    return Night(**(given | changes))


def tonight_of(night: Night, force: str = "", **limits: object) -> Tonight:
    return Tonight(night, {"f.c": 0.01, "f.d": 0.0}, (), Audit(**limits), force)


@pytest.fixture(scope="session")
def night():
    return night_of


@pytest.fixture(scope="session")
def tonight():
    return tonight_of
