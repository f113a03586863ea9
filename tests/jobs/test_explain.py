"""One published score told in full: families, similar accounts, pictures, and the information sheet."""

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import hva_ml as hva
from hva_ml.errors import ConfigError, IntegrityError, UsageError
from hva_ml.explanation.reader import Reader
from hva_ml.jobs.published import runs
from hva_ml.publication import read
from hva_ml.registry.bundle import Bundle

PIPELINE = "dach_sample"
CONTROLLER = re.compile(r'^controller = """.*?"""$', re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def best(main_job: Any) -> str:
    return str(main_job.scores.table["account_id"][0].as_py())


@pytest.fixture(scope="module")
def found(main_job: Any, best: str) -> Any:
    return hva.explain(
        main_job.ws, PIPELINE, best, language="de", country="CH", png=True, svg=True, information_sheet=True
    )


def test_families_lead_from_the_typical_account_to_this_one(found: Any) -> None:
    base = next(s["end"] for s in found.table.to_pylist() if s["kind"] == "base")
    total = base * math.prod(f.total for f in found.families)
    assert math.isclose(total, found.row["expected_value"], rel_tol=1e-9)


def test_similar_accounts_bought_what_is_told_and_are_not_its_own(main_job: Any, found: Any) -> None:
    outcomes = pq.read_table(main_job.run.report.parent / "outcomes.parquet")
    assert 1 <= len(found.neighbours) <= 3
    assert len({n.account_id for n in found.neighbours}) == len(found.neighbours)
    group = dict(zip(outcomes["account_id"].to_pylist(), outcomes["group_id"].to_pylist(), strict=True))
    for n in found.neighbours:
        assert n.account_id != found.account_id
        assert group[n.account_id] != group.get(found.account_id)
        rows = outcomes.filter(
            pc.and_(pc.equal(outcomes["account_id"], n.account_id), pc.equal(outcomes["converted"], 1))
        )
        assert n.value in rows["value"].to_pylist()
    assert [n.distance for n in found.neighbours] == sorted(n.distance for n in found.neighbours)


def test_files_are_named_and_real(found: Any) -> None:
    by = {p.name.split("-", 2)[-1] if "information" in p.name else p.suffix: p for p in found.files}
    assert by[".png"].read_bytes().startswith(b"\x89PNG")
    assert "<svg" in by[".svg"].read_text(encoding="utf-8")
    assert "<script" not in by[".html"].read_text(encoding="utf-8")
    assert by["information.html"].exists()


def test_the_record_is_json_and_the_plain_text_has_no_markup(found: Any) -> None:
    record = json.loads(json.dumps(found.record(), default=str))
    assert len(record["families"]) == len(found.families)
    assert found.plain.startswith(found.title)
    assert "<" not in found.plain
    for reason in found.reasons:
        assert f"- {reason.text}" in found.plain


def test_the_sheet_says_the_published_score_in_swiss_german(found: Any) -> None:
    text = next(p for p in found.files if "information" in p.name).read_text(encoding="utf-8")
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text.replace("\u202f", " ").replace("\xa0", " ")))
    for said in ("Art. 15 Abs. 1 Buchst. h DSGVO", "Musteranbieter GmbH", "Was das Ergebnis ändern würde"):
        assert said in plain
    assert "ß" not in plain.replace("Straße", "")
    assert f"{100 * found.row['conversion_probability']:.1f}%" in plain
    assert f"Stufe {found.row['tier']}" in plain
    assert "{" not in plain.split("</style>")[-1].split("Kurz gesagt")[-1]
    assert "events." not in plain


def test_nobody_to_ask_is_refused(main_job: Any, best: str, tmp_path: Path) -> None:
    root = tmp_path / "ws"
    shutil.copytree(main_job.ws.root, root)
    ws = hva.Workspace.find(root)
    path = ws.pipelines / f"{PIPELINE}.toml"
    text, n = CONTROLLER.subn('controller = ""', path.read_text(encoding="utf-8"))
    assert n == 1
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="nobody is named"):
        hva.explain(ws, PIPELINE, best, information_sheet=True)
    shutil.rmtree(ws.root / "data" / "training")
    assert hva.explain(ws, PIPELINE, best).neighbours == ()


def test_a_score_that_the_release_does_not_give_makes_no_sheet(
    main_job: Any, best: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Bundle.outcomes
    monkeypatch.setattr(Bundle, "outcomes", lambda self, X: (real(self, X)[0] * 1.001, real(self, X)[1]))
    with pytest.raises(IntegrityError, match="cannot be rebuilt"):
        hva.explain(main_job.ws, PIPELINE, best, information_sheet=True)


@pytest.mark.parametrize("kind", ["typical", "won", "threshold"])
def test_every_comparison_leads_to_the_same_score(main_job: Any, best: str, kind: str) -> None:
    found = hva.explain(main_job.ws, PIPELINE, best, language="en", against=kind)
    steps = found.table.to_pylist()
    factors = [s["factor"] for s in steps if s["kind"] in ("step", "other")]
    assert steps[0]["step"] == Reader("en", "DE", "EUR").named(kind)
    assert math.isclose(steps[0]["end"] * math.prod(factors), found.row["expected_value"], rel_tol=1e-9)
    for table, end in (
        (found.likelihood, "conversion_probability"), (found.value, "value_if_converted"),
    ):  # fmt: skip
        rows = table.to_pylist()
        inner = [r["change"] for r in rows if r["kind"] in ("base", "step", "other")]
        assert math.isclose(math.fsum(inner), found.row[end], rel_tol=1e-9)
        assert rows[-1]["end"] == pytest.approx(found.row[end], rel=1e-9)


def test_an_account_is_compared_with_itself_before(two_nights: Any) -> None:
    folder = two_nights.scores(PIPELINE)
    now = set(read(folder, "scores")["account_id"].to_pylist())
    today = str(read(folder, "scores")["as_of"][0].as_py())
    past = [
        set(read(folder, "scores", r)["account_id"].to_pylist())
        for r, day in runs(two_nights, PIPELINE)
        if day < today
    ]
    account = min(now.intersection(*past))
    found = hva.explain(two_nights, PIPELINE, account, language="de", against="earlier")
    assert found.table["step"][0].as_py().startswith("Dieser Account am ")
    assert "gegenüber demselben Account zuvor" in found.text
    for new in sorted(now.difference(*past))[:1]:
        with pytest.raises(UsageError, match="was not scored on"):
            hva.explain(two_nights, PIPELINE, new, against="earlier")


def test_what_cannot_be_compared_is_named(main_job: Any, best: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="kind 'medoid'"):
        hva.explain(main_job.ws, PIPELINE, best, against="medoid")
    root = tmp_path / "ws"
    shutil.copytree(main_job.ws.root, root)
    alone = hva.Workspace.find(root)
    kept = read(alone.scores(PIPELINE), "scores")
    for run, day in runs(alone, PIPELINE):
        if day < str(kept["as_of"][0].as_py()):
            shutil.rmtree(alone.scores(PIPELINE) / "runs" / run)
    with pytest.raises(UsageError, match="no run of an earlier day"):
        hva.explain(alone, PIPELINE, kept["account_id"][0].as_py(), against="earlier")


def test_pairs_that_act_together_are_told_in_words(found: Any) -> None:
    table = found.interactions(5)
    effects = [abs(math.log(f)) for f in table["factor"].to_pylist()]
    assert 0 < len(effects) <= 5
    assert effects == sorted(effects, reverse=True)
    assert not any("." in name for name in table["feature"].to_pylist() + table["other"].to_pylist())
