"""Made-up views, and a reader that takes a page apart as a browser would."""

import math
import re
from collections.abc import Callable
from datetime import date
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pytest

from hva_ml.contracts.records import Violation
from hva_ml.evaluation.diagrams import diagrams
from hva_ml.evaluation.metrics import ModelPrediction
from hva_ml.reports.account import AccountView
from hva_ml.reports.model import GateRow, ModelView, Side
from hva_ml.reports.scores import ScoresView

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """Elements, attributes and text of a page; an unclosed or crossed element is an error."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"[ \n]+", " ", " ".join(self.words))

    def all(self, tag: str, css_class: str = "") -> list[dict[str, str | None]]:
        return [
            a for t, a in self.elements if t == tag and css_class in [*(a.get("class") or "").split(), ""]
        ]


@pytest.fixture
def read() -> Callable[[str], Page]:
    return Page


def account_view(
    name: str = "Müller & Söhne GmbH",
    base: float = 1840.0,
    factors: tuple[float, ...] = (2.4137, 1.9, 1.3219, 0.6184),
    labels: tuple[str, ...] = ("Website-Besuche", "Umsatz", "Offene Angebote", "Letzte Rechnung"),
    **more: object,
) -> AccountView:
    steps, reached = [], base
    for label, factor in zip(labels, factors, strict=True):
        steps.append((label, factor, reached * factor - reached))
        reached *= factor
    total = base * math.prod(factors)
    fields: dict[str, object] = {
        "account_id": "A000123",
        "name": name,
        "as_of": date(2025, 12, 31),
        "currency": "EUR",
        "probability": 0.1823,
        "value_if_converted": total / 0.1823,
        "expected_value": total,
        "percentile": 99.2,
        "rank": 24,
        "n_accounts": 3000,
        "tier": "A",
        "in_capacity": True,
        "strategic_weight": None,
        "model_version": "7",
        "base_expected_value": base,
        "steps": tuple(steps),
        "positive_reasons": (("12 Website-Besuche in 30 Tagen: ×2,4", 2.4137),),
        "negative_reasons": (("Letzte Rechnung vor 210 Tagen", 0.6184),),
        "horizon_days": 90,
        "simulated": False,
    }
    return AccountView(**(fields | more))  # type: ignore[arg-type]


def score_rows(n: int = 40) -> list[dict[str, object]]:
    values = [1000.0 * 0.9**k for k in range(n)]
    total, reached, rows = sum(values), 0.0, []
    for k, value in enumerate(values):
        tier = "A" if reached < 0.5 * total else "B" if reached < 0.8 * total else "C"
        reached += value
        rows.append(
            {
                "account_id": f"A{k:06d}",
                "name": f"Firma {k}",
                "rank": k + 1,
                "tier": tier,
                "conversion_probability": 0.2,
                "value_if_converted": value / 0.2,
                "expected_value": value,
                "percentile": 100.0 * (n - k) / n,
                "in_capacity": k < 5,
                "main_reason": "12 Website-Besuche",
            }
        )
    return rows


def scores_view(rows: list[dict[str, object]] | None = None, **more: object) -> ScoresView:
    fields: dict[str, object] = {
        "pipeline": "dach_sample",
        "title": "DACH",
        "as_of": date(2025, 12, 31),
        "currency": "EUR",
        "run_id": "3fa9c1",
        "model_version": "7",
        "horizon_days": 90,
        "table": pa.Table.from_pylist(score_rows() if rows is None else rows),
        "tier_a": 0.5,
        "tier_b": 0.8,
    }
    return ScoresView(**(fields | more))  # type: ignore[arg-type]


def model_view(**more: object) -> ModelView:
    models = ("hva_ml", "prevalence", "run_rate")
    metrics = [
        {"model": m, "metric": q, "value": 0.8 - 0.1 * k, "low": 0.75 - 0.1 * k, "high": 0.85 - 0.1 * k,
         "reason": None}
        for q in ("roc_auc", "brier", "captured_revenue_top_20", "total_ratio") for k, m in enumerate(models)
    ]  # fmt: skip
    metrics.append({"model": "prevalence", "metric": "calibration_slope", "value": None, "low": None,
                    "high": None, "reason": "all probabilities are equal"})  # fmt: skip
    rng = np.random.default_rng(3)
    p = rng.random(600)
    won = (rng.random(600) < p) * 1.0
    said = {
        m: ModelPrediction(q, np.full(600, 50.0), 50.0 * q)
        for m, q in zip(models, (p, np.full(600, 0.5), rng.random(600)), strict=True)
    }
    days = [date(2025, 7, 1)] * 300 + [date(2025, 8, 1)] * 300
    totals = [{"cutoff": date(2025, k, 1), "model": m, "predicted": 9.0e5, "actual": 1.1e6, "ratio": 0.818}
              for k in (7, 8) for m in models]  # fmt: skip
    trials = [
        {"model": "conversion", "number": k, "state": s, "value": 0.3, "grown": 40, "seconds": 1.75,
         "settings": "num_leaves 15", "chosen": s == "complete"} for k, s in enumerate(("complete", "pruned"))
    ]  # fmt: skip
    fields: dict[str, object] = {
        "pipeline": "dach_sample",
        "title": "DACH",
        "run": "dach_sample-3fa9c1",
        "currency": "EUR",
        "horizon_days": 90,
        "gap_days": 7,
        "sides": (
            Side("Train", (date(2024, 1, 1), date(2024, 2, 1)), 6000, 3000, 600, 1.5e6),
            Side("Test", (date(2025, 7, 1),), 3000, 3000, 310, 8.0e5),
        ),
        "metrics": pa.Table.from_pylist(metrics),
        "diagrams": diagrams(said, won, won * rng.gamma(2, 25, 600), days, 20),
        "capacity": 20,
        "totals": pa.Table.from_pylist(totals),
        "importance": pa.table(
            {"label": ["Umsatz", "Website-Besuche"], "family": ["deal_history", "engagement"],
             "mean_abs_log_factor": [0.4, 0.6]}
        ),
        "violations": (Violation("HVD007", "invoices.amount", 12, "warning", "None.", "Complete them."),),
        "quirks": ({"quirk": "overlap", "rows": 22523, "what": "Counted once."},),
        "gates": (GateRow("min_roc_auc", True, "0.80 is at least 0.65"), GateRow("ratio", False, "0.6")),
        "trials": pa.Table.from_pylist(trials),
        "parameters": (("num_leaves (conversion)", 0.75), ("lambda_l2 (conversion)", 0.25)),
        "facts": (("seed", "7"),),
    }  # fmt: skip
    return ModelView(**(fields | more))  # type: ignore[arg-type]


class Views:
    account = staticmethod(account_view)
    scores = staticmethod(scores_view)
    model = staticmethod(model_view)
    rows = staticmethod(score_rows)


@pytest.fixture
def views() -> type[Views]:
    return Views
