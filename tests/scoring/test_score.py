import dataclasses
import math
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest

from hva_ml.config import Explanation, Scoring
from hva_ml.errors import ContractError, IntegrityError, NotEnoughDataError
from hva_ml.explanation.reasons import THRESHOLD, reasons
from hva_ml.explanation.references import references
from hva_ml.features.definition import FeatureSet
from hva_ml.publication import audit
from hva_ml.registry.bundle import Bundle
from hva_ml.scoring import accounts as scoring_accounts
from hva_ml.scoring import references as references_table
from hva_ml.scoring import score

COLUMNS = {
    "account_id": pa.string(), "as_of": pa.date32(), "conversion_probability": pa.float64(),
    "probability_low": pa.float64(), "probability_high": pa.float64(), "value_if_converted": pa.float64(),
    "value_low": pa.float64(), "value_high": pa.float64(), "expected_value": pa.float64(),
    "hva_likelihood": pa.float64(),
    "percentile": pa.float64(),
    "rank": pa.int64(), "tier": pa.string(), "tier_reason": pa.string(), "in_capacity": pa.bool_(),
    "strategic_weight": pa.float64(), "unseen_categories": pa.int64(), "model_version": pa.string(),
}  # fmt: skip


def contract_accounts(weights=()):
    rows = [
        {"account_id": i, "event_time": datetime(2024, month, 1, tzinfo=UTC),
         "known_at": datetime(2024, month, 2, tzinfo=UTC), "strategic_weight": w}
        for i, month, w in weights
    ]  # fmt: skip
    time = pa.timestamp("us", "UTC")
    return pa.Table.from_pylist(
        rows,
        schema=pa.schema(
            [
                ("account_id", pa.string()),
                ("event_time", time),
                ("known_at", time),
                ("strategic_weight", pa.float64()),
            ]
        ),
    )


def run(bundle, rows, weights=(), **config):
    return score(bundle, rows, contract_accounts(weights), Scoring(**config), model_version="3")


@pytest.fixture(scope="module")
def scored(bundle, rows):
    return run(bundle, rows)


def test_the_table_has_its_columns_best_account_first(scored):
    schema = scored.table.schema
    assert {n: schema.field(n).type for n in COLUMNS} == COLUMNS
    assert scored.table["rank"].to_pylist() == list(range(1, 301))
    assert set(scored.table["as_of"].to_pylist()) == {date(2025, 7, 1)}
    assert set(scored.table["model_version"].to_pylist()) == {"3"}


def test_numbers_are_those_of_the_bundle(scored, bundle, rows):
    told = bundle.predict(rows)
    by_id = {i: k for k, i in enumerate(rows.table["account_id"].to_pylist())}
    order = [by_id[i] for i in scored.table["account_id"].to_pylist()]
    for column, ours in (
        ("conversion_probability", told.probability),
        ("value_if_converted", told.value_if_converted),
        ("value_low", told.value_low),
        ("value_high", told.value_high),
        ("hva_likelihood", told.hva_likelihood),
        ("expected_value", told.expected_value),
    ):
        assert scored.table[column].to_numpy().tobytes() == ours[order].tobytes()


def test_the_audit_accepts_it(scored):
    rows = audit({"scores": scored.table, "explanations": scored.explanations}, 300)
    assert [r.outcome for r in rows] == ["passed", "passed"]


@pytest.mark.parametrize("seed", [0, 1])
def test_any_order_of_rows_gives_the_same_bits(scored, bundle, rows, seed):
    mixed = np.random.default_rng(seed).permutation(300)
    again = run(bundle, FeatureSet(rows.table.take(mixed), rows.definitions))
    assert again.table.equals(scored.table)
    assert again.explanations.equals(scored.explanations)


def test_every_score_can_be_recomputed_from_its_explanation(scored, bundle):
    table = scored.explanations
    for part, base, told in (
        ("likelihood", "log_base_probability", "conversion_probability"),
        ("value", "log_base_value", "value_if_converted"),
    ):
        total = table[base].to_numpy().copy()
        for name in bundle.encoder.names:
            total = total + table[f"{part}.{name}"].to_numpy()
        np.testing.assert_allclose(total, np.log(scored.table[told].to_numpy()), atol=1e-9, rtol=0)


