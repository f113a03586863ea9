"""Time travel: no feature changes with what comes after its cutoff, and planted leakers are named."""

from dataclasses import replace
from datetime import date, timedelta
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.config import Attribute, Measure
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import MICROSECONDS_PER_DAY as DAY
from hva_ml.features.build import build, compose, static_attributes
from hva_ml.features.definition import FeatureDefinition
from hva_ml.features.leakage import (
    POPULATION,
    Moved,
    Subject,
    Travel,
    compare,
    perturbation,
    population,
    sources,
    travel,
    truncation,
)

MEASURES = ", ".join(f'"{m}"' for m in get_args(Measure))
ATTRIBUTES = ", ".join(f'"{a}"' for a in get_args(Attribute))
FEATURES = f"""
[features]
season = true
outlook = true
deals = true
stages = ["offer"]
close_dates = true
fit = true
firmographic = [{ATTRIBUTES}]
columns = ["sector", "budget", "key_account"]
[[features.windows]]
table = "events"
by = "event_type"
values = ["web_visit", "call"]
of = ["minutes", "contact_id"]
windows_days = [7, 30, 90]
to_date = ["month", "quarter", "year"]
measures = [{MEASURES}]
"""


def simulated(tables, seed, n=30, rows=400, start=19_500, span=450):
    """Random tables around the calendar, with late-known rows and several versions of accounts."""
    random, closing = np.random.default_rng(seed), np.random.default_rng([seed, 1])

    def pick(values):
        return values[int(random.integers(len(values)))]

    def clocks():
        time = (start + int(random.integers(span))) * DAY + pick([0, -1, 1, DAY // 3])
        return {"event_time": time, "known_at": time + pick([0, 0, 0, DAY, 50 * DAY, -3 * DAY])}

    def account():
        return f"a{int(random.integers(n)):02d}"

    masters = [
        {"account_id": account(), **clocks(),
         "country": pick(["DE", "AT", None]), "postcode": pick(["80331", "1010"]),
         "industry_code": pick(["28.41", "46.1", "62"]), "employees": pick([None, 5.0, 80.0, 900.0]),
         "legal_form": pick(["GmbH", "AG"]), "annual_revenue": pick([None, 1e6, 3e7]),
         "founded_year": pick([None, 1990, 2020]), "parent_id": pick([None, None, "a00", "a01", "a02"]),
         "sector": pick(["x", "y"]), "budget_cents": pick([None, 100]), "key_account": pick([True, False])}
        for _ in range(3 * n)
    ]  # fmt: skip
    events = [
        {"account_id": account(), **clocks(), "event_type": pick(["web_visit", "call", "email"]),
         "contact_id": pick([None, "c1", "c2", "c3"]), "minutes": pick([None, 0.1, 3.3])}
        for _ in range(rows)
    ]  # fmt: skip
    stages = [
        {"deal_id": f"d{int(random.integers(40))}", "account_id": account(), **clocks(),
         "stage": pick(["offer", "talk", "won", "lost"]), "amount_cents": pick([None, 500, 1000]),
         "expected_close_at": (start + int(closing.integers(span))) * DAY if closing.random() < 0.7 else None}
        for _ in range(rows // 3)
    ]  # fmt: skip
    invoices = [
        {"account_id": account(), **clocks(), "amount_cents": int(random.integers(-3000, 9000))}
        for _ in range(rows // 2)
    ]
    return tables(accounts=masters, events=events, deal_stages=stages, invoices=invoices)


def shuffled(data, seed):
    random = np.random.default_rng(seed)
    return ContractTables(
        {n: t.take(pa.array(random.permutation(t.num_rows))) for n, t in reversed(data.tables.items())}
    )


def probed(data, pipeline, calendar, seed=5, extra=()):
    """Run the three probes of the contract tables; by code."""
    subject = Subject.of(data, pipeline, calendar, extra)
    seen = travel(subject, seed)
    asked = (truncation(subject, seen.cut), perturbation(subject, seen), population(subject, seen))
    return {p.code: p for p in asked}


def told(probe, severity="info"):
    return [(v.ids, v.where) for v in probe.violations if v.severity == severity]


def definition(name):
    return FeatureDefinition(
        name, "engagement", "number", "events", "count", "count", "Leck", "leak", topic=name
    )


def per_row(index, column):
    """Look a per-account count up for each row of the index."""
    place = pc.index_in(index["account_id"], value_set=column["values"])
    return [column["counts"][p].as_py() if p is not None else 0 for p in place.to_pylist()]


def all_events(tables, index, calendar, config):
    counts = tables.tables["events"]["account_id"].value_counts()
    column = {"values": counts.field("values"), "counts": counts.field("counts")}
    return [definition("extra.leak")], [np.array(per_row(index, column), dtype=np.float64)]


def ignores_known_at(tables, index, calendar, config):
    last = max(calendar.cutoffs)
    events = tables.tables["events"]
    events = events.filter(pc.less(events["event_time"], pa.scalar(last, pa.timestamp("us", "UTC"))))
    counts = events["account_id"].value_counts()
    column = {"values": counts.field("values"), "counts": counts.field("counts")}
    return [definition("extra.late")], [np.array(per_row(index, column), dtype=np.float64)]


def honest(tables, index, calendar, config):
    return [definition("extra.length")], [pc.utf8_length(index["account_id"])]


@given(st.integers(0, 10_000))
@settings(max_examples=5, deadline=None)
def test_honest_features_pass_every_probe(config, tables, calendar, seed):
    data = simulated(tables, seed)
    pipeline = config(FEATURES, population='table = "events"\nactive_within_days = 200')
    found = probed(data, pipeline, calendar, seed, extra=[honest])
    assert {c: p.outcome for c, p in found.items()} == dict.fromkeys(found, "passed")


def test_every_feature_passes_at_twenty_cutoffs(config, tables, calendar):
    """From the leap day on, over both changes of the clocks."""
    days = tuple(date(2024, 2, 29) + timedelta(days=13 * k) for k in range(20))
    found = probed(simulated(tables, 11, rows=900, span=700), config(FEATURES), calendar.only(days))
    assert {c: p.outcome for c, p in found.items()} == dict.fromkeys(found, "passed")
    assert "at each of 20 cutoffs" in found["HVL001"].what
    deaf = [i for v in found["HVL002"].violations for i in v.ids]
    assert deaf == []


@given(st.integers(0, 10_000))
@settings(max_examples=8, deadline=None)
def test_the_order_of_rows_does_not_matter(config, tables, calendar, seed):
    data = simulated(tables, seed)
    pipeline = config(FEATURES)
    once = build(data, pipeline, calendar)
    again = build(shuffled(data, seed), pipeline, calendar)
    assert once.fingerprint() == again.fingerprint()
    keys = list(zip(once.table["cutoff"].to_pylist(), once.table["account_id"].to_pylist(), strict=True))
    assert keys == sorted(set(keys))


@pytest.mark.parametrize(("leaker", "name"), [(all_events, "extra.leak"), (ignores_known_at, "extra.late")])
def test_planted_leakers_are_named_by_both_probes(config, tables, calendar, leaker, name):
    found = probed(simulated(tables, 3), config(FEATURES), calendar, extra=[honest, leaker])
    for code in ("HVL001", "HVL002"):
        assert found[code].outcome == "found"
        assert [(v.code, v.severity, v.ids) for v in found[code].alarms] == [(code, "error", (name,))]
    assert found["HVL003"].outcome == "passed"


def test_known_at_is_asked_about_in_data_without_a_late_row(config, tables, calendar):
    data = simulated(tables, 3)
    prompt = {n: t.set_column(t.schema.get_field_index("known_at"), "known_at", t["event_time"])
              for n, t in data.tables.items()}  # fmt: skip
    found = probed(ContractTables(prompt), config(FEATURES), calendar, extra=[ignores_known_at])
    assert "extra.late" in found["HVL002"].alarms[0].ids
    late = [v for v in found["HVL001"].violations if "proves nothing about known_at" in v.what]
    assert [set(v.ids) for v in late] == [{"accounts", "events", "deal_stages", "invoices"}]


def test_static_attributes_are_exempt_and_said_to_be(config, tables, calendar):
    pipeline = config(FEATURES, static='"employees", "country"')
    found = probed(simulated(tables, 4), pipeline, calendar)
    assert [(v.where, v.count, v.ids) for v in found["HVL001"].violations] == [
        ("accounts", 2, ("employees", "country"))
    ]
    deaf = [i for v in found["HVL002"].violations for i in v.ids]
    assert not [name for name in deaf if name.startswith("firmographic")]


def test_probes_say_when_they_prove_nothing(config, tables, calendar):
    data = simulated(tables, 5).upto(calendar.cutoffs[-1])
    found = probed(data, config(FEATURES), calendar.only(calendar.days[-1:]))
    assert {c: p.outcome for c, p in found.items()} == dict.fromkeys(found, "not applicable")
    assert all("no row of" in p.not_applicable or "no row lies" in p.not_applicable for p in found.values())
    for code in ("HVL001", "HVL002"):
        assert any("proves nothing" in v.what for v in found[code].violations)


def test_a_table_without_later_rows_is_named_beside_those_with_some(config, tables, calendar):
    data = simulated(tables, 5)
    early = data.upto(calendar.cutoffs[0]).tables["events"]
    found = probed(ContractTables({**data.tables, "events": early}), config(FEATURES), calendar)
    for code in ("HVL001", "HVL002"):
        assert found[code].outcome == "passed"
        assert (("events",), "tables") in told(found[code])


def test_features_that_never_react_are_named(config, tables, calendar):
    data = simulated(tables, 5)
    early = data.upto(calendar.cutoffs[0]).tables["deal_stages"]
    subject = Subject.of(
        ContractTables({**data.tables, "deal_stages": early}),
        config("[features]\ndeals = true"),
        calendar,
        [honest],
    )
    seen = travel(subject, 5)
    deals = {d.name for d in subject.whole.definitions if d.table == "deal_stages"}
    assert set(seen.deaf) == {*deals, "extra.length"}
    note = perturbation(subject, seen).violations[-1]
    assert (note.severity, note.count) == ("info", len(deals) + 1)
    assert set(note.ids) < set(seen.deaf)


def test_queries_that_look_ahead_are_named_and_uncut_sources_too(config, tables, calendar):
    subject = Subject.of(simulated(tables, 6), config(FEATURES), calendar)
    cut = Travel()
    cut.note(calendar.days[0], ("deals.open_count", POPULATION), {"s": Moved(7)})
    found = sources(subject, cut, ["crm"])
    assert [(v.severity, v.ids) for v in found.violations] == [
        ("error", ("deals.open_count",)), ("info", ("crm",)),
    ]  # fmt: skip
    assert str(calendar.days[0]) in found.violations[0].where
    assert sources(subject, cut, ["crm"], {"deals.open_count"}).alarms == ()
    ahead = population(subject, travel(subject, 1), cut)
    assert [(v.code, v.where) for v in ahead.alarms] == [("HVL003", f"population at {calendar.days[0]}")]
    nothing = sources(subject, Travel(), ["crm", "erp"])
    assert nothing.outcome == "not applicable"
    assert "no source names" in nothing.not_applicable


def test_a_population_that_looks_ahead_is_named(config, tables, calendar):
    data = simulated(tables, 6)
    whole = compose(data, config(), calendar, None)
    ahead = replace(whole, table=whole.table.slice(1))
    assert compare(whole, ahead) == (POPULATION,)
    changed = whole.table.set_column(
        3, whole.names[0], pc.add(pc.fill_null(whole.table[whole.names[0]], 1.0), 1.0)
    )
    assert compare(whole, replace(whole, table=changed)) == (whole.names[0],)
    fewer = replace(whole, definitions=whole.definitions[1:])
    assert compare(whole, fewer) == (whole.names[0],)
    assert compare(whole, whole) == ()


def ever_seen(world, population, target):
    """Whoever has a row of the table at any time."""
    found = np.zeros(world.shape, dtype=np.bool_)
    found[world.table(population.table).account] = True
    return found


def happened_before(world, population, target):
    """Whoever has a row that happened before the cutoff, known or not."""
    table = world.table(population.table)
    found = np.zeros(world.shape, dtype=np.bool_)
    for k, cutoff in enumerate(world.cutoffs):
        found[table.account[table.event_time < cutoff], k] = True
    return found


@pytest.mark.parametrize("members", [ever_seen, happened_before])
def test_a_population_that_forgets_a_clock_is_named(config, tables, calendar, members, monkeypatch):
    monkeypatch.setattr("hva_ml.features.population.members", members)
    pipeline = config("[features]\nseason = false", population='table = "events"')
    found = probed(simulated(tables, 9, rows=40), pipeline, calendar)["HVL003"]
    assert found.outcome == "found"
    assert [(v.severity, v.ids) for v in found.alarms] == [("error", (POPULATION,))]


def test_a_population_that_could_not_have_changed_is_said_to_be(config, tables, calendar):
    pipeline = config("[features]\nseason = false", population='table = "events"')
    found = probed(simulated(tables, 9), pipeline, calendar)["HVL003"]
    assert found.outcome == "passed"
    assert [(v.severity, "Nobody came or went" in v.what) for v in found.violations] == [("info", True)]
    some = probed(simulated(tables, 9, rows=40), pipeline, calendar)["HVL003"]
    assert (some.outcome, some.violations) == ("passed", ())


def test_one_cutoff_alone_gives_the_same_as_all_together(config, tables, calendar):
    data = simulated(tables, 8)
    pipeline = config(FEATURES, static='"sector"')
    whole = build(data, pipeline, calendar)
    static = static_attributes(data, pipeline)
    for day, moment in zip(calendar.days, calendar.cutoffs, strict=True):
        once = compose(data, pipeline, calendar.only((day,)), static)
        rows = pc.equal(whole.table["cutoff"], pa.scalar(moment, pa.timestamp("us", "UTC")))
        assert compare(whole.take(rows.combine_chunks()), once) == ()


def test_no_rows_at_all_give_an_empty_set_with_all_columns(config, tables, calendar):
    features = build(tables(), config(FEATURES), calendar)
    assert features.table.num_rows == 0
    assert features.table.column_names[3:] == list(features.names)
    assert probed(tables(), config(FEATURES), calendar)["HVL001"].outcome == "not applicable"
