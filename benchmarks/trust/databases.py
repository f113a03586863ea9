"""Sinks of the hostile world: a DuckDB file, a folder, SQLite, and PostgreSQL where a server is here."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.postgres import programs, running

SINKS = """
[sinks.own]
kind = "duckdb"
path = "data/out/own.duckdb"
tables = ["scores", "reasons", "texts", "accounts"]

[sinks.lake]
kind = "parquet"
path = "data/lake"
"""
OF_SQL = """
[sinks.{name}]
kind = "{kind}"
url_env = "{variable}"
tables = ["scores", "reasons", "texts", "accounts"]
"""
KINDS = {"sqlite": "sql", "sql": "sql", "postgres": "postgres"}


def declared(urls: Mapping[str, str]) -> str:
    """Return the sections of all sinks; those of databases by name, as in `databases`."""
    own = (OF_SQL.format(name=n, kind=KINDS[n], variable=variable(n)) for n in urls)
    return SINKS + "".join(own)


def variable(name: str) -> str:
    """Return the variable that holds the URL of a database."""
    return f"HVA_TRUST_{name.upper()}"


@contextmanager
def databases(places: Mapping[str, Path]) -> Iterator[dict[str, dict[str, str]]]:
    """Yield URLs of databases by world and name: SQLite, and PostgreSQL by either kind where a server is."""
    with ExitStack() as stack:
        home = programs()
        server = stack.enter_context(running(home)) if home else None
        found = {}
        for world, place in places.items():
            urls = {"sqlite": f"sqlite:///{place / 'own.sqlite'}"}
            if server:
                by_sql = server.database(f"{world}_sql").replace("postgresql", "postgresql+psycopg", 1)
                urls |= {"sql": by_sql, "postgres": server.database(f"{world}_own")}
            found[world] = urls
        yield found
