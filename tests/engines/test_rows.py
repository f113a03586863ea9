"""Which queries look at each row by itself: those that do give for halves what they give for the whole."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.engines.duckdb import DuckDBEngine
from hva_ml.engines.rows import reads
from hva_ml.engines.spark import SparkEngine

BY_ROW = [
    "SELECT * FROM s",
    "FROM s",
    "SELECT x + 1 AS x, CAST(t AS STRING) AS t FROM S AS a WHERE a.x > 1 AND w IN ('a', 'b')",
    "SELECT CASE w WHEN 'a' THEN 'first' ELSE upper(w) END AS w, coalesce(x, 0) / 100 AS amount FROM s",
    "SELECT * EXCLUDE (t) REPLACE (x * 2 AS x) FROM s WHERE w IS NOT NULL AND w LIKE 'a%'",
    "SELECT date_trunc('day', t) AS day, t - INTERVAL 1 DAY AS eve, extract(year FROM t) AS y FROM s",
    "SELECT x FROM (SELECT x, w FROM s WHERE x BETWEEN 1 AND 3)",
    "WITH a AS (SELECT x, w FROM s), b AS (SELECT * FROM a WHERE x > 0) SELECT * FROM b",
    "SELECT x, w FROM s UNION ALL SELECT x, w FROM r UNION ALL SELECT -x, 'again' FROM s",
    "SELECT try_cast(w AS INTEGER) AS n, w || '!' AS w, w ILIKE 'A', x IS DISTINCT FROM 2 FROM s",
]
NOT_BY_ROW = {
    "SELECT count(*) FROM s": "count_star",
    "SELECT w, sum(x) FROM s GROUP BY w": "groups",
    "SELECT DISTINCT x FROM s": "repeated",
    "SELECT x FROM s ORDER BY x": "orders",
    "SELECT x FROM s LIMIT 3": "limits",
    "SELECT x, row_number() OVER () FROM s": "window",
    "SELECT x FROM s QUALIFY row_number() OVER (PARTITION BY w) = 1": "groups",
    "SELECT s.x FROM s JOIN r USING (x)": "joins",
    "SELECT s.x FROM s, r": "joins",
    "SELECT x FROM s UNION SELECT x FROM r": "UNION ALL",
    "SELECT x FROM s EXCEPT SELECT x FROM r": "UNION ALL",
    "SELECT x FROM s WHERE x IN (SELECT x FROM r)": "another query",
    "SELECT (SELECT max(x) FROM s) FROM s": "another query",
    "SELECT unnest([1, 2]) FROM s": "unnest",
    "SELECT random() FROM s": "random",
    "SELECT now() FROM s": "now",
    "SELECT current_date FROM s": "current_date",
    "SELECT age(t) FROM s": "age",
    "SELECT rowid FROM s": "rowid",
    "SELECT s.rowid FROM s": "rowid",
    "SELECT x FROM s USING SAMPLE 10%": "groups",
    "SELECT x FROM s TABLESAMPLE 10%": "one relation",
    "SELECT 1 AS x": "one relation",
    "SELECT * FROM range(3)": "one relation",
    "SELECT list_transform([x], y -> y + 1) FROM s": "list_transform",
    "SELECT upper(w) FILTER (WHERE x > 1) FROM s": "upper",
    "WITH RECURSIVE a AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM a WHERE x < 3) SELECT * FROM a": "SELECT",
    "WITH a AS (SELECT max(x) AS x FROM s) SELECT * FROM a": "max",
    "SELECT x FROM s; SELECT x FROM s": "one query",
    "SELECT x FROM": "one query",
}  # fmt: skip
ROW = st.tuples(
    st.sampled_from([None, 0, 1, 2, 3]), st.sampled_from([None, "a", "b", "7"]), st.integers(0, 3 * 86_400)
)
SCHEMA = pa.schema([("x", pa.int64()), ("w", pa.string()), ("t", pa.timestamp("s"))])


@pytest.fixture(scope="module")
def engine():
    engine = DuckDBEngine()
    yield engine
    engine.close()


def table(rows) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, r, strict=True)) for r in rows], SCHEMA)


def answer(engine, sql: str, s: pa.Table, r: pa.Table) -> tuple[pa.Schema, list[str]]:
    engine.register("s", s)
    engine.register("r", r)
    found = engine.query(sql, "query.sql")
    return found.schema, sorted(map(repr, found.to_pylist()))


@pytest.mark.parametrize("sql", BY_ROW)
@given(s=st.lists(ROW, max_size=6), r=st.lists(ROW, max_size=4), cut=st.integers(0, 6))
@settings(max_examples=10, deadline=None)
def test_a_query_by_row_gives_for_parts_what_it_gives_for_the_whole(engine, sql, s, r, cut) -> None:
    found = engine.reads(sql)
    assert found.why_not == ""
    assert found.relations <= {"s", "r"}
    nothing = table([])
    whole = answer(engine, sql, table(s), table(r))
    parts = [
        answer(engine, sql, table(s[:cut]), nothing),
        answer(engine, sql, table(s[cut:]), nothing),
        answer(engine, sql, nothing, table(r)),
    ]
    assert {schema for schema, _ in parts} == {whole[0]}
    assert sorted(row for _, rows in parts for row in rows) == whole[1]


@pytest.mark.parametrize(("sql", "said"), NOT_BY_ROW.items())
def test_all_else_is_not_and_why_is_said(engine, sql, said) -> None:
    found = engine.reads(sql)
    assert not found.relations
    assert said in found.why_not


def test_a_tree_of_an_unknown_form_is_not_trusted() -> None:
    assert reads({"statements": [{"node": {"type": "SELECT_NODE"}}]}).why_not == "its form is not known"


def test_spark_does_not_tell() -> None:
    assert "Spark" in SparkEngine.reads(object.__new__(SparkEngine), "SELECT * FROM s").why_not
