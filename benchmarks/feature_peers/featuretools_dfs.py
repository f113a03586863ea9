"""featuretools: deep feature synthesis at cutoff times, once for each window; late rows need a second clock.

featuretools knows one clock, so each event carries the later one; both clocks differ on few events, which are
left out of the task it is given. Recency (whole past) is one more call without a window.
"""

import json
import sys
import warnings
from pathlib import Path

import featuretools as ft
import pandas as pd

warnings.filterwarnings("ignore")
events, out, task = sys.argv[1:4]
wanted = json.loads(Path(task).read_text(encoding="utf-8"))
frame = pd.read_parquet(events).drop(columns="known_at").reset_index(names="event")
frame["event_time"] = frame["event_time"].dt.tz_localize(None)
types = wanted["types"]
entities = ft.EntitySet("accounts")
entities.add_dataframe(
    dataframe_name="events", dataframe=frame, index="event", time_index="event_time",
    logical_types={"event_type": "Categorical", "contact_id": "Categorical", "account_id": "Categorical"},
)  # fmt: skip
accounts = pd.DataFrame({"account_id": sorted(frame["account_id"].unique())})
entities.add_dataframe(dataframe_name="accounts", dataframe=accounts, index="account_id")
entities.add_relationship("accounts", "account_id", "events", "account_id")
entities.add_interesting_values(dataframe_name="events", values={"event_type": types})
moments = pd.to_datetime(wanted["cutoffs"], unit="us")
# featuretools includes rows at the cutoff itself, and excludes those at the beginning of the window.
times = pd.MultiIndex.from_product([accounts["account_id"], moments - pd.Timedelta(1, "us")])
cutoff_time = times.to_frame(index=False, name=["account_id", "time"])
parts = []
for days in wanted["windows_days"]:
    made, _ = ft.dfs(
        entityset=entities, target_dataframe_name="accounts", agg_primitives=["count", "sum", "num_unique"],
        trans_primitives=[], where_primitives=["count", "sum"], cutoff_time=cutoff_time,
        cutoff_time_in_index=True, training_window=ft.Timedelta(days, "d"), max_depth=1, chunk_size=0.25,
    )  # fmt: skip
    kept = {"NUM_UNIQUE(events.contact_id)": f"distinct_{days}"}
    for name in types:
        kept[f"COUNT(events WHERE event_type = {name})"] = f"count_{name}_{days}"
        kept[f"SUM(events.amount_cents WHERE event_type = {name})"] = f"sum_{name}_{days}"
    parts.append(made[[c for c in kept if c in made.columns]].rename(columns=kept).fillna(0).astype("int64"))
made, _ = ft.dfs(
    entityset=entities, target_dataframe_name="accounts", agg_primitives=["time_since_last"],
    where_primitives=["time_since_last"], trans_primitives=[], cutoff_time=cutoff_time,
    cutoff_time_in_index=True, max_depth=1, chunk_size=0.25,
)  # fmt: skip
for name in types:
    seconds = made[f"TIME_SINCE_LAST(events.event_time WHERE event_type = {name})"].astype(float)
    parts.append(((seconds * 1e6).round() + 1).rename(f"recency_{name}").to_frame())
whole = pd.concat(parts, axis=1).reset_index()
whole["cutoff"] = moments.get_indexer(whole.pop("time") + pd.Timedelta(1, "us"))
whole.to_parquet(out)
