"""From what is known of one account to what its page shows."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hva_ml.calibration import HighValue, Spread, ValueSpread
from hva_ml.config import UNDATED, PipelineConfig
from hva_ml.explanation.families import FamilyFactor
from hva_ml.explanation.reasons import Reason
from hva_ml.features.definition import of_leads
from hva_ml.jobs.neighbours import Neighbour
from hva_ml.jobs.told import Told
from hva_ml.reports import account as page
from hva_ml.workspace import Workspace

INNER = ("step", "other")


def _part(table: pa.Table) -> tuple[tuple[str, float, float], ...]:
    """Return the steps of one part: what it is called, its factor, what is reached."""
    return tuple((s["step"], s["factor"], s["end"]) for s in table.to_pylist() if s["kind"] != "total")


def bounds(
    row: dict[str, Any], name: str, spread: Spread | ValueSpread | None
) -> tuple[float, float, float] | None:
    """Return lower bound, upper bound and how often they hold; None if the run does not have them."""
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    return None if low is None or high is None or spread is None else (low, high, spread.level)


def _high_value(row: dict[str, Any], model: HighValue | None) -> tuple[float, float] | None:
    """Return the likelihood of ending among the best, and their share; None if the run does not tell it."""
    told = row.get("hva_likelihood")
    return None if told is None or model is None else (told, model.share)


def account_view(
    found: Told,
    home: str,
    why: Sequence[Reason],
    overview: Sequence[FamilyFactor],
    like: Sequence[Neighbour],
    tables: Sequence[pa.Table],
) -> page.AccountView:
    """Return the page's view of an account.

    Parameters
    ----------
    found : Told
        What the run says of it.
    home : str
        What the account is called that it is compared with.
    why, overview, like : sequence of Reason, FamilyFactor, Neighbour
        Reasons, factors of families, similar accounts.
    tables : sequence of pyarrow.Table
        Waterfalls of the expected value, the probability, and the value if converted.
    """
    row, bundle, told = found.row, found.bundle, tables[0].to_pylist()
    steps = tuple((s["step"], s["factor"], s["change"]) for s in told if s["kind"] in INNER)
    return page.AccountView(
        account_id=row["account_id"],
        name=found.name,
        as_of=row["as_of"],
        currency=bundle.currency,
        probability=row["conversion_probability"],
        probability_bounds=bounds(row, "probability", bundle.calibrator.spread),
        value_if_converted=row["value_if_converted"],
        value_bounds=bounds(row, "value", bundle.value_spread),
        expected_value=row["expected_value"],
        percentile=row["percentile"],
        rank=row["rank"],
        n_accounts=found.n_accounts,
        tier=row["tier"],
        in_capacity=row["in_capacity"],
        strategic_weight=row["strategic_weight"],
        high_value=_high_value(row, bundle.high_value),
        model_version=row["model_version"],
        home=home,
        kind=found.home.kind,
        base_expected_value=float(np.exp(found.log_base)),
        steps=steps,
        positive_reasons=tuple((r.text, r.factor) for r in why if r.direction == "up"),
        negative_reasons=tuple((r.text, r.factor) for r in why if r.direction == "down"),
        horizon_days=bundle.horizon_days,
        simulated=bool(bundle.metadata.get("simulated")),
        families=tuple((f.family, f.likelihood, f.value, f.total) for f in overview),
        parts=(_part(tables[1]), _part(tables[2])),
        neighbours=tuple((n.name or n.account_id, n.as_of, n.value, n.shared) for n in like),
        stale=found.run.stale is not None,
        leads=of_leads(bundle.definitions),
        dated=all(n.as_of != UNDATED for n in like),
        missing=found.run.stale.missing if found.run.stale else None,
    )


def page_place(ws: Workspace, config: PipelineConfig, row: dict[str, Any]) -> Path:
    """Name the page by a hash: an account id is data, and data never become a path."""
    name = hashlib.sha256(row["account_id"].encode()).hexdigest()[:16]
    return ws.reports(config.name) / f"{row['as_of']:%Y-%m-%d}" / f"account-{name}"
