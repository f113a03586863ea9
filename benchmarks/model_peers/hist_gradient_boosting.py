"""scikit-learn's HistGradientBoosting: classifier × regressor of those that converted, early stopping on."""

import pandas as pd
from exchange import Day, answer  # type: ignore[import-not-found]
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor


def say(day: Day) -> tuple[pd.Series, pd.Series]:
    """Fit both on the day's rows."""
    X, X_score, _ = day.matrices()
    won = day.learn["converted"] == 1
    # It cannot bin a column without two different numbers.
    told = [c for c in X if X.loc[won, c].nunique() > 1]
    X, X_score = X[told], X_score[told]
    asked = {"categorical_features": "from_dtype", "early_stopping": True, "random_state": 7}
    likely = HistGradientBoostingClassifier(**asked).fit(X, day.learn["converted"])
    worth = HistGradientBoostingRegressor(loss="poisson", **asked)
    worth.fit(X[won], day.learn.loc[won, "value"].clip(lower=0.0))
    p = likely.predict_proba(X_score)[:, 1]
    return p, p * worth.predict(X_score)


answer("hist_gradient_boosting", say)
