"""The sections of a pipeline file as frozen dataclasses: what may be said, within which bounds."""

import hashlib
import json
import re
from dataclasses import replace
from datetime import date
from typing import Annotated, Literal, get_args
from zoneinfo import available_timezones

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from hva_ml.config.audits import Audit
from hva_ml.errors import UsageError, nearest

_FROZEN = ConfigDict(extra="forbid")
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

Family = Literal["firmographic", "engagement", "deal_history", "fit", "season"]
Unit = Literal[
    "count", "days", "years", "money", "ratio", "share", "heads", "score", "flag", "category", "number"
]
TableName = Literal["accounts", "contacts", "events", "deal_stages", "invoices"]
Measure = Literal[
    "count", "sum", "mean", "min", "max", "std", "distinct", "recency", "since_first", "active_days",
    "trend", "surge", "share", "gap_mean", "gap_max", "gap_std", "streak", "streak_max",
]  # fmt: skip
EngineKind = Literal["duckdb", "spark"]
Attribute = Literal[
    "country", "region", "industry_section", "industry_division", "legal_form", "employees",
    "size_class", "annual_revenue", "revenue_per_employee", "age_years", "has_parent", "children",
]  # fmt: skip


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("a name is lower case letters, digits and _, beginning with a letter")
    return value


def _timezone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"not an IANA time zone.{nearest(value, available_timezones())}")
    return value


Name = Annotated[str, AfterValidator(_name)]
Days = Annotated[int, Field(ge=1, le=3660)]
Share = Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True, config=_FROZEN)
class Pipeline:
    """``[pipeline]``: what the account universe is called and counted in."""

    name: Name
    title: str
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    description: str = ""


@dataclass(frozen=True, config=_FROZEN)
class Source:
    """``[sources.<name>]``: a file, a folder of Parquet files, or a data set, which queries see by name.

    `time` names the raw column that says when a row came to be (naive local or aware); `hva check` cuts
    the raw data there to prove that the queries do not look ahead.
    """

    kind: Literal["parquet", "csv", "dataset", "simulated"]
    path: str = ""
    dataset: str = ""
    table: str = ""
    time: str = ""
    encoding: str = ""
    delimiter: str = ""
    decimal: Literal["", ",", "."] = ""
    types: dict[str, Literal["text", "number", "integer", "time", "date", "flag"]] = Field(
        default_factory=dict
    )


@dataclass(frozen=True, config=_FROZEN)
class Simulation:
    """``[simulation]``: size and seed of the simulated DACH vendor (kind = "simulated")."""

    accounts: Annotated[int, Field(ge=50, le=2_000_000)] = 3000
    seed: int = 7
    first: date = date(2022, 1, 1)
    last: date = date(2025, 12, 31)
    events_per_account: Annotated[float, Field(gt=0, le=2000)] = 40.0


@dataclass(frozen=True, config=_FROZEN)
class Table:
    """``[tables.<contract table>]``: which query gives it, and the user's own extra columns.

    `static` lists columns of `accounts` that the user vouches for as unchanging, so that the current value
    may stand for the past one. Without a history and not static, an attribute is refused as a feature.
    """

    sql: str
    event_time: str = "event_time"
    known_at: str = ""
    columns: dict[Name, Literal["category", "number", "integer", "flag", "money"]] = Field(
        default_factory=dict
    )
    static: tuple[str, ...] = ()


@dataclass(frozen=True, config=_FROZEN)
class Engine:
    """``[engine]``: what runs the source queries and moves the rows. It decides the time, never a bit.

    DuckDB works inside this process; Spark (extra ``spark``) in a local one of its own, or in the one that
    runs already under ``spark-submit`` or in a notebook. Features are computed on `partitions`, each some
    whole families of companies; they are the same for any number of them.
    """

    kind: EngineKind = "duckdb"
    threads: Annotated[int, Field(ge=1, le=1024)] = 2
    memory_gib: Annotated[float, Field(ge=0.25, le=65_536)] = 4.0
    partitions: Annotated[int, Field(ge=1, le=512)] | None = None

    @property
    def parts(self) -> int:
        """Number of partitions: as declared, else one for DuckDB and four for each core for Spark."""
        return self.partitions or (1 if self.kind == "duckdb" else 4 * self.threads)


