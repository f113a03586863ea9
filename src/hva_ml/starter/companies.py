"""The companies of one block: who they are and since when we know them. Nothing here depends on behaviour."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.starter.period import BLOCK, DAY, HOUR, Floats, Ints, Period, generator
from hva_ml.starter.vocabulary import (
    COUNTRIES,
    COUNTRY_WEIGHTS,
    DE_ZONES,
    INDUSTRIES,
    LEGAL_FORMS,
    ROMANDY,
    STEMS,
)

HUB_EVERY = 20
"""Every twentieth company may be the parent of later ones."""

UNKNOWN = {"employees": 0.08, "revenue": 0.15, "wz": 0.03, "founded": 0.05, "strategic": 0.97}
"""Share of companies for which our master data do not know it, or nobody declared it."""

_TIME = pa.timestamp("us", "UTC")
SCHEMA = pa.schema(
    [
        ("company_id", pa.string()), ("valid_from", _TIME), ("recorded_at", _TIME), ("name", pa.string()),
        ("country", pa.string()), ("postcode", pa.string()), ("wz_code", pa.string()),
        ("legal_form", pa.string()), ("employees", pa.int64()), ("annual_revenue_eur", pa.int64()),
        ("founded_year", pa.int64()), ("parent_id", pa.string()), ("strategic_weight", pa.float64()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Companies:
    """What is true of the companies of a block, whether our master data know it or not.

    All arrays have shape (BLOCK,). `parent` is -1 without one; `birth` and `changed` are microseconds,
    `changed` being the moment of a second version of the master data, or beyond the period for none.
    """

    block: int
    birth: Ints
    parent: Ints
    country: Ints
    industry: Ints
    employees: Floats
    changed: Ints

    @property
    def ids(self) -> pa.Array:
        """Account keys, shape (BLOCK,)."""
        first = self.block * BLOCK
        return pa.array([f"A{first + k:06d}" for k in range(BLOCK)], pa.string())


def draw(seed: int, block: int, period: Period) -> tuple[Companies, pa.Table]:
    """Draw the companies of a block.

    Returns
    -------
    tuple of Companies and pyarrow.Table
        The truth, and the master data as recorded: one row per company and version, ordered by both.
    """
    rng = generator(seed, block, "companies")
    position = np.arange(BLOCK)
    parent = _parents(rng, position)
    # The data of older accounts came over on the first day, when the CRM began.
    span = period.end - period.start
    arrival = np.where(
        rng.random(BLOCK) < 0.7,
        period.start + np.minimum((rng.random(BLOCK) * 8 * HOUR).astype(np.int64), span - 1),
        period.start + (rng.random(BLOCK) * 0.97 * span).astype(np.int64),
    )
    arrival[position % HUB_EVERY == 0] = period.start
    change = arrival + 30 * DAY + (rng.random(BLOCK) * span).astype(np.int64)
    companies = Companies(
        block,
        arrival,
        parent,
        rng.choice(len(COUNTRIES), BLOCK, p=COUNTRY_WEIGHTS),
        rng.choice(len(INDUSTRIES), BLOCK, p=_shares([i.weight for i in INDUSTRIES])),
        np.maximum(1.0, np.rint(np.exp(rng.normal(np.log(60.0), 1.25, BLOCK)))),
        np.where(rng.random(BLOCK) < 0.2, change, period.end),
    )
    return companies, _table(rng, companies, period)


def _parents(rng: np.random.Generator, position: Ints) -> Ints:
    hub_number = position // HUB_EVERY
    candidate = (rng.random(BLOCK) * (hub_number + 1)).astype(np.int64) * HUB_EVERY
    child = (position % HUB_EVERY != 0) & (rng.random(BLOCK) < 0.15)
    # An odd hub may itself belong to an earlier even one: groups of two levels, never a circle.
    upper = (rng.random(BLOCK) * ((hub_number + 1) // 2)).astype(np.int64) * 2 * HUB_EVERY
    nested = (position % HUB_EVERY == 0) & (hub_number % 2 == 1) & (rng.random(BLOCK) < 0.5)
    return np.where(child, candidate, np.where(nested, upper, -1))


def _shares(weights: list[float]) -> Floats:
    return np.array(weights) / sum(weights)


def _table(rng: np.random.Generator, companies: Companies, period: Period) -> pa.Table:
    country = companies.country
    number = _postcodes(rng, country)
    postcode = [f"{n:05d}" if c == 0 else f"{n:04d}" for n, c in zip(number, country, strict=True)]
    form = _legal_forms(rng, companies, number)
    stem = rng.integers(0, len(STEMS), BLOCK)
    pair = rng.random(BLOCK) < 0.04
    first = companies.block * BLOCK
    name = [
        f"{STEMS[s]} {'& Söhne ' if p else ''}Muster {INDUSTRIES[i].word} {first + k:04d} {f}"
        for k, (s, p, i, f) in enumerate(zip(stem, pair, companies.industry, form, strict=True))
    ]
    per_head = np.array([i.revenue_per_head for i in INDUSTRIES])[companies.industry]
    revenue = np.rint(companies.employees * per_head * np.exp(rng.normal(0, 0.4, BLOCK)) / 1e4) * 1e4
    year = int(np.datetime64(period.start, "us").astype("datetime64[Y]").astype(np.int64)) + 1970
    founded = year - np.minimum(rng.gamma(2.0, 17.0, BLOCK), 150).astype(np.int64)
    weight = rng.choice([1.0, 2.0, 3.0], BLOCK, p=[0.5, 0.3, 0.2])
    ids = companies.ids
    grown = np.maximum(1.0, np.rint(companies.employees * np.exp(rng.normal(0.05, 0.25, BLOCK))))
    late = companies.changed + 5 * DAY + (rng.random(BLOCK) * 55 * DAY).astype(np.int64)
    unknown = {name: rng.random(BLOCK) < share for name, share in UNKNOWN.items()}
    once = np.arange(BLOCK)
    twice = once[(companies.changed < period.end) & (late < period.end)]
    rows = np.sort(np.concatenate([once, twice]), kind="stable")
    second = np.concatenate([[False], rows[1:] == rows[:-1]])
    codes = np.array([i.code for i in INDUSTRIES])
    valid_from = np.where(second, companies.changed[rows], companies.birth[rows])
    recorded_at = np.where(second, late[rows], companies.birth[rows])
    heads = np.where(second, grown[rows], companies.employees[rows]).astype(np.int64)
    columns = [
        ids.take(pa.array(rows)),
        pa.array(valid_from, _TIME),
        pa.array(recorded_at, _TIME),
        pa.array(name).take(pa.array(rows)),
        pa.array(COUNTRIES).take(pa.array(country[rows])),
        pa.array(postcode).take(pa.array(rows)),
        pa.array(codes[companies.industry[rows]], pa.string(), mask=unknown["wz"][rows]),
        pa.array(form).take(pa.array(rows)),
        pa.array(heads, pa.int64(), mask=unknown["employees"][rows]),
        pa.array(revenue[rows].astype(np.int64), pa.int64(), mask=unknown["revenue"][rows]),
        pa.array(founded[rows], pa.int64(), mask=unknown["founded"][rows]),
        ids.take(pa.array(np.maximum(companies.parent[rows], 0), mask=companies.parent[rows] < 0)),
        pa.array(weight[rows], pa.float64(), mask=unknown["strategic"][rows]),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _postcodes(rng: np.random.Generator, country: Ints) -> Ints:
    zone = np.array(DE_ZONES)[rng.integers(0, len(DE_ZONES), BLOCK)] * 1000
    german = zone + np.where(rng.random(BLOCK) < 0.02, 67, rng.integers(1, 1000, BLOCK))
    austrian = rng.integers(1010, 9993, BLOCK)
    swiss = rng.integers(1000, 9659, BLOCK)
    return np.choose(country, [german, austrian, swiss])


def _legal_forms(rng: np.random.Generator, companies: Companies, postcode: Ints) -> list[str]:
    u = rng.random(BLOCK)
    large = (companies.employees > 1000) & (rng.random(BLOCK) < 0.4)
    forms: npt.NDArray[np.object_] = np.empty(BLOCK, dtype=object)
    for c, known in enumerate(LEGAL_FORMS):
        edges = np.cumsum([w for _, w in known])
        pick = np.minimum(np.searchsorted(edges, u, side="right"), len(known) - 1)
        here = companies.country == c
        forms[here] = np.array([f for f, _ in known], dtype=object)[pick[here]]
    forms[large] = "AG"
    french = (companies.country == COUNTRIES.index("CH")) & (postcode < 3000)
    return [ROMANDY.get(f, f) if r else f for f, r in zip(forms, french, strict=True)]
