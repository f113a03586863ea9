"""Two hundred generated accounts, read for grammar traps in both languages and three countries."""

import math
import re
from itertools import product
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.config import Features, Measure
from hva_ml.explanation import phrases
from hva_ml.explanation.paragraph import paragraph
from hva_ml.explanation.reasons import reasons
from hva_ml.explanation.texts import TEXTS, Rows, texts
from hva_ml.features import cadence, deal_words, engagement, firmographic, season
from hva_ml.features.declared import ADDED, WHOLE_PAST
from hva_ml.features.definition import FeatureDefinition
from hva_ml.features.singular import with_singular
from hva_ml.features.wording import measured, thing

READERS = [("de", "DE", "EUR"), ("de", "AT", "EUR"), ("de", "CH", "CHF"), ("en", "DE", "EUR")]
KINDS = [(), ("web_visit",), ("email_open",), ("whitepaper_download",), ("web_visit", "call")]
CODES = re.compile(
    r"[a-z]\w*[._]\w+\.|\b\w+_\w+\b|\{|\}|%s|\bNone\b|\b[Nn]a[Nn]\b|\binf\b|\bTrue\b|\bFalse\b"
)
TRAPS = {
    "a code, a placeholder or no number": CODES,
    "one in the plural": re.compile(r"(?<![\d.,’])1 (?:Tage|Jahre|days|years|Website-Besuche|web visits)\b"),
    "many in the singular": re.compile(r"(?<![\d.,’])(?:[02-9]|\d\d+) (?:Tag|Jahr|day|year)\b"),
    "nothing times": re.compile(r"(?<![\d.,])0(?:[,.]0+)?(?:-mal| times)"),
    "minus nothing": re.compile(r"[−-]0(?:[,.]0+)?(?![\d.,’])"),
    "a hyphen for a minus": re.compile(r"(?:^|[\s:×])-(?=[\d€C])"),
    "two spaces": re.compile(r"\s{2}|\s[,.;:]|\s$|^\s"),
    "are one": re.compile(r"sind 1(?=:| €| %|%)|ist keine|(?<![\d.,’])1 are\b"),
    "comma twice": re.compile(r",,|::|,:|: ,"),
}  # fmt: skip


def definitions() -> list[FeatureDefinition]:
    """Every feature that the product can make, without the data to make it."""
    made: list[FeatureDefinition] = []
    columns = dict.fromkeys(ADDED, ("amount", "items")) | {"distinct": ("contact_id",)}
    for measure, kinds, days in product(get_args(Measure), KINDS, (1, 30, 365, "quarter")):
        for column in columns.get(measure, ("amount", "")):
            table = "invoices" if column == "amount" else "events"
            label = measured(measure, table, column, thing(table, kinds, {}), bool(kinds), {})
            unit = engagement._UNITS.get(measure) or ("money" if column == "amount" else "number")
            window = None if measure in WHOLE_PAST or days == "quarter" else days
            to_date = days if measure not in WHOLE_PAST and days == "quarter" else ""
            name = f"events.x_{len(made)}.{measure}_{days}d"
            made.append(
                FeatureDefinition(
                    name, "engagement", "number", table, measure, unit, *label, window, name, to_date=to_date
                )
            )
    for key, unit, days, de, en in cadence._WORDS:
        measure = key.removesuffix("_days").removesuffix("_365d").removesuffix("_90d")
        made.append(
            FeatureDefinition(
                f"cadence.{key}", "deal_history", "number", "invoices", measure, unit, de, en, days
            )
        )
    stages = [word for stage in ("proposal_sent", "") for word in deal_words.of_stage(stage, Features())]
    made += [w.definition(Features()) for w in (*deal_words.WORDS, *deal_words.CLOSE_DATES, *stages)]
    for attribute, (unit, de, en) in firmographic._WORDS.items():
        kind = "category" if unit == "category" else "number"
        made.append(
            FeatureDefinition(
                f"firmographic.{attribute}", "firmographic", kind, "accounts", "attribute", unit, de, en
            )
        )
    for key, unit, topic, de, en in season._WORDS:
        days = 90 if topic.startswith("season.market") else None
        made.append(
            FeatureDefinition(f"season.{key}", "season", "number", "invoices", key, unit, de, en, days)
        )
    made.append(FeatureDefinition("fit.icp", "fit", "number", "accounts", "log_likelihood_ratio", "score",
                                  "Ähnlichkeit mit Gewinnerkunden", "likeness to past winners"))  # fmt: skip
    return [with_singular(d, Features()) for d in made]


