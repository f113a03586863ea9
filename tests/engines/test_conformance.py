"""What both engines must do: the same rows for the same query, the same refusals, whole groups together."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from hva_ml.engines.base import Engine, ParquetFiles
from hva_ml.engines.spool import Store
from hva_ml.errors import ContractError, SourceError

ORDERS = pa.table({"id": ["a", "b"], "amount": [1, 2]})
MOST, CENTS = "9999999999999999.99", pa.decimal128(18, 2)
UTC_US = pa.timestamp("us", "UTC")
SECOND = datetime(2025, 3, 30, 1, 59, 59, 999999, tzinfo=UTC)
VALUES = {
    "text": (pa.array(["a", None, "", "ü€😀'\"\\ \n"]), pa.string()),
    "category": (pa.array(["x", None, "y", "x"]).dictionary_encode(), pa.string()),
    "large": (pa.array(["x", None, "y", "z"], pa.large_string()), pa.string()),
    "whole": (pa.array([0, None, 2**63 - 1, -(2**63)]), pa.int64()),
    "small": (pa.array([0, None, 127, -128], pa.int8()), pa.int8()),
    "number": (pa.array([0.1, None, 1e308, -5e-324]), pa.float64()),
    "flag": (pa.array([True, None, False, True]), pa.bool_()),
    "day": (pa.array([date(1, 1, 1), None, date(2024, 2, 29), date(9999, 12, 31)]), pa.date32()),
    "moment": (pa.array([SECOND, None, SECOND, SECOND], UTC_US), UTC_US),
    "in_berlin": (pa.array([SECOND, None, SECOND, SECOND], pa.timestamp("us", "Europe/Berlin")), UTC_US),
    "naive": (pa.array([0, None, -1, 253402300799999999], pa.timestamp("us")), pa.timestamp("us")),
    "seconds": (pa.array([0, None, -1, 1], pa.timestamp("s")), pa.timestamp("us")),
    "fine": (pa.array([0, None, 1001, 1_000_000_000_000_000_001], pa.timestamp("ns")), pa.timestamp("us")),
    "money": (pa.array([Decimal("0.01"), None, Decimal("-99.90"), Decimal(MOST)], CENTS), CENTS),
    "nothing": (pa.nulls(4), pa.string()),
}


def as_us(column: pa.Array, kind: pa.DataType) -> list[object]:
    return (column.cast(kind, safe=False) if pa.types.is_timestamp(kind) else column).to_pylist()


def by_all(table: pa.Table) -> pa.Table:
    return table.sort_by([(name, "ascending") for name in table.column_names])


class TestQueries:
    """Tables and files in, rows out: types, nulls, times, names."""

    @pytest.mark.parametrize("name", sorted(VALUES))
    @pytest.mark.parametrize("on_disk", [False, True], ids=["table", "file"])
    def test_values_come_back_as_they_went_in(
        self, engine: Engine, name: str, on_disk: bool, tmp_path: Path
    ) -> None:
        column, kind = VALUES[name]
        table = pa.table({"place": range(4), "value": column})
        # A folder of such a name must not turn into a column.
        path = tmp_path / "value=x" / "t.parquet"
        if on_disk:
            path.parent.mkdir()
            pq.write_table(table, path)
        engine.register("t", ParquetFiles((path,)) if on_disk else table)
        found = engine.query("SELECT value FROM t ORDER BY place", "x.sql")["value"]
        if name != "nothing" or not on_disk:
            assert found.type == kind
        assert found.to_pylist() == as_us(column, kind)

    def test_rows_come_in_pieces_in_their_order(self, engine: Engine) -> None:
        n = 300_000
        columns = {
            name: column.take(pa.array([k % 4 for k in range(n)])) for name, (column, _) in VALUES.items()
        }
        engine.register("t", pa.table({"place": range(n), **columns}))
        sql = "SELECT * FROM t WHERE place % 3 <> 1 ORDER BY place DESC"
        pieces = list(engine.rows(sql, "x.sql"))
        assert max(piece.num_rows for piece in pieces) < n / 2
        whole = pa.concat_tables(pieces)
        assert whole.equals(engine.query(sql, "x.sql"))
        assert whole["place"].to_pylist() == [k for k in reversed(range(n)) if k % 3 != 1]
        for name, (column, kind) in VALUES.items():
            assert whole[name].type == kind
            assert whole[name][-4:].to_pylist() == [as_us(column, kind)[k] for k in (1, 3, 2, 0)]

    def test_no_rows_are_one_empty_piece(self, engine: Engine) -> None:
        engine.register("orders", ORDERS)
        pieces = list(engine.rows("SELECT id, amount FROM orders WHERE amount > 9", "x.sql"))
        assert pieces
        assert {piece.num_rows for piece in pieces} == {0}
        assert pieces[0].schema == ORDERS.schema

    def test_what_fails_after_the_first_rows_names_its_file(self, engine: Engine) -> None:
        engine.register("t", pa.table({"a": ["1"] * 400_000 + ["erika@beispiel.de"]}))
        with pytest.raises(SourceError, match=r"Conversion Error|CAST_INVALID_INPUT") as caught:
            list(engine.rows("SELECT CAST(a AS INTEGER) AS a FROM t", "late.sql"))
        assert caught.value.where == "late.sql"
        assert "erika" not in str(caught.value)

    def test_spooled_rows_are_a_relation(self, engine: Engine, spill: Path) -> None:
        store = Store(spill, memory_gib=1.0, share=0.0)
        spooled = store.keep(ORDERS.slice(k % 2, 1) for k in range(9))
        assert not isinstance(spooled.source, pa.Table)
        engine.register("orders", spooled)
        del spooled
        found = engine.query("SELECT id, count(*) AS n FROM orders GROUP BY id ORDER BY id", "x.sql")
        assert found.to_pylist() == [{"id": "a", "n": 5}, {"id": "b", "n": 4}]

    def test_several_files_are_one_relation(self, engine: Engine, tmp_path: Path) -> None:
        paths = (tmp_path / "one.parquet", tmp_path / "two.parquet")
        for path in paths:
            pq.write_table(ORDERS, path)
        engine.register("orders", ParquetFiles(paths))
        assert engine.query("SELECT sum(amount) AS total FROM orders", "x.sql")["total"].to_pylist() == [6]

    def test_a_damaged_page_is_an_error(self, engine: Engine, tmp_path: Path) -> None:
        table = pa.table({"a": list(range(5000))})
        path = tmp_path / "t.parquet"
        pq.write_table(table, path, compression="none", use_dictionary=False, write_page_checksum=True)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        engine.register("t", ParquetFiles((path,)))
        with pytest.raises(SourceError) as caught:
            engine.query("SELECT sum(a) AS a FROM t", "x.sql")
        assert caught.value.where == "x.sql"

    def test_an_empty_relation_has_its_columns(self, engine: Engine) -> None:
        engine.register("orders", ORDERS.slice(0, 0))
        found = engine.query("SELECT id, amount FROM orders", "x.sql")
        assert found.num_rows == 0
        assert found.schema == ORDERS.schema

    def test_names_may_be_words_of_sql_or_hold_blanks(self, engine: Engine) -> None:
        engine.register("order", pa.table({"Customer ID": ["1"], "größe": [2]}))
        found = engine.query('SELECT "Customer ID" AS id, "größe" FROM "order"', "x.sql")
        assert found.to_pylist() == [{"id": "1", "größe": 2}]

    def test_a_defined_relation_is_seen_by_later_queries(self, engine: Engine) -> None:
        engine.register("orders", ORDERS)
        engine.define("large", "SELECT id FROM orders WHERE amount > 1;", "large.sql")
        engine.define("upper_ones", "SELECT upper(id) AS id FROM large", "upper.sql")
        assert engine.query("SELECT * FROM upper_ones", "x.sql").to_pylist() == [{"id": "B"}]

    def test_times_are_utc(self, engine: Engine) -> None:
        engine.register("t", pa.table({"t": pa.array([0], pa.timestamp("us", "Europe/Berlin"))}))
        found = engine.query(
            "SELECT hour(t) AS hour, CAST(t AS STRING) LIKE '1970-01-01 00%' AS utc FROM t", "x"
        )
        assert found.to_pylist() == [{"hour": 0, "utc": True}]

    def test_what_all_pipelines_are_made_of(self, engine: Engine) -> None:
        engine.register("orders", ORDERS)
        sql = """
            -- A comment; with a semicolon.
            WITH twice AS (SELECT id, amount FROM orders UNION ALL SELECT id, amount FROM orders)
            SELECT id, sum(amount) AS total, count(*) AS n, min_by(id, (amount, id)) AS first,
                CASE id WHEN 'a' THEN 'A' ELSE id END AS word, CAST(sum(amount) AS DECIMAL(18, 2)) / 4 AS part
            FROM twice JOIN orders AS o USING (id, amount) GROUP BY id ORDER BY id
        """
        found = engine.query(sql, "x.sql").to_pylist()
        assert [(r["id"], r["total"], r["n"], r["first"], r["word"], float(r["part"])) for r in found] == [
            ("a", 2, 2, "a", "A", 0.5),
            ("b", 4, 2, "b", "b", 1.0),
        ]


FAIL_ON_A_ROW = ("SELECT 1 / CAST('x' AS INTEGER)", "SELECT CAST(id AS INTEGER) AS n FROM orders")
REFUSED = [
    "SELECT * FROM oders",
    "SELECT b FROM orders",
    "SELEC",
    "",
    " -- nothing but a comment",
    "SELECT 1; SELECT 2",
    *FAIL_ON_A_ROW,
    "SET threads = 4",
    "CREATE TABLE x AS SELECT 1",
    "CREATE TEMPORARY VIEW x AS SELECT 1",
    "DROP TABLE orders",
    "INSERT INTO orders VALUES ('c', 3)",
    "EXPLAIN SELECT 1",
    # DuckDB
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "FROM '/etc/passwd'",
    "COPY orders TO '/tmp/never.csv'",
    "ATTACH '/tmp/never.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA version",
    "CALL pragma_version()",
    # Spark
    "SELECT * FROM text.`/etc/passwd`",
    "SELECT * FROM IDENTIFIER('text.`/etc/passwd`')",
    "CREATE TEMPORARY VIEW x USING text OPTIONS (path '/etc/passwd')",
    "EXECUTE IMMEDIATE 'CREATE TEMPORARY VIEW x USING text OPTIONS (path \"/etc/passwd\")'",
    "BEGIN SELECT 1; END",
    "INSERT OVERWRITE DIRECTORY '/tmp/never' USING csv SELECT * FROM orders",
    "FROM orders INSERT OVERWRITE DIRECTORY '/tmp/never' USING csv SELECT *",
    "SELECT reflect('java.lang.System', 'getenv', 'HOME')",
    "SELECT try_reflect('java.lang.System', 'getenv', 'HOME')",
    "SELECT `java_method`('java.lang.System', 'getenv', 'HOME')",
    "SELECT system.builtin.java_method('java.lang.System', 'getenv', 'HOME')",
    "SELECT * FROM orders WHERE id = reflect('java.lang.System', 'getenv', 'HOME')",
    "SELECT TRANSFORM(id) USING 'cat /etc/passwd' AS (x STRING) FROM orders",
    "SELECT (SELECT max(x) FROM (SELECT TRANSFORM(id) USING 'cat' AS (x STRING) FROM orders)) AS y",
    "WITH c AS (SELECT TRANSFORM(id) USING 'cat' AS (x STRING) FROM orders) SELECT * FROM c",
    "ADD JAR '/tmp/never.jar'",
    "CACHE TABLE x AS SELECT 1",
]


class TestRefusals:
    """Nothing but declared relations is read, nothing is changed, and each error names its file."""

    @pytest.mark.parametrize("sql", REFUSED)
    def test_a_bad_query_is_one_error_that_names_its_file(
        self, engine: Engine, sql: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        engine.register("orders", ORDERS)
        with pytest.raises(SourceError) as caught:
            engine.query(sql, "pipelines/my/accounts.sql")
        assert caught.value.where == "pipelines/my/accounts.sql"
        assert caught.value.fix
        if sql not in FAIL_ON_A_ROW:
            with pytest.raises(SourceError, match=r"my/view\.sql"):
                engine.define("asked", sql, "pipelines/my/view.sql")
        assert capfd.readouterr().err == ""
        assert not Path("/tmp/never").exists()

    @pytest.mark.parametrize("cell", ["erika", "e'rika", "e\"ri'ka", "e\nrika", "'rika", '`rika"'])
    def test_the_error_is_one_short_line_without_the_cell(self, engine: Engine, cell: str) -> None:
        engine.register("orders", pa.table({"id": [cell]}))
        with pytest.raises(SourceError, match=r"Conversion Error|CAST_INVALID_INPUT") as caught:
            engine.query("SELECT CAST(id AS INTEGER) AS n FROM orders", "x.sql")
        assert "rika" not in str(caught.value)
        assert "\n" not in caught.value.what
        assert len(caught.value.what) < 350

    def test_a_row_that_was_taken_for_a_header_is_not_told(self, engine: Engine) -> None:
        engine.register(
            "orders", pa.table({"erika@beispiel.de": ["b"], "+49 171 5559142": ["c"], "ids": ["d"]})
        )
        with pytest.raises(SourceError, match="ids") as caught:
            engine.query("SELECT id FROM orders", "x.sql")
        assert "erika" not in str(caught.value)
        assert "5559142" not in str(caught.value)

    def test_the_relations_are_named(self, engine: Engine) -> None:
        engine.register("orders", ORDERS)
        with pytest.raises(SourceError) as caught:
            engine.query("SELECT * FROM oders", "x.sql")
        assert "oders" in caught.value.what
        assert "orders" in caught.value.fix


ACCOUNTS = pa.table({"account_id": [f"a{n:02d}" for n in range(40)], "name": [f"ü{n}" for n in range(40)]})
EVENTS = pa.table(
    {
        "event": range(1000),
        "account_id": [f"a{n % 43:02d}" for n in range(1000)],
        "time": pa.array(
            [n * 3_600_000_000 if n % 7 else None for n in range(1000)], pa.timestamp("us", "UTC")
        ),
        "group_id": ["a column of this name, too"] * 1000,
    }
)
# Every account n belongs to the group of n % 5, but for the last ones, which are named nowhere.
PLACES = pa.table(
    {"account_id": [f"a{n:02d}" for n in range(35)], "group_id": [f"a{n % 5:02d}" for n in range(35)]}
)
GROUP = dict(zip(*PLACES.to_pydict().values(), strict=True))


def told(parts: Mapping[str, pa.Table]) -> pa.Table:
    """All rows of a partition in one table, and which rows came together."""
    rows = [
        {"relation": name, "row": repr(sorted(row.items(), key=str)), "account": row["account_id"]}
        for name, table in sorted(parts.items())
        for row in table.to_pylist()
    ]
    mark = min((r["row"] for r in rows), default="")
    return pa.Table.from_pylist(
        [{**r, "partition": mark} for r in rows],
        pa.schema([(n, pa.string()) for n in ("relation", "row", "account", "partition")]),
    )


def refused(parts: Mapping[str, pa.Table]) -> pa.Table:
    raise ContractError("no", where=",".join(sorted(parts)), fix="yes", ids=["a1"])


def schemas(parts: Mapping[str, pa.Table]) -> pa.Table:
    return pa.table({"told": [f"{n}: {t.schema.names} {t.schema.types}" for n, t in sorted(parts.items())]})


def counted(parts: Mapping[str, pa.Table]) -> pa.Table:
    """Events and their latest time by account: a work whose result is one row per account."""
    events = parts["events"].group_by("account_id").aggregate([("event", "sum"), ("time", "max")])
    return parts["accounts"].join(events, "account_id", join_type="left outer")


class TestPartitions:
    """Whole groups together, every row exactly once, the result the same however many there are."""

    @pytest.fixture
    def ready(self, engine: Engine) -> Engine:
        engine.register("accounts", ACCOUNTS)
        engine.register("raw", EVENTS)
        engine.define("events", "SELECT * FROM raw WHERE event >= 0", "events.sql")
        return engine

    @pytest.mark.parametrize("count", [1, 2, 7])
    def test_every_row_once_and_groups_whole(self, ready: Engine, count: int) -> None:
        rows = pa.concat_tables(ready.partitions(["accounts", "events"], PLACES, count, told))
        want = told({"accounts": ACCOUNTS, "events": EVENTS})
        assert Counter(zip(rows["relation"].to_pylist(), rows["row"].to_pylist(), strict=True)) == Counter(
            zip(want["relation"].to_pylist(), want["row"].to_pylist(), strict=True)
        )
        seen: dict[str, set[str]] = {}
        for account, partition in zip(
            rows["account"].to_pylist(), rows["partition"].to_pylist(), strict=True
        ):
            seen.setdefault(GROUP.get(account, account), set()).add(partition)
        assert {len(parts) for parts in seen.values()} == {1}
        together = len({p for parts in seen.values() for p in parts})
        assert together == 1 if count == 1 else 1 < together <= count

    def test_the_result_does_not_depend_on_their_number(self, ready: Engine) -> None:
        found = [
            by_all(pa.concat_tables(ready.partitions(["accounts", "events"], PLACES, count, counted)))
            for count in (1, 2, 7)
        ]
        assert found[0].num_rows == ACCOUNTS.num_rows
        assert found[0].equals(found[1])
        assert found[0].equals(found[2])
        assert pc.sum(found[0]["event_sum"]).as_py() == sum(n for n in range(1000) if n % 43 < 40)

    @pytest.mark.parametrize("count", [1, 3])
    def test_without_rows_there_is_one_empty_result(self, engine: Engine, count: int) -> None:
        engine.register("accounts", ACCOUNTS.slice(0, 0))
        engine.register("events", EVENTS.slice(0, 0))
        found = list(engine.partitions(["accounts", "events"], PLACES.slice(0, 0), count, counted))
        assert found
        assert {table.num_rows for table in found} == {0}

    @pytest.mark.parametrize("count", [1, 2])
    def test_a_relation_without_rows_keeps_its_columns(self, engine: Engine, count: int) -> None:
        engine.register("accounts", ACCOUNTS)
        engine.register("events", EVENTS.slice(0, 0))
        rows = pa.concat_tables(engine.partitions(["accounts", "events"], PLACES, count, schemas))
        want = schemas({"accounts": ACCOUNTS, "events": EVENTS})
        assert set(rows["told"].to_pylist()) == set(want["told"].to_pylist())

    @pytest.mark.parametrize("count", [1, 2])
    def test_an_error_of_the_work_comes_out_as_it_is(self, ready: Engine, count: int) -> None:
        with pytest.raises(ContractError) as caught:
            list(ready.partitions(["accounts", "events"], PLACES, count, refused))
        assert (
            caught.value.record()
            == ContractError("no", where="accounts,events", fix="yes", ids=["a1"]).record()
        )


class TestClosing:
    """What an engine wrote is gone, and the next one begins with nothing."""

    def test_nothing_is_left_behind(self, engine: Engine, spill: Path) -> None:
        before = {p.name for p in spill.iterdir()}
        other = type(engine)(threads=1, memory_gib=0.5, scratch=spill)
        other.register("accounts", ACCOUNTS)
        other.register("events", EVENTS)
        next(iter(other.partitions(["accounts", "events"], PLACES, 2, counted)))
        assert {p.name for p in spill.iterdir()} > before
        other.close()
        assert {p.name for p in spill.iterdir()} == before

    def test_an_engine_sees_no_relation_of_another(self, engine: Engine, spill: Path) -> None:
        engine.register("orders", ORDERS)
        other = type(engine)(threads=1, memory_gib=0.5, scratch=spill)
        try:
            with pytest.raises(SourceError):
                other.query("SELECT * FROM orders", "x.sql")
        finally:
            other.close()
        assert engine.query("SELECT count(*) AS n FROM orders", "x.sql")["n"].to_pylist() == [2]
