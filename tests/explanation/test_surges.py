"""Surge alerts: rare where nothing happens, there where something does, and never from thin air."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from hva_ml.explanation.surges import FALSE_DISCOVERIES, chosen, surges, tail
from hva_ml.features.definition import FeatureDefinition
from hva_ml.features.measures import surge


def definition(measure: str, days: int) -> FeatureDefinition:
    unit = "ratio" if measure == "surge" else "count"
    return FeatureDefinition(
        f"events.{measure}_{days}d", "engagement", "number", "events", measure, unit, "Aktivitäten",
        "activities", days, f"events.{measure}",
    )  # fmt: skip


DEFINITIONS = (definition("count", 30), definition("count", 90), definition("surge", 30))


def world(
    rng: np.random.Generator, rate: np.ndarray, recent: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Poisson accounts that were there for 60 to 800 days."""
    tenure = rng.uniform(60, 800, len(rate))
    last = rng.poisson((rate if recent is None else recent) * 30)
    middle = rng.poisson(rate * np.minimum(tenure - 30, 60))
    rest = rng.poisson(rate * np.clip(np.minimum(tenure, 365) - 90, 0, None))
    change = surge(last, last + middle + rest, tenure, 30, 365)
    return {
        "events.count_30d": last.astype(float),
        "events.count_90d": (last + middle).astype(float),
        "events.surge_30d": change,
    }


def test_where_nothing_happens_hardly_a_night_has_an_alert() -> None:
    nights = 300
    rng = np.random.default_rng(0)
    alarmed = sum(bool(surges(DEFINITIONS, world(rng, rng.gamma(1.0, 0.1, 400)))) for _ in range(nights))
    # More than this would happen by chance in fewer than one of a thousand such simulations at the bound.
    assert binomtest(alarmed, nights, FALSE_DISCOVERIES, alternative="greater").pvalue > 1e-3


def test_real_surges_are_found_and_most_alerts_are_real() -> None:
    rng = np.random.default_rng(1)
    rate = np.full(1000, 0.1)
    recent = rate.copy()
    recent[:40] = 1.0
    found = surges(DEFINITIONS, world(rng, rate, recent))
    real = sum(s.row < 40 for s in found)
    assert real >= 36
    assert len(found) - real <= 0.15 * len(found)
    assert [s.p_value for s in found] == sorted(s.p_value for s in found)
    assert all(s.count + 1 >= 2 * (s.usual + 1) for s in found)


def test_an_account_without_a_past_has_no_usual_level() -> None:
    nan = np.nan
    n = np.array([50.0, 50.0, nan, 50.0])
    usual = np.array([0.0, nan, 2.0, 2.0])
    p = tail(n, usual, np.array([0.0, 0.0, 3.0, 30.0]))
    assert p[:3].tolist() == [1.0, 1.0, 1.0]
    assert p[3] < 1e-6


@given(st.integers(0, 60), st.integers(1, 80), st.floats(0.2, 5))
def test_knowing_less_of_the_past_never_makes_an_alert_surer(n: int, seen: int, usual: float) -> None:
    less, more = tail(np.full(2, float(n)), np.full(2, usual), np.array([seen, seen + 20.0]))
    if n >= 2 * (usual + 1) - 1:
        assert less >= more - 1e-12


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.01, 0.5))
def test_benjamini_and_hochberg_step_by_step(p: list[float], q: float) -> None:
    ordered = sorted(p)
    k = max((i + 1 for i, v in enumerate(ordered) if v <= q * (i + 1) / len(p)), default=0)
    limit = ordered[k - 1] if k else -1.0
    assert chosen(np.array(p), q).tolist() == [v <= limit for v in p]


def test_without_a_surge_feature_or_its_count_there_is_no_alert() -> None:
    values = {"events.surge_30d": np.array([3.0])}
    assert surges((definition("surge", 30),), values) == []
    assert surges((), {}) == []
