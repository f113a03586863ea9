"""Master data as of the cutoff: both clocks, corrections, static columns, industries and regions."""

import csv

import pytest

from hva_ml.errors import ConfigError
from hva_ml.features import industry
from hva_ml.features.build import build

ALL = """
[features]
season = false
firmographic = ["country", "region", "industry_section", "industry_division", "legal_form", "employees",
  "size_class", "annual_revenue", "revenue_per_employee", "age_years", "has_parent", "children"]
columns = ["sector", "machines", "budget", "key_account"]
"""


def rows_of(features, account):
    return [r for r in features.table.to_pylist() if r["account_id"] == account]


def column(features, account, name):
    return [r[name] for r in rows_of(features, account)]


def versions(us):
    return [
        {"account_id": "a", "event_time": us("2020-01-01"), "country": "DE", "postcode": "01067",
         "industry_code": "28.41", "legal_form": "GmbH", "employees": 9.0, "annual_revenue": 900.0,
         "founded_year": 1999, "sector": "x", "machines": 2.5, "budget_cents": 12345, "key_account": True},
        {"account_id": "a", "event_time": us("2024-03-15"), "country": "AT", "postcode": "A-1010",
         "industry_code": "J", "employees": 250.0, "annual_revenue": None, "founded_year": 2030,
         "parent_id": "p"},
        {"account_id": "b", "event_time": us("2020-01-01"), "employees": 10.0, "parent_id": "p"},
        {"account_id": "p", "event_time": us("2020-01-01"), "employees": 0.0, "annual_revenue": 5.0},
    ]  # fmt: skip


def test_attributes_follow_the_version_valid_and_known(config, tables, calendar, us):
    features = build(tables(accounts=versions(us)), config(ALL), calendar)
    first, second = rows_of(features, "a")[0], rows_of(features, "a")[1]
    want = {
        "country": "DE", "region": "DE-0", "industry_section": "C", "industry_division": "28",
        "legal_form": "GmbH", "employees": 9.0, "size_class": "micro", "annual_revenue": 900.0,
        "revenue_per_employee": 100.0, "age_years": 25.0, "has_parent": 0.0, "children": 0.0,
    }  # fmt: skip
    assert {k: first[f"firmographic.{k}"] for k in want} == want
    own = {k: first[f"accounts.{k}"] for k in ("sector", "machines", "budget", "key_account")}
    assert own == {"sector": "x", "machines": 2.5, "budget": 123.45, "key_account": 1.0}
    later = {
        "country": "AT", "region": "AT-1", "industry_section": "J", "industry_division": None,
        "legal_form": None, "employees": 250.0, "size_class": "large", "annual_revenue": None,
        "revenue_per_employee": None, "age_years": None, "has_parent": 1.0, "children": 0.0,
    }  # fmt: skip
    assert {k: second[f"firmographic.{k}"] for k in later} == later
    assert column(features, "p", "firmographic.children") == [1.0, 2.0, 2.0, 2.0]
    assert column(features, "p", "firmographic.revenue_per_employee") == [None] * 4
    assert column(features, "b", "firmographic.size_class") == ["small"] * 4


def test_a_correction_known_later_holds_only_from_then_on(config, tables, calendar, us):
    accounts = [
        {"account_id": "a", "event_time": us("2023-01-01"), "employees": 1.0},
        {"account_id": "a", "event_time": us("2023-06-01"), "employees": 2.0},
        {"account_id": "a", "event_time": us("2023-06-01"), "known_at": us("2024-03-10"), "employees": 3.0},
        {"account_id": "a", "event_time": us("2023-03-01"), "known_at": us("2024-05-01"), "employees": 4.0},
        {"account_id": "a", "event_time": us("2024-05-20"), "known_at": us("2025-05-01"), "employees": 5.0},
    ]
    features = '[features]\nseason = false\nfirmographic = ["employees"]'
    for order in (accounts, accounts[::-1]):
        found = build(tables(accounts=order), config(features), calendar)
        assert column(found, "a", "firmographic.employees") == [2.0, 3.0, 3.0, 3.0]


def test_static_columns_ignore_the_clocks_and_take_the_first_version(config, tables, calendar, us):
    accounts = [
        {"account_id": "a", "event_time": us("2025-02-01"), "employees": 9.0, "country": "AT"},
        {"account_id": "a", "event_time": us("2025-01-01"), "employees": 7.0, "country": "DE"},
    ]
    invoices = [
        {"invoice_id": "i", "account_id": "a", "event_time": us("2024-01-01"), "amount_cents": 5},
        {"invoice_id": "j", "account_id": "new", "event_time": us("2024-01-01"), "amount_cents": 5},
    ]
    features = '[features]\nseason = false\nfirmographic = ["employees", "country"]'
    pipeline = config(features, population='table = "invoices"', static='"employees"')
    found = build(tables(accounts=accounts, invoices=invoices), pipeline, calendar)
    assert column(found, "a", "firmographic.employees") == [7.0] * 4
    assert column(found, "a", "firmographic.country") == [None] * 4
    assert column(found, "new", "firmographic.employees") == [None] * 4


def test_attributes_without_a_history_are_refused_unless_static(config, tables, calendar, us):
    accounts = [{"account_id": a, "event_time": us("2020-01-01"), "employees": 7.0} for a in "ab"]
    invoices = [{"invoice_id": "i", "account_id": "a", "event_time": us("2024-09-01"), "amount_cents": 5}]
    features = '[features]\nseason = false\nfirmographic = ["employees"]'
    data = tables(accounts=accounts, invoices=invoices)
    with pytest.raises(ConfigError, match="no history"):
        build(data, config(features), calendar)
    found = build(data, config(features, static='"employees"'), calendar)
    assert column(found, "b", "firmographic.employees") == [7.0] * 4


@pytest.mark.parametrize(
    ("features", "static", "said"),
    [
        ('columns = ["strategic_weight"]', "", "never a feature"),
        ('columns = ["name"]', "", "never a feature"),
        ('columns = ["secter"]', "", "Did you mean 'sector'?"),
        ('columns = ["sector"]', '"employes"', "Did you mean 'employees'?"),
        ("fit = true", "", "needs something to compare"),
    ],
)
def test_account_columns_that_cannot_be_meant_are_refused(
    config, tables, calendar, us, features, static, said
):
    with pytest.raises(ConfigError) as error:
        build(tables(accounts=versions(us)), config(f"[features]\n{features}", static=static), calendar)
    assert said in error.value.text()


def test_sections_partition_the_divisions():
    sections = [s.letter for s in industry.SECTIONS]
    assert sections == list("ABCDEFGHIJKLMNOPQRSTU")
    found = [industry.section(f"{d:02d}") for d in range(1, 100)]
    assert sum(s is not None for s in found) == 88
    known = [s for s in found if s]
    assert known == sorted(known)
    assert industry.title("C", "de") == "Verarbeitendes Gewerbe"
    assert industry.title("?", "en") == "?"


@pytest.mark.real_data
def test_every_wz_code_has_its_official_section(real_data):
    place = real_data / "reference" / "wz2008_de.tsv"
    if not place.is_file():
        pytest.skip("the reference list is not here")
    letter, checked = "", 0
    with place.open(encoding="utf-8") as lines:
        for row in csv.reader(lines, delimiter="\t"):
            if len(row[1]) == 1:
                letter = row[1]
            assert industry.section(row[1]) == letter
            checked += 1
    assert checked > 1000
