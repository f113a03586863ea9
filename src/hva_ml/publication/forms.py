"""Whether the sources still come in last night's form: with time zones, and with values that differ.

Both are asked of the last night whatever its day, and whatever release scored it: a form does not wear off.
"""

from hva_ml.contracts.forms import APART
from hva_ml.publication.nights import Night, Tonight
from hva_ml.publication.passing import Passing, frozen_passed
from hva_ml.publication.rows import AuditRow, certain

ZONES = "HVS013"
FROZEN = "HVS014"
_MOST_NAMED = 3
_ZONE = (
    "Have the source write its times with their zone again, or say it in the query of the table: "
    "<column> AT TIME ZONE 'UTC'. If they are local times of [pipeline] timezone indeed, publish once with "
    "a reason: from then on they are compared with that."
)
_VALUES = (
    "Check what fills the column: a default in place of a value, a join that lost its key. If all are the "
    "same indeed, name it in [audit] may_be_constant."
)


def forms(
    tonight: Tonight, last: Night | None, why_not: str, passing: Passing | None = None
) -> tuple[AuditRow, ...]:
    """Return what is found of zones and of values.

    Parameters
    ----------
    tonight : Tonight
        The run that is to be published.
    last : Night or None
        The run that counts until now.
    why_not : str
        Why there is no last night.
    passing : Passing, optional
        What time alone does to features.
    """
    if last is None:
        return tuple(AuditRow(code, "not applicable", "sources", why_not) for code in (ZONES, FROZEN))
    return (_zones(tonight, last), _frozen(tonight, last, passing))


def _zones(tonight: Tonight, last: Night) -> AuditRow:
    now, before, most = tonight.night.zoneless, last.zoneless, tonight.limits.max_zoneless_rise
    both = sorted(set(now) & set(before))
    if not both:
        why = "Last night's run does not say which of its times had a zone."
        return AuditRow(ZONES, "not applicable", "sources", why)
    rises = sorted(((now[c] - before[c], c) for c in both), key=lambda rise: (-rise[0], rise[1]))
    lost = [c for rise, c in rises if rise > most]
    measured, asked = rises[0][0], f"a rise of at most {most:g}"
    if not lost:
        what = "No column of times came without its zone more often than last night."
        return AuditRow(ZONES, "passed", rises[0][1], what, measured, asked, _ZONE)
    shown = "; ".join(f"{c} {before[c]:.1%} → {now[c]:.1%}" for c in lost[:_MOST_NAMED])
    what = (
        f"Times of {len(lost)} of {len(both)} columns have lost their zone: {shown} of the rows came without "
        "one and were read as local times, so that each may be hours off."
    )
    return AuditRow(ZONES, "found", lost[0], what, measured, asked, _ZONE)


def _frozen(tonight: Tonight, last: Night, passing: Passing | None) -> AuditRow:
    told = [*_columns(tonight, last), *_features(tonight, last, passing)]
    if not told:
        why = "Last night's run does not say which values differed."
        return AuditRow(FROZEN, "not applicable", "sources", why)
    allowed = set(tonight.limits.may_be_constant)
    found = [(name, what) for name, frozen, what in told if frozen and name not in allowed]
    asked = f"not one value for all where {tonight.limits.min_varied:g} of the accounts differed"
    if not found:
        what = f"Whatever differed between rows last night still does: {len(told)} columns and features."
        return AuditRow(FROZEN, "passed", told[0][0], what, 0.0, asked, _VALUES)
    shown = "; ".join(f"{name} ({what})" for name, what in found[:_MOST_NAMED])
    what = f"{len(found)} of {len(told)} columns and features are the same for all now: {shown}."
    return AuditRow(FROZEN, "found", found[0][0], what, float(len(found)), asked, _VALUES)


def _columns(tonight: Tonight, last: Night) -> list[tuple[str, bool, str]]:
    now, before = tonight.night.varied, last.varied
    what = f"at least {APART} rows differed last night"
    return [(c, before[c] >= APART and not now[c], what) for c in sorted(set(now) & set(before))]


def _features(tonight: Tonight, last: Night, passing: Passing | None) -> list[tuple[str, bool, str]]:
    night, told = tonight.night, []
    n, m = len(night.account_id), len(last.account_id)
    for name in sorted(set(night.features) & set(last.features)):
        now, before = night.features[name].apart, last.features[name].apart
        if now is None or before is None:
            continue
        least = max(tonight.limits.min_varied, certain(0.0, n, before, m))
        frozen = now == 0 and before >= least
        if frozen and passing and name not in tonight.limits.may_be_constant:
            frozen = not frozen_passed(passing.steps(name))
        told.append((name, frozen, f"{before:.0%} of the accounts differed last night"))
    return told
