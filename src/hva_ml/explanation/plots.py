"""The door to shap: our contributions in its `Explanation`, so that its plots draw them."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from hva_ml.errors import UsageError
from hva_ml.training.trees import Floats

PARTS = ("expected_value", "likelihood", "value")


def known(part: str) -> None:
    """Refuse a part that a score does not have; raises ``UsageError``."""
    if part not in PARTS:
        raise UsageError(
            f"There is no part '{part[:30]}' of a score.",
            where="part",
            fix=f"Use one of: {', '.join(PARTS)}.",
        )


def to_shap(
    contributions: Floats,
    log_base: Floats,
    X: Floats,
    shown: Sequence[Sequence[float | str | None]],
    names: Sequence[str],
    output: str,
) -> Any:
    """Return contributions as a ``shap.Explanation`` in log space.

    Parameters
    ----------
    contributions : numpy.ndarray of float64, shape (n_rows, n_features)
        To the natural logarithm of `output`; their exponentials are factors.
    log_base : numpy.ndarray of float64, shape (n_rows,)
        Of the account that each row is compared with.
    X : numpy.ndarray of float64, shape (n_rows, n_features)
        Encoded, for colours and axes.
    shown : sequence of sequence, shape (n_rows, n_features)
        What is written beside a feature: categories by name.
    names : sequence of str, length n_features
        Features in words.
    output : str
        One of `PARTS`.

    Returns
    -------
    shap.Explanation
        ``values.sum(axis=1) + base_values`` is the logarithm of the score.

    Raises
    ------
    UsageError
        If shap is not installed, or there is no such part.
    """
    known(output)
    try:
        with warnings.catch_warnings():
            # shap calls a function of matplotlib that is going to be deprecated while it is imported.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            from shap import Explanation
    except ImportError as error:
        raise UsageError(
            "shap is not installed.",
            where="to_shap",
            why="Its own plots need its own objects; everything else works without it.",
            fix='pip install "hva-ml[plots]"',
        ) from error
    return Explanation(
        values=np.asarray(contributions),
        base_values=np.asarray(log_base),
        data=np.asarray(X),
        display_data=np.array([list(row) for row in shown], dtype=object).reshape(X.shape),
        feature_names=list(names),
        output_names=f"ln {output.replace('_', ' ')}",
    )
