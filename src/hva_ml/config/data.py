"""The sections about the world: where its data lie, when it is looked at, and what counts as success."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StrictBool
from pydantic.dataclasses import dataclass

from hva_ml.config.names import FROZEN, Days, EngineKind, Name, TableName, Timezone, Variable


@dataclass(frozen=True, config=FROZEN)
class Pipeline:
    """``[pipeline]``: what the account universe is called and counted in."""

    name: Name
    title: str
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    timezone: Timezone = "UTC"
    description: str = ""


@dataclass(frozen=True, config=FROZEN)
class Source:
    """``[sources.<name>]``: rows of files, of a database, of Spark, of a data set, by the source's name.

    `time` names the raw column that says when a row came to be (naive local or aware); `hva check` cuts
    the raw data there to prove that the queries do not look ahead.
    """

    kind: Literal["parquet", "csv", "sql", "catalog", "dataset", "simulated"]
    path: str = ""
    dataset: Annotated[str, Field(pattern=r"^\w*$")] = ""
    table: str = ""
    url_env: Variable = ""
    schema: str = ""
    time: str = ""
    encoding: str = ""
    delimiter: str = ""
    decimal: Literal["", ",", "."] = ""
    types: dict[str, Literal["text", "number", "integer", "time", "date", "flag"]] = Field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        if "://" in self.path:
            raise ValueError("path is a folder or file, not a URL; a database is named by url_env")


@dataclass(frozen=True, config=FROZEN)
class Simulation:
    """``[simulation]``: size and seed of the simulated DACH vendor (kind = "simulated")."""

    accounts: Annotated[int, Field(ge=50, le=2_000_000)] = 3000
    seed: int = 7
    first: date = date(2022, 1, 1)
    last: date = date(2025, 12, 31)
    events_per_account: Annotated[float, Field(gt=0, le=2000)] = 40.0


@dataclass(frozen=True, config=FROZEN)
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


@dataclass(frozen=True, config=FROZEN)
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
    def least_parts(self) -> int:
        """Partitions where all rows fit into memory: one for DuckDB, four for each core for Spark."""
        return 1 if self.kind == "duckdb" else 4 * self.threads


@dataclass(frozen=True, config=FROZEN)
class Cutoffs:
    """``[cutoffs]``: when the world is looked at, local midnights from `first` to `last`."""

    first: date
    last: date
    every: Literal["week", "month", "quarter"] = "month"
    data_end: date | None = None


@dataclass(frozen=True, config=FROZEN)
class Horizon:
    """``[horizon]``: labels lie in ``[cutoff + gap_days, cutoff + gap_days + days)``."""

    days: Days
    gap_days: Annotated[int, Field(ge=0, le=3660)] = 0


@dataclass(frozen=True, config=FROZEN)
class Population:
    """``[population]``: who is an account at a cutoff.

    Every account with a row of `table` that is visible at the cutoff and, with `active_within_days`, not
    older than that. `exclude_customers` leaves out accounts that have already converted before the cutoff.
    """

    table: TableName
    active_within_days: Days | None = None
    exclude_customers: StrictBool = False


@dataclass(frozen=True, config=FROZEN)
class Target:
    """``[target]``: what conversion is, and which money counts as value.

    Conversion: a row of `table` in the label window, of stage 'won' (deal_stages), with a positive amount
    (invoices), or of one of `event_types` (events). Value: the sum of `value_column` of `value_table` there.
    """

    table: Literal["invoices", "deal_stages", "events", "leads"]
    value_table: Literal["invoices", "deal_stages", "leads"] = "invoices"
    value_column: Literal["amount"] = "amount"
    event_types: tuple[str, ...] = ()
