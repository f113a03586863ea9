"""From two models to one score: contributions in log space that add up to ln(expected value), row by row.

ln(expected value) = ln(probability) + ln(value if converted). Each margin's exact contributions are carried
through its link by the rescale rule, so that their exponentials are factors which multiply to the score.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hva_ml.calibration import Outlook, day_terms
from hva_ml.errors import IntegrityError
from hva_ml.explanation.pairs import between, interactions
from hva_ml.explanation.treeshap import Margins, interventional
from hva_ml.training.trees import Floats, Ints

TOLERANCE = 1e-9
# Below this difference of margins the slope is taken as the derivative; the error of that is below 1e-12.
COINCIDENT = 1e-6
STEP = 1e-4


class LogLink(Protocol):
    """What is asked of a calibrator."""

    def log_probability(self, margin: Floats) -> Floats:
        """Return ln p of each margin."""
        ...


class Model(Protocol):
    """What is asked of a bundle."""

    @property
    def conversion(self) -> Margins:
        """Log-odds before calibration."""
        ...

    @property
    def calibrator(self) -> LogLink:
        """Margin to ln p."""
        ...

    @property
    def value(self) -> Margins:
        """Logarithm of the value if converted, up to a constant."""
        ...

    @property
    def value_log_scale(self) -> float:
        """That constant."""
        ...

    @property
    def outlook(self) -> Outlook | None:
        """What the day adds to both margins; None for nothing."""
        ...

    @property
    def direct(self) -> bool:
        """Whether the value's margin is the logarithm of the expected value itself."""
        ...


@dataclass(frozen=True)
class Explanation:
    """Why each row's expected value differs from that of the account it is compared with.

    Attributes
    ----------
    likelihood, value : numpy.ndarray of float64, shape (n_rows, n_features)
        Contributions to ln(probability) and to ln(value if converted).
    log_base_probability, log_base_value : numpy.ndarray of float64, shape (n_rows,)
        Of the account that each row is compared with.
    log_probability, log_value : numpy.ndarray of float64, shape (n_rows,)
        What the models say of each row, for the check.
    """

    likelihood: Floats
    value: Floats
    log_base_probability: Floats
    log_base_value: Floats
    log_probability: Floats
    log_value: Floats

    @property
    def total(self) -> Floats:
        """Contributions to ln(expected value), shape (n_rows, n_features)."""
        return self.likelihood + self.value

    @property
    def log_base(self) -> Floats:
        """ln(expected value) of the account that each row is compared with, shape (n_rows,)."""
        return self.log_base_probability + self.log_base_value

    @property
    def log_expected_value(self) -> Floats:
        """ln(expected value) of each row as the models have it, shape (n_rows,)."""
        return self.log_probability + self.log_value

    def check(self) -> None:
        """Hold every row to additivity: reference plus contributions is the score, within 1e-9 in log space.

        Raises
        ------
        IntegrityError
            With the number of rows that miss it and the worst of them.
        """
        parts = (
            ("probability", self.log_base_probability, self.likelihood, self.log_probability),
            ("value", self.log_base_value, self.value, self.log_value),
            ("expected value", self.log_base, self.total, self.log_expected_value),
        )
        for name, base, contributions, told in parts:
            error = np.abs(base + contributions.sum(axis=1) - told)
            wrong = ~(error <= TOLERANCE)
            if wrong.any():
                worst = int(np.argmax(np.where(np.isnan(error), np.inf, error)))
                raise IntegrityError(
                    f"The reasons of row {worst} miss the logarithm of its {name} by {error[worst]:.3g}.",
                    where=f"{int(wrong.sum())} of {len(error)} rows",
                    why="Reasons that do not multiply to the score are no reasons.",
                    fix="Restore the model files, or train again; until then score without reasons.",
                )


def explain(model: Model, X: Floats, reference: Floats, which: Ints | None = None) -> Explanation:
    """Explain expected values against reference accounts, exactly.

    Rescale rule: a margin's contribution is multiplied by (ln p(x) - ln p(r)) / (m(x) - m(r)), the slope of
    the link between row and reference (DeepLIFT; G-DeepSHAP: Chen, Lundberg and Lee 2022, Nature
    Communications 13), and by the derivative where the two margins coincide. The value's margin is a
    logarithm already. The reference account stands on the day of the row: what the day adds to all accounts
    is in the base.

    Parameters
    ----------
    model : Bundle
        Two models, calibrator and level.
    X : numpy.ndarray of float64, shape (n_rows, n_features)
        The encoded rows.
    reference : numpy.ndarray of float64, shape (n_features,) or (n_references, n_features)
        The encoded reference account, or several.
    which : numpy.ndarray of int64, shape (n_rows,), optional
        With several: which one each row is compared with.

    Returns
    -------
    Explanation
        Already checked.

    Raises
    ------
    IntegrityError
        If the contributions of a row do not add up.
    """
    homes = np.atleast_2d(np.asarray(reference, dtype=np.float64))
    place = np.zeros(len(X), dtype=np.int64) if which is None else np.asarray(which, dtype=np.int64)
    m, v = model.conversion.margin(X), model.value.margin(X)
    likelihood = interventional(model.conversion, X, homes, place, margins=m)
    value = interventional(model.value, X, homes, place, margins=v)
    likely, worth = day_terms(model.outlook, X)
    bases = model.conversion.margin(homes)[place] + likely, model.value.margin(homes)[place] + worth
    return _composed(model, likelihood, value, bases, (m + likely, v + worth))


