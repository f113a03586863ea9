"""The page of one score run: the best accounts with tier, value and main reason, and how value gathers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from hva_ml.errors import HvaError
from hva_ml.reports import pages
from hva_ml.reports.account_charts import pareto
from hva_ml.reports.language import Language, Tongue
from hva_ml.reports.pages import figure, render

CURVE_POINTS = 200
COLUMNS = ("account_id", "rank", "tier", "conversion_probability", "value_if_converted", "expected_value",
           "percentile", "in_capacity")  # fmt: skip


STATE = ("<!-- state -->", "<!-- end of state -->")


@dataclass(frozen=True)
class Staleness:
    """What a page says of whether its scores still count; see `ScoresView`."""

    stale: bool
    missing: date | None


@dataclass(frozen=True)
class ScoresView:
    """Everything the page of one score run shows.

    Attributes
    ----------
    pipeline, title : str
        Name and title of the pipeline.
    as_of : datetime.date
        Only what was known before this day counts.
    currency : str
        ISO 4217 code.
    run_id, model_version : str
        What made the scores.
    horizon_days : int
        Length of the horizon.
    table : pyarrow.Table
        One row per account, in any order: account_id, rank, tier, conversion_probability, value_if_converted,
        expected_value, percentile, in_capacity; optional name and main_reason.
    tier_a, tier_b : float
        Cumulative shares of expected value at which A and B end.
    links : mapping of str to str
        Relative path of an account's page by account id; accounts without one are not linked.
    simulated : bool
        Whether the data are made up.
    stale : bool
        Whether newer scores should be there and are not.
    missing : datetime.date or None
        The day whose scores did not come out.
    lifetime : str
        What all customers probably bring over longer horizons, in a sentence; empty where nothing is told.
    """

    pipeline: str
    title: str
    as_of: date
    currency: str
    run_id: str
    model_version: str
    horizon_days: int
    table: pa.Table
    tier_a: float
    tier_b: float
    links: Mapping[str, str] = field(default_factory=dict)
    simulated: bool = False
    stale: bool = False
    missing: date | None = None
    lifetime: str = ""


def html(view: ScoresView, *, language: Language = "en", country: str = "DE", top: int = 50) -> str:
    """Return the page of one score run with its `top` best accounts.

    Parameters
    ----------
    view : ScoresView
        What to show.
    language : {"en", "de"}
        Language of all words; the main reasons come in the view.
    country : {"DE", "AT", "CH"}
        How German numbers are written.
    top : int
        Number of accounts in the table.

    Raises
    ------
    HvaError
        If a column is missing.
    """
    missing = [c for c in COLUMNS if c not in view.table.column_names]
    if missing:
        raise HvaError(
            f"The scores have no column {', '.join(missing)}.",
            where="table of the score run",
            fix="Give the table as the score run published it.",
        )
    tongue = Tongue(language, country)
    rows = sorted(view.table.to_pylist(), key=lambda r: (r["rank"], r["account_id"]))
    curve, tiers = pareto_curve(rows)
    links = {a: href for a, path in view.links.items() if (href := relative_link(path))}
    return render(
        "scores.html",
        tongue,
        view=view,
        rows=[
            {"name": "", "main_reason": "", **row, "href": links.get(row["account_id"])} for row in rows[:top]
        ],
        n_accounts=len(rows),
        tiers=tiers,
        total=sum(r["expected_value"] for r in rows),
        pareto=figure(lambda width: pareto(curve, tiers, tongue, width)) if curve else None,
    )


def pareto_curve(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the points of the Pareto curve and the summary of each tier.

    Parameters
    ----------
    rows : list of dict
        ``expected_value`` and ``tier``. Strategic accounts may stand in a better tier than their value alone
        gives, so the curve goes tier by tier, by falling value within each.

    Returns
    -------
    tuple of list of dict
        Points: tier, share_accounts, share_value (thinned to about 200). Tiers: tier, accounts (cumulative),
        in_tier, value, share_accounts, share_value (cumulative), own_share. Both empty without any value.
    """
    ordered = sorted(rows, key=lambda r: (r["tier"], -r["expected_value"]))
    total = sum(r["expected_value"] for r in ordered)
    if not ordered or total <= 0:
        return [], []
    every = max(1, len(ordered) // CURVE_POINTS)
    points: list[dict[str, Any]] = []
    tiers: list[dict[str, Any]] = []
    reached, share_accounts, share_value = 0.0, 0.0, 0.0
    for k, row in enumerate(ordered, start=1):
        if not tiers or tiers[-1]["tier"] != row["tier"]:
            # Each tier's area begins where the one before it ends.
            tiers.append({"tier": row["tier"], "in_tier": 0, "value": 0.0})
            points.append({"tier": row["tier"], "share_accounts": share_accounts, "share_value": share_value})
        reached += row["expected_value"]
        share_accounts, share_value = k / len(ordered), min(1.0, reached / total)
        tiers[-1]["in_tier"] += 1
        tiers[-1]["value"] += row["expected_value"]
        tiers[-1] |= {"accounts": k, "share_accounts": share_accounts, "share_value": share_value}
        last = k == len(ordered) or ordered[k]["tier"] != row["tier"]
        if last or k % every == 0:
            points.append({"tier": row["tier"], "share_accounts": share_accounts, "share_value": share_value})
    return points, [{**t, "own_share": t["value"] / total} for t in tiers]


def relative_link(path: str) -> str:
    """Return `path` as a link that cannot leave the page's own folder, or an empty string.

    Examples
    --------
    >>> relative_link("accounts/A 1.html"), relative_link("javascript:alert(1)"), relative_link("../x.html")
    ('accounts/A%201.html', 'javascript%3Aalert%281%29', '')
    """
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return ""
    return "/".join(quote(part, safe="") for part in parts)


def write(
    view: ScoresView, path: Path, *, language: Language = "en", country: str = "DE", top: int = 50
) -> Path:
    """Write the page of one score run, whole or not at all; returns `path`.

    The page of another run that lay there is kept beside it, so that `restate` can bring it back.
    """
    before = _read(path)
    if before is not None and view.run_id not in before.partition(STATE[0])[0]:
        pages.write(_kept(path), before)
    return pages.write(path, html(view, language=language, country=country, top=top))


def restate(
    path: Path,
    run_id: str,
    *,
    stale: bool,
    missing: date | None,
    language: Language = "en",
    country: str = "DE",
) -> bool:
    """Let a page that is there say whether its scores are stale; return False if there is none of that run.

    A page of the run that was kept when another was written takes its place again, and the other is kept.

    Parameters
    ----------
    path : pathlib.Path
        As written by `write`, in the same language and country.
    run_id : str
        The run it must be of.
    stale, missing : bool, datetime.date or None
        As in `ScoresView`.
    """
    there = _read(path)
    for text in (there, _read(_kept(path))):
        head, begin, rest = (text or "").partition(STATE[0])
        _, end, tail = rest.partition(STATE[1])
        if not end or run_id not in head:
            continue
        if text is not there and there is not None:
            pages.write(_kept(path), there)
        told = render("state.html", Tongue(language, country), view=Staleness(stale, missing))
        pages.write(path, f"{head}{begin}{told}{end}{tail}")
        return True
    return False


def _kept(path: Path) -> Path:
    """Return where the page lies that was there before."""
    return path.with_name(f".{path.stem}.before{path.suffix}")


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