@dataclass(frozen=True, config=_FROZEN)
class Cutoffs:
    """``[cutoffs]``: when the world is looked at, local midnights from `first` to `last`."""

    first: date
    last: date
    every: Literal["week", "month", "quarter"] = "month"
    data_end: date | None = None


@dataclass(frozen=True, config=_FROZEN)
class Horizon:
    """``[horizon]``: labels lie in ``[cutoff + gap_days, cutoff + gap_days + days)``."""

    days: Days
    gap_days: Annotated[int, Field(ge=0, le=3660)] = 0


@dataclass(frozen=True, config=_FROZEN)
class Population:
    """``[population]``: who is an account at a cutoff.

    Every account with a row of `table` that is visible at the cutoff and, with `active_within_days`, not
    older than that. `exclude_customers` leaves out accounts that have already converted before the cutoff.
    """

    table: TableName
    active_within_days: Days | None = None
    exclude_customers: bool = False


@dataclass(frozen=True, config=_FROZEN)
class Label:
    """A German and an English wording for something sellers read.

    What is counted stands in the plural; `de_one` and `en_one` are its singular, so that one of it reads
    "1 Website-Besuch".
    """

    de: str
    en: str
    de_one: str = ""
    en_one: str = ""


@dataclass(frozen=True, config=_FROZEN)
class Windows:
    """``[[features.windows]]``: measures of one table over windows before the cutoff.

    Windows are so many days long (`windows_days`) or reach back to the beginning of the month, quarter or
    year in which the last day before the cutoff lies (`to_date`); recency and since_first need none.
    `by` splits the measures by the values of a category column (`values` names those that become features).
    `of` is the column measured by sum, mean, min, max or std (numbers, money) or distinct (ids, categories).
    `where` keeps only rows whose category columns have one of the listed values.
    """

    table: TableName
    measures: tuple[Measure, ...]
    windows_days: tuple[Days, ...] = ()
    to_date: tuple[Literal["month", "quarter", "year"], ...] = ()
    by: str = ""
    values: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    where: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    labels: dict[str, Label] = Field(default_factory=dict)


@dataclass(frozen=True, config=_FROZEN)
class OwnColumn:
    """``[features.own.columns.COLUMN]``: what a column of a team's own feature group means."""

    de: str
    en: str
    kind: Literal["number", "category"] = "number"
    unit: Unit = "number"
    family: Family = "engagement"


@dataclass(frozen=True, config=_FROZEN)
class OwnFeatures:
    """``[[features.own]]``: a team's own feature group, a file in ``pipelines/features/``.

    Python (`NAME.py`) defines ``features(tables, accounts, cutoff)``, SQL (`NAME.sql`) is one query of the
    engine. Both are called once for every cutoff and see of `tables` only what had happened and was known
    before it, besides the accounts of then (in SQL the relation ``population``). They give ``account_id``,
    each account at most once, and `columns`.
    """

    name: Name
    tables: Annotated[tuple[TableName, ...], Field(min_length=1)]
    columns: Annotated[dict[Name, OwnColumn], Field(min_length=1)]


@dataclass(frozen=True, config=_FROZEN)
class Features:
    """``[features]``: the feature groups of the pipeline.

    `firmographic` names standard attributes of `accounts`, `columns` the user's own declared ones. `deals`
    adds the state of deals from stage history, `fit` the likeness to past winners, `season` the calendar.
    Recency, frequency, monetary value and cadence of the value table are always there: baselines need them.
    """

    firmographic: tuple[Attribute, ...] = ()
    columns: tuple[str, ...] = ()
    deals: bool = False
    fit: bool = False
    season: bool = True
    windows: tuple[Windows, ...] = ()
    own: tuple[OwnFeatures, ...] = ()
    labels: dict[str, Label] = Field(default_factory=dict)

    @property
    def look_across(self) -> bool:
        """Whether any of them is held against all accounts: win rates, likeness, the market."""
        return self.deals or self.fit or self.season


