"""How segments of a likelihood came about, in one sentence for the card, the report and who trains."""

from collections.abc import Mapping
from typing import Any

_JUDGED = {
    "later": "on cohorts later than those that taught them",
    "groups": "on groups of rows held out",
}


def segment_sentence(told: Mapping[str, Any]) -> str:
    """Return whether segments have shifts of their own, and why; empty where nobody asked.

    Parameters
    ----------
    told : mapping
        The key ``calibration`` of a release's metadata.

    Examples
    --------
    >>> segment_sentence({"segments": {"feature": "lead.origin", "kept": False, "sd": 0.0, "judged": "later",
    ...                                "gain": 0.0, "error": 0.0}})
    'Segments of lead.origin are left out: no difference between them beyond what the model knows already.'
    """
    found = told.get("segments")
    if not found:
        return ""
    name, kept = found["feature"], found["kept"]
    if not found["sd"]:
        why = "no difference between them beyond what the model knows already"
        return f"Segments of {name} are left out: {why}."
    if found["judged"] == "nothing":
        return f"Segments of {name} are left out: too few rows to judge them on rows that did not teach them."
    what = (
        f"{_JUDGED[found['judged']]}, shifts of their own lowered the log loss by "
        f"{found['gain']:.5f} ± {found['error']:.5f} a row"
    )
    if kept:
        return f"Segments of {name} have shifts of their own: {what}."
    return f"Segments of {name} are left out: {what}; they are kept if that is more than one standard error."


def apart(told: Mapping[str, Mapping[str, Any] | None]) -> tuple[str, ...]:
    """Return one sentence for each model about its segments, if they are not alike; else none.

    Parameters
    ----------
    told : mapping of str to mapping or None
        By the name of each model: what its release tells of its segments, None where nobody asked for any.

    Examples
    --------
    >>> unjudged = {"feature": "lead.origin", "kept": False, "sd": 0.2, "judged": "nothing"}
    >>> for sentence in apart({"latest": unjudged, "champion": None}):
    ...     print(sentence)
    latest: Segments of lead.origin are left out: too few rows to judge them on rows that did not teach them.
    champion: No segments were asked for.
    >>> apart({"latest": None, "champion": None})
    ()
    """
    if len({(s["feature"], s["kept"]) if s else None for s in told.values()}) < 2:
        return ()
    return tuple(
        f"{name}: {segment_sentence({'segments': s}) or 'No segments were asked for.'}"
        for name, s in told.items()
    )
