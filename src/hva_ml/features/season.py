"""The season of the horizon, the state of the market and its outlook at each cutoff: one for all accounts."""

import math
from datetime import date, timedelta

import numpy as np

from hva_ml.config import PipelineConfig
from hva_ml.cutoffs import MICROSECONDS_PER_DAY, Calendar
from hva_ml.features.across import Totals
from hva_ml.features.definition import FeatureDefinition, Unit
from hva_ml.features.log import Ints
from hva_ml.features.lookback import Window
from hva_ml.features.outlook import MARKET_DAYS, OUTLOOK, YEAR_DAYS, Market, outlook, seen
from hva_ml.features.series import Series, series
from hva_ml.features.universe import Feature, Floats, Rows, Universe
from hva_ml.features.wording import chosen

_WORDS: tuple[tuple[str, Unit, str, str, str], ...] = (
    ("month_sin", "number", "season.month", "Jahreszeit", "time of the year"),
    ("month_cos", "number", "season.month", "Jahreszeit", "time of the year"),
    ("q4_share", "share", "season.month", "Anteil des Jahresendgeschäfts", "share of the year-end season"),
    ("market_index", "ratio", "season.market", "Entwicklung des Gesamtumsatzes", "trend of total revenue"),
    ("market_yoy", "ratio", "season.market_yoy", "Gesamtumsatz gegenüber dem Vorjahr",
     "total revenue against the year before"),
)  # fmt: skip
_OUTLOOK: tuple[tuple[str, Unit, str, str, str], ...] = (
    ("outlook", "ratio", OUTLOOK, "Umsatz der gleichen Zeit im Vorjahr gegenüber zuletzt",
     "revenue of the same time last year against recently"),
    ("outlook_seen", "share", OUTLOOK, "Anteil der gleichen Zeit im Vorjahr, den die Daten zeigen",
     "share of the same time last year that the data show"),
)  # fmt: skip


class Season:
    """The calendar of the horizon and the market at the cutoff.

    - ``month_sin``, ``month_cos``: place of the horizon's middle day in the year, in months, on a circle.
    - ``q4_share``: share of the horizon's days in October to December.
    - ``market_index``: ln of the visible net amount of all accounts in the last 90 days over the 90 before.
    - ``market_yoy``: the same over those 90 days a year (365 days) earlier; null if the visible data do not
      reach back that far. Both are null where one of the amounts is not positive.
    - ``outlook`` and ``outlook_seen``, where the pipeline asks for them: what the market did in the horizon's
      days a year earlier, over the usual, and how far the data show it; see `features.outlook`.
    """

    def __init__(self, universe: Universe, config: PipelineConfig) -> None:
        self._universe, self._config = universe, config

    def counts(self) -> dict[tuple[str, str], Ints]:
        """Sum the cents of each stretch, and count the rows that lie far enough back."""
        sums, rows, paid = _market(self._universe, self._config)
        recent, before, year_ago, year, then = sums
        found = {
            ("season.recent", ""): recent,
            ("season.before", ""): before,
            ("season.year_ago", ""): year_ago,
            ("season.far_back", ""): _far_back(self._universe, self._config, YEAR_DAYS + MARKET_DAYS),
        }
        if self._config.features.outlook:
            found |= {("season.year", ""): year, ("season.then", ""): then, ("season.rows", ""): rows}
            age = _age_days(paid)
            found |= {("season.age", str(n)): (age == n).astype(np.int64) for n in set(age.tolist())}
        return found

    def features(self, rows: Rows, totals: Totals) -> list[Feature]:
        """Return the features; the market is that of the totals."""
        calendar, config = self._universe.calendar, self._config
        angle = np.array([_angle(middle(calendar, day)) for day in calendar.days])
        recent = totals.at("season.recent")
        yoy = _log_ratio(recent, totals.at("season.year_ago"))
        values = {
            "month_sin": np.array([math.sin(a) for a in angle]),
            "month_cos": np.array([math.cos(a) for a in angle]),
            "q4_share": np.array([q4_share(calendar, day) for day in calendar.days]),
            "market_index": _log_ratio(recent, totals.at("season.before")),
            "market_yoy": np.where(totals.at("season.far_back") > 0, yoy, np.nan),
        }
        words = _WORDS if config.features.season else ()
        if config.features.outlook:
            horizon, gap, market = calendar.horizon_days, calendar.gap_days, _seen_by_all(totals)
            told = outlook(market, horizon, gap)
            share = np.where(np.isnan(told), 0.0, seen(market, horizon, gap))
            words = (*words, *_OUTLOOK)
            values |= {"outlook": told, "outlook_seen": share}
        made = []
        for key, unit, topic, de, en in words:
            label = chosen(config.features.labels, (f"season.{key}", topic), de, en)
            table = "calendar" if topic == "season.month" else config.target.value_table
            days = MARKET_DAYS if topic.startswith("season.market") else None
            definition = FeatureDefinition(
                f"season.{key}", "season", "number", table, key, unit, *label, days, topic
            )
            made.append(Feature(definition, values[key][rows.cutoff]))
        return made


