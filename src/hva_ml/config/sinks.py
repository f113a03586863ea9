"""The sections ``[sinks.<name>]``: where a night goes once it is published. A secret never stands in one."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from hva_ml.config.names import FROZEN, Variable

SinkTable = Literal["scores", "reasons", "texts", "explanations", "accounts", "lifetime"]
SinkKind = Literal["parquet", "duckdb", "postgres", "sql"]
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,29}")


def _identifier(value: str) -> str:
    if value and not _IDENTIFIER.fullmatch(value):
        raise ValueError("lower case letters, digits and _, beginning with a letter, at most 30")
    return value


Identifier = Annotated[str, AfterValidator(_identifier)]


@dataclass(frozen=True, config=FROZEN)
class Sink:
    """``[sinks.<name>]``: where else a night goes once it is published; `hva deliver` brings it there.

    A folder of Parquet files, a DuckDB file, PostgreSQL, or any database that SQLAlchemy reaches. Readers
    see the night before or the new one, never half of it. For a database `url_env` names the environment
    variable that holds its URL: a password never stands in this file. docs/sinks.md tells the tables.
    """

    kind: SinkKind
    path: str = ""
    url_env: Variable = ""
    schema: Identifier = ""
    prefix: Identifier = "hva_"
    tables: Annotated[tuple[SinkTable, ...], Field(min_length=1)] = ("scores", "reasons", "texts")

    def __post_init__(self) -> None:
        filed = self.kind in ("parquet", "duckdb")
        if filed and (not self.path or self.url_env or self.schema):
            raise ValueError(f"kind = {self.kind!r} needs path, and takes neither url_env nor schema")
        if not filed and (self.path or not self.url_env):
            raise ValueError(f"kind = {self.kind!r} needs url_env, and takes no path")
        if "://" in self.path:
            raise ValueError("path is a folder or file, not a URL")
        if "scores" not in self.tables or len(set(self.tables)) < len(self.tables):
            raise ValueError("tables must name scores, and each table once")
