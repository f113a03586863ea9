"""A scikit-learn pipeline of straight lines: logistic regression × ridge on the logarithm, with smearing.

Numbers as signed logarithms, medians where none is known, standardised; categories as columns of 0 and 1.
"""

import numpy as np
from exchange import Day, answer  # type: ignore[import-not-found]
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler


def signed_log(x: np.ndarray) -> np.ndarray:
    """Return ln(1 + |x|) with the sign of x."""
    found: np.ndarray = np.sign(x) * np.log1p(np.abs(x))
    return found


def prepared(day: Day, words: list[str]) -> ColumnTransformer:
    """Return the steps before the model."""
    numbers = make_pipeline(
        FunctionTransformer(signed_log),
        SimpleImputer(strategy="median", add_indicator=True),
        StandardScaler(),
    )
    rest = [c for c in day.features if c not in words]
    known = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20)
    return ColumnTransformer([("numbers", numbers, rest), ("words", known, words)])


def say(day: Day) -> tuple[np.ndarray, np.ndarray]:
    """Fit both on the day's rows."""
    X, X_score, words = day.matrices(missing="")
    numbers = [c for c in day.features if c not in words]
    X[numbers], X_score[numbers] = X[numbers].astype(float), X_score[numbers].astype(float)
    won = (day.learn["converted"] == 1) & (day.learn["value"] > 0)
    likely: Pipeline = make_pipeline(prepared(day, words), LogisticRegression(max_iter=2000))
    p = likely.fit(X, day.learn["converted"]).predict_proba(X_score)[:, 1]
    worth: Pipeline = make_pipeline(prepared(day, words), RidgeCV(np.logspace(-2, 4, 13)))
    logs = np.log(day.learn.loc[won, "value"])
    worth.fit(X[won], logs)
    smearing = np.exp(logs - worth.predict(X[won])).mean()
    # No further than the values seen: an exponential of a straight line knows no end.
    values = np.exp(np.minimum(worth.predict(X_score), logs.max())) * smearing
    return p, p * values


answer("logistic", say)
