"""What can be wrong with a source, one case a line: each has its named finding, and no row is ever lost."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from hva_ml.contracts.checks import enforce
from hva_ml.contracts.codes import CODES

Raw = dict[str, list[dict[str, Any]]]
END = datetime(2024, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """What is broken -> which finding, where, for how many rows, how many set aside in its table."""

    name: str
    spoil: Callable[[Raw], None]
    code: str
    where: str
    count: int
    aside: int = 0


def put(table: str, column: str, *values: Any) -> Callable[[Raw], None]:
    """Write `values` into the first rows of a column."""

    def spoil(raw: Raw) -> None:
        for row, value in zip(raw[table], values, strict=False):
            row[column] = value

    return spoil


def fill(table: str, column: str, value: Any) -> Callable[[Raw], None]:
    """Write one value, or what a function makes of the row's place, into every row."""

    def spoil(raw: Raw) -> None:
        for place, row in enumerate(raw[table]):
            row[column] = value(place) if callable(value) else value

    return spoil


def drop(table: str, column: str = "") -> Callable[[Raw], None]:
    """Remove a column, or the whole table."""

    def spoil(raw: Raw) -> None:
        if not column:
            del raw[table]
            return
        for row in raw[table]:
            del row[column]

    return spoil


def again(table: str, **changes: Any) -> Callable[[Raw], None]:
    """Append the first row once more, with changes."""

    def spoil(raw: Raw) -> None:
        raw[table].append({**raw[table][0], **changes})

    return spoil


def rename(table: str, old: str, new: str) -> Callable[[Raw], None]:
    def spoil(raw: Raw) -> None:
        for row in raw[table]:
            row[new] = row.pop(old)

    return spoil


def naive(text: str) -> Callable[[int], datetime]:
    return lambda place: datetime.fromisoformat(text) + timedelta(days=place)


def text_times(special: str) -> Callable[[int], str]:
    return lambda place: special if place == 0 else f"2024-01-{place + 1:02d}T12:00:00Z"


