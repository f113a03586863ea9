"""DuckDB by way of small groups: for each cutoff account and type first, few filters, then wide."""

import json
import sys
from pathlib import Path

import duckdb

events, out, task = sys.argv[1:4]
wanted = json.loads(Path(task).read_text(encoding="utf-8"))
windows, types = wanted["windows_days"], wanted["types"]
connection = duckdb.connect(config={"threads": "2", "temp_directory": str(Path(out).parent / "spill")})
connection.execute(
    f"""
    CREATE TABLE events AS
    SELECT dense_rank_of.a AS a, event_type::ENUM ({", ".join(f"'{t}'" for t in types)}) AS event_type,
           hash(contact_id) AS contact, amount_cents, epoch_us(event_time) AS t, epoch_us(known_at) AS k
    FROM read_parquet('{events}')
    JOIN (
        SELECT account_id, row_number() OVER (ORDER BY account_id) AS a
        FROM (SELECT DISTINCT account_id FROM read_parquet('{events}'))
    ) dense_rank_of USING (account_id)
    """
)
parts = []
for place, cutoff in enumerate(wanted["cutoffs"]):
    inside = {w: f"t >= {cutoff - w * 86_400_000_000}" for w in windows}
    visible = f"FROM events WHERE t < {cutoff} AND k < {cutoff}"
    measured = ", ".join(
        f"count(*) FILTER ({inside[w]}) AS n{w}, sum(amount_cents) FILTER ({inside[w]}) AS a{w}"
        for w in windows
    )
    wide = [
        f"coalesce(max({v}{w}) FILTER (event_type = '{name}'), 0)::BIGINT AS {what}_{name}_{w}"
        for what, v in (("count", "n"), ("sum", "a"))
        for name in types
        for w in windows
    ]
    wide += [f"{cutoff} - max(t) FILTER (event_type = '{name}') AS recency_{name}" for name in types]
    apart = ", ".join(f"count(*) FILTER ({inside[w]}) AS distinct_{w}" for w in windows)
    parts.append(
        f"""
        SELECT {place} AS cutoff, * FROM
        (SELECT a, {", ".join(wide)} FROM (
            SELECT a, event_type, {measured}, max(t) AS t {visible} GROUP BY a, event_type) GROUP BY a)
        JOIN (
            SELECT a, {apart} FROM (SELECT a, contact, max(t) AS t {visible} GROUP BY a, contact) GROUP BY a
        )
        USING (a)
        """
    )
connection.execute(
    f"""
    COPY (
        SELECT account_id, made.* EXCLUDE (a) FROM ({" UNION ALL ".join(parts)}) made
        JOIN (
            SELECT account_id, row_number() OVER (ORDER BY account_id) AS a
            FROM (SELECT DISTINCT account_id FROM read_parquet('{events}'))
        ) USING (a)
    ) TO '{out}' (FORMAT parquet)
    """
)
