"""Small tables of scores that the audit accepts, each row carrying the number of its run."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from hva_ml.config import Audit
from hva_ml.publication.nights import NUMBERS, Night, Profile, Tonight


def tables_of(number: int, n: int = 40) -> dict[str, pa.Table]:
    probability = np.linspace(0.9, 0.1, n)
    value = np.full(n, 100.0 + number)
    ids = [f"A{k:03d}" for k in range(n)]
    share = np.full(n, 0.25)
    scores = pa.table(
        {
            "account_id": ids,
            "conversion_probability": probability,
            "value_if_converted": value,
            "expected_value": probability * value,
            "percentile": 100.0 * np.arange(n, 0, -1) / n,
            "rank": np.arange(1, n + 1),
            "tier": ["A"] * 10 + ["B"] * 10 + ["C"] * (n - 20),
        }
    )
    explanations = pa.table(
        {
            "account_id": ids,
            "log_base_probability": np.full(n, -1.0),
            "log_base_value": np.full(n, 2.0),
            "likelihood.a": np.log(probability) + 1.0 - share,
            "likelihood.b": share,
            "value.a": np.log(value) - 2.0,
            "value.b": np.zeros(n),
        }
    )
    return {"scores": scores, "explanations": explanations}


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
        "features": {"f.a": Profile(0.0, 10.0, 5.0), "f.b": Profile(0.25)},
        "without_history": 0.3,
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
