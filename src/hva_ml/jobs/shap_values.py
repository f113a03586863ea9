"""Published explanations as shap's own objects: a whole run, or one account."""

from typing import Any

import numpy as np

from hva_ml import publication
from hva_ml.explanation.phrases import stated
from hva_ml.explanation.plots import known, to_shap
from hva_ml.explanation.reader import Reader
from hva_ml.jobs.published import current_run, find_run, numeric, open_run
from hva_ml.registry.bundle import Bundle
from hva_ml.workspace import Workspace


def shap_values(
    ws: Workspace,
    pipeline: str,
    *,
    run: str = "",
    part: str = "expected_value",
    language: str = "en",
    country: str = "DE",
) -> Any:
    """Return a published run's exact contributions as a ``shap.Explanation``, for shap's own plots.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline : str
        Name of the pipeline.
    run : str
        A run id, its beginning, or a day; the current run by default.
    part : {"expected_value", "likelihood", "value"}
        Of which score.
    language, country : str
        Of the features' names.

    Returns
    -------
    shap.Explanation
        One row per account, by account id; values are natural logarithms of factors.

    Raises
    ------
    UsageError
        If shap is not installed, or there is no such run or part.
    IntegrityError
        If anything is not as it was published.
    """
    known(part)
    found = open_run(ws, pipeline, find_run(ws, pipeline, run) if run else current_run(ws, pipeline))
    table = publication.read(ws.scores(pipeline), "explanations", found.run_id).sort_by("account_id")
    names = found.bundle.encoder.names
    values, base = np.zeros((table.num_rows, len(names))), np.zeros(table.num_rows)
    for kind, of in (("likelihood", "probability"), ("value", "value")):
        if part in ("expected_value", kind):
            values += np.column_stack([numeric(table[f"{kind}.{n}"]) for n in names])
            base += numeric(table[f"log_base_{of}"])
    X = found.bundle.encoder.transform(found.features_set)
    shown = list(zip(*(found.features[n].to_pylist() for n in names), strict=True))
    return to_shap(values, base, X, shown, feature_names(found.bundle, language, country), part)


def feature_names(bundle: Bundle, language: str, country: str) -> list[str]:
    """Return what the features are called, with their windows; equal names are numbered."""
    reader = Reader(language, country, bundle.currency)
    found: list[str] = []
    for d in bundle.definitions:
        name, k = stated(d, None, reader)[0], 2
        unique = name
        while unique in found:
            unique, k = f"{name} ({k})", k + 1
        found.append(unique)
    return found
