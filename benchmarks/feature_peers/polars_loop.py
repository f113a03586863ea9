"""Polars: one lazy group-by for each cutoff, made wide by a pivot."""

import json
import sys
from pathlib import Path

import polars as pl

events, out, task = sys.argv[1:4]
wanted = json.loads(Path(task).read_text(encoding="utf-8"))
windows, types = wanted["windows_days"], wanted["types"]
frame = (
    pl.read_parquet(events)
    .with_columns(
        pl.col("account_id").cast(pl.Categorical),
        pl.col("event_type").cast(pl.Enum(types)),
        pl.col("contact_id").cast(pl.Categorical),
        t=pl.col("event_time").cast(pl.Int64),
        k=pl.col("known_at").cast(pl.Int64),
    )
    .drop("event_time", "known_at")
)
parts = []
for place, cutoff in enumerate(wanted["cutoffs"]):
    visible = frame.filter((pl.col("t") < cutoff) & (pl.col("k") < cutoff))
    inside = {w: pl.col("t") >= cutoff - w * 86_400_000_000 for w in windows}
    by_type = visible.group_by("account_id", "event_type").agg(
        *[inside[w].sum().cast(pl.Int64).alias(f"count_{w}") for w in windows],
        *[(pl.col("amount_cents") * inside[w]).sum().alias(f"sum_{w}") for w in windows],
        (cutoff - pl.col("t").max()).alias("recency"),
    )
    wide = by_type.pivot(on="event_type", on_columns=types, index="account_id")
    pairs = visible.group_by("account_id", "contact_id").agg(pl.col("t").max())
    apart = pairs.group_by("account_id").agg(
        *[inside[w].sum().cast(pl.Int64).alias(f"distinct_{w}") for w in windows]
    )
    wide = wide.join(apart, on="account_id").with_columns(cutoff=pl.lit(place))
    names = {
        f"{what}_{w}_{name}": f"{what}_{name}_{w}"
        for what in ("count", "sum")
        for w in windows
        for name in types
    }
    wide = wide.rename(names).with_columns(pl.col(*names.values()).fill_null(0))
    parts.append(wide.with_columns(pl.col("account_id").cast(pl.String)))
pl.concat(parts, how="diagonal").write_parquet(out)
