"""Companies grow past all that training has seen: the line that goes on orders them, and says why exactly."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.jobs.leads.conftest import DATED, DAYS, END, Inquiry, inquiries, written

import hva_ml as hva
from hva_ml.jobs.account_view import INNER
from hva_ml.jobs.leads import fitting
from hva_ml.jobs.leads.candidates import Candidate


def _growing(seed: int = 9) -> list[Inquiry]:
    rng = np.random.default_rng(seed)
    found = []
    for lead in inquiries(1500):
        size = 2.0 + 6.0 * lead.contact / DAYS + rng.normal(0, 0.7)
        won = rng.random() < 1 / (1 + np.exp(-1.5 * (size - 6.0)))
        after = int(min(rng.exponential(15), 59))
        found.append(replace(lead, heads=int(np.exp(size)), won=lead.contact + after if won else None))
    return found


def test_a_line_goes_on_where_trees_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[Candidate] = []

    def noted(candidates: list[Candidate]) -> Candidate:
        chosen.append(best_of(candidates))
        alone.append(candidates[0])
        return chosen[-1]

    best_of, alone = fitting.best_of, list[Candidate]()
    monkeypatch.setattr(fitting, "best_of", noted)
    ws, _ = hva.init(tmp_path)
    written(ws, _growing(), DATED.replace("refit_every = 30\n", ""))
    run = hva.train(ws, "inquiries")
    assert chosen[-1].other is not None
    assert chosen[-1].other.family == "logistic"
    assert chosen[-1].loss < alone[-1].loss
    metrics = {(r["model"], r["metric"]): r["value"] for r in run.metrics.to_pylist()}
    assert metrics["hva_ml", "roc_auc"] > metrics["best_column", "roc_auc"] + 0.02
    hva.promote(run, force="a test of leads")
    table = hva.score(ws, "inquiries", as_of=END).table
    best = table["account_id"][0].as_py()
    told = hva.explain(ws, "inquiries", best, language="en")
    steps = [s for s in told.table.to_pylist() if s["kind"] in INNER]
    assert len(steps) > 2
    assert [s["end"] for s in steps] == pytest.approx([s["start"] * s["factor"] for s in steps], rel=1e-9)
    assert told.table["end"][-1].as_py() == pytest.approx(told.row["expected_value"], rel=1e-9)
    assert "For it: Employees" in told.text
