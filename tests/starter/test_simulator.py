"""The simulated rows: the same every time, in order, and of the kind they claim to be."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from hva_ml.errors import UsageError
from hva_ml.starter.simulator import SCHEMAS, Simulated, simulate

SIZE = {"seed": 7, "first": date(2023, 1, 1), "last": date(2024, 12, 31), "events_per_account": 20.0}
CLOCKS = {
    "companies": ("valid_from", "recorded_at"),
    "contacts": ("created_at", "created_at"),
    "engagement": ("occurred_at", "imported_at"),
    "deals": ("entered_at", "recorded_at"),
    "invoices": ("issued_at", "issued_at"),
}


def test_same_seed_same_rows(simulated: Simulated) -> None:
    again = simulate(accounts=1300, **SIZE)
    assert all(again.tables[n].equals(simulated.tables[n]) for n in SCHEMAS)
    other = simulate(accounts=1300, **{**SIZE, "seed": 8})
    assert not any(other.tables[n].equals(simulated.tables[n]) for n in SCHEMAS)


@pytest.mark.parametrize("accounts", [1, 60, 1000, 1001])
def test_fewer_accounts_are_the_beginning_of_more(simulated: Simulated, accounts: int) -> None:
    fewer = simulate(accounts=accounts, **SIZE)
    ids = simulated.truth.ids.slice(0, accounts)
    assert fewer.truth.ids.equals(ids)
    for name, table in simulated.tables.items():
        kept = table.filter(pc.is_in(table["company_id"], value_set=ids)).combine_chunks()
        assert fewer.tables[name].equals(kept), name
    window = (datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 5, 30, tzinfo=UTC))
    whole = simulated.truth.probability(ids, *window)
    np.testing.assert_array_equal(fewer.truth.probability(ids, *window), whole)


def test_engagement_does_not_change_the_orders(simulated: Simulated) -> None:
    busier = simulate(accounts=1300, **{**SIZE, "events_per_account": 30.0})
    assert busier.tables["invoices"].equals(simulated.tables["invoices"])
    assert busier.tables["engagement"].num_rows > 1.3 * simulated.tables["engagement"].num_rows


def test_all_rows_lie_in_the_period_and_are_known_after_they_happened(simulated: Simulated) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    low = pa.scalar(datetime(2023, 1, 1, tzinfo=berlin).astimezone(UTC), pa.timestamp("us", "UTC"))
    high = pa.scalar(datetime(2024, 12, 31, tzinfo=berlin).astimezone(UTC), pa.timestamp("us", "UTC"))
    for name, (happened, known) in CLOCKS.items():
        table = simulated.tables[name]
        assert table.schema == SCHEMAS[name]
        assert pc.min(table[happened]).as_py() >= low.as_py(), name
        assert pc.max(table[known]).as_py() < high.as_py(), name
        assert pc.all(pc.greater_equal(table[known], table[happened])).as_py(), name


def test_nothing_happens_before_the_account_came_to_be(simulated: Simulated) -> None:
    frames = {n: t.to_pandas() for n, t in simulated.tables.items()}
    birth = frames["companies"].groupby("company_id")["valid_from"].min()
    for name, (happened, _) in CLOCKS.items():
        born = frames[name]["company_id"].map(birth)
        assert (frames[name][happened] >= born).all(), name
        assert frames[name]["company_id"].is_monotonic_increasing
    young = (birth > birth.min() + timedelta(days=2)).mean()
    assert 0.2 < young < 0.4


def test_keys_are_unique_and_references_hold(simulated: Simulated) -> None:
    frames = {n: t.to_pandas() for n, t in simulated.tables.items()}
    companies, deals = frames["companies"], frames["deals"]
    assert not companies.duplicated(["company_id", "valid_from"]).any()
    assert not deals.duplicated(["deal_id", "entered_at"]).any()
    for name, key in (("contacts", "contact_id"), ("engagement", "event_id"), ("invoices", "invoice_no")):
        assert frames[name][key].is_unique
    assert companies["parent_id"].dropna().isin(companies["company_id"]).all()
    owner = frames["contacts"].set_index("contact_id")
    seen = frames["engagement"].dropna(subset="contact_id")
    assert (seen["contact_id"].map(owner["company_id"]) == seen["company_id"]).all()
    assert (seen["contact_id"].map(owner["created_at"]) <= seen["occurred_at"]).all()


def test_groups_have_at_most_two_levels_above(standard: Simulated) -> None:
    table = standard.tables["companies"].to_pandas().drop_duplicates("company_id").set_index("company_id")
    parent = table["parent_id"].dropna()
    assert 0.1 < len(parent) / len(table) < 0.2
    grand = parent.map(parent).dropna()
    assert len(grand) > 0
    assert grand.map(parent).isna().all()


def test_deals_run_forward_and_end_once(standard: Simulated) -> None:
    deals = standard.tables["deals"].to_pandas().sort_values(["deal_id", "entered_at"])
    stages = ["Anfrage", "Qualifiziert", "Angebot", "Verhandlung"]
    rank = deals["stage"].map({s: k for k, s in enumerate([*stages, "Gewonnen"])}).fillna(9)
    step = rank.groupby(deals["deal_id"]).diff().dropna()
    assert (step > 0).all()
    ends = deals[~deals["stage"].isin(stages)]
    assert ends["deal_id"].is_unique
    last = deals.groupby("deal_id")["stage"].last()
    assert set(last) == {*stages, "Gewonnen", "Verloren"}
    assert 0.2 < (ends["stage"] == "Gewonnen").mean() < 0.5


def test_a_won_deal_is_invoiced_at_once_and_credit_notes_refer_to_invoices(standard: Simulated) -> None:
    invoices = standard.tables["invoices"].to_pandas()
    deals = standard.tables["deals"].to_pandas()
    won = deals[deals["stage"] == "Gewonnen"]
    billed = won.merge(
        invoices,
        left_on=["company_id", "entered_at", "amount_cents"],
        right_on=["company_id", "issued_at", "amount_cents"],
    )
    assert len(billed) == len(won) > 100
    notes = invoices[invoices["refers_to"].notna()]
    original = notes.merge(invoices, left_on="refers_to", right_on="invoice_no", suffixes=("", "_of"))
    assert len(original) == len(notes) > 100
    assert (original["issued_at"] > original["issued_at_of"]).all()
    assert ((original["amount_cents"] < 0) & (-original["amount_cents"] <= original["amount_cents_of"])).all()
    assert (invoices.loc[invoices["refers_to"].isna(), "amount_cents"] > 0).all()


def test_master_data_look_like_dach(standard: Simulated) -> None:
    table = standard.tables["companies"].to_pandas()
    digits = table["country"].map({"D": 5, "A": 4, "CH": 4})
    assert (table["postcode"].str.len() == digits).all()
    assert table["postcode"].str.fullmatch(r"\d+").all()
    assert (table["postcode"] == "01067").any()
    forms = table.groupby("country")["legal_form"].agg(set)
    assert "GmbH & Co. KG" in forms["D"]
    assert "OG" in forms["A"]
    assert "Sàrl" in forms["CH"]
    assert "Sàrl" not in forms["D"] | forms["A"]
    assert table["wz_code"].dropna().str.fullmatch(r"\d\d\.\d\d").all()
    assert table["wz_code"].str[:2].nunique() >= 12
    assert table["name"].str.contains("Muster").all()
    assert table["name"].str.contains("&").any()
    assert table["name"].str.contains("[äöü]").any()
    versions = table.groupby("company_id").size()
    assert 0.02 < (versions == 2).mean() < 0.3
    for column in ("employees", "annual_revenue_eur", "wz_code"):
        assert 0.01 < table[column].isna().mean() < 0.25
    assert 0.01 < table["strategic_weight"].notna().mean() < 0.06
    logs = np.log(table[["employees", "annual_revenue_eur"]].dropna())
    assert logs.corr().iloc[0, 1] > 0.8


@pytest.mark.parametrize("seed", [7, 8])
def test_conversion_rates_and_concentration_are_as_promised(standard: Simulated, seed: int) -> None:
    made = standard
    if seed != 7:
        made = simulate(
            accounts=3000, seed=seed, first=date(2022, 1, 1), last=date(2025, 12, 31), events_per_account=1.0
        )
    companies = made.tables["companies"].to_pandas().drop_duplicates("company_id")
    invoices = made.tables["invoices"].to_pandas()
    for month in range(12):
        start = datetime(2023 + month % 3, month % 9 + 1, 1, tzinfo=UTC)
        end = start + timedelta(days=90)
        known = companies.loc[companies["valid_from"] < start, "company_id"]
        inside = invoices[
            (invoices["issued_at"] >= start) & (invoices["issued_at"] < end) & (invoices["amount_cents"] > 0)
        ]
        assert 0.08 < known.isin(inside["company_id"]).mean() < 0.20
    revenue = invoices.groupby("company_id")["amount_cents"].sum().reindex(companies["company_id"]).fillna(0)
    top = revenue.nlargest(len(revenue) // 5).sum() / revenue.sum()
    assert 0.65 < top < 0.85


def test_engagement_has_the_asked_size_and_answers_to_interest(standard: Simulated) -> None:
    engagement = standard.tables["engagement"].to_pandas()
    assert abs(len(engagement) / 3000 - 40) < 2
    assert engagement["contact_id"].isna().mean() > 0.1
    late = engagement["imported_at"] - engagement["occurred_at"] > timedelta(days=1)
    assert 0.02 < late.mean() < 0.3
    start = datetime(2024, 6, 1, tzinfo=UTC)
    recent = engagement[
        (engagement["occurred_at"] >= start - timedelta(days=90)) & (engagement["occurred_at"] < start)
    ]
    ids = standard.truth.ids.to_pylist()
    count = recent.groupby("company_id").size().reindex(ids).fillna(0)
    truth = standard.truth.probability(ids, start, start + timedelta(days=90))
    busy, quiet = truth[count >= 5], truth[count == 0]
    assert busy.mean() > 2 * quiet.mean()


@pytest.mark.parametrize(
    "wrong",
    [
        {"accounts": 0},
        {"seed": -1},
        {"events_per_account": 0.0},
        {"events_per_account": float("nan")},
        {"last": date(2023, 1, 1)},
    ],
)
def test_sizes_that_cannot_be_are_refused(wrong: dict) -> None:
    with pytest.raises(UsageError) as told:
        simulate(**{"accounts": 60, **SIZE, **wrong})
    assert told.value.where
