"""Tables of databases as sources: their types, one moment for all of them, and no secret in an error."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
import sqlalchemy as sa
from tests.postgres import Postgres

from hva_ml.config import PipelineConfig
from hva_ml.connectors import databases, sources
from hva_ml.engines.spool import Spooled, Store
from hva_ml.errors import ConfigError, SourceError
from hva_ml.workspace import Workspace

Declare = Callable[..., PipelineConfig]
SQL = ('kind = "sql"', 'url_env = "CRM_URL"')
PASSWORD = "hunter2-canary"


@pytest.fixture
def sqlite(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    url = f"sqlite:///{ws.root / 'crm.db'}"
    monkeypatch.setenv("CRM_URL", url)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE orders (nr TEXT PRIMARY KEY, day DATE, net DECIMAL(10, 2))")
        connection.exec_driver_sql(
            "INSERT INTO orders VALUES ('b', '2024-02-29', 12.5), ('a', NULL, NULL),"
            " ('ü''\"', '2024-03-01', -1)"
        )
    return engine


@pytest.mark.usefixtures("sqlite")
def test_a_table_arrives_typed_in_the_order_of_its_key(ws: Workspace, declare: Declare) -> None:
    config = declare(*SQL, 'table = "orders"')
    found = sources.relations(ws, config, Store())["x"]
    assert isinstance(found, pa.Table)
    expected = pa.table(
        {
            "nr": ["a", "b", "ü'\""],
            "day": [None, date(2024, 2, 29), date(2024, 3, 1)],
            "net": [None, 12.5, -1.0],
        }
    )
    assert found.equals(expected)
    assert sources.tables(sources.relations(ws, config, Store()))["x"].equals(expected)


def test_rows_wait_on_disk_when_they_are_many(
    ws: Workspace, declare: Declare, sqlite: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "ROWS_AT_ONCE", 7)
    with sqlite.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE many (k INTEGER PRIMARY KEY, t TEXT)")
        connection.execute(
            sa.text("INSERT INTO many VALUES (:k, :t)"), [{"k": k, "t": f"{k}"} for k in range(50)]
        )
    held = sources.relations(ws, declare(*SQL, 'table = "many"'), Store(ws.scratch, 1.0, share=0))["x"]
    assert isinstance(held, Spooled)
    assert [piece.num_rows for piece in held.pieces()] == [7, 7, 7, 7, 7, 7, 7, 1]
    assert held.table()["k"].to_pylist() == list(range(50))


@pytest.mark.usefixtures("sqlite")
def test_declared_types_are_converted(ws: Workspace, declare: Declare) -> None:
    config = declare(*SQL, 'table = "orders"', 'types = { day = "text" }')
    assert sources.relations(ws, config, Store())["x"]["day"].to_pylist() == [
        None, "2024-02-29", "2024-03-01",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "lines", "said"),
    [
        ("", ('table = "orders"',), "CRM_URL is not set"),
        (f"no url {PASSWORD}", ('table = "orders"',), "holds no URL"),
        (f"nosuch://u:{PASSWORD}@h/d", ('table = "orders"',), "driver of this kind"),
        (f"sqlite:////nowhere/{PASSWORD}/x.db", ('table = "orders"',), "could not be reached"),
        (None, ('table = "order"',), "no table or view 'order'"),
        (None, ('table = "orders\'; DROP TABLE orders; --"',), "no table or view"),
    ],
)
def test_what_does_not_work_is_said_without_the_url(
    ws: Workspace, declare: Declare, sqlite: sa.Engine, monkeypatch: pytest.MonkeyPatch,
    url: str | None, lines: tuple[str, ...], said: str,
) -> None:  # fmt: skip
    if url is not None:
        monkeypatch.setenv("CRM_URL", url)
    with pytest.raises(SourceError, match=said) as caught:
        sources.relations(ws, declare(*SQL, *lines), Store())
    assert PASSWORD not in str(caught.value)
    assert "[sources.x]" in str(caught.value)
    assert sa.inspect(sqlite).has_table("orders")


def test_a_value_of_another_type_is_refused_without_being_told(
    ws: Workspace, declare: Declare, sqlite: sa.Engine
) -> None:
    with sqlite.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE odd (k INTEGER)")
        connection.exec_driver_sql(f"INSERT INTO odd VALUES ('{PASSWORD}')")
    with pytest.raises(SourceError, match="column 'k' holds a value that is no int64") as caught:
        sources.relations(ws, declare(*SQL, 'table = "odd"'), Store())
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("lines", [('kind = "sql"', 'table = "t"'), SQL], ids=["url_env", "table"])
def test_a_missing_key_is_named(
    ws: Workspace, declare: Declare, request: pytest.FixtureRequest, lines: tuple[str, ...]
) -> None:
    key = request.node.callspec.id
    with pytest.raises(ConfigError, match=f"The key '{key}' is missing"):
        sources.relations(ws, declare(*lines), Store())


class TestPostgres:
    """What only a real server shows."""

    @pytest.fixture
    def crm(self, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Postgres:
        monkeypatch.setenv("CRM_URL", postgres.database("crm"))
        postgres.sql(
            "CREATE SCHEMA sales; CREATE TYPE stage AS ENUM ('open', 'won');"
            "CREATE TABLE sales.deals (id uuid PRIMARY KEY, net numeric(12, 2), free numeric, at timestamptz,"
            " local timestamp, stage stage, ok boolean, n smallint, more jsonb, raw bytea, share real);"
            "INSERT INTO sales.deals VALUES ('00000000-0000-0000-0000-000000000001', 0.10, 0.5,"
            " '2025-03-30 03:30+02', '2025-03-30 02:30', 'won', true, 7, '{\"a\": 1}', '\\x00ff', 0.25);"
            "INSERT INTO sales.deals (id) VALUES ('00000000-0000-0000-0000-000000000002');"
            "CREATE VIEW sales.won AS SELECT id FROM sales.deals WHERE stage = 'won'",
            "crm",
        )
        return postgres

    @pytest.mark.usefixtures("crm")
    def test_every_kind_of_column_has_a_type(self, ws: Workspace, declare: Declare) -> None:
        config = declare(*SQL, 'table = "deals"', 'schema = "sales"')
        found = sources.tables(sources.relations(ws, config, Store()))["x"]
        assert found.schema.types == [
            pa.string(), pa.decimal128(12, 2), pa.float64(), pa.timestamp("us", "UTC"), pa.timestamp("us"),
            pa.string(), pa.bool_(), pa.int64(), pa.string(), pa.string(), pa.float64(),
        ]  # fmt: skip
        first, second = found.to_pylist()
        assert first == {
            "id": "00000000-0000-0000-0000-000000000001", "net": Decimal("0.10"), "free": 0.5,
            "at": datetime(2025, 3, 30, 1, 30, tzinfo=UTC),
            "local": datetime(2025, 3, 30, 2, 30),  # noqa: DTZ001 - a column without zone
            "stage": "won", "ok": True, "n": 7, "more": '{"a": 1}', "raw": "\\x00ff", "share": 0.25,
        }  # fmt: skip
        assert set(second.values()) == {None, "00000000-0000-0000-0000-000000000002"}
        view = sources.tables(
            sources.relations(ws, declare(*SQL, 'table = "won"', 'schema = "sales"'), Store())
        )["x"]
        assert view.num_rows == 1

    def test_all_tables_are_of_one_moment(self, ws: Workspace, declare: Declare, crm: Postgres) -> None:
        more = '[sources.y]\nkind = "sql"\nurl_env = "CRM_URL"\ntable = "won"\nschema = "sales"\n'
        config = declare(*SQL, 'table = "deals"', 'schema = "sales"', more=more)
        counted: list[int] = []

        def keep(pieces: object) -> None:
            rows = pa.concat_tables(pieces)
            counted.append(rows.num_rows)
            other = threading.Thread(target=crm.sql, args=("DELETE FROM sales.deals", "crm"))
            other.start()
            other.join()

        databases.read(config.sources, keep, str)
        assert counted == [2, 1]
        assert crm.sql("SELECT count(*) FROM sales.deals", "crm") == [(0,)]

    def test_a_user_who_may_not_read_is_told_so(
        self, ws: Workspace, declare: Declare, crm: Postgres, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        crm.sql(
            "DROP ROLE IF EXISTS nobody_reads; CREATE ROLE nobody_reads LOGIN PASSWORD 'x';"
            "GRANT USAGE ON SCHEMA sales TO nobody_reads",
            "crm",
        )
        monkeypatch.setenv("CRM_URL", crm.url("crm", "nobody_reads", "x"))
        config = declare(*SQL, 'table = "deals"', 'schema = "sales"')
        with pytest.raises(SourceError, match="this user not read the table"):
            sources.tables(sources.relations(ws, config, Store()))
