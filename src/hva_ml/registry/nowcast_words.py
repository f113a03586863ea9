"""What cohorts taught whose horizon still ran, in sentences for the card, the report and who trains."""

from collections.abc import Mapping
from math import exp
from typing import Any

_WANTS = {
    "likelihood": "the conversions promised by then, which moved the mean likelihood",
    "value": "the value then promised, which moved all values",
}


def nowcast_sentence(told: Mapping[str, Any]) -> str:
    """Return by how much they moved likelihood and value; empty where none could tell, or nobody asked.

    Parameters
    ----------
    told : mapping
        The key ``calibration`` of a release's metadata.

    Examples
    --------
    >>> found = {"moved": -0.05, "ratio": -0.22, "looks": [{"days": 30}]}
    >>> said = nowcast_sentence({"nowcast": {"released": {"value": found}}})
    >>> said.split(" (30 days old) ")[0]
    'Released fit: 1 cohort whose horizon still ran'
    >>> said.split(" (30 days old) ")[1]
    'had brought 0.80 times the value then promised, which moved all values by a factor of 0.95.'
    """
    found = told.get("nowcast") or {}
    return " ".join(
        f"{fit.capitalize()} fit: {words}"
        for fit in ("evaluated", "released")
        if (words := _of_fit(found.get(fit) or {}))
    )


def _of_fit(found: Mapping[str, Any]) -> str:
    looks = {kind: n for kind, n in found.items() if n["looks"]}
    if not looks:
        return ""
    days = sorted({look["days"] for n in looks.values() for look in n["looks"]})
    many, old = (f"{len(days)} cohorts", f"{days[0]} to {days[-1]}") if days[1:] else ("1 cohort", days[0])
    parts = [
        f"{exp(n['ratio']):.2f} times {_WANTS[kind]} by a factor of {exp(n['moved']):.2f}"
        for kind, n in looks.items()
    ]
    return f"{many} whose horizon still ran ({old} days old) had brought {', and '.join(parts)}."