LATER = datetime(2024, 6, 1, tzinfo=UTC)
EARLIER = datetime(2023, 6, 1, tzinfo=UTC)
CASES = [
    Case("table missing", drop("invoices"), "HVD001", "invoices", 0),
    Case("table empty", lambda raw: raw["events"].clear(), "HVD002", "events", 0),
    Case("required column missing", drop("invoices", "account_id"), "HVD003", "invoices.account_id", 20, 20),
    Case("required column renamed", rename("invoices", "amount", "amout"),
         "HVD003", "invoices.amount", 20, 20),
    Case("declared clock missing", drop("events", "imported_at"), "HVD003", "events.known_at", 20, 20),
    Case("unknown extra column", fill("events", "colour", "red"), "HVD004", "events.colour", 20),
    Case("optional column misspelt", rename("accounts", "employees", "employes"), "HVD004",
         "accounts.employes", 10),
    Case("amounts are flags", fill("invoices", "amount", True), "HVD005", "invoices.amount", 20, 20),
    Case("times are numbers", fill("invoices", "event_time", 20240101),
         "HVD005", "invoices.event_time", 20, 20),
    Case("times are words", fill("invoices", "event_time", "gestern"),
         "HVD005", "invoices.event_time", 20, 20),
    Case("numbers are words", fill("accounts", "employees", "viele"), "HVD005", "accounts.employees", 10),
    Case("a word among times", fill("invoices", "event_time", text_times("31.12.2023")), "HVD006",
         "invoices.event_time", 1, 1),
    Case("a day that does not exist", fill("invoices", "event_time", text_times("2023-02-30")), "HVD006",
         "invoices.event_time", 1, 1),
    Case("a word among numbers", fill("accounts", "machines", lambda k: "n/a" if k == 3 else str(k)),
         "HVD006",
         "accounts.machines", 1, 1),
    Case("a close date in words",
         fill("deal_stages", "expected_close_at", lambda k: ("2024-03-31", "Q2")[k == 7]),
         "HVD006", "deal_stages.expected_close_at", 1, 1),
    Case("half a machine", fill("accounts", "machines", lambda k: k + 0.5 * (k == 3)), "HVD006",
         "accounts.machines", 1, 1),
    Case("endless employees", put("accounts", "employees", float("inf")),
         "HVD006", "accounts.employees", 1, 1),

            Case("a flag called perhaps", fill("accounts", "key_account", lambda k: ("ja", "nein",
         "vielleicht")[k % 3]),
         "HVD006", "accounts.key_account", 3, 3),
    Case("row twice", again("invoices"), "HVD007", "invoices.invoice_id", 1, 1),
    Case("one key, two amounts", again("invoices", amount=99.0), "HVD008", "invoices.invoice_id", 2, 2),
    Case("one version, two sizes", again("accounts", employees=9e9),
         "HVD008", "accounts.account_id+event_time",
         2, 2),
    Case("null key", put("invoices", "invoice_id", None, None), "HVD009", "invoices.invoice_id", 2, 2),
    Case("blank key", put("invoices", "invoice_id", "  "), "HVD009", "invoices.invoice_id", 1, 1),
    Case("account without key", put("accounts", "account_id", None), "HVD009", "accounts.account_id", 1, 1),
    Case("row of no account", put("invoices", "account_id", None), "HVD010", "invoices.account_id", 1, 1),
    Case("invoice without amount", put("invoices", "amount", None), "HVD010", "invoices.amount", 1, 1),
    Case("event without type", put("events", "event_type", ""), "HVD010", "events.event_type", 1, 1),
    Case("future event", put("invoices", "event_time", LATER, END), "HVD011", "invoices.event_time", 2, 2),
    Case("known before it happened", put("invoices", "known_at", EARLIER), "HVD012", "invoices.known_at", 1),
    Case("no time of knowledge", drop("invoices", "known_at"), "HVD013", "invoices.known_at", 20),
    Case("one time of knowledge missing", put("events", "imported_at", None), "HVD013", "events.known_at", 1),
    Case("column without values", fill("accounts", "country", None), "HVD014", "accounts.country", 10),
    Case("column with one value", fill("accounts", "country", "DE"), "HVD015", "accounts.country", 10),
    Case("times without zone", fill("invoices", "event_time", naive("2024-01-01T12:00")), "HVD016",
         "invoices.event_time", 20),
    Case("dates", fill("invoices", "event_time", lambda k: date(2024, 1, k + 1)), "HVD016",
         "invoices.event_time", 20),
    Case("hour that was skipped", fill("invoices", "event_time", text_times("2023-03-26T02:30:00")), "HVD017",
         "invoices.event_time", 1, 1),
    Case("hour that came twice", fill("invoices", "event_time", text_times("2023-10-29T02:30:00")), "HVD018",
         "invoices.event_time", 1),
    Case("zero of spreadsheets", put("invoices", "event_time", datetime(1899, 12, 30, tzinfo=UTC)), "HVD019",
         "invoices.event_time", 1, 1),
    Case("end of time", put("invoices", "event_time", datetime(9999, 12, 31, tzinfo=UTC)), "HVD019",
         "invoices.event_time", 1, 1),
    Case("mixed currency", put("invoices", "currency", "CHF", "usd", "eur"),
         "HVD020", "invoices.currency", 2, 2),
    Case("amount NaN", put("invoices", "amount", float("nan")), "HVD021", "invoices.amount", 1, 1),
    Case("amount endless", put("invoices", "amount", float("-inf")), "HVD021", "invoices.amount", 1, 1),
    Case("decimal comma", fill("invoices", "amount", lambda k: "1.234,56" if k == 0 else "1234.56"), "HVD021",
         "invoices.amount", 1, 1),
    Case("account unknown", put("invoices", "account_id", "Z9"), "HVD022", "invoices.account_id", 1, 1),
    Case("parent unknown", put("accounts", "parent_id", "Z9"), "HVD023", "accounts.parent_id", 1),
    Case("parents in a circle", put("accounts", "parent_id", "A01", "A00", "A00"), "HVD024",
         "accounts.parent_id", 2),
    Case("own parent", put("accounts", "parent_id", "A00"), "HVD024", "accounts.parent_id", 1),
    Case("blanks around keys", put("invoices", "account_id", " A00", "A01\t"),
         "HVD025", "invoices.account_id", 2),
    Case("line break in a name", put("accounts", "name", "Firma\n0"), "HVD026", "accounts.name", 1),
    Case("e-mail as a category", put("accounts", "sector", "erika@beispiel.de"),
         "HVD027", "accounts.sector", 1),
    Case("telephone as a category", put("accounts", "sector", "+49 89 1234567", "030/1234567"), "HVD027",
         "accounts.sector", 2),
    Case("e-mail as a contact", put("events", "contact_id", "erika@beispiel.de"), "HVD027",
         "events.contact_id", 1),
    Case("declared column missing", drop("accounts", "sector"), "HVD003", "accounts.sector", 10),
    Case("stand-in of computers", put("invoices", "event_time", datetime(1970, 1, 1, tzinfo=UTC)), "HVD019",
         "invoices.event_time", 1, 1),
    Case("a page in a category", put("accounts", "sector", "x" * 1001), "HVD032", "accounts.sector", 1, 1),
    Case("a page in a key", put("events", "contact_id", "x" * 1001), "HVD032", "events.contact_id", 1, 1),
    Case("no deal lost", fill("deal_stages", "stage", lambda k: ("open", "won")[k % 2]),
         "HVD029", "deal_stages.stage", 20),
    Case("a quarter unusable", put("invoices", "amount", *[float("nan")] * 5), "HVD028", "invoices", 5, 5),
    Case("no deal won", fill("deal_stages", "stage", "Gewonnen"), "HVD029", "deal_stages.stage", 20),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_every_bad_input_has_its_finding_and_loses_nothing(case: Case, raw, config, to_arrow) -> None:
    case.spoil(raw)
    given = to_arrow(raw)
    held = enforce(given, config(), END)
    found = [v for v in held.violations if (v.code, v.where) == (case.code, case.where)]
    assert [v.count for v in found] == [case.count], held.violations
    assert found[0].severity == CODES[case.code].severity
    assert found[0].what
    assert found[0].fix
    assert all(len(v.ids) <= 5 for v in held.violations)
    table = case.where.split(".")[0]
    assert (held.quarantine[table].num_rows if table in held.quarantine else 0) == case.aside
    for name, rows in given.items():
        clean = held.tables[name].num_rows if name in held.tables else 0
        aside = held.quarantine[name].num_rows if name in held.quarantine else 0
        assert clean + aside == rows.num_rows, name
    for name, aside in held.quarantine.items():
        assert aside.column_names == [*given[name].column_names, "violation_code"]


def test_the_universe_of_these_tests_is_clean(raw, config, to_arrow) -> None:
    held = enforce(to_arrow(raw), config(), END)
    assert held.violations == ()
    assert held.quarantine == {}
    assert set(held.tables) == set(raw)


def test_ids_are_the_smallest_keys(raw, config, to_arrow) -> None:
    put("invoices", "amount", *[float("nan")] * 9)(raw)
    raw["invoices"].reverse()
    held = enforce(to_arrow(raw), config(), END)
    ids = next(v.ids for v in held.violations if v.code == "HVD021")
    assert ids == ("R000", "R001", "R002", "R003", "R004")


def test_personal_data_are_never_shown(raw, config, to_arrow) -> None:
    fill("accounts", "sector", "erika@beispiel.de")(raw)
    fill("invoices", "invoice_id", lambda k: f"erika{k}@beispiel.de")(raw)
    put("invoices", "amount", float("nan"))(raw)
    held = enforce(to_arrow(raw), config(), END)
    assert {v.where for v in held.errors} == {"accounts.sector", "invoices.invoice_id"}
    assert "erika" not in repr(held.violations)


@pytest.mark.parametrize(
    "value", ["80331", "28.41", "GmbH & Co. KG", "2024-05-01", "01/02/2024", "0049", "@home"]
)
def test_ordinary_values_are_not_taken_for_personal(value: str, raw, config, to_arrow) -> None:
    put("accounts", "sector", value, "other")(raw)
    assert enforce(to_arrow(raw), config(), END).violations == ()


def test_nearest_names_are_offered(raw, config, to_arrow) -> None:
    rename("invoices", "amount", "amout")(raw)
    rename("accounts", "employees", "employes")(raw)
    told = " ".join(v.what for v in enforce(to_arrow(raw), config(), END).violations)
    assert "Did you mean 'amout'?" in told
    assert "Did you mean 'employees'?" in told


def test_a_column_given_twice_is_no_guess(raw, config, to_arrow) -> None:
    given = to_arrow(raw)
    given["invoices"] = given["invoices"].append_column("amount", pa.array([1.0] * 20))
    held = enforce(given, config(), END)
    assert [(v.code, v.where) for v in held.errors] == [("HVD031", "invoices.amount")]
    assert "invoices" not in held.tables
    assert held.quarantine["invoices"].num_rows == 20


def test_rows_after_the_declared_end_do_not_count_as_spoilt(raw, config, to_arrow) -> None:
    held = enforce(to_arrow(raw), config(), datetime(2024, 1, 3, tzinfo=UTC))
    assert held.quarantine["invoices"].num_rows == 18
    assert {v.code for v in held.violations} == {"HVD011", "HVD029"}  # no deal is lost as yet


@pytest.mark.parametrize(
    ("used", "static", "line"),
    [
        ('"employees", "age_years"', '"employees"', 'static = ["employees", "founded_year"]'),
        ('"region"', "", 'static = ["country", "postcode"]'),
        ('"has_parent"', '"parent_id"', ""),
        ("", "", ""),
    ],
)
def test_an_attribute_without_history_must_be_vouched_for(used, static, line, raw, config, to_arrow) -> None:
    held = enforce(to_arrow(raw), config(used, static), END)
    assert [(v.code, line in v.fix) for v in held.errors] == ([("HVD030", True)] if line else [])


def test_an_attribute_with_history_needs_no_word(raw, config, to_arrow) -> None:
    again("accounts", event_time=datetime(2024, 2, 1, tzinfo=UTC), employees=12.0)(raw)
    assert enforce(to_arrow(raw), config('"employees"'), END).errors == ()


def test_codes_are_registered_in_order() -> None:
    assert list(CODES) == [f"HVD{k:03d}" for k in range(1, len(CODES) + 1)]
    of_leads = {f"HVD{k:03d}" for k in range(33, 38)}  # tests/contracts/test_leads.py
    tried = {c.code for c in CASES} | {"HVD030", "HVD031"} | of_leads
    assert tried == set(CODES)


def test_an_old_customer_is_not_absurd(raw, config, to_arrow) -> None:
    long_ago = datetime(1975, 5, 1, tzinfo=UTC)
    for row in raw["accounts"]:
        row["event_time"] = row["known_at"] = long_ago
    assert enforce(to_arrow(raw), config(), END).violations == ()


def test_a_feature_whose_column_is_not_given_is_named(raw, config, to_arrow) -> None:
    held = enforce(to_arrow(raw), config('"region"', '"country", "postcode"'), END)
    assert [(v.code, v.where, v.severity) for v in held.violations] == [
        ("HVD014", "accounts.country", "warning"),
        ("HVD014", "accounts.postcode", "warning"),
    ]
    assert "'region' needs the column 'country'" in held.violations[0].what


def test_long_numeric_keys_stay_apart(raw, config, to_arrow) -> None:
    fill("invoices", "invoice_id", lambda k: Decimal(123456789012345600 + k))(raw)
    fill("events", "event_id", lambda k: Decimal(f"{k}.00"))(raw)
    held = enforce(to_arrow(raw), config(), END)
    assert held.violations == ()
    assert held.tables["invoices"]["invoice_id"].to_pylist() == [
        str(123456789012345600 + k) for k in range(20)
    ]
    assert set(held.tables["events"]["event_id"].to_pylist()) == {str(k) for k in range(20)}


def test_views_are_set_aside_like_other_text(raw, config, to_arrow) -> None:
    put("invoices", "invoice_id", None)(raw)
    given = to_arrow(raw)
    coded = given["invoices"].schema.get_field_index("invoice_id")
    given["invoices"] = given["invoices"].set_column(
        coded, "invoice_id", given["invoices"]["invoice_id"].cast(pa.string_view())
    )
    held = enforce(given, config(), END)
    assert held.quarantine["invoices"].num_rows == 1
    assert held.tables["invoices"].num_rows == 19


def test_minus_nothing_is_nothing(raw, config, to_arrow) -> None:
    put("accounts", "employees", 0.0)(raw)
    before = enforce(to_arrow(raw), config(), END).fingerprints
    put("accounts", "employees", -0.0)(raw)
    assert enforce(to_arrow(raw), config(), END).fingerprints == before


@pytest.mark.parametrize("content", [b"\xed\xa0\x80", b"\xff\xfe=1", b"\xc0\xafx", b"x\xe2\x80"])
@pytest.mark.parametrize(
    ("table", "column"), [("accounts", "name"), ("accounts", "sector"), ("invoices", "invoice_id")]
)
def test_bytes_that_are_no_text_are_set_aside(
    raw, config, to_arrow, table: str, column: str, content: bytes
) -> None:
    given = to_arrow(raw)
    before = given[table]
    cells = [content, *(cell.encode() for cell in before[column].to_pylist()[1:])]
    # Arrow takes it as it would come from a file: without a look at the bytes.
    texts = pa.array(cells, pa.binary()).view(pa.string())
    given[table] = before.set_column(before.schema.get_field_index(column), column, texts)
    held = enforce(given, config(), END)
    (found,) = (v for v in held.violations if v.where == f"{table}.{column}")
    assert (found.code, found.count) == ("HVD006", 1)
    assert all(i.isprintable() for i in found.ids)
    assert held.tables[table].num_rows == before.num_rows - 1
    assert held.tables[table][column].combine_chunks().validate(full=True) is None


def test_nul_in_a_key_is_set_aside_and_in_a_name_becomes_a_blank(raw, config, to_arrow) -> None:
    put("accounts", "name", "Nord\0GmbH")(raw)
    put("invoices", "invoice_id", "R\0001")(raw)
    held = enforce(to_arrow(raw), config(), END)
    assert {(v.code, v.where, v.count) for v in held.violations if v.code in ("HVD006", "HVD026")} >= {
        ("HVD006", "invoices.invoice_id", 1), ("HVD026", "accounts.name", 1)
    }  # fmt: skip
    assert held.quarantine["invoices"].num_rows == 1
    assert "Nord GmbH" in held.tables["accounts"]["name"].to_pylist()
