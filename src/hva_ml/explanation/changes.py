"""The change of every score between two runs, split exactly: the account has changed, the model has changed.

Both orders count half: the account may change first (under the old model) or the model first (at the old
features). That is the Shapley value of a game of two players, so neither side takes the other's part.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hva_ml.errors import IntegrityError
from hva_ml.explanation.composition import TOLERANCE, Model, explain_past
from hva_ml.training.trees import Floats


@dataclass(frozen=True)
class Seen:
    """The same accounts as one model reads them, before and after; equal shapes (n_rows, n_features)."""

    model: Model
    names: tuple[str, ...]
    before: Floats
    after: Floats


@dataclass(frozen=True)
class Change:
    """Why ln(expected value) of each account is another than before.

    Attributes
    ----------
    names : tuple of str
        Features of either model, sorted.
    account : numpy.ndarray of float64, shape (n_rows, n_features)
        What the account's own change of each feature adds.
    model : numpy.ndarray of float64, shape (n_rows,)
        What the new model adds; exactly 0 if the model is the same.
    before, after : numpy.ndarray of float64, shape (n_rows,)
        ln(expected value) of the two runs.
    """

    names: tuple[str, ...]
    account: Floats
    model: Floats
    before: Floats
    after: Floats

    def check(self) -> None:
        """Hold every row to additivity within 1e-9; raises ``IntegrityError``."""
        error = np.abs(self.before + self.account.sum(axis=1) + self.model - self.after)
        wrong = ~(error <= TOLERANCE)
        if wrong.any():
            raise IntegrityError(
                f"The parts of a change miss it by {np.nanmax(error):.3g}.",
                where=f"{int(wrong.sum())} of {len(error)} accounts",
                why="Reasons that do not add up to the change are no reasons.",
                fix="Restore the model files, or train and promote again.",
            )


def change(old: Seen, new: Seen | None = None) -> Change:
    """Split the change of every score.

    With old and new features x, x' and old and new model s, s' (all in log space):
    account = ½ (φ_s(x→x') + φ_s'(x→x')), model = ½ (s'(x) − s(x) + s'(x') − s(x')); φ are interventional
    Shapley values with the account's own past as the reference, carried through the calibrator by the rescale
    rule, so Σφ_s = s(x') − s(x) and all parts sum to s'(x') − s(x).

    Parameters
    ----------
    old : Seen
        The accounts of both runs as the old model reads them. A feature that only one run has must be the
        same in `before` and `after`: its effect then counts to the model.
    new : Seen, optional
        As the new model reads them; None if the model is the same.

    Returns
    -------
    Change
        Already checked.
    """
    here = explain_past(old.model, old.before, old.after)
    parts, first = here.total, (here.log_base, here.log_expected_value)
    if new is None:
        found = Change(*_sorted(old.names, parts), np.zeros(len(parts)), *first)
        found.check()
        return found
    there = explain_past(new.model, new.before, new.after)
    last = there.log_base, there.log_expected_value
    names = tuple(sorted({*old.names, *new.names}))
    place = {n: j for j, n in enumerate(names)}
    account = np.zeros((len(parts), len(names)))
    for seen, told in ((old, parts), (new, there.total)):
        account[:, [place[n] for n in seen.names]] += 0.5 * told
    model = 0.5 * ((last[0] - first[0]) + (last[1] - first[1]))
    found = Change(names, account, model, first[0], last[1])
    found.check()
    return found


def _sorted(names: tuple[str, ...], parts: Floats) -> tuple[tuple[str, ...], npt.NDArray[np.float64]]:
    order = sorted(range(len(names)), key=names.__getitem__)
    return tuple(names[j] for j in order), parts[:, order]
