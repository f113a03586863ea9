"""The page of a comparison: every table it is given is on it, and the words say what the numbers say."""

import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from hva_ml.reports import contest


@pytest.fixture
def view(views: Any) -> contest.ContestView:
    run = views.model()
    models = ("hva_ml", "prevalence", "run_rate")
    rows = [
        {"model": m, "metric": q, "difference": d, "low": d - 0.1, "high": d + 0.1,
         "share_of_resamples_better": 0.97, "reason": None}
        for m in models[1:] for q, d in (("roc_auc", 0.3), ("brier", 0.05), ("total_ratio", -0.2))
    ]  # fmt: skip
    return contest.ContestView(
        "dach_sample", "DACH", "EUR", 90, models, 600, dict.fromkeys(models, 700), run.metrics,
        pa.Table.from_pylist(rows), run.diagrams, 20,
    )  # fmt: skip


def test_everything_given_is_shown(view: contest.ContestView, read: Callable[[str], Any]) -> None:
    text = read(contest.html(view)).text
    for expected in ("600 common test rows", "700", "Past revenue rate", "difference 0.300", "Aug 1, 2025",
                     "(0.200 to 0.400)", "better in 97% of resamples", "Cutoff by cutoff"):  # fmt: skip
        assert expected in text, expected
    drawn = contest.plots(view)
    assert set(drawn) == {
        "metrics", "captured_revenue", "gains", "precision", "value", "calibration", "residuals"
    }  # fmt: skip
    assert all(chart.title in contest.html(view) for chart in drawn.values())


def test_the_words_say_which_way_and_how_sure(view: contest.ContestView) -> None:
    said = contest.sentences(view.models, view.differences)
    assert said[0] == "hva_ml against prevalence: better by 0.3 (0.2 to 0.4) in ROC AUC; 97 % of resamples"
    assert said[1].startswith("hva_ml against prevalence: worse by 0.05 (-0.05 to 0.15) in Brier score; 3 %")
    assert said[1].endswith("within chance")
    assert said[2] == (
        "hva_ml against prevalence: lower by 0.2 (0.1 to 0.3) in Total promised / actual; "
        "nearer to 1 in 97 % of resamples"
    )


def test_nothing_comes_from_outside_and_hostile_names_stay_text(
    view: contest.ContestView, read: Callable[[str], Any]
) -> None:
    from dataclasses import replace

    evil = '"><script>alert(1)</script>'
    html = contest.html(replace(view, title=evil, models=(evil, *view.models[1:])))
    assert "script" not in {t for t, _ in read(html).elements}
    assert not re.search(r"https?:|@import|url\(|<link|<img| style=", html)