DEFINITIONS = definitions()
CATEGORIES = {
    "firmographic.country": ["DE", "AT", "CH"], "firmographic.region": ["DE-8", "AT-1"],
    "firmographic.industry_section": ["C", "F"], "firmographic.industry_division": ["25", "62"],
    "firmographic.size_class": ["micro", "large"], "deals.last_outcome": ["won", "lost"],
}  # fmt: skip


def cell(definition: FeatureDefinition, rng: np.random.Generator) -> float | str | None:
    if rng.random() < 0.15:
        return None
    if definition.kind == "category":
        return str(rng.choice(CATEGORIES.get(definition.name, ["GmbH", "AG"])))
    unit = definition.unit
    if unit in ("count", "heads"):
        return float(rng.choice([0, 1, 2, 12, 1234, 2_000_000]))
    if unit == "ratio":
        return float(rng.choice([-30.0, -3.0, math.log(0.5), -0.1, 0.0, 0.001, 0.2, math.log(2), 1.0, 4.0]))
    if unit == "share":
        return float(rng.choice([0.0, 0.0001, 0.01, 0.034, 0.5, 1.0]))
    if unit == "flag":
        return float(rng.choice([0.0, 1.0]))
    if unit in ("days", "years"):
        return float(rng.choice([0.0, 0.4, 1.0, 1.2, 2.0, 40.5, 1500.0]))
    return float(
        rng.choice([-3.5, -0.001, 0.0, 0.01, 1.0, 99.5, 950.0, -12345.6, 1_234_567.0, 9.996e8, 2.5e10])
    )


def accounts(n: int = 200) -> list[list[float | str | None]]:
    rng = np.random.default_rng(7)
    return [[cell(d, rng) for d in DEFINITIONS] for _ in range(n)]


def wrong(sentence: str, country: str = "DE") -> list[str]:
    """Return the traps a sentence has fallen into."""
    plain = sentence.replace("\xa0", " ")
    found = [name for name, trap in TRAPS.items() if trap.search(plain)]
    if not (plain[0].isupper() or plain[0].isdigit() or plain[0] in "−€"):
        found.append("begins small")
    if country == "CH" and ("ß" in plain or re.search(r"\d,\d", plain)):
        found.append("not Swiss")
    if country != "CH" and re.search(r"\d’\d", plain):
        found.append("Swiss")
    return found


@pytest.mark.parametrize(("language", "country", "currency"), READERS)
def test_two_hundred_accounts_read_well(language: Any, country: str, currency: str) -> None:
    rows = accounts()
    rng = np.random.default_rng(11)
    seen = set()
    for values, reference in zip(rows, rows[1:] + rows[:1], strict=True):
        effects = rng.normal(0.0, 0.5, len(DEFINITIONS))
        found = reasons(DEFINITIONS, values, reference, effects, language=language, country=country,
                        currency=currency, limit=99)  # fmt: skip
        for reason in found:
            assert wrong(reason.text, country) == [], (reason.text, reason.features[0])
            assert reason.text.count("×") == 1
            seen.add(reason.features[0])
        told = paragraph(
            found[:4], probability=float(rng.choice([1e-7, 0.04, 0.5, 0.9999])),
            value_if_converted=float(rng.choice([0.5, 12_000, 3e6])), expected_value=480.0,
            typical_expected_value=255.0, horizon_days=int(rng.choice([1, 90])), language=language,
            country=country, currency=currency, value_bounds=(float(rng.choice([0.2, 4_000])), 9.4e6),
        )  # fmt: skip
        assert wrong(told, country) == [], told
    assert seen == {d.name for d in DEFINITIONS}


