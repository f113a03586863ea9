"""The sections about features: groups, windows, a team's own, and how sellers read them."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool
from pydantic.dataclasses import dataclass

from hva_ml.config.names import FROZEN, Attribute, Days, Family, Level, Measure, Name, TableName, Unit


@dataclass(frozen=True, config=FROZEN)
class Label:
    """A German and an English wording for something sellers read.

    What is counted stands in the plural; `de_one` and `en_one` are its singular, so that one of it reads
    "1 Website-Besuch".
    """

    de: str
    en: str
    de_one: str = ""
    en_one: str = ""


@dataclass(frozen=True, config=FROZEN)
class Windows:
    """``[[features.windows]]``: measures of one table over windows before the cutoff.

    Windows are so many days long (`windows_days`) or reach back to the beginning of the month, quarter or
    year in which the last day before the cutoff lies (`to_date`); recency and since_first need none.
    `by` splits the measures by the values of a category column (`values` names those that become features).
    `of` is the column measured by sum, mean, min, max or std (numbers, money) or distinct (ids, categories).
    `where` keeps only rows whose category columns have one of the listed values.
    With ``level = "group"`` the rows are those of the whole group of companies: of all accounts with the same
    ultimate parent, as known at the cutoff.
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
    level: Level = "account"


@dataclass(frozen=True, config=FROZEN)
class OwnColumn:
    """``[features.own.columns.COLUMN]``: what a column of a team's own feature group means."""

    de: str
    en: str
    kind: Literal["number", "category"] = "number"
    unit: Unit = "number"
    family: Family = "engagement"


@dataclass(frozen=True, config=FROZEN)
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


@dataclass(frozen=True, config=FROZEN)
class Features:
    """``[features]``: the feature groups of the pipeline.

    `firmographic` names standard attributes of `accounts`, `columns` the user's own declared ones. `deals`
    adds the state of deals from stage history, `fit` the likeness to past winners, `season` the calendar.
    `stages` names open stages whose deals are also counted and added up by themselves, `close_dates` holds
    open deals against their expected close dates.
    With `outlook` the levels of both models follow what the market did in the same days a year before.
    Recency, frequency, monetary value and cadence of the value table are always there: baselines need them.
    """

    firmographic: tuple[Attribute, ...] = ()
    columns: tuple[str, ...] = ()
    deals: StrictBool = False
    stages: tuple[str, ...] = ()
    close_dates: StrictBool = False
    fit: StrictBool = False
    season: StrictBool = True
    outlook: StrictBool = False
    windows: tuple[Windows, ...] = ()
    own: tuple[OwnFeatures, ...] = ()
    labels: dict[str, Label] = Field(default_factory=dict)

    @property
    def look_across(self) -> bool:
        """Whether any of them is held against all accounts: win rates, likeness, the market."""
        return self.deals or self.fit or self.season or self.outlook

    def problem(self) -> tuple[str, str, str] | None:
        """Return a contradiction among the keys about deals: what, where and how to mend it; None if none."""
        ended = [stage for stage in self.stages if stage in ("won", "lost")]
        rules = (
            (bool(self.stages) and not self.deals, "Stages need the deal features.", "stages",
             "Add deals = true, or leave out stages."),
            (self.close_dates and not self.deals, "Close dates need the deal features.", "close_dates",
             "Add deals = true, or leave out close_dates."),
            (bool(ended), f"The stage '{''.join(ended[:1])}' ends a deal; nothing is open in it.", "stages",
             "Name open stages only; won and lost deals have features of their own."),
            (not all(self.stages) or len(set(self.stages)) < len(self.stages),
             "A stage is empty or named twice.", "stages", "Name each open stage once."),
        )  # fmt: skip
        return next(((what, key, fix) for broken, what, key, fix in rules if broken), None)
