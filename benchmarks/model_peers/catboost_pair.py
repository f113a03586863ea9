"""CatBoost as it comes: classifier × Tweedie regressor of those that converted, its own settings."""

import pandas as pd
from catboost import CatBoostClassifier, CatBoostRegressor  # type: ignore[import-not-found]
from exchange import Day, answer  # type: ignore[import-not-found]


def say(day: Day) -> tuple[pd.Series, pd.Series]:
    """Fit both on the day's rows."""
    X, X_score, words = day.matrices(missing="")
    won = day.learn["converted"] == 1
    asked = {"cat_features": words, "random_seed": 7, "verbose": False, "allow_writing_files": False,
             "thread_count": 2, "iterations": 100 if day.quick else 1000}  # fmt: skip
    likely = CatBoostClassifier(**asked).fit(X, day.learn["converted"])
    worth = CatBoostRegressor(loss_function="Tweedie:variance_power=1.5", **asked)
    worth.fit(X[won], day.learn.loc[won, "value"].clip(lower=0.0))
    p = likely.predict_proba(X_score)[:, 1]
    return p, p * worth.predict(X_score, prediction_type="Exponent")


answer("catboost", say)
