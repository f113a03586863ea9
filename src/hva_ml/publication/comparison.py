"""Tonight held against last night and against its own limits: one row for each thing that is looked at.

A comparison that would be none says "not applicable" and why, so that it never raises a false alarm.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, fsum, hypot, log, sqrt

import numpy as np
import pyarrow.compute as pc

from hva_ml.evaluation.stability import Shift, shift
from hva_ml.publication.forms import forms
from hva_ml.publication.nights import NUMBERS, Night, Profile, Tonight
from hva_ml.publication.rewritten import rewritten
from hva_ml.publication.rows import CERTAIN, AuditRow, certain

ACCOUNTS = "HVS002"
GONE = "HVS003"
NULLS = "HVS004"
SHIFT = "HVS005"
CHURN = "HVS006"
TOTAL = "HVS007"
UNSEEN = "HVS008"
HISTORY = "HVS009"
LEVEL = "HVS012"
_MOST_NAMED = 3
_LOOK = "hva changes PIPELINE tells what moved once both are published; check the sources of the features."
_FEW_ACCOUNTS = (
    "Check that the source of the accounts is complete and that [population] still means the same."
)


def compared(tonight: Tonight, last: Night | None, why_not: str) -> tuple[AuditRow, ...]:
    """Return what is found of tonight, always the same things in the same order.

    Parameters
    ----------
    tonight : Tonight
        The run that is to be published.
    last : Night or None
        The run that counts until now.
    why_not : str
        Why there is no last night, or why it is no comparison; empty if it is one.
    """
    if last is None or why_not:
        against = [_not(c, "scores", why_not) for c in (ACCOUNTS, GONE, NULLS, LEVEL, SHIFT, CHURN, TOTAL)]
        return (
            *against,
            _unseen(tonight),
            _history(tonight, None, why_not),
            *_sources(tonight, last, why_not),
        )
    return (
        _accounts(tonight, last),
        _gone(tonight, last),
        _nulls(tonight, last),
        _levels(tonight, last),
        *_scores(tonight, last),
        _unseen(tonight),
        _history(tonight, last, ""),
        *_sources(tonight, last, ""),
    )


def _sources(tonight: Tonight, last: Night | None, why_not: str) -> tuple[AuditRow, ...]:
    """Hold the sources against the last published night, however old it is."""
    return (*forms(tonight, last, why_not), rewritten(tonight, last, why_not))


def _scores(tonight: Tonight, last: Night) -> Iterable[AuditRow]:
    """Compare what a model says: only with what the same model said."""
    night = tonight.night
    if night.release != last.release:
        why = (
            f"Last night was scored by release {last.version}, tonight by release {night.version}; "
            "hva changes splits what moves into account and model."
        )
        return [_not(c, "scores", why) for c in (SHIFT, CHURN, TOTAL)]
    return [_shift(tonight, last), _churn(tonight, last), _total(tonight, last)]


def _accounts(tonight: Tonight, last: Night) -> AuditRow:
    n, before = len(tonight.night.account_id), len(last.account_id)
    low, high = tonight.limits.accounts
    what = f"{n:,} accounts are scored, last night {before:,}."
    asked = f"{low:g} to {high:g} times last night's"
    return _row(ACCOUNTS, "scores", what, n / before, asked, low <= n / before <= high, _FEW_ACCOUNTS)


def _gone(tonight: Tonight, last: Night) -> AuditRow:
    still = pc.sum(pc.is_in(last.account_id, tonight.night.account_id)).as_py()
    share, bound = 1.0 - still / len(last.account_id), tonight.limits.max_gone
    what = f"{share:.1%} of last night's accounts are not scored tonight."
    fix = f"{_FEW_ACCOUNTS} Ids that are written in another way are other accounts."
    return _row(GONE, "scores.account_id", what, share, f"at most {bound:g}", share <= bound, fix)


def _nulls(tonight: Tonight, last: Night) -> AuditRow:
    night, fix = tonight.night, "Check the sources of these features: what is missing looks like nothing."
    both = sorted(set(night.features) & set(last.features))
    if not both:
        return _not(NULLS, "features", "Last night's run does not say which features were unknown.")
    n, m = len(night.account_id), len(last.account_id)
    moves = []
    for name in both:
        now, before = night.features[name].null_share, last.features[name].null_share
        excess = abs(now - before) - max(tonight.limits.max_null_shift, certain(now, n, before, m))
        moves.append(_Move(name, now - before, excess, f"{before:.0%} → {now:.0%}"))
    asked = f"moves of at most {tonight.limits.max_null_shift:g}, or chance"
    return _moved(NULLS, moves, "The unknown share", asked, fix)


def _levels(tonight: Tonight, last: Night) -> AuditRow:
    """Compare mean sizes: trees hardly notice a wrong unit, for beyond their last split all is the same."""
    night, fix = tonight.night, "Check unit and completeness of the source: doubled rows, cents for euros."
    days = max(1, abs((night.as_of - last.as_of).days))
    allowed = sqrt(days) * log(tonight.limits.max_level_change)
    moves = []
    for name in sorted(set(night.features) & set(last.features)):
        now, before = night.features[name], last.features[name]
        if now.level is None or before.level is None or not (now.level or before.level):
            continue
        noise = CERTAIN * hypot(_noise(now, night), _noise(before, last))
        if now.level and before.level:
            change = now.level / before.level
            excess = abs(log(change)) - max(allowed, noise)
        else:
            # Nothing at all on one side: certain only where the other side is certainly not nothing.
            change, excess = now.level, 1.0 - noise
        moves.append(_Move(name, change, excess, f"{before.level:.4g} → {now.level:.4g}"))
    if not moves:
        return _not(LEVEL, "features", "Last night's run does not say how large its features were.")
    asked = f"{exp(-allowed):.2g} to {exp(allowed):.2g} times as large, or chance"
    return _moved(LEVEL, moves, "The mean size", asked, fix)


def _noise(of: Profile, night: Night) -> float:
    """Return the standard error of a level, relative to it; 0 where there is none."""
    known = len(night.account_id) * (1 - of.null_share)
    return (of.spread or 0.0) / (of.level * sqrt(known)) if of.level else 0.0


@dataclass(frozen=True)
class _Move:
    """How far a feature has moved, and by how much that is too far."""

    name: str
    by: float
    excess: float
    told: str


def _moved(code: str, moves: list[_Move], what: str, bound: str, fix: str) -> AuditRow:
    worst = sorted(moves, key=lambda m: (-m.excess, m.name))
    far = [m for m in worst if m.excess > 0]
    shown = "; ".join(f"{m.name} {m.told}" for m in (far or worst[:1])[:_MOST_NAMED])
    told = f"{what} of {len(far)} of {len(moves)} features has moved: {shown}."
    if not far:
        told = f"{what} of no feature has moved far; the nearest to its bound: {shown}."
    return _row(code, worst[0].name, told, worst[0].by, bound, not far, fix)


def _shift(tonight: Tonight, last: Night) -> AuditRow:
    found = {c: shift(last.numbers[c], tonight.night.numbers[c]) for c in NUMBERS}

    def bound(s: Shift) -> float:
        return max(tonight.limits.max_psi, s.chance)

    worst = max(NUMBERS, key=lambda c: found[c].index - bound(found[c]))
    index, most = found[worst].index, bound(found[worst])
    what = f"The distribution of {worst} has a stability index of {index:.3f} against last night."
    return _row(SHIFT, f"scores.{worst}", what, index, f"at most {most:.3g}", index <= most, _LOOK)


def _churn(tonight: Tonight, last: Night) -> AuditRow:
    night, where = tonight.night, "scores.tier"
    if night.settings != last.settings:
        return _not(CHURN, where, "The pipeline file has changed since last night, perhaps its tiers too.")
    place = pc.index_in(night.account_id, last.account_id)
    both = place.is_valid()
    if not pc.any(both).as_py():
        return _not(CHURN, where, "No account was scored in both nights.")
    before = last.tier.take(place.drop_null())
    share = float(np.mean(np.asarray(pc.not_equal(night.tier.filter(both), before))))
    bound = tonight.limits.max_tier_churn
    what = f"{share:.1%} of the accounts of both nights have another tier."
    return _row(CHURN, where, what, share, f"at most {bound:g}", share <= bound, _LOOK)


def _total(tonight: Tonight, last: Night) -> AuditRow:
    now, before = (fsum(n.numbers["expected_value"]) for n in (tonight.night, last))
    low, high = tonight.limits.total_value
    what = f"The expected value of all accounts is {now:,.0f}, last night {before:,.0f}."
    asked = f"{low:g} to {high:g} times last night's"
    ratio = now / before
    return _row(TOTAL, "scores.expected_value", what, ratio, asked, low <= ratio <= high, _LOOK)


def _unseen(tonight: Tonight) -> AuditRow:
    if not tonight.unseen:
        return _not(UNSEEN, "features", "The model reads no category.")
    worst = max(sorted(tonight.unseen), key=lambda f: tonight.unseen[f])
    share, bound = tonight.unseen[worst], tonight.limits.max_unseen
    what = f"{share:.1%} of the accounts have a {worst} that training has not seen."
    fix = "Check the spelling of the categories in the source; if they are new indeed, train again."
    return _row(UNSEEN, worst, what, share, f"at most {bound:g}", share <= bound, fix)


def _history(tonight: Tonight, last: Night | None, why_not: str) -> AuditRow:
    share, limits, where = tonight.night.without_history, tonight.limits, "population"
    fix = "Check that events, deals and invoices still name the accounts by the same ids."
    if share is None:
        return _not(HISTORY, where, "The pipeline has no table of history.")
    what = f"{share:.1%} of the accounts have no row of history at all"
    before = None if last is None else last.without_history
    asked = f"at most {limits.max_without_history:g}"
    if before is None:
        why = why_not or "Last night's run does not say how many it were then."
        what = f"{what}. Not compared: {why}"
        return _row(HISTORY, where, what, share, asked, share <= limits.max_without_history, fix)
    most = min(limits.max_without_history, before + limits.max_without_history_rise)
    what = f"{what}, last night {before:.1%}."
    return _row(HISTORY, where, what, share, f"at most {most:.3g}", share <= most, fix)


def _row(code: str, where: str, what: str, measured: float, bound: str, holds: bool, fix: str) -> AuditRow:
    return AuditRow(code, "passed" if holds else "found", where, what, float(measured), bound, fix)


def _not(code: str, where: str, why: str) -> AuditRow:
    return AuditRow(code, "not applicable", where, why)
