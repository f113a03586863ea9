"""From two models to one score: contributions in log space that add up to ln(expected value), row by row.

ln(expected value) = ln(probability) + ln(value if converted). Each margin's exact contributions are carried
through its link by the rescale rule, so that their exponentials are factors which multiply to the score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hva_ml.errors import IntegrityError
from hva_ml.explanation.trees import Floats
from hva_ml.explanation.treeshap import Margins, interventional

TOLERANCE = 1e-9
# Below this difference of margins the slope is taken as the derivative; the error of that is below 1e-12.
COINCIDENT = 1e-6
STEP = 1e-4


class LogLink(Protocol):
    """What is asked of a calibrator."""

    def log_probability(self, margin: Floats) -> Floats:
        """Return ln p of each margin."""
        ...


@dataclass(frozen=True)
class Explanation:
    """Why each row's expected value differs from the reference account's.

    Attributes
    ----------
    likelihood, value : numpy.ndarray of float64, shape (n_rows, n_features)
        Contributions to ln(probability) and to ln(value if converted).
    log_base_probability, log_base_value : float
        The reference account's own.
    log_probability, log_value : numpy.ndarray of float64, shape (n_rows,)
        What the models say of each row, for the check.
    """

    likelihood: Floats
    value: Floats
    log_base_probability: float
    log_base_value: float
    log_probability: Floats
    log_value: Floats

    @property
    def total(self) -> Floats:
        """Contributions to ln(expected value), shape (n_rows, n_features)."""
        return self.likelihood + self.value

    @property
    def log_base(self) -> float:
        """ln(expected value) of the reference account."""
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


def explain(
    conversion: Margins,
    calibrator: LogLink,
    value: Margins,
    value_log_scale: float,
    X: Floats,
    reference: Floats,
) -> Explanation:
    """Explain expected values against one reference account, exactly.

    Rescale rule: a margin's contribution is multiplied by (ln p(x) - ln p(r)) / (m(x) - m(r)), the slope of
    the link between row and reference (DeepLIFT; G-DeepSHAP: Chen, Lundberg and Lee 2022, Nature
    Communications 13), and by the derivative where the two margins coincide. The value's margin is a
    logarithm already.

    Parameters
    ----------
    conversion, value : Booster
        Value margins are logarithms of the value if converted, up to `value_log_scale`.
    calibrator : Platt or Beta
        Increasing map from margin to probability.
    value_log_scale : float
        Added to the value margin.
    X : numpy.ndarray of float64, shape (n_rows, n_features)
        The encoded rows.
    reference : numpy.ndarray of float64, shape (n_features,)
        The encoded reference account, see `typical`.

    Returns
    -------
    Explanation
        Already checked.

    Raises
    ------
    IntegrityError
        If the contributions of a row do not add up.
    """
    home = np.asarray(reference, dtype=np.float64)[None, :]
    margins, base = conversion.margin(X), conversion.margin(home)
    worth = value.margin(X)
    log_p, log_p_base = calibrator.log_probability(margins), calibrator.log_probability(base)
    slope = _slope(calibrator, margins, float(base[0]), log_p - log_p_base[0])
    explanation = Explanation(
        likelihood=interventional(conversion, X, reference, margins=margins) * slope[:, None],
        value=interventional(value, X, reference, margins=worth),
        log_base_probability=float(log_p_base[0]),
        log_base_value=float(value.margin(home)[0] + value_log_scale),
        log_probability=log_p,
        log_value=worth + value_log_scale,
    )
    explanation.check()
    return explanation


def _slope(calibrator: LogLink, margins: Floats, base: float, difference: Floats) -> Floats:
    apart = margins - base
    near = np.abs(apart) < COINCIDENT
    around = calibrator.log_probability(np.array([base + STEP, base - STEP]))
    derivative = float(around[0] - around[1]) / (2.0 * STEP)
    return np.where(near, derivative, difference / np.where(near, 1.0, apart))


def typical(X: Floats, kinds: Sequence[str]) -> Floats:
    """Return the typical account: a made-up row that every score is compared with.

    A number is the lower median of the known values (so that it is a value which occurs), or NaN if more
    than half are unknown. A category is its most frequent code, NaN among them; ties go to the lower code,
    NaN last.

    Parameters
    ----------
    X : numpy.ndarray of float64, shape (n_rows, n_features)
        Encoded rows, at least one.
    kinds : sequence of str, length n_features
        ``number`` or ``category``.

    Returns
    -------
    numpy.ndarray of float64, shape (n_features,)

    Examples
    --------
    >>> typical(np.array([[1.0, 0.0], [4.0, 1.0], [np.nan, 1.0]]), ("number", "category")).tolist()
    [1.0, 1.0]
    """
    if not len(X) or X.shape[1] != len(kinds):
        raise IntegrityError(
            f"No typical account can be made of {X.shape[0]} rows, {X.shape[1]} columns, {len(kinds)} kinds.",
            where="reference account",
            fix="Give the encoded training rows and one kind for each column.",
        )
    found = np.empty(X.shape[1])
    for j, kind in enumerate(kinds):
        known = X[~np.isnan(X[:, j]), j]
        unknown = len(X) - len(known)
        if kind == "category":
            codes, counts = np.unique(known, return_counts=True)
            found[j] = codes[np.argmax(counts)] if len(codes) and counts.max() >= unknown else np.nan
        else:
            found[j] = np.sort(known)[(len(known) - 1) // 2] if 2 * unknown <= len(X) else np.nan
    return found
