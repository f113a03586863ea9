"""DuckDB as most would write it well: one grouped scan for each cutoff, a filter for each window and type."""

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
    SELECT account_id, event_type::ENUM ({", ".join(f"'{t}'" for t in types)}) AS event_type, contact_id,
           amount_cents, epoch_us(event_time) AS t, epoch_us(known_at) AS k
    FROM read_parquet('{events}')
    """
)
parts = []
for place, cutoff in enumerate(wanted["cutoffs"]):
    inside = {w: f"t >= {cutoff - w * 86_400_000_000}" for w in windows}
    columns = [
        f"count(*) FILTER ({inside[w]} AND event_type = '{name}') AS count_{name}_{w}"
        for name in types
        for w in windows
    ]
    columns += [
        f"coalesce(sum(amount_cents) FILTER ({inside[w]} AND event_type = '{name}'), 0)::BIGINT "
        f"AS sum_{name}_{w}"
        for name in types
        for w in windows
    ]
    columns += [f"count(DISTINCT contact_id) FILTER ({inside[w]}) AS distinct_{w}" for w in windows]
    columns += [f"{cutoff} - max(t) FILTER (event_type = '{name}') AS recency_{name}" for name in types]
    parts.append(
        f"SELECT account_id, {place} AS cutoff, {', '.join(columns)} FROM events "
        f"WHERE t < {cutoff} AND k < {cutoff} GROUP BY account_id"
    )
connection.execute(f"COPY ({' UNION ALL '.join(parts)}) TO '{out}' (FORMAT parquet)")
