"""A table of leads goes the whole way: checked, trained, promoted, the open ones scored and explained."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.jobs.leads.conftest import DATED, DAYS, END, SPAN, Job, inquiries, written

import hva_ml as hva
from hva_ml.errors import NotEnoughDataError, UsageError
from hva_ml.jobs.account_view import INNER
from hva_ml.jobs.leads import judging


def _metric(run: object, model: str, metric: str) -> float:
    rows = run.metrics.to_pylist()  # type: ignore[attr-defined]
    return float(next(r["value"] for r in rows if (r["model"], r["metric"]) == (model, metric)))


def test_open_leads_are_scored_and_no_others(dated: Job) -> None:
    scored = set(dated.scores.table["account_id"].to_pylist())  # type: ignore[attr-defined]
    still_open = {
        number for number, i in dated.truth.items()
        if DAYS - i.contact <= SPAN - 1 and (i.won is None or i.won >= DAYS)
    }  # fmt: skip
    assert scored == still_open


def test_the_model_finds_what_was_put_in_and_beats_the_plain_rules(dated: Job) -> None:
    assert _metric(dated.run, "hva_ml", "roc_auc") > 0.68
    for rule in ("prevalence", "best_column"):
        assert _metric(dated.run, "hva_ml", "roc_auc") > _metric(dated.run, rule, "roc_auc")
    assert 0.7 < _metric(dated.run, "hva_ml", "total_ratio") < 1.4


def test_later_test_leads_are_judged_by_a_model_of_what_was_known_then(dated: Job) -> None:
    page = dated.run.report.read_text("utf-8")  # type: ignore[attr-defined]
    assert "made anew every 30 days of what was known then" in page
    told = pq.read_table(dated.run.report.parent / "test_rows.parquet")  # type: ignore[attr-defined]
    assert told.num_rows == sum(0.8 * (DAYS - SPAN) <= i.contact <= DAYS - SPAN for i in dated.truth.values())


def test_a_later_model_without_enough_to_learn_leaves_the_one_before_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws, _ = hva.init(tmp_path)
    fitted = judging._fitted

    def starving(*given: Any, **named: Any) -> Any:
        if len(given) == 7 and given[6] is not None:
            raise NotEnoughDataError("Too few wins.", where="leads", fix="Wait.")
        return fitted(*given, **named)

    monkeypatch.setattr(judging, "_fitted", starving)
    said = []
    for pipeline in (DATED, DATED.replace("refit_every = 30\n", "")):
        written(ws, inquiries(400), pipeline)
        run = hva.train(ws, "inquiries")
        said.append(pq.read_table(run.report.parent / "test_rows.parquet")["probability"])
    assert said[0].equals(said[1])


def test_a_night_of_leads_keeps_its_audit(dated: Job) -> None:
    table = dated.scores.table  # type: ignore[attr-defined]
    p, v, e = (
        table[c].to_numpy() for c in ("conversion_probability", "value_if_converted", "expected_value")
    )
    np.testing.assert_allclose(p * v, e, rtol=1e-9)
    found = [row for row in dated.scores.audit if row.outcome == "found"]  # type: ignore[attr-defined]
    assert found == []


def test_bounds_of_values_hold_for_leads_that_came_later(dated: Job, undated: Job) -> None:
    low, high = (dated.scores.table[c].to_numpy() for c in ("value_low", "value_high"))  # type: ignore[attr-defined]
    value = dated.scores.table["value_if_converted"].to_numpy()  # type: ignore[attr-defined]
    assert (low < value).all()
    assert (value < high).all()
    assert 0.65 < _metric(dated.run, "hva_ml", "value_coverage") < 0.93
    won = {r["account_id"]: (r["value_low"], r["value_high"]) for r in dated.scores.table.to_pylist()}  # type: ignore[attr-defined]
    came = [(dated.truth[i].amount, *span) for i, span in won.items() if dated.truth[i].won is not None]
    assert 0.65 < np.mean([a <= amount <= b for amount, a, b in came]) < 0.93
    best = dated.scores.table["account_id"][0].as_py()  # type: ignore[attr-defined]
    assert (
        "zum Abschluss. Er bringt dann etwa" in hva.explain(dated.ws, "inquiries", best, language="de").text
    )
    assert undated.scores.table["value_low"].null_count == undated.scores.table.num_rows  # type: ignore[attr-defined]


def test_reasons_multiply_to_the_score(dated: Job) -> None:
    best = dated.scores.table["account_id"][0].as_py()  # type: ignore[attr-defined]
    told = hva.explain(dated.ws, "inquiries", best, language="en")
    assert "within 60 days of its first contact" in told.text
    steps = told.table.to_pylist()
    inner = [s for s in steps if s["kind"] in INNER]
    assert len(inner) > 2
    assert [s["end"] for s in inner] == pytest.approx([s["start"] * s["factor"] for s in inner], rel=1e-9)
    assert steps[-1]["end"] == pytest.approx(told.row["expected_value"], rel=1e-9)
    german = hva.explain(dated.ws, "inquiries", best, language="de").text
    assert "Innerhalb von 60 Tagen nach dem ersten Kontakt" in german


def test_waiting_takes_from_the_likelihood_of_a_lead(dated: Job) -> None:
    table = dated.scores.table.to_pylist()  # type: ignore[attr-defined]
    age = {r["account_id"]: DAYS - dated.truth[r["account_id"]].contact for r in table}
    fresh = [r["conversion_probability"] for r in table if age[r["account_id"]] <= 10]
    old = [r["conversion_probability"] for r in table if age[r["account_id"]] >= SPAN - 10]
    assert np.mean(old) < 0.5 * np.mean(fresh)


def test_the_check_takes_the_future_away_and_finds_nothing(dated: Job) -> None:
    report = hva.check(dated.ws, "inquiries", cutoffs=5)
    assert report.ok
    outcome = {p.code: p.outcome for p in report.probes}
    assert outcome["HVL001"] == "passed"
    assert outcome["HVL006"] == "passed"


def test_a_column_that_knows_the_outcome_is_named(dated: Job, tmp_path: Path) -> None:
    ws, _ = hva.init(tmp_path)
    knowing = DATED.replace('after_outcome = ["minutes"]\n', "").replace(
        "[leads.features]\n",
        '[leads.features]\nduration = { kind = "number", column = "minutes", de = "Dauer", en = "time" }\n',
    )
    written(ws, inquiries(), knowing)
    report = hva.check(ws, "inquiries", cutoffs=2)
    named = {(v.code, v.where) for v in report.violations if "duration" in v.where}
    assert {code for code, _ in named} >= {"HVD037", "HVL010"}
    assert not report.ok


def test_the_same_leads_in_another_order_give_the_same_release(dated: Job, tmp_path: Path) -> None:
    ws, _ = hva.init(tmp_path)
    leads = inquiries()
    random.Random(3).shuffle(leads)
    written(ws, leads)
    assert hva.train(ws, "inquiries").release == dated.run.release  # type: ignore[attr-defined]


def test_leads_without_days_are_judged_in_turn_and_new_ones_scored(undated: Job) -> None:
    assert undated.scores.table.num_rows == 40  # type: ignore[attr-defined]
    assert _metric(undated.run, "hva_ml", "roc_auc") > 0.6
    page = undated.run.report.read_text("utf-8")  # type: ignore[attr-defined]
    assert "Means over 2 times 3 folds" in page
    leads = list(undated.truth.values())
    decided, new = leads[:200], leads[200:]
    copies = [v for v in undated.run.findings if v.code == "HVD036"]  # type: ignore[attr-defined]
    told = {(i.channel, i.heads, i.urgency, i.won is not None or "lost") for i in decided}
    assert [v.count for v in copies] == [
        280 - len(told) - len({(i.channel, i.heads, i.urgency) for i in new})
    ]


def test_wins_are_counted_where_nobody_knows_their_worth(undated: Job) -> None:
    table = undated.scores.table  # type: ignore[attr-defined]
    assert table["expected_value"].to_pylist() == pytest.approx(table["conversion_probability"].to_pylist())
    told = hva.explain(undated.ws, "deals", table["account_id"][0].as_py(), language="en")
    assert "What a win is worth is not known." in told.text


def test_a_day_without_open_leads_is_refused(dated: Job) -> None:
    with pytest.raises(NotEnoughDataError, match="No lead is open"):
        hva.score(dated.ws, "inquiries", as_of=END.replace(year=END.year + 1))


def test_what_needs_cutoffs_is_refused_in_plain_words(dated: Job) -> None:
    for job in (hva.backtest, hva.recalibrate):
        with pytest.raises(UsageError, match="table of leads"):
            job(dated.ws, "inquiries")


@pytest.mark.parametrize("kind", ["dated", "undated"])
def test_the_card_says_what_was_really_judged(kind: str, request: pytest.FixtureRequest) -> None:
    job = request.getfixturevalue(kind)
    name = job.run.pipeline
    text = (job.ws.models(name) / job.run.version / "card.md").read_text("utf-8")
    assert job.ws.config(name).leads.judged in text
    assert ("folds: every lead was judged" in text) == (kind == "undated")
    # No cutoff of accounts stands in it, no side without rows, no line that nobody could measure.
    for said in ("cutoffs", "| calibrate | none", "which nothing had touched", "calibration cohorts"):
        assert said not in text
    # Only a column of values can have bounds.
    for said in ("value\\_coverage", "Of leads that are won, 80%", "| Contacts since | Conversions |"):
        assert (said in text) == (kind == "dated")