@dataclass(frozen=True, config=_FROZEN)
class Target:
    """``[target]``: what conversion is, and which money counts as value.

    Conversion: a row of `table` in the label window, of stage 'won' (deal_stages), with a positive amount
    (invoices), or of one of `event_types` (events). Value: the sum of `value_column` of `value_table` there.
    """

    table: Literal["invoices", "deal_stages", "events"]
    value_table: Literal["invoices", "deal_stages"] = "invoices"
    value_column: Literal["amount"] = "amount"
    event_types: tuple[str, ...] = ()


@dataclass(frozen=True, config=_FROZEN)
class Models:
    """``[models]``: seeds and the families that may compete."""

    seed: int = 7
    calibration: Literal["platt", "beta"] = "platt"
    value: tuple[Literal["tweedie", "gamma", "lognormal"], ...] = ("tweedie", "gamma", "lognormal")
    rounds: Annotated[int, Field(ge=10, le=5000)] = 400
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.05


@dataclass(frozen=True, config=_FROZEN)
class Search:
    """``[search]``: Optuna's budget for each of the two models, and the ranges it may look in.

    With more than `max_rows` training rows the search looks at a sample of whole groups of accounts; the
    models themselves are always fitted on all rows.
    """

    trials: Annotated[int, Field(ge=1, le=10_000)] = 12
    max_rows: Annotated[int, Field(ge=1000)] = 20_000
    num_leaves: tuple[int, int] = (4, 31)
    min_child_samples: tuple[int, int] = (20, 300)
    feature_fraction: tuple[float, float] = (0.3, 1.0)
    lambda_l2: tuple[float, float] = (0.1, 200.0)


@dataclass(frozen=True, config=_FROZEN)
class Split:
    """``[split]``: the last cutoffs test, those before calibrate, the rest train, embargoes between.

    With ``groups = "disjoint"`` an account and all accounts of its ultimate parent stand on one side only;
    with ``groups = "time"`` they may come back on a later side (the label windows still never overlap).
    """

    test_cutoffs: Annotated[int, Field(ge=1)] = 2
    calibrate_cutoffs: Annotated[int, Field(ge=1)] = 2
    embargo_days: Annotated[int, Field(ge=0)] = 0
    groups: Literal["disjoint", "time"] = "disjoint"
    test_share: Share = 0.3
    calibrate_share: Share = 0.2
    bootstrap: Annotated[int, Field(ge=20, le=10_000)] = 200


@dataclass(frozen=True, config=_FROZEN)
class Gates:
    """``[gates]``: what a run must show on the untouched cutoffs before it may be promoted."""

    min_converted: Annotated[int, Field(ge=0)] = 40
    min_roc_auc: Annotated[float, Field(ge=0, le=1)] = 0.5
    max_calibration_error: Annotated[float, Field(gt=0, le=1)] = 0.1
    total_ratio: tuple[float, float] = (0.7, 1.4)
    beat_baselines: tuple[str, ...] = ("prevalence", "recency_frequency_monetary")
    champion_tolerance: Annotated[float, Field(ge=0, le=1)] = 0.01


@dataclass(frozen=True, config=_FROZEN)
class Scoring:
    """``[scoring]``: tiers by cumulative expected value, and how many accounts the team can work.

    `tiers` are upper shares: with ``{A = 0.5, B = 0.8}`` the best accounts that together hold half of the
    expected value are A, those up to 80 % are B, the rest C. An account whose `strategic_weight` reaches
    `strategic_from` is at least of tier `strategic_tier`; its probability and value stay as they are.
    """

    tier_a: Share = 0.5
    tier_b: Share = 0.8
    capacity: Annotated[int, Field(ge=1)] = 50
    reasons: Annotated[int, Field(ge=1, le=20)] = 3
    strategic_from: float | None = None
    strategic_tier: Literal["A", "B"] = "B"


