"""BG/NBD and Pareto/NBD, each with gamma-gamma for the amounts, by PyMC-Marketing at the posterior's mode.

They see purchases alone, one a day and account with a positive net amount, in weeks since the first;
likelihood is that of one or more in the horizon, value the number expected times what one is worth.
"""

import logging
import sys
import warnings

import numpy as np
import pandas as pd
from exchange import Day, answer  # type: ignore[import-not-found]
from pymc_marketing.clv import (  # type: ignore[import-not-found]
    BetaGeoModel,
    GammaGammaModel,
    ParetoNBDModel,
)

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
WEEK = 7.0


def summary(day: Day) -> pd.DataFrame:
    """Return frequency (repeats), recency, T (weeks) and the mean amount of repeats, one row an account."""
    rows = day.purchases.assign(day=pd.to_datetime(day.purchases["time"]).dt.tz_localize(None).dt.normalize())
    daily = rows.groupby(["account_id", "day"], as_index=False)["amount"].sum()
    daily = daily[daily["amount"] > 0].sort_values(["account_id", "day"])
    by = daily.groupby("account_id")
    first, last = by["day"].min(), by["day"].max()
    repeats = daily[by.cumcount() > 0].groupby("account_id")["amount"].mean()
    found = pd.DataFrame({
        "frequency": by.size() - 1.0,
        "recency": (last - first).dt.days / WEEK,
        "T": (day.cutoff - first).dt.days / WEEK,
    })  # fmt: skip
    found["monetary_value"] = repeats.reindex(found.index).fillna(0.0)
    return found.reset_index(names="customer_id")


def say(day: Day, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Fit on all purchases known on the day; accounts without any get the averages of all."""
    known = summary(day)
    model = {"bg_nbd": BetaGeoModel, "pareto_nbd": ParetoNBDModel}[kind](
        data=known.drop(columns="monetary_value")
    )
    model.fit(method="map", progressbar=False)
    again = known[known["frequency"] > 0]
    spend = GammaGammaModel(data=again[["customer_id", "frequency", "monetary_value"]])
    spend.fit(method="map", progressbar=False)
    asked = known[known["customer_id"].isin(day.score["account_id"])]
    ahead = day.horizon_days / WEEK
    count = np.asarray(model.expected_purchases(data=asked, future_t=ahead)).reshape(-1)
    if kind == "bg_nbd":
        none = np.asarray(model.expected_probability_no_purchase(data=asked, t=ahead)).reshape(-1)
    else:
        none = np.asarray(
            model.expected_purchase_probability(data=asked, n_purchases=0, future_t=ahead)
        ).reshape(-1)
    each = np.asarray(spend.expected_customer_spend(data=asked)).reshape(-1)
    told = pd.DataFrame({"p": 1 - none, "v": count * each}, index=asked["customer_id"])
    told = told.reindex(day.score["account_id"])
    told = told.fillna(told.mean())
    return told["p"].to_numpy(), told["v"].to_numpy()


answer(sys.argv[2], lambda day: say(day, sys.argv[2]))
