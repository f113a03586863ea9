"""Tonight held against last night and against its own limits: one row for each thing that is looked at.

A comparison that would be none says "not applicable" and why, so that it never raises a false alarm.
"""

from collections.abc import Iterable
from math import fsum, sqrt
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from hva_ml.evaluation.stability import Shift, shift
from hva_ml.publication.forms import forms
from hva_ml.publication.moves import LEVEL, NULLS, levels, nulls
from hva_ml.publication.nights import NUMBERS, Night, Tonight
from hva_ml.publication.passing import Passing
from hva_ml.publication.rewritten import rewritten
from hva_ml.publication.rows import AuditRow, not_asked, row

ACCOUNTS = "HVS002"
GONE = "HVS003"
SHIFT = "HVS005"
CHURN = "HVS006"
TOTAL = "HVS007"
UNSEEN = "HVS008"
HISTORY = "HVS009"
_HAIR = 0.05
"""Scores so near to each other are the same: accounts that share one move together with the market."""
_LOOK = "hva changes PIPELINE tells what moved once both are published; check the sources of the features."
_FEW_ACCOUNTS = (
    "Check that the source of the accounts is complete and that [population] still means the same."
)


def compared(
    tonight: Tonight, last: Night | None, why_not: str, folder: Path | None = None, days: int | None = None
) -> tuple[AuditRow, ...]:
    """Return what is found of tonight, always the same things in the same order.

    Parameters
    ----------
    tonight : Tonight
        The run that is to be published.
    last : Night or None
        The run that counts until now.
    why_not : str
        Why there is no last night, or why it is no comparison; empty if it is one.
    folder : pathlib.Path, optional
        ``data/scores/<pipeline>``, where earlier nights are.
    days : int, optional
        Since the latest attempt at a night; those since `last` if not given. What moves by chance from night
        to night moves by the root of so many times as much.
    """
    passing = None if last is None else Passing(folder, tonight, last)
    if last is None or passing is None or why_not:
        against = [
            not_asked(c, "scores", why_not) for c in (ACCOUNTS, GONE, NULLS, LEVEL, SHIFT, CHURN, TOTAL)
        ]
        sources = _sources(tonight, last, why_not, passing)
        return (*against, _unseen(tonight), _history(tonight, None, why_not), *sources)
    days = max(1, abs((tonight.night.as_of - last.as_of).days) if days is None else days)
    return (
        _accounts(tonight, last),
        _gone(tonight, last),
        nulls(tonight, last, days, passing),
        levels(tonight, last, days, passing),
        *_scores(tonight, last, days),
        _unseen(tonight),
        _history(tonight, last, ""),
        *_sources(tonight, last, "", passing),
    )


def _sources(
    tonight: Tonight, last: Night | None, why_not: str, passing: Passing | None
) -> tuple[AuditRow, ...]:
    """Hold the sources against the last published night, however old it is."""
    return (*forms(tonight, last, why_not, passing), rewritten(tonight, last, why_not))


def _scores(tonight: Tonight, last: Night, days: int) -> Iterable[AuditRow]:
    """Compare what a model says: only with what the same model said."""
    night = tonight.night
    if night.release != last.release:
        why = (
            f"Last night was scored by release {last.version}, tonight by release {night.version}; "
            "hva changes splits what moves into account and model."
        )
        return [not_asked(c, "scores", why) for c in (SHIFT, CHURN, TOTAL)]
    return [_shift(tonight, last, days), _churn(tonight, last, days), _total(tonight, last, days)]


def _accounts(tonight: Tonight, last: Night) -> AuditRow:
    n, before = len(tonight.night.account_id), len(last.account_id)
    low, high = tonight.limits.accounts
    what = f"{n:,} accounts are scored, last night {before:,}."
    asked = f"{low:g} to {high:g} times last night's"
    return row(ACCOUNTS, "scores", what, n / before, asked, low <= n / before <= high, _FEW_ACCOUNTS)


