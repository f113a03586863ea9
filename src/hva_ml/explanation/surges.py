"""Accounts that are far more active than they themselves usually are: a test with a bound on false alarms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from hva_ml.features.definition import FeatureDefinition
from hva_ml.training.trees import Floats

FALSE_DISCOVERIES = 0.05
LEAST_FACTOR = 2.0


@dataclass(frozen=True)
class Surge:
    """One account's surge.

    Attributes
    ----------
    row : int
        Position of the account.
    feature : str
        The counting feature, e.g. ``events.count_30d``.
    count, usual : float
        Rows in the window; what is usual for this account in as many days.
    p_value : float
        Chance of so many or more if the account were as active as usual.
    """

    row: int
    feature: str
    count: float
    usual: float
    p_value: float


def surges(
    definitions: Sequence[FeatureDefinition],
    values: Mapping[str, Floats],
    *,
    false_discoveries: float = FALSE_DISCOVERIES,
) -> list[Surge]:
    """Return the accounts whose activity is far above their own usual level, surest first.

    Every feature of measure ``surge`` with the ``count`` of the same rows and window is tested: given that n
    rows fell into a window of d days and N into L days before it at one and the same rate, n is binomial of
    n + N draws with d / (d + L) (Przyborowski and Wilenski 1940, Biometrika 31). Features hold the usual rate
    N d / L; N is taken as what the longest count shows, at least 1, which can only make the test milder. An
    account's p-values are joined by Bonferroni, and the accounts are chosen by Benjamini and Hochberg (1995,
    JRSS B 57): if all activity were Poisson, at most a share of `false_discoveries` of the alerts is expected
    to be false, and with no surge at all the chance of a single alert is at most that. Activity that comes in
    bursts gives more. Alerts also need at least twice the usual level.

    Parameters
    ----------
    definitions : sequence of FeatureDefinition
        Those of the run.
    values : mapping of str to numpy.ndarray of float64, shape (n_rows,)
        Features by name, NaN where unknown.
    false_discoveries : float
        In (0, 1).
    """
    counts: dict[str, list[FeatureDefinition]] = {}
    for d in definitions:
        if d.measure == "count" and d.window_days and d.name in values:
            counts.setdefault(d.topic, []).append(d)
    names: list[str] = []
    tested: list[tuple[Floats, Floats, Floats]] = []
    for d in sorted(definitions, key=lambda d: d.name):
        if d.measure != "surge" or d.name not in values:
            continue
        beside = counts.get(d.topic.removesuffix("surge") + "count", [])
        here = next((c for c in beside if c.window_days == d.window_days), None)
        if here is None or here.window_days is None:
            continue
        longest = max(beside, key=lambda c: c.window_days or 0)
        n, change = values[here.name], values[d.name]
        usual = np.maximum((n + 1.0) / np.exp(change) - 1.0, 0.0)
        names.append(here.name)
        tested.append((n, usual, tail(n, usual, values[longest.name] - n)))
    if not tested:
        return []
    p = np.stack([t[2] for t in tested])
    best = np.argmin(p, axis=0)
    lines = np.arange(p.shape[1])
    joint = np.minimum(p[best, lines] * len(tested), 1.0)
    n = np.stack([t[0] for t in tested])[best, lines]
    usual = np.stack([t[1] for t in tested])[best, lines]
    kept = np.flatnonzero(chosen(joint, false_discoveries) & (n + 1 >= LEAST_FACTOR * (usual + 1)))
    found = [Surge(int(k), names[int(best[k])], float(n[k]), float(usual[k]), float(joint[k])) for k in kept]
    return sorted(found, key=lambda s: (s.p_value, s.row))


def tail(n: Floats, usual: Floats, seen: Floats) -> Floats:
    """Return the chance of `n` or more in the window; 1 where the account has no usual level.

    Parameters
    ----------
    n, usual, seen : numpy.ndarray of float64, shape (n_rows,)
        Rows in the window; usual number in such a window; rows seen before it, as far as is known.

    Examples
    --------
    >>> tail(np.array([9.0, 1.0]), np.array([1.0, 1.0]), np.array([10.0, 10.0])).round(5).tolist()
    [2e-05, 0.64951]
    """
    known = np.isfinite(n) & np.isfinite(usual) & (usual > 1e-9) & np.isfinite(seen)
    before = np.where(known, np.maximum(np.nan_to_num(seen), 1.0), 1.0)
    # d / (d + L) with L = N d / usual.
    share = np.where(known, usual, 1.0) / (np.where(known, usual, 1.0) + before)
    count = np.where(known, n, 0.0)
    return np.where(known, binom.sf(count - 1.0, count + before, share), 1.0)


def chosen(p: Floats, q: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which hypotheses Benjamini and Hochberg reject at level `q`, shape (n,).

    Examples
    --------
    >>> chosen(np.array([0.5, 0.01, 0.04]), 0.05).tolist()
    [False, True, False]
    """
    order = np.argsort(p, kind="stable")
    below = p[order] <= q * np.arange(1, len(p) + 1) / max(len(p), 1)
    limit = p[order][np.flatnonzero(below)[-1]] if below.any() else -1.0
    return np.asarray(p <= limit)
