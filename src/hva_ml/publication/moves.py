"""Features held against last night: how often each is unknown, and how large it is as a whole."""

from dataclasses import dataclass
from math import exp, hypot, log, sqrt

from hva_ml.publication.nights import Night, Profile, Tonight
from hva_ml.publication.passing import Passing, level_passed, unknown_passed
from hva_ml.publication.rows import CERTAIN, AuditRow, certain, not_asked, row

NULLS = "HVS004"
LEVEL = "HVS012"
_MOST_NAMED = 3


def nulls(tonight: Tonight, last: Night, days: int, passing: Passing) -> AuditRow:
    """Compare how often features are unknown."""
    night, fix = tonight.night, "Check the sources of these features: what is missing looks like nothing."
    both = sorted(set(night.features) & set(last.features))
    if not both:
        return not_asked(NULLS, "features", "Last night's run does not say which features were unknown.")
    n, m = len(night.account_id), len(last.account_id)
    most = min(1.0, tonight.limits.max_null_shift * sqrt(days))

    def excess(now: Profile, before: Profile) -> float:
        a, b = now.null_share, before.null_share
        return abs(a - b) - max(most, certain(a, n, b, m))

    moves = []
    for name in both:
        now, before = night.features[name], last.features[name]
        far = excess(now, before)
        passed = far > 0 and unknown_passed(passing.steps(name), excess, most)
        told = f"{before.null_share:.0%} → {now.null_share:.0%}"
        moves.append(_Move(name, now.null_share - before.null_share, far, told, passed))
    return _moved(NULLS, moves, "The unknown share", f"moves of at most {most:.3g}, or chance", fix)


def levels(tonight: Tonight, last: Night, days: int, passing: Passing) -> AuditRow:
    """Compare mean sizes: trees hardly notice a wrong unit, for beyond their last split all is the same."""
    night, fix = tonight.night, "Check unit and completeness of the source: doubled rows, cents for euros."
    factor = tonight.limits.max_level_change
    allowed = sqrt(days) * log(factor)

    def excess(now: Profile, before: Profile) -> float:
        assert now.level is not None
        assert before.level is not None
        noise = CERTAIN * hypot(_noise(now, night), _noise(before, last))
        if now.level and before.level:
            return abs(log(now.level / before.level)) - max(allowed, noise)
        # Nothing at all on one side: certain only where the other side is certainly not nothing.
        return 1.0 - noise if now.level or before.level else -noise

    moves = []
    for name in sorted(set(night.features) & set(last.features)):
        now, before = night.features[name], last.features[name]
        if now.level is None or before.level is None or not (now.level or before.level):
            continue
        change = now.level / before.level if now.level and before.level else now.level
        far = excess(now, before)
        passed = far > 0 and level_passed(passing.steps(name), excess, factor)
        moves.append(_Move(name, change, far, f"{before.level:.4g} → {now.level:.4g}", passed))
    if not moves:
        return not_asked(LEVEL, "features", "Last night's run does not say how large its features were.")
    asked = f"{exp(-allowed):.2g} to {exp(allowed):.2g} times as large, or chance"
    return _moved(LEVEL, moves, "The mean size", asked, fix)


def _noise(of: Profile, night: Night) -> float:
    """Return the standard error of a level, relative to it; 0 where there is none."""
    known = len(night.account_id) * (1 - of.null_share)
    return (of.spread or 0.0) / (of.level * sqrt(known)) if of.level else 0.0


@dataclass(frozen=True)
class _Move:
    """How far a feature has moved, by how much that is too far, and whether it only went with the time."""

    name: str
    by: float
    excess: float
    told: str
    passed: bool = False


def _moved(code: str, moves: list[_Move], what: str, bound: str, fix: str) -> AuditRow:
    worst = sorted(moves, key=lambda m: (m.passed, -m.excess, m.name))
    far = [m for m in worst if m.excess > 0 and not m.passed]
    shown = "; ".join(f"{m.name} {m.told}" for m in (far or worst[:1])[:_MOST_NAMED])
    told = f"{what} of {len(far)} of {len(moves)} features has moved: {shown}."
    if not far:
        told = f"{what} of no feature has moved far; the nearest to its bound: {shown}."
    if passed := [m for m in worst if m.passed]:
        told = f"{told} {len(passed)} moved as time passed: {passed[0].name} {passed[0].told}."
    return row(code, worst[0].name, told, worst[0].by, bound, not far, fix)
