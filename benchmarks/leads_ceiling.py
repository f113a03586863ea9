"""What the columns of Olist's test leads could tell at most: learners that see outcomes of other test leads.

Nobody could have made such a forecast: nine tenths of the test leads teach, with all that became of them, and
the last tenth is scored, in turn. A model of what was known before can hardly rank better by these columns.
The penalty is the one that the test leads themselves like best, which flatters further.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

SEED, FOLDS, REPEATS = 7, 10, 3
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0)
COLUMNS: Mapping[str, list[str]] = {
    "origin and landing page": [],
    "also day, weekday, age and traffic of the page": ["day", "weekday", "age", "traffic"],
}


def test_leads(folder: Path) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Return Olist's leads contacted from March 2018 on, and which were won within 90 days."""
    files = folder / "olist_funnel"
    leads = pd.read_csv(files / "olist_marketing_qualified_leads_dataset.csv").fillna("none")
    won = pd.read_csv(files / "olist_closed_deals_dataset.csv", usecols=["mql_id", "won_date"])
    table = leads.merge(won, how="left", on="mql_id", validate="one_to_one")
    contact = pd.to_datetime(table["first_contact_date"])
    table["day"] = (contact - contact.min()).dt.days
    table["weekday"] = contact.dt.day_of_week
    page = table.groupby("landing_page_id")["day"]
    table["age"], table["traffic"] = table["day"] - page.transform("min"), page.transform("size")
    table["won"] = (pd.to_datetime(table["won_date"]) - contact).dt.days.between(0, 90)
    table = table[contact >= pd.Timestamp("2018-03-01")]
    return table, table["won"].to_numpy(dtype=np.int64)


def learners(seed: int, numbers: bool) -> Iterator[tuple[str, Pipeline]]:
    """Yield each learner with its name; those that count values know no numbers."""
    for penalty in () if numbers else PENALTIES:
        counted = OneHotEncoder(handle_unknown="ignore", min_frequency=2)
        yield "logistic_regression", make_pipeline(counted, LogisticRegression(C=penalty, max_iter=2000))
    boosting = HistGradientBoostingClassifier(
        learning_rate=0.03, max_iter=150, max_leaf_nodes=6, min_samples_leaf=60, random_state=seed
    )
    yield "hist_gradient_boosting", make_pipeline(_codes(seed), boosting)
    forest = RandomForestClassifier(200, min_samples_leaf=20, random_state=seed)
    yield "random_forest", make_pipeline(_codes(seed), forest)


def _codes(seed: int) -> ColumnTransformer:
    """Rates of categories, each row's from other rows; numbers as they are."""
    rates = TargetEncoder(target_type="binary", cv=StratifiedKFold(5, shuffle=True, random_state=seed))
    return ColumnTransformer([("rates", rates, ["origin", "landing_page_id"])], remainder="passthrough")


def ceiling(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the ROC AUC of each learner, columns by columns, in the mean of three dealings of ten folds."""
    table, y = test_leads(folder)
    for told, more in COLUMNS.items():
        X = table[["origin", "landing_page_id", *more]]
        found: dict[str, list[list[float]]] = {}
        for seed in range(SEED, SEED + REPEATS):
            once: dict[str, list[float]] = {}
            for name, model in learners(seed, bool(more)):
                folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
                p = cross_val_predict(model, X, y, cv=folds, method="predict_proba")[:, 1]
                once.setdefault(name, []).append(float(roc_auc_score(y, p)))
            for name, values in once.items():
                found.setdefault(name, []).append(values)
        case = f"Olist, learned from other test leads and their outcomes (no forecast), {told}"
        for name, several in found.items():
            yield {"case": case, "model": name, "roc_auc": float(np.mean(several, axis=0).max())}
