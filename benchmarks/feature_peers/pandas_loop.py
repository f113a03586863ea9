"""pandas: one group-by for each cutoff and window, made wide by unstacking."""

import json
import sys
from pathlib import Path

import pandas as pd

events, out, task = sys.argv[1:4]
wanted = json.loads(Path(task).read_text(encoding="utf-8"))
windows, types = wanted["windows_days"], wanted["types"]
frame = pd.read_parquet(events)
for name in ("account_id", "event_type", "contact_id"):
    frame[name] = frame[name].astype("category")
frame["t"] = frame.pop("event_time").astype("int64")
frame["k"] = frame.pop("known_at").astype("int64")
parts = []
for place, cutoff in enumerate(wanted["cutoffs"]):
    visible = frame[(frame["t"] < cutoff) & (frame["k"] < cutoff)]
    last = visible.groupby(["account_id", "event_type"], observed=True)["t"].max()
    columns = [(cutoff - last).unstack().rename(columns=lambda name: f"recency_{name}")]
    for w in windows:
        inside = visible[visible["t"] >= cutoff - w * 86_400_000_000]
        made = inside.groupby(["account_id", "event_type"], observed=True)["amount_cents"].agg(
            ["count", "sum"]
        )
        for what in ("count", "sum"):
            wide = made[what].unstack(fill_value=0)
            columns.append(wide.rename(columns=lambda name, what=what, w=w: f"{what}_{name}_{w}"))
        apart = inside.groupby("account_id", observed=True)["contact_id"].nunique()
        columns.append(apart.rename(f"distinct_{w}").to_frame())
    whole = pd.concat(columns, axis=1)
    exact = [c for c in whole.columns if not c.startswith("recency_")]
    whole[exact] = whole[exact].fillna(0).astype("int64")
    whole["cutoff"] = place
    parts.append(whole.rename_axis("account_id").reset_index())
result = pd.concat(parts, ignore_index=True)
result["account_id"] = result["account_id"].astype(str)
result.to_parquet(out)