def test_reasons_are_the_strongest_topics_in_both_directions(scored, bundle, rows):
    names = bundle.encoder.names
    topics = {d.name: d.topic or d.name for d in bundle.definitions}
    place = {i: k for k, i in enumerate(rows.table["account_id"].to_pylist())}
    for k, row in enumerate(scored.table.to_pylist()):
        effect = {}
        for name in names:
            both = sum(scored.explanations[f"{p}.{name}"][k].as_py() for p in ("likelihood", "value"))
            effect[topics[name]] = effect.get(topics[name], 0.0) + both
        for column, sign in (("reasons_positive", 1), ("reasons_negative", -1)):
            expected = sorted(
                (t for t in effect if sign * effect[t] >= THRESHOLD), key=lambda t: -sign * effect[t]
            )[:3]
            assert [r["topic"] for r in row[column]] == expected
            for reason in row[column]:
                assert topics[reason["feature"]] == reason["topic"]
                assert math.log(reason["factor"]) == pytest.approx(effect[reason["topic"]], abs=1e-12)
                own = rows.table[reason["feature"]][place[row["account_id"]]].as_py()
                assert reason["value"] == (own if own is None or isinstance(own, str) else repr(own))


def test_reasons_agree_with_the_sentences(scored, bundle, rows):
    place = {i: k for k, i in enumerate(rows.table["account_id"].to_pylist())}
    reference = [
        bundle.encoder.decode(d.name, v) if d.kind == "category" else v
        for d, v in zip(bundle.definitions, bundle.references.matrix[0].tolist(), strict=True)
    ]
    total = bundle.explain(rows).total
    for row in scored.table.slice(0, 25).to_pylist():
        k = place[row["account_id"]]
        values = [rows.table[d.name][k].as_py() for d in bundle.definitions]
        said = reasons(bundle.definitions, values, reference, total[k], language="en", limit=3)
        for direction, column in (("up", "reasons_positive"), ("down", "reasons_negative")):
            told = [(r.topic, r.features[0]) for r in said if r.direction == direction]
            assert [(r["topic"], r["feature"]) for r in row[column]] == told


def test_the_number_of_reasons_is_limited(bundle, rows):
    table = run(bundle, rows, reasons=1).table
    assert {len(r) for r in table["reasons_positive"].to_pylist()} == {0, 1}


def test_the_latest_strategic_weight_lifts_a_tier_and_no_number(scored, bundle, rows):
    last = scored.table["account_id"][299].as_py()
    first = scored.table["account_id"][0].as_py()
    weights = [(last, 1, 1.0), (last, 5, 8.0), (last, 3, 2.0), (first, 1, None), ("unknown", 1, 9.0)]
    table = run(bundle, rows, weights, strategic_from=8.0, strategic_tier="A").table
    row = table.slice(299).to_pylist()[0]
    assert (row["account_id"], row["strategic_weight"], row["tier"], row["tier_reason"]) == (
        last, 8.0, "A", "strategic_weight",
    )  # fmt: skip
    assert table["strategic_weight"].null_count == 299
    same = [
        "account_id",
        "conversion_probability",
        "value_if_converted",
        "expected_value",
        "rank",
        "percentile",
    ]
    assert table.select(same).equals(scored.table.select(same))
    assert table["tier"].slice(0, 299).equals(scored.table["tier"].slice(0, 299))


def test_unseen_categories_are_counted_and_nulls_are_not(scored, rows):
    by_id = dict(
        zip(
            rows.table["account_id"].to_pylist(),
            rows.table["firmographic.industry_section"].to_pylist(),
            strict=True,
        )
    )
    for row in scored.table.select(["account_id", "unseen_categories"]).to_pylist():
        assert row["unseen_categories"] == (by_id[row["account_id"]] == "Q")
    assert scored.unseen == {"firmographic.industry_section": 60}


def test_one_account_alone_is_scored_the_same(scored, bundle, rows):
    alone = run(bundle, rows.take(np.arange(300) == 42)).table.to_pylist()[0]
    there = next(r for r in scored.table.to_pylist() if r["account_id"] == alone["account_id"])
    assert alone["expected_value"] == there["expected_value"]
    assert alone["reasons_positive"] == there["reasons_positive"]


