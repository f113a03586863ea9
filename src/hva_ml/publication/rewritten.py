"""Whether the past is still what it was: the sample of last night beside tonight's.

What has happened does not change: rows are added, and single ones corrected. Where many say something else
now, or are gone, a unit, a zone, a key or an export has changed, and every score with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hva_ml.publication.nights import Night, Tonight
from hva_ml.publication.rows import AuditRow

REWRITTEN = "HVS015"
LEAST, LEAST_GONE = 20, 5
_MOST_NAMED = 3
_FIX = (
    "Ask what has changed at the source: a unit, a time zone, day and month, keys, how far back it exports. "
    "If the new rows are right, publish once with a reason and train again: the model learned from others."
)


@dataclass(frozen=True)
class _Seen:
    """How many of the values of a column are not there any more."""

    column: str
    gone: int
    values: int

    @property
    def share(self) -> float:
        return self.gone / self.values


def rewritten(tonight: Tonight, last: Night | None, why_not: str) -> AuditRow:
    """Return what is found of rows that were there last night.

    Parameters
    ----------
    tonight : Tonight
        The run that is to be published.
    last : Night or None
        The run that counts until now, however old it is.
    why_not : str
        Why there is no last night.
    """
    if last is None:
        return AuditRow(REWRITTEN, "not applicable", "sources", why_not)
    why = _no_comparison(tonight.night, last)
    seen = [] if why else sorted(_seen(tonight.night, last), key=lambda s: (-s.share, s.column))
    if not seen:
        why = why or "Last night's run does not say what its rows were, or there were too few of them."
        return AuditRow(REWRITTEN, "not applicable", "sources", why)
    most = tonight.limits.max_rewritten
    found = [s for s in seen if s.share > most and s.gone >= LEAST_GONE]
    asked = f"at most {most:g} of a sample of last night's values"
    if not found:
        what = f"What rows said last night they still say: {len(seen)} columns were looked at."
        return AuditRow(REWRITTEN, "passed", seen[0].column, what, seen[0].share, asked, _FIX)
    shown = "; ".join(f"{s.column} {s.share:.0%} of {s.values}" for s in found[:_MOST_NAMED])
    edited = " The pipeline file has changed, too." if tonight.night.settings != last.settings else ""
    what = (
        f"{len(found)} of {len(seen)} columns no longer have what they had last night: {shown} values are "
        f"gone, as if the past had been rewritten.{edited}"
    )
    return AuditRow(REWRITTEN, "found", found[0].column, what, found[0].share, asked, _FIX)


def _no_comparison(night: Night, last: Night) -> str:
    if night.as_of < last.as_of:
        return f"The run before is as of {last.as_of}, which is later: its rows were not all known then."
    return ""


def _seen(night: Night, last: Night) -> Iterator[_Seen]:
    for column in sorted(set(night.sample) & set(last.sample)):
        now, before = night.sample[column], last.sample[column]
        if now.level[0] != before.level[0]:
            continue  # other accounts were looked at
        level = max(now.level[1], before.level[1])
        old = before.finer(level)
        if len(old) >= LEAST:
            yield _Seen(column, len(old - now.finer(level)), len(old))