def explain_past(model: Model, before: Floats, after: Floats) -> Explanation:
    """Explain each row's expected value against the same account as it was before, exactly.

    Parameters
    ----------
    model : Bundle
        Two models, calibrator and level.
    before, after : numpy.ndarray of float64, shape (n_rows, n_features)
        The encoded rows.

    Returns
    -------
    Explanation
        Already checked; a feature that has not changed contributes exactly 0. What the day adds is told as
        the outlook's contribution.

    Raises
    ------
    IntegrityError
        If the contributions of a row do not add up.
    """
    likelihood, value = _steps(model, before, after)
    return _composed(model, likelihood, value, margins(model, before), margins(model, after))


def explain_pairs(model: Model, before: Floats, after: Floats) -> Floats:
    """Return what every two features add to ln(expected value) together, each row against one of its own.

    Parameters
    ----------
    model : Bundle
        Two models, calibrator and level.
    before, after : numpy.ndarray of float64, shape (n_rows, n_features)
        The encoded rows to compare with, and those explained.

    Returns
    -------
    numpy.ndarray of float64, shape (n_rows, n_features, n_features)
        See ``pairs.interactions``; ``sum(axis=2)`` are the contributions of `explain_past`.
    """
    slope = link_slope(model.calibrator, margins(model, before)[0], margins(model, after)[0])
    found = interactions(model.conversion, before, after), interactions(model.value, before, after)
    if model.outlook is not None:
        own = model.outlook.column
        for together, change in zip(found, _day_steps(model.outlook, before, after), strict=True):
            together[:, own, own] += change
    return found[1] if model.direct else found[0] * slope[:, None, None] + found[1]


def margins(model: Model, X: Floats) -> tuple[Floats, Floats]:
    """Return both margins of encoded rows with what their day adds, each of shape (n_rows,)."""
    likely, worth = day_terms(model.outlook, X)
    return model.conversion.margin(X) + likely, model.value.margin(X) + worth


def log_value(model: Model, likely: Floats, worth: Floats) -> Floats:
    """Return ln(value if converted) from both margins, each of shape (n_rows,)."""
    found = worth + model.value_log_scale
    return found - model.calibrator.log_probability(likely) if model.direct else found


def _steps(model: Model, before: Floats, after: Floats) -> tuple[Floats, Floats]:
    """Return what each feature adds to both margins on the way from `before` to `after`.

    See ``pairs.between``; what the day adds is the outlook's.
    """
    found = between(model.conversion, before, after), between(model.value, before, after)
    if model.outlook is not None:
        for contributions, change in zip(found, _day_steps(model.outlook, before, after), strict=True):
            contributions[:, model.outlook.column] += change
    return found


def _day_steps(outlook: Outlook, before: Floats, after: Floats) -> tuple[Floats, Floats]:
    (m0, v0), (m1, v1) = day_terms(outlook, before), day_terms(outlook, after)
    return m1 - m0, v1 - v0


def _composed(
    model: Model, likelihood: Floats, value: Floats, bases: tuple[Floats, Floats], ends: tuple[Floats, Floats]
) -> Explanation:
    link = model.calibrator.log_probability
    likelihood = likelihood * link_slope(model.calibrator, bases[0], ends[0])[:, None]
    explanation = Explanation(
        likelihood, value - likelihood if model.direct else value,
        link(bases[0]), log_value(model, *bases), link(ends[0]), log_value(model, *ends),
    )  # fmt: skip
    explanation.check()
    return explanation


def link_slope(calibrator: LogLink, m0: Floats, m1: Floats) -> Floats:
    """Return (ln p(m1) - ln p(m0)) / (m1 - m0), the derivative where both coincide; shape (n_rows,)."""
    link = calibrator.log_probability
    near = np.abs(m1 - m0) < COINCIDENT
    around = (link(m0 + STEP) - link(m0 - STEP)) / (2.0 * STEP)
    return np.where(near, around, (link(m1) - link(m0)) / np.where(near, 1.0, m1 - m0))
