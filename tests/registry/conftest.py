"""A small trained bundle, made once: two real boosters over six features of every kind."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hva_ml import calibration
from hva_ml.calibration import HighValue, ValueSpread
from hva_ml.explanation.references import References
from hva_ml.explanation.typical import typical
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.registry.bundle import Bundle
from hva_ml.training.booster import Booster
from hva_ml.training.matrix import Encoder
from hva_ml.workspace import Workspace

TOML = '[pipeline]\nname = "toy"\ntitle = "Töy | „quoted“"\ncurrency = "EUR"\ntimezone = "Europe/Berlin"\n'
CUTOFF = datetime(2025, 6, 30, 22, tzinfo=UTC)
PARAMS = {"learning_rate": 0.1, "num_leaves": 7, "min_child_samples": 10}


def definition(name: str, family: str, kind: str, unit: str, topic: str = "") -> FeatureDefinition:
    return FeatureDefinition(
        name, family, kind, "events", "count", unit, f"Wort {name}", f"word {name}", 90, topic
    )


DEFINITIONS = (
    definition("events.web_visit.count_30d", "engagement", "number", "count", "web_visit"),
    definition("events.web_visit.count_90d", "engagement", "number", "count", "web_visit"),
    definition("invoices.amount.sum_365d", "deal_history", "number", "money"),
    definition("firmographic.employees", "firmographic", "number", "heads"),
    definition("firmographic.industry_section", "firmographic", "category", "category"),
    definition("firmographic.legal_form", "firmographic", "category", "category"),
)


def features(n: int, seed: int = 3, new_category: bool = False) -> FeatureSet:
    rng = np.random.default_rng(seed)
    few = rng.poisson(2.0, n).astype(float)
    employees = np.where(rng.random(n) < 0.2, np.nan, np.exp(rng.normal(4, 1.5, n)))
    sections = np.array(["C", "F", "G", "Ü"], dtype=object)[rng.integers(0, 4, n)]
    forms = np.array(["GmbH", "AG", None], dtype=object)[rng.integers(0, 3, n)]
    if new_category:
        sections[::5] = "Q"
    ids = [f"A{k:05d}" for k in range(n)]
    table = pa.table(
        {
            "account_id": ids,
            "cutoff": pa.array([CUTOFF] * n, pa.timestamp("us", "UTC")),
            "group_id": ids,
            DEFINITIONS[0].name: few,
            DEFINITIONS[1].name: few + rng.poisson(3.0, n),
            DEFINITIONS[2].name: np.exp(rng.normal(8, 2, n)),
            DEFINITIONS[3].name: pa.array(employees, from_pandas=True),
            DEFINITIONS[4].name: pa.array(sections.tolist(), pa.string()),
            DEFINITIONS[5].name: pa.array(forms.tolist(), pa.string()),
        }
    )
    return FeatureSet(table, DEFINITIONS)


def train(seed: int = 3, **changes: object) -> Bundle:
    rows = features(800, seed)
    encoder = Encoder.fit(rows)
    X = encoder.transform(rows)
    rng = np.random.default_rng(seed + 1)
    signal = 0.6 * X[:, 0] - 0.5 * np.nan_to_num(X[:, 4]) + 0.1 * np.log(X[:, 2])
    converted = (signal + rng.logistic(size=len(X)) > np.median(signal)).astype(float)
    value = np.exp(0.3 * np.log(X[:, 2]) + rng.normal(0, 0.5, len(X)) + 4)
    conversion = Booster.fit(
        X, converted, objective="binary", names=encoder.names, params=PARAMS, rounds=30, seed=7
    )
    worth = Booster.fit(X, value, objective="gamma", names=encoder.names, params=PARAMS, rounds=30, seed=7)
    high = (converted * value > np.quantile(converted * value, 0.8)).astype(float)
    best = Booster.fit(X, high, objective="binary", names=encoder.names, params=PARAMS, rounds=20, seed=7)
    given = {
        "pipeline": "toy",
        "config_text": TOML,
        "definitions": DEFINITIONS,
        "encoder": encoder,
        "conversion": conversion,
        "calibrator": calibration.fit("platt", conversion.margin(X), converted),
        "value": worth,
        "value_log_scale": 0.1 + 0.2,
        "value_distribution": "gamma",
        "references": References.single(typical(X, tuple(d.kind for d in DEFINITIONS))),
        "currency": "EUR",
        "horizon_days": 90,
        "gap_days": 0,
        "high_value": HighValue(best, calibration.fit("platt", best.margin(X), high), 0.2),
        "value_spread": ValueSpread((5.0, 7.0), (0.5, 0.4), -1.7, 1.6, 0.8, 400, 200),
        "metadata": {"title": "Töy | „quoted“", "third": 1 / 3, "versions": {"lightgbm": "4.7.0"}},
    }
    return Bundle(**{**given, **changes})


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    return train()


@pytest.fixture(scope="session")
def rows() -> FeatureSet:
    return features(300, seed=11, new_category=True)


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Workspace(tmp_path)
