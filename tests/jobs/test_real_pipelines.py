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


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("pipeline", "least_auc", "most_brier"), [("olist", 0.65, 0.10), ("salvirt", 0.80, 0.18)]
)
def test_a_real_table_of_leads_is_ranked_better_than_by_a_plain_rule(
    real_data: Path, tmp_path: Path, pipeline: str, least_auc: float, most_brier: float
) -> None:
    if not (real_data / {"olist": "olist_funnel", "salvirt": "salvirt_b2b"}[pipeline]).is_dir():
        pytest.skip(f"the data of {pipeline} are not in {real_data}")
    ws, _ = hva.init(tmp_path)
    path = ws.pipelines / f"{pipeline}.toml"
    text = (
        path.read_text(encoding="utf-8")
        .replace("folds = 10", "folds = 5")
        .replace("repeats = 3", "repeats = 1")
    )
    path.write_text(text + "[search]\ntrials = 3\n[split]\nbootstrap = 20\n", encoding="utf-8")
    assert hva.check(ws, pipeline, cutoffs=3).ok
    found = {(r["model"], r["metric"]): r["value"] for r in hva.train(ws, pipeline).metrics.to_pylist()}
    assert found["hva_ml", "roc_auc"] > max(least_auc, found["best_column", "roc_auc"])
    assert found["hva_ml", "brier"] < min(most_brier, found["prevalence", "brier"])


@pytest.mark.real_data
def test_the_length_of_a_call_is_named_before_anything_is_trained(real_data: Path, tmp_path: Path) -> None:
    if not (real_data / "bank_marketing").is_dir():
        pytest.skip(f"the data of bank_marketing are not in {real_data}")
    ws, _ = hva.init(tmp_path)
    path = ws.pipelines / "bank_marketing.toml"
    text = path.read_text(encoding="utf-8")
    declared = '[leads.features]\nduration = { kind = "number", de = "Dauer", en = "length of the call" }\n'
    lines = [line for line in text.splitlines() if not line.startswith("after_outcome")]
    path.write_text("\n".join(lines).replace("[leads.features]\n", declared), encoding="utf-8")
    named = {v.code for v in hva.check(ws, "bank_marketing", cutoffs=2).violations if "duration" in v.where}
    assert "HVD037" in named
    path.write_text(text, encoding="utf-8")
    assert hva.check(ws, "bank_marketing", cutoffs=2).ok
