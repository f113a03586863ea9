"""The shipped pipelines on real data: train, promote, score and explain, beside the rules they must beat."""

from datetime import date
from pathlib import Path

import pytest

import hva_ml as hva


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("pipeline", "as_of", "least_auc"),
    [("online_retail", date(2011, 9, 1), 0.77), ("adventureworks", date(2013, 11, 15), 0.93)],
)
def test_a_real_pipeline_runs_to_the_end_and_beats_the_plain_rules(
    real_data: Path, tmp_path: Path, pipeline: str, as_of: date, least_auc: float
) -> None:
    ws, _ = hva.init(tmp_path)
    path = ws.pipelines / f"{pipeline}.toml"
    text = path.read_text(encoding="utf-8").replace("trials = 12", "trials = 3")
    path.write_text(text.replace("\ntest_cutoffs", "\nbootstrap = 20\ntest_cutoffs"), encoding="utf-8")
    run = hva.train(ws, pipeline)
    found = {(r["model"], r["metric"]): r["value"] for r in run.metrics.to_pylist()}
    assert found["hva_ml", "roc_auc"] > least_auc
    for rule in ("prevalence", "recency_frequency_monetary", "run_rate"):
        assert found["hva_ml", "roc_auc"] > found[rule, "roc_auc"]
        assert found["hva_ml", "normalized_gini"] > found[rule, "normalized_gini"]
    assert 0.7 < found["hva_ml", "total_ratio"] < 1.4
    assert all(gate.passed for gate in hva.promote(run).gates)
    scores = hva.score(ws, pipeline, as_of=as_of)
    assert scores.table.num_rows > 400
    best = scores.table["account_id"][0].as_py()
    assert hva.explain(ws, pipeline, best, language="de").reasons
