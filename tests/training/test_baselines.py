"""Baselines: honest rules, the same answer in any row order, nothing learned from what they predict."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from hva_ml.errors import ContractError, NotEnoughDataError
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.training.baselines import Baseline, Prevalence, RecencyFrequencyMonetary, RunRate, all_baselines
from hva_ml.training.linear import LinearModels

DEFINITIONS = (
    *(
        FeatureDefinition(f"cadence.{n}", "deal_history", "number", "invoices", n, "number", n, n)
        for n in ("recency_days", "count_365d", "amount_365d", "tenure_days")
    ),
    FeatureDefinition(
        "accounts.always_empty", "firmographic", "number", "accounts", "attribute", "number", "x", "x"
    ),
    FeatureDefinition(
        "firmographic.country", "firmographic", "category", "accounts", "attribute", "category", "x", "x"
    ),
)


def feature_set(columns: dict[str, list[object]]) -> FeatureSet:
    rows = len(next(iter(columns.values())))
    table = {
        "account_id": [f"a{k:05d}" for k in range(rows)],
        "cutoff": pa.array([datetime(2025, 1, 1, tzinfo=UTC)] * rows, pa.timestamp("us", "UTC")),
        "group_id": [f"a{k:05d}" for k in range(rows)],
    }
    for d in DEFINITIONS:
        given = columns.get(d.name.split(".")[1], [None] * rows)
        table[d.name] = pa.array(given, pa.float64() if d.kind == "number" else pa.string())
    return FeatureSet(pa.table(table), DEFINITIONS)


def sample(rows: int = 1500, seed: int = 1) -> tuple[FeatureSet, np.ndarray, np.ndarray]:
    """Accounts of which a fifth never bought; the rest convert the likelier the more they bought."""
    rng = np.random.default_rng(seed)
    bought = rng.random(rows) < 0.8
    amount = np.where(bought, np.exp(rng.normal(6, 1.5, rows)), 0.0)
    chance = 1 / (1 + np.exp(-(np.log1p(amount) - 5.5)))
    converted = (rng.random(rows) < chance).astype(np.int8)
    value = converted * (amount * 0.3 + 20) * np.exp(rng.normal(0, 0.5, rows))
    columns = {
        "recency_days": [
            float(r) if b else None for r, b in zip(rng.integers(1, 700, rows), bought, strict=True)
        ],
        "count_365d": list(np.where(bought, rng.integers(1, 20, rows), 0).astype(float)),
        "amount_365d": list(amount),
        "tenure_days": [
            float(t) if b else None for t, b in zip(rng.integers(30, 900, rows), bought, strict=True)
        ],
        "country": [[None, "DE", "AT", "CH"][k] for k in rng.integers(0, 4, rows)],
    }
    return feature_set(columns), converted, value


def each() -> list[Baseline]:
    return list(all_baselines(7))


def test_names_are_the_ones_that_gates_use() -> None:
    assert [b.name for b in each()] == [
        "prevalence",
        "recency_frequency_monetary",
        "logistic_regression",
        "run_rate",
    ]


@pytest.mark.parametrize("baseline", each(), ids=lambda b: b.name)
def test_predictions_are_products_within_their_domains(baseline: Baseline) -> None:
    features, converted, value = sample()
    later, _, _ = sample(400, seed=2)
    guess = baseline.fit(features, converted, value, 90).predict(later)
    assert guess.probability.shape == guess.value_if_converted.shape == (400,)
    assert ((guess.probability > 0) & (guess.probability < 1)).all()
    assert (guess.value_if_converted >= 0).all()
    np.testing.assert_allclose(guess.expected_value, guess.probability * guess.value_if_converted, rtol=1e-12)


@pytest.mark.parametrize("number", range(4))
def test_the_order_of_training_rows_plays_no_part(number: int) -> None:
    features, converted, value = sample()
    rows = np.random.default_rng(5).permutation(len(converted))
    shuffled = FeatureSet(features.table.take(pa.array(rows)), features.definitions)
    one = each()[number].fit(features, converted, value, 90).predict(features)
    other = each()[number].fit(shuffled, converted[rows], value[rows], 90).predict(features)
    np.testing.assert_allclose(one.probability, other.probability, rtol=1e-7)
    np.testing.assert_allclose(one.expected_value, other.expected_value, rtol=1e-6)


@pytest.mark.parametrize("number", range(4))
def test_twice_gives_the_same_bits(number: int) -> None:
    features, converted, value = sample(600)
    one, other = (each()[number].fit(features, converted, value, 90).predict(features) for _ in range(2))
    assert one.probability.tobytes() == other.probability.tobytes()
    assert one.expected_value.tobytes() == other.expected_value.tobytes()


def test_prevalence_gives_the_averages() -> None:
    features, converted, value = sample()
    guess = Prevalence().fit(features, converted, value, 90).predict(features)
    np.testing.assert_allclose(guess.probability, converted.mean())
    np.testing.assert_allclose(guess.value_if_converted, value[converted == 1].mean())


def test_rfm_cells_are_shrunk_rates_counted_by_hand() -> None:
    # Ten rows that differ in recency only, and three without history.
    recency = [float(10 * k) for k in range(10)] + [None] * 3
    features = feature_set(
        {
            "recency_days": recency,
            "count_365d": [1.0] * 10 + [0.0] * 3,
            "amount_365d": [100.0] * 10 + [0.0] * 3,
        }
    )
    converted = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0])
    value = converted * 50.0
    guess = RecencyFrequencyMonetary().fit(features, converted, value, 90).predict(features)
    rate = 5 / 13
    np.testing.assert_allclose(guess.probability[:2], (2 + 20 * rate) / 22)
    np.testing.assert_allclose(guess.probability[2:4], (1 + 20 * rate) / 22)
    np.testing.assert_allclose(guess.probability[8:10], (0 + 20 * rate) / 22)
    np.testing.assert_allclose(guess.probability[10:], (2 + 20 * rate) / 23)
    np.testing.assert_allclose(guess.value_if_converted, 50.0)


def test_rfm_knows_a_population_without_any_history() -> None:
    features = feature_set({"recency_days": [None] * 4, "count_365d": [0.0] * 4, "amount_365d": [0.0] * 4})
    guess = RecencyFrequencyMonetary().fit(features, [1, 0, 0, 0], [8.0, 0, 0, 0], 90).predict(features)
    np.testing.assert_allclose(guess.probability, 0.25)


def test_run_rate_scales_by_tenure_but_never_beyond_the_horizon() -> None:
    features = feature_set(
        {"amount_365d": [365.0, 180.0, 100.0, -50.0, 0.0], "tenure_days": [800.0, 180.0, 5.0, 400.0, None]}
    )
    guess = RunRate().fit(features, [1, 0, 1, 0, 0], [90, 0, 10, 0, 0], 90).predict(features)
    np.testing.assert_allclose(guess.expected_value, [90.0, 90.0, 100.0, 0.0, 0.0])


def test_run_rate_is_monotone_in_the_run_rate() -> None:
    features, converted, value = sample()
    guess = RunRate().fit(features, converted, value, 90).predict(features)
    order = np.argsort(guess.expected_value)
    assert (np.diff(guess.probability[order]) >= 0).all()
    assert guess.probability.max() > guess.probability.min()


def test_linear_models_keep_totals_and_learn_something() -> None:
    features, converted, value = sample(3000)
    guess = LinearModels(7).fit(features, converted, value, 90).predict(features)
    won = converted == 1
    assert abs(guess.probability.mean() - converted.mean()) < 0.005
    assert abs(guess.value_if_converted[won].sum() / value[won].sum() - 1) < 0.05
    assert guess.probability[won].mean() > guess.probability[~won].mean() + 0.2


def test_linear_models_stay_on_the_ground_far_outside_training() -> None:
    features, converted, value = sample()
    fitted = LinearModels(7).fit(features, converted, value, 90)
    far = feature_set(
        {
            "recency_days": [1e9],
            "count_365d": [1e12],
            "amount_365d": [1e15],
            "tenure_days": [1e9],
            "country": ["never seen"],
        }
    )
    guess = fitted.predict(far)
    assert np.isfinite(guess.expected_value).all()
    assert guess.value_if_converted[0] <= value.max()


def test_linear_models_bear_converters_without_value() -> None:
    features, converted, _ = sample(300)
    guess = LinearModels(7).fit(features, converted, np.zeros(300), 90).predict(features)
    assert (guess.expected_value == 0).all()


@pytest.mark.parametrize("baseline", each(), ids=lambda b: b.name)
@pytest.mark.parametrize("outcome", [0, 1])
def test_one_outcome_only_is_refused(baseline: Baseline, outcome: int) -> None:
    features, _, value = sample(50)
    with pytest.raises(NotEnoughDataError, match="rows converted"):
        baseline.fit(features, np.full(50, outcome), value, 90)


def test_outcomes_must_fit_the_rows() -> None:
    features, converted, value = sample(50)
    with pytest.raises(ContractError, match="for 50 rows"):
        Prevalence().fit(features, converted[1:], value, 90)
    bare = FeatureSet(features.table.drop_columns(["cadence.amount_365d"]), DEFINITIONS[:2])
    with pytest.raises(ContractError, match=r"cadence\.amount_365d"):
        RunRate().fit(bare, converted, value, 90)
