"""A made-up night for `benchmarks.explain_accounts`: features of every kind, and two models of any size."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from hva_ml import calibration
from hva_ml.explanation.references import references
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.registry.bundle import Bundle
from hva_ml.training.booster import Booster
from hva_ml.training.matrix import Encoder

CUTOFF = datetime(2025, 6, 30, 22, tzinfo=UTC)
WINDOWS = (7, 30, 90, 180, 365)
ACTIVITIES = (
    ("web_visit", "Website-Besuche", "web visits"), ("email_open", "geöffnete E-Mails", "e-mails opened"),
    ("call", "Anrufe", "calls"), ("meeting", "Termine", "meetings"), ("webinar", "Webinare", "webinars"),
    ("download", "Downloads", "downloads"), ("offer", "Angebote", "offers"),
    ("ticket", "Serviceanfragen", "service requests"), ("login", "Anmeldungen", "logins"),
    ("social", "Interaktionen in sozialen Netzen", "social interactions"), ("demo", "Vorführungen", "demos"),
    ("event", "Messekontakte", "trade fair contacts"),
)  # fmt: skip
TOML = '[pipeline]\nname = "night"\ntitle = "Made-up night"\ncurrency = "EUR"\ntimezone = "Europe/Berlin"\n'


def definitions() -> tuple[FeatureDefinition, ...]:
    """Return 150 features: 12 activities × 5 windows × count and days since, amounts, ratios, categories."""
    found = []
    for name, german, english in ACTIVITIES:
        for days in WINDOWS:
            found.append(
                FeatureDefinition(
                    f"events.{name}.count_{days}d", "engagement", "number", "events", "count", "count",
                    german, english, days, f"events.{name}.count",
                )
            )  # fmt: skip
            found.append(
                FeatureDefinition(
                    f"events.{name}.amount_{days}d", "deal_history", "number", "events", "sum", "money",
                    f"Umsatz mit {german}", f"revenue with {english}", days, f"events.{name}.amount",
                )
            )  # fmt: skip
    for k in range(20):
        found.append(
            FeatureDefinition(
                f"firmographic.size_{k}", "firmographic", "number", "accounts", "attribute", "heads",
                f"Mitarbeiter am Standort {k + 1}", f"employees at site {k + 1}",
            )
        )  # fmt: skip
    for k in range(10):
        found.append(
            FeatureDefinition(
                f"firmographic.category_{k}", "firmographic", "category", "accounts", "attribute", "category",
                f"Merkmal {k + 1}", f"characteristic {k + 1}",
            )
        )  # fmt: skip
    return tuple(found)


def features(n: int, seed: int = 1) -> FeatureSet:
    """Return the features of `n` accounts: few are active, a tenth of the sizes is unknown."""
    random = np.random.default_rng(seed)
    ids = [f"A{k:08d}" for k in range(n)]
    columns: dict[str, pa.Array] = {
        "account_id": pa.array(ids),
        "cutoff": pa.array([CUTOFF], pa.timestamp("us", "UTC")).take(pa.array(np.zeros(n, np.int64))),
        "group_id": pa.array(ids),
    }
    activity = np.exp(random.normal(-1.0, 1.5, n))
    for d in definitions():
        if d.unit == "count":
            columns[d.name] = pa.array(random.poisson(activity * (d.window_days or 1) / 60.0).astype(float))
        elif d.unit == "money":
            bought = random.random(n) < 0.3
            columns[d.name] = pa.array(np.where(bought, np.round(np.exp(random.normal(7, 1.5, n)), 2), 0.0))
        elif d.kind == "category":
            codes = pa.array(random.integers(0, 12, n).astype(np.int32))
            names = pa.array([f"Klasse {chr(65 + k)}" for k in range(12)])
            columns[d.name] = pa.DictionaryArray.from_arrays(codes, names).cast(pa.string())
        else:
            size = np.where(random.random(n) < 0.1, np.nan, np.round(np.exp(random.normal(4, 1.5, n))))
            columns[d.name] = pa.array(size, from_pandas=True)
    return FeatureSet(pa.table(columns), definitions())


def bundle(trees: int, leaves: int) -> Bundle:
    """Return two models of `trees` trees over the 150 features, compared by segments of one category."""
    rows = features(20_000, seed=7)
    encoder = Encoder.fit(rows)
    X, random = encoder.transform(rows), np.random.default_rng(8)
    known = np.nan_to_num(X)
    scale = known.std(axis=0) + 1e-9
    signal = ((known - known.mean(axis=0)) / scale) @ random.normal(size=X.shape[1])
    converted = (signal + 4 * random.normal(size=len(X)) > 0).astype(float)
    worth = np.exp(7 + 0.1 * signal + 0.4 * random.normal(size=len(X)))
    params = {"num_leaves": leaves, "learning_rate": 0.05, "min_child_samples": 20}
    sets = [j for j, d in enumerate(definitions()) if d.kind == "category"]
    fitted = {
        kind: Booster.fit(X, y, objective=kind, names=encoder.names, params=params, rounds=trees, seed=7)
        for kind, y in (("binary", converted), ("gamma", worth))
    }
    calibrator = calibration.fit("platt", fitted["binary"].margin(X), converted)
    expected = calibrator.probability(fitted["binary"].margin(X)) * np.exp(fitted["gamma"].margin(X))
    homes = references(
        X, tuple(d.kind for d in definitions()), converted=converted.astype(np.int8), expected_value=expected,
        tier_a=0.5, column=sets[0],
    )  # fmt: skip
    return Bundle(
        "night", TOML, definitions(), encoder, fitted["binary"], calibrator, fitted["gamma"], 0.0, "gamma",
        homes, "EUR", 90, 0, {"title": "Made-up night"},
    )  # fmt: skip


def model(folder: Path, trees: int, leaves: int) -> Path:
    """Write the bundle below `folder`; return its path."""
    place = folder / "bundle"
    bundle(trees, leaves).write(place)
    return place
