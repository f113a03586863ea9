"""Likeness to past winners is out of fold: nobody's own success, nor that of its group, is in its own fit."""

import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.cutoffs import MICROSECONDS_PER_DAY as DAY
from hva_ml.cutoffs import Calendar
from hva_ml.features import fit as fit_module
from hva_ml.features.build import compose

START = 19_700 * DAY
FEATURES = """
[features]
season = false
fit = true
firmographic = ["country", "legal_form"]
"""


def by_place(features):
    return {
        (r["account_id"], int(r["cutoff"].timestamp()) * 1_000_000): r["fit.icp"]
        for r in features.table.to_pylist()
    }


firms = st.lists(
    st.fixed_dictionaries(
        {
            "country": st.sampled_from([None, "DE", "AT"]),
            "legal_form": st.sampled_from([None, "AG", "KG", "GmbH"]),
            "parent": st.sampled_from([None, None, "f0", "f1"]),
            "won": st.sampled_from([None, 10, 80]),
        }
    ),
    min_size=1,
    max_size=12,
)


@given(firms)
@settings(max_examples=60, deadline=None)
def test_it_is_its_definition_without_the_own_group(config, tables, calendar, rows):
    masters = [
        {"account_id": f"f{k}", "event_time": START, "country": r["country"], "legal_form": r["legal_form"],
         "parent_id": r["parent"]}
        for k, r in enumerate(rows)
    ]  # fmt: skip
    invoices = [
        {"account_id": f"f{k}", "event_time": START + r["won"] * DAY, "amount_cents": 1}
        for k, r in enumerate(rows)
        if r["won"]
    ]
    features = compose(tables(accounts=masters, invoices=invoices), config(FEATURES), calendar, None)
    group = {r["account_id"]: r["group_id"] for r in features.index.to_pylist()}
    for (account, cutoff), found in by_place(features).items():
        mine = rows[int(account[1:])]
        total, judged = 0.0, False
        for attribute in ("country", "legal_form"):
            if mine[attribute] is None:
                continue
            others = [
                r for k, r in enumerate(rows) if r[attribute] is not None and group[f"f{k}"] != group[account]
            ]
            won = [r for r in others if r["won"] and START + r["won"] * DAY < cutoff]
            if not won:
                continue
            like = sum(r[attribute] == mine[attribute] for r in others)
            observed = sum(r[attribute] == mine[attribute] for r in won)
            total += math.log((observed + 1) / (len(won) * like / len(others) + 1))
            judged = True
        assert found == (pytest.approx(total, rel=1e-12, abs=1e-12) if judged else None)


def timed(row):
    """With a known time in place of the delay."""
    return {k: v for k, v in row.items() if k != "delay"} | {"known_at": row["event_time"] + row["delay"]}


versions = st.lists(
    st.fixed_dictionaries(
        {
            "account_id": st.sampled_from([f"f{k}" for k in range(6)]),
            "event_time": st.integers(0, 150).map(lambda d: START + d * DAY),
            "delay": st.sampled_from([0, 0, 30 * DAY]),
            "country": st.sampled_from([None, "DE", "AT"]),
            "legal_form": st.sampled_from([None, "AG", "KG"]),
            "parent_id": st.sampled_from([None, None, "f0", "f1", "f2"]),
        }
    ).map(
        lambda r: {**{k: v for k, v in r.items() if k != "delay"}, "known_at": r["event_time"] + r["delay"]}
    ),
    min_size=1,
    max_size=14,
)
wins = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 150)), max_size=8)


def fitted(config, tables, calendar, masters, won):
    there = [{"account_id": f"f{k}", "event_time": START - DAY, "known_at": START - DAY} for k in range(6)]
    invoices = [{"account_id": f"f{k}", "event_time": START + d * DAY, "amount_cents": 1} for k, d in won]
    data = tables(accounts=[*there, *masters], invoices=invoices)
    return by_place(compose(data, config(FEATURES), calendar, None))


def team_of(masters, account, cutoff):
    """All accounts of the same ultimate parent, by the versions in force and known at the cutoff."""
    parent = {}
    for r in sorted(masters, key=lambda r: (r["event_time"], r["known_at"])):
        if r["event_time"] < cutoff and r["known_at"] < cutoff:
            parent[r["account_id"]] = r["parent_id"]

    def top(a):
        met = [a]
        while (up := parent.get(met[-1])) is not None and up not in met:
            met.append(up)
        # Those who stand on or below a circle belong to it.
        return min(met[met.index(up) :]) if up is not None else met[-1]

    return {f"f{k}" for k in range(6) if top(f"f{k}") == top(account)}


@given(versions, wins, st.integers(0, 5), st.integers(0, 150))
@settings(max_examples=60, deadline=None)
def test_no_outcome_of_the_own_group_moves_it(config, tables, calendar, masters, won, other, day):
    """One account's outcomes are turned round: only accounts of other groups may see a difference."""
    masters = list({(r["account_id"], r["event_time"]): r for r in masters}.values())
    turned = [w for w in won if w[0] != other] if any(w[0] == other for w in won) else [*won, (other, day)]
    before, after = (fitted(config, tables, calendar, masters, w) for w in (won, turned))
    assert before.keys() == after.keys()
    for account, cutoff in before:
        if f"f{other}" in team_of(masters, account, cutoff):
            assert before[account, cutoff] == after[account, cutoff], (account, cutoff)


@pytest.mark.parametrize("out_of_fold", [True, False])
def test_the_property_would_notice_an_own_outcome(config, tables, monkeypatch, out_of_fold):
    """With the own group's counts left in, an account's own success moves its own fit."""
    if not out_of_fold:
        monkeypatch.setattr(fit_module, "_tally", lambda key, _: (np.zeros(len(key), np.int64),) * 2)
    calendar = Calendar((date(2024, 3, 1),), 60, 0, "Europe/Berlin")
    masters = [
        {"account_id": f"f{k}", "event_time": START, "known_at": START, "country": "DE" if k < 3 else "AT"}
        for k in range(6)
    ]
    without, own = (
        fitted(config, tables, calendar, masters, won) for won in ([(1, 5), (4, 5)], [(0, 1), (1, 5), (4, 5)])
    )
    changed = {account for (account, cutoff), value in own.items() if without[account, cutoff] != value}
    assert ("f0" in changed) == (not out_of_fold)
    assert changed >= {"f2", "f5"}