def middle(calendar: Calendar, day: date) -> date:
    """Return the middle day of the horizon of the cutoff on `day`.

    Examples
    --------
    >>> middle(Calendar((), 90, 10, "UTC"), date(2025, 1, 1))
    datetime.date(2025, 2, 25)
    """
    return day + timedelta(days=calendar.gap_days + calendar.horizon_days // 2)


def q4_share(calendar: Calendar, day: date) -> float:
    """Return the share of the horizon's days that lie in October to December.

    Examples
    --------
    >>> q4_share(Calendar((), 4, 0, "UTC"), date(2025, 9, 29))
    0.5
    """
    first = day + timedelta(days=calendar.gap_days)
    inside = sum((first + timedelta(days=k)).month >= 10 for k in range(calendar.horizon_days))
    return inside / calendar.horizon_days


def _angle(day: date) -> float:
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    length = (following - day.replace(day=1)).days
    return 2.0 * math.pi * (day.month - 1 + (day.day - 1) / length) / 12.0


def _market(
    universe: Universe, config: PipelineConfig
) -> tuple[tuple[Ints, Ints, Ints, Ints, Ints], Ints, Series]:
    """Return net cents of all accounts per cutoff, rows of the last stretch, and all rows that are paid.

    Cents of the last 90 days, the 90 before, the 90 a year earlier, the last 365, the horizon a year earlier.
    """
    paid = series(universe, config.target.value_table)
    if config.target.value_table == "deal_stages":
        paid = paid.among("stage", ("won",))
    cents = paid.log.take(paid.table.integers("amount_cents")[0])
    begin = YEAR_DAYS - universe.calendar.gap_days
    end = begin - universe.calendar.horizon_days
    # Beyond a year there is no such horizon; nobody then asks for it.
    then = (max(begin, 0), max(end, 0))
    lengths = (MARKET_DAYS, 2 * MARKET_DAYS, YEAR_DAYS + MARKET_DAYS, YEAR_DAYS, *then)
    counts, sums = paid.totals(paid.begins(*map(Window, lengths)), cents[None, :])
    recent, half_year, longer, year, since, after = np.asarray(sums[0, 0].sum(axis=1), dtype=np.int64)
    stretches = recent, half_year - recent, longer - year, year, since - after
    many = np.asarray(counts[0, -2:].sum(axis=1), dtype=np.int64)
    return stretches, many[0] - many[1], paid


def _age_days(paid: Series) -> Ints:
    """Return how many days the first visible row lies back, as in `Market`, shape (n_cutoffs,)."""
    cutoffs = paid.universe.cutoffs
    first = np.append(cutoffs, 0)
    np.minimum.at(first, paid.log.entered, paid.log.time)
    age = cutoffs - np.minimum.accumulate(first[:-1])
    return np.minimum(-(-age // MICROSECONDS_PER_DAY), YEAR_DAYS)


def _seen_by_all(totals: Totals) -> Market:
    recent, year, then, rows = (totals.at(f"season.{name}") for name in ("recent", "year", "then", "rows"))
    return Market(recent, year, then, rows, totals.largest("season.age"))


def _far_back(universe: Universe, config: PipelineConfig, days: int) -> Ints:
    """Count the visible rows from which on so many days have passed, shape (n_cutoffs,)."""
    table = universe.table(config.target.value_table)
    needed = universe.cutoffs - days * MICROSECONDS_PER_DAY
    return np.array(
        [
            np.count_nonzero((table.entered <= k) & (table.event_time <= needed[k]))
            for k in range(universe.n_cutoffs)
        ],
        dtype=np.int64,
    )


def _log_ratio(top: Ints, bottom: Ints) -> Floats:
    both = (top > 0) & (bottom > 0)
    pairs = zip(top.tolist(), bottom.tolist(), both.tolist(), strict=True)
    return np.array([math.log(a / b) if ok else math.nan for a, b, ok in pairs], dtype=np.float64)
