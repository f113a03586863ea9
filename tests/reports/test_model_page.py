"""The page of a training run: every table it is given is on it, and nothing breaks when one is empty."""

import re
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from hva_ml.evaluation.diagrams import Diagrams
from hva_ml.evaluation.metrics import METRICS
from hva_ml.reports import model


def test_everything_given_is_shown(views: Any, read: Callable[[str], Any]) -> None:
    text = read(model.html(views.model())).text
    for expected in ("dach_sample-3fa9c1", "gap 7 days", "Jan 1, 2024 to Feb 1, 2024", "ROC AUC", "0.800",
                     "0.750 to 0.850", "Average for all", "Past revenue rate", "Perfect foresight (limit)",
                     "all probabilities are equal", "HVD007", "invoices.amount", "Complete them.", "22,523",
                     "Counted once.", "min_roc_auc", "0.80 is at least 0.65", "Jul 1, 2025", "0.82",
                     "×1.8 · Engagement", "seed", "2 trials, 1 given up early, 3.5 seconds",
                     "chosen", "num_leaves 15", "given up"):  # fmt: skip
        assert expected in text, expected


def test_plots_are_the_charts_of_the_page(views: Any) -> None:
    drawn = model.plots(views.model())
    assert list(drawn) == [
        "metrics", "totals", "importance", "parameters", "captured_revenue", "gains", "precision", "value",
        "calibration", "residuals",
    ]  # fmt: skip
    page = model.html(views.model())
    assert all(chart.title in page for chart in drawn.values())


def test_the_strongest_topic_comes_first(views: Any, read: Callable[[str], Any]) -> None:
    text = read(model.html(views.model())).text
    assert text.index("Website-Besuche: ×1.8") < text.index("Umsatz: ×1.5")


def test_the_page_needs_nothing_from_outside(views: Any, read: Callable[[str], Any]) -> None:
    html = model.html(views.model())
    assert not re.search(r"https?:|@import|url\(|<script|<link|<img| style=", html)
    assert {t for t, _ in read(html).elements} >= {"table", "svg", "figure"}


def test_a_cutoff_is_shown_as_the_local_day_it_begins(views: Any, read: Callable[[str], Any]) -> None:
    midnight_in_berlin = datetime(2025, 6, 30, 22, tzinfo=UTC)
    row = {"cutoff": midnight_in_berlin, "model": "hva_ml", "predicted": 9.0, "actual": 10.0, "ratio": 0.9}
    view = views.model(totals=pa.Table.from_pylist([row]), timezone="Europe/Berlin")
    text = read(model.html(view)).text
    assert "Jul 1, 2025" in text
    assert "Jun 30, 2025" not in text


def test_empty_tables_leave_their_section_out(views: Any) -> None:
    full = views.model()
    empty = {n: getattr(full, n).slice(0, 0) for n in ("metrics", "totals", "importance")}
    empty["diagrams"] = Diagrams(*(getattr(full.diagrams, f.name).slice(0, 0) for f in fields(Diagrams)))
    nothing = dict.fromkeys(("violations", "quirks", "gates", "facts", "sides", "parameters"), ())
    html = model.html(views.model(**empty, **nothing, trials=None))
    assert "<svg" not in html
    assert "Nothing was found." in html
    assert "hva promote dach_sample" in html
    assert "<h2>Search</h2>" not in html


def test_hostile_findings_stay_text(views: Any, read: Callable[[str], Any]) -> None:
    from hva_ml.contracts.records import Violation

    evil = '"><script>alert(1)</script>'
    html = model.html(
        views.model(
            title=evil,
            violations=(Violation("HVD001", evil, 1, "error", evil, evil),),
            quirks=({"quirk": evil, "rows": 1, "what": evil},),
            facts=((evil, evil),),
            gates=(model.GateRow(evil, False, evil),),
        )
    )
    assert "script" not in {t for t, _ in read(html).elements}


@pytest.mark.parametrize("metric", [m.name for m in METRICS])
def test_every_metric_has_a_readable_label(metric: str) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z0-9 /%]+", model.label(metric))


def test_the_file_is_the_page(views: Any, tmp_path: Path) -> None:
    path = model.write(views.model(), tmp_path / "deep" / "report.html")
    assert path.read_text("utf-8") == model.html(views.model())


def test_probabilities_before_and_after_calibration(views: Any, read: Callable[[str], Any]) -> None:
    told = {
        "kind": "beta", "offset": 0.421, "drift_per_quarter": 0.3,
        "steps": [
            {"step": s, "promised": p, "rate": 0.3, "calibration_error": 0.1, "log_loss": 0.5, "brier": 0.2}
            for s, p in (("model", 0.111), ("calibrated", 0.152), ("moved", 0.283))
        ],
        "cohorts": [{"cutoff": "2025-01-01", "rows": 9, "converted": 3, "rate": 0.333, "promised": 0.155}],
    }  # fmt: skip
    text = read(model.html(views.model(calibrated=told))).text
    for expected in ("base rate moved to where it stands 28.3% 30.0% 0.100", "2025-01-01", "33.3%", "15.5%",
                     "(beta)", "0.30 in log-odds", "0.421 was added"):  # fmt: skip
        assert expected in text, expected
    still = read(model.html(views.model(calibrated={**told, "offset": 0.0}))).text
    assert "No lasting drift was found" in still
    assert "before and after calibration" not in read(model.html(views.model())).text