@dataclass(frozen=True, config=_FROZEN)
class Actionable:
    """``[explanation.actionable]``: a feature that your team can change, as ``"feature" = { … }``.

    `min` and `max` bound what is proposed, in steps of `step`. Only features of kind number; all that are not
    listed are frozen. List every window of an activity and its recency: they move together, for one more call
    in 30 days is one more in 90 days, and was the last one.
    """

    min: Annotated[float, Field(allow_inf_nan=False)]
    max: Annotated[float, Field(allow_inf_nan=False)]
    step: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    def __post_init__(self) -> None:
        if not self.min < self.max or (self.max - self.min) / self.step > 100:
            raise ValueError("min must lie below max, and at most 100 steps between them")


@dataclass(frozen=True, config=_FROZEN)
class Explanation:
    """``[explanation]``: whom scores are compared with, and what explanations need to know beyond the model.

    `reference` is whom: the typical account (made up of medians), the real account nearest to it (`medoid`),
    the average account that converted (`won`), or the accounts where tier A ends (`threshold`). `segment`
    names a category feature: an account is then compared with its own segment, if that had `segment_rows`
    rows in the training. `languages` are those in which every night's reasons are published in words.
    `controller` is who answers questions of persons concerned, as it stands on their information sheet: name,
    address, and how to reach the data protection officer. `actionable` names the features that your team can
    change, for `hva advise`.
    """

    reference: Literal["typical", "medoid", "won", "threshold"] = "typical"
    segment: str = ""
    segment_rows: Annotated[int, Field(ge=1)] = 200
    languages: tuple[Literal["de", "en"], ...] = ()
    country: Literal["DE", "AT", "CH"] = "DE"
    controller: str = ""
    actionable: dict[str, Actionable] = Field(default_factory=dict)


@dataclass(frozen=True, config=_FROZEN)
class PipelineConfig:
    """One pipeline file, whole.

    `views` names queries that run first, in the order written; later queries see each under its name.
    """

    pipeline: Pipeline
    sources: dict[Name, Source]
    tables: dict[TableName, Table]
    cutoffs: Cutoffs
    horizon: Horizon
    population: Population
    target: Target
    views: dict[Name, str] = Field(default_factory=dict)
    features: Features = Field(default_factory=Features)
    engine: Engine = Field(default_factory=Engine)
    simulation: Simulation = Field(default_factory=Simulation)
    models: Models = Field(default_factory=Models)
    search: Search = Field(default_factory=Search)
    split: Split = Field(default_factory=Split)
    gates: Gates = Field(default_factory=Gates)
    scoring: Scoring = Field(default_factory=Scoring)
    explanation: Explanation = Field(default_factory=Explanation)
    audit: Audit = Field(default_factory=Audit)

    @property
    def name(self) -> str:
        """Name of the pipeline."""
        return self.pipeline.name

    @property
    def tables_across(self) -> frozenset[str]:
        """Contract tables that population, target and the features held against all accounts read."""
        found = {"accounts", self.population.table, self.target.table, self.target.value_table}
        return frozenset(found | ({"deal_stages"} if self.features.deals else set()))

    @property
    def tables_read(self) -> frozenset[str]:
        """Contract tables that population, target and features read, those of own groups left out."""
        return self.tables_across | {windows.table for windows in self.features.windows}

    def on(self, engine: str | None) -> "PipelineConfig":
        """Return the same pipeline on another engine, or itself for None.

        Raises
        ------
        UsageError
            If there is no such engine.
        """
        if engine is None:
            return self
        for kind in get_args(EngineKind):
            if engine == kind:
                return replace(self, engine=replace(self.engine, kind=kind))
        raise UsageError(
            f"There is no engine '{engine[:60]}'.{nearest(engine, get_args(EngineKind))}",
            where="engine",
            fix=f"Use one of: {', '.join(get_args(EngineKind))}.",
        )

    def fingerprint(self) -> str:
        """Return the sha256 of what can change a number: not comments, order, engine, or what audits ask."""
        meaning = TypeAdapter(PipelineConfig).dump_python(self, mode="json", exclude={"engine", "audit"})
        text = json.dumps(meaning, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
