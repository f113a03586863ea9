"""The practical floor: DuckDB reads the file and groups by account, type and day; no feature is made."""

import sys

import duckdb

events, out, _ = sys.argv[1:4]
connection = duckdb.connect(config={"threads": "2"})
connection.execute(
    f"""
    COPY (
        SELECT account_id, event_type, epoch_us(event_time) // 86400000000 AS day, count(*) AS n,
               sum(amount_cents)::BIGINT AS cents
        FROM read_parquet('{events}')
        GROUP BY ALL
    ) TO '{out}' (FORMAT parquet)
    """
)