def _gone(tonight: Tonight, last: Night) -> AuditRow:
    still = pc.sum(pc.is_in(last.account_id, tonight.night.account_id)).as_py()
    share, bound = 1.0 - still / len(last.account_id), tonight.limits.max_gone
    what = f"{share:.1%} of last night's accounts are not scored tonight."
    fix = f"{_FEW_ACCOUNTS} Ids that are written in another way are other accounts."
    return row(GONE, "scores.account_id", what, share, f"at most {bound:g}", share <= bound, fix)


def _shift(tonight: Tonight, last: Night, days: int) -> AuditRow:
    found = {c: shift(last.numbers[c], tonight.night.numbers[c], tolerance=_HAIR) for c in NUMBERS}

    def bound(s: Shift) -> float:
        return max(tonight.limits.max_psi * days, s.chance)

    worst = max(NUMBERS, key=lambda c: found[c].index - bound(found[c]))
    index, most = found[worst].index, bound(found[worst])
    what = f"The distribution of {worst} has a stability index of {index:.3f} against last night."
    return row(SHIFT, f"scores.{worst}", what, index, f"at most {most:.3g}", index <= most, _LOOK)


def _churn(tonight: Tonight, last: Night, days: int) -> AuditRow:
    night, where = tonight.night, "scores.tier"
    if night.settings != last.settings:
        return not_asked(
            CHURN, where, "The pipeline file has changed since last night, perhaps its tiers too."
        )
    place = pc.index_in(night.account_id, last.account_id)
    both = place.is_valid()
    if not pc.any(both).as_py():
        return not_asked(CHURN, where, "No account was scored in both nights.")
    before = last.tier.take(place.drop_null())
    share = float(np.mean(np.asarray(pc.not_equal(night.tier.filter(both), before))))
    bound = min(1.0, tonight.limits.max_tier_churn * sqrt(days))
    what = f"{share:.1%} of the accounts of both nights have another tier."
    return row(CHURN, where, what, share, f"at most {bound:.3g}", share <= bound, _LOOK)


def _total(tonight: Tonight, last: Night, days: int) -> AuditRow:
    now, before = (fsum(n.numbers["expected_value"]) for n in (tonight.night, last))
    low, high = (edge ** sqrt(days) for edge in tonight.limits.total_value)
    what = f"The expected value of all accounts is {now:,.0f}, last night {before:,.0f}."
    asked = f"{low:.3g} to {high:.3g} times last night's"
    ratio = now / before
    return row(TOTAL, "scores.expected_value", what, ratio, asked, low <= ratio <= high, _LOOK)


def _unseen(tonight: Tonight) -> AuditRow:
    if not tonight.unseen:
        return not_asked(UNSEEN, "features", "The model reads no category.")
    worst = max(sorted(tonight.unseen), key=lambda f: tonight.unseen[f])
    share, bound = tonight.unseen[worst], tonight.limits.max_unseen
    what = f"{share:.1%} of the accounts have a {worst} that training has not seen."
    fix = "Check the spelling of the categories in the source; if they are new indeed, train again."
    return row(UNSEEN, worst, what, share, f"at most {bound:g}", share <= bound, fix)


def _history(tonight: Tonight, last: Night | None, why_not: str) -> AuditRow:
    share, limits, where = tonight.night.without_history, tonight.limits, "population"
    fix = "Check that events, deals and invoices still name the accounts by the same ids."
    if share is None:
        return not_asked(HISTORY, where, "The pipeline has no table of history.")
    what = f"{share:.1%} of the accounts have no row of history at all"
    before = None if last is None else last.without_history
    asked = f"at most {limits.max_without_history:g}"
    if before is None:
        why = why_not or "Last night's run does not say how many it were then."
        what = f"{what}. Not compared: {why}"
        return row(HISTORY, where, what, share, asked, share <= limits.max_without_history, fix)
    most = min(limits.max_without_history, before + limits.max_without_history_rise)
    what = f"{what}, last night {before:.1%}."
    return row(HISTORY, where, what, share, f"at most {most:.3g}", share <= most, fix)