@given(st.sampled_from(DEFINITIONS), st.floats(-40, 1e12), st.floats(-40, 1e12), st.sampled_from(READERS))
def test_any_number_reads_well(
    definition: FeatureDefinition, value: float, other: float, reader: Any
) -> None:
    language, country, currency = reader
    if definition.kind == "category":
        return
    if definition.unit == "count":
        value, other = abs(round(value)), abs(round(other))
    if definition.unit in ("days", "years", "heads"):
        value, other = abs(value), abs(other)
    (found,) = reasons([definition], [value], [other], np.array([0.4]), language=language, country=country,
                       currency=currency)  # fmt: skip
    assert wrong(found.text, country) == []


@pytest.mark.parametrize(
    ("sentence", "trap"),
    [
        ("1 Tage seit dem letzten Kauf: ×1,4", "one in the plural"),
        ("12 day since the last call: ×1.4", "many in the singular"),
        ("Umsatz: nan, typisch sind 3: ×1,4", "a code, a placeholder or no number"),
        ("events.web_visit.count_30d: 3: ×1,4", "a code, a placeholder or no number"),
        ("Telefonate: 0,0-mal so viele wie üblich", "nothing times"),
        ("Umsatz: -300 €, typisch sind 3 €", "a hyphen for a minus"),
        ("Umsatz:  300 €", "two spaces"),
        ("keine Website-Besuche", "begins small"),
        ("Telefonate: 3, typisch sind 1: ×1,4", "are one"),
        ("Umsatz: −0 €", "minus nothing"),
    ],
)
def test_the_reader_notices(sentence: str, trap: str) -> None:
    assert trap in wrong(sentence)


def test_a_broken_grammar_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(phrases._UNITS, ("days", "de"), ("Tage", "Tage"))
    monkeypatch.setitem(phrases._UNITS, ("days", "en"), ("days", "days"))
    for language, _, _ in READERS[:1] + READERS[-1:]:
        with pytest.raises(AssertionError):
            test_two_hundred_accounts_read_well(language, "DE", "EUR")


def test_a_whole_night_reads_as_each_account_alone() -> None:
    rows, rng = accounts(60), np.random.default_rng(3)
    effects = rng.normal(0.0, 0.3, (60, len(DEFINITIONS)))
    references = tuple(accounts(3))
    which = rng.integers(0, 3, 60)
    p, v, base = rng.uniform(0, 1, 60), rng.uniform(1, 3e6, 60), rng.uniform(1, 1e4, 60)
    columns = {
        d.name: pa.array([r[j] for r in rows], pa.string() if d.kind == "category" else pa.float64())
        for j, d in enumerate(DEFINITIONS)
    }
    night = Rows(
        pa.array([f"A{k}" for k in range(60)]), pa.table(columns), effects, p, v, p * v, base,
        references, which, ("", "Handel", "Bau"),
    )  # fmt: skip
    told = texts(DEFINITIONS, night, languages=("de", "en"), horizon_days=90, country="CH", currency="CHF")
    assert told.schema == TEXTS
    assert told.num_rows == 120
    for k, row in enumerate(told.to_pylist()):
        i, language = k % 60, ("de", "en")[k // 60]
        found = reasons(DEFINITIONS, rows[i], references[which[i]], effects[i], language=language,  # type: ignore[arg-type]
                        country="CH", currency="CHF")  # fmt: skip
        alone = paragraph(
            found, probability=p[i], value_if_converted=v[i], expected_value=p[i] * v[i],
            typical_expected_value=base[i], horizon_days=90, language=language, country="CH",  # type: ignore[arg-type]
            currency="CHF", segment=("", "Handel", "Bau")[which[i]],
        )  # fmt: skip
        assert (row["account_id"], row["language"], row["paragraph"]) == (f"A{i}", language, alone)
        assert row["sentences"] == [r.text for r in found]