def test_two_cutoffs_or_an_account_twice_are_refused(bundle, rows):
    twice = FeatureSet(pa.concat_tables([rows.table, rows.table.slice(0, 1)]), rows.definitions)
    with pytest.raises(ContractError, match="300 accounts"):
        run(bundle, twice)
    later = pa.array([datetime(2025, 8, 1, tzinfo=UTC)] * 300, pa.timestamp("us", "UTC"))
    ids = pa.array([f"B{k}" for k in range(300)])
    other = rows.table.set_column(1, "cutoff", later).set_column(0, "account_id", ids)
    with pytest.raises(ContractError, match="2 cutoffs"):
        run(bundle, FeatureSet(pa.concat_tables([rows.table, other]), rows.definitions))
    with pytest.raises(NotEnoughDataError):
        run(bundle, rows.take(np.zeros(300, dtype=bool)))


def test_reasons_that_do_not_multiply_to_the_score_stop_everything(bundle, rows, monkeypatch):
    explain = Bundle.explain

    def bent(self, X, kind=""):
        found = explain(self, X, kind)
        likelihood = found.likelihood.copy()
        likelihood[7, 0] += 1e-8
        return dataclasses.replace(found, likelihood=likelihood)

    eighth = run(bundle, rows).table["account_id"][7].as_py()
    monkeypatch.setattr(Bundle, "explain", bent)
    with pytest.raises(IntegrityError, match="1 of 300 accounts") as caught:
        list(run(bundle, rows).parts())
    assert caught.value.ids == (eighth,)


SECTION = "firmographic.industry_section"


@pytest.fixture(scope="module")
def segmented(bundle, rows):
    X = bundle.encoder.transform(rows)
    homes = references(
        X, tuple(d.kind for d in bundle.definitions), converted=np.ones(len(X), dtype=np.int8),
        expected_value=np.ones(len(X)), tier_a=0.5, column=bundle.encoder.names.index(SECTION), least_rows=61,
    )  # fmt: skip
    return dataclasses.replace(bundle, references=homes)


def test_each_account_is_explained_against_its_segment_in_words(segmented, rows):
    found = score(
        segmented, rows, contract_accounts(), Scoring(), model_version="1",
        explanation=Explanation(languages=("de", "en")), kind="typical",
    )  # fmt: skip
    table = references_table(segmented).to_pylist()
    sections = dict(zip(rows.table["account_id"].to_pylist(), rows.table[SECTION].to_pylist(), strict=True))
    known = {r["segment"] for r in table if r["kind"] == "typical"} - {None}
    assert 0 < len(known) < len(set(sections.values()))
    for row in found.explanations.select(["account_id", "reference"]).to_pylist():
        home, section = table[row["reference"]], sections[row["account_id"]]
        assert home["kind"] == "typical"
        assert home["segment"] == (section if section in known else None)
    texts = pa.concat_tables([p["texts"] for p in found.parts()])
    assert texts["language"].to_pylist() == ["de"] * 300 + ["en"] * 300
    assert texts["account_id"].to_pylist() == 2 * found.table["account_id"].to_pylist()
    named = [" im Segment " in p or " in the segment " in p for p in texts["paragraph"].to_pylist()]
    own = [sections[i] in known for i in texts["account_id"].to_pylist()]
    assert named == own


def test_blocks_change_no_bit(bundle, rows, scored, monkeypatch):
    monkeypatch.setattr(scoring_accounts, "BLOCK", 37)
    again = run(bundle, rows)
    assert again.table.equals(scored.table)
    assert again.explanations.equals(scored.explanations)
    assert [p["scores"].num_rows for p in again.parts()] == [37] * 8 + [4]


def test_a_pipeline_file_that_has_gone_on_since_the_release_gives_the_same_scores(bundle, rows, scored):
    """After a rollback: other features stand among those of the release, and in another order."""
    table, others = rows.table, []
    for k, place in enumerate((3, 6)):
        name = f"later.{k}"
        table = table.add_column(place, name, pa.array(np.arange(300.0)))
        others.append(dataclasses.replace(rows.definitions[0], name=name, topic=""))
    mixed = FeatureSet(table, (others[0], *rows.definitions[::-1], others[1]))
    again = run(bundle, mixed)
    assert again.table.equals(scored.table)
    assert again.explanations.equals(scored.explanations)
    assert next(again.parts())["scores"].equals(scored.table)


def test_a_feature_of_the_release_that_is_no_longer_made_is_named(bundle, rows):
    gone = rows.definitions[3]
    fewer = FeatureSet(rows.table.drop_columns([gone.name]), tuple(d for d in rows.definitions if d != gone))
    with pytest.raises(ContractError, match="needs a feature that is not there") as caught:
        run(bundle, fewer)
    assert caught.value.where == gone.name
