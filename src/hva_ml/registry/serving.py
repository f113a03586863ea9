"""The model as MLflow serves it: code that opens a bundle's plain files. MLflow runs it; nobody imports it.

It gives exactly the numbers and reasons of the nightly path, because it asks the same bundle.
"""

import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from hva_ml.errors import nearest
from hva_ml.explanation.factors import strongest
from hva_ml.features.definition import FeatureSet
from hva_ml.registry.bundle import Bundle, Predictions

with warnings.catch_warnings():
    # MLflow warns of type hints of its own while it is imported.
    warnings.filterwarnings("ignore", module=r"mlflow(\.|$)")
    import mlflow
    from mlflow.exceptions import MlflowException
    from mlflow.pyfunc.model import PythonModel, PythonModelContext


class ServedBundle(PythonModel):
    """Feature rows in, likelihood and value out."""

    bundle: Bundle

    def load_context(self, context: PythonModelContext) -> None:
        """Open and verify the bundle that was logged with the model."""
        self.bundle = Bundle.read(Path(context.artifacts["bundle"]))

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Score rows of features.

        Parameters
        ----------
        context : PythonModelContext
            Given by MLflow, not used.
        model_input : pandas.DataFrame
            One column per feature, double or string as the signature has it; a missing column or cell means
            unknown. ``account_id`` may be there and is not used.
        params : dict, optional
            ``reasons``: most reasons for each direction, 0 for none (the default). ``reference``: the kind of
            account they compare with, by default that of the release.

        Returns
        -------
        pandas.DataFrame
            The `NUMBERS` of a bundle as they are published (currency units), index as given;
            with reasons also reasons_positive and reasons_negative, lists of feature, topic, factor, value
            and reference, as they are published.

        Raises
        ------
        MlflowException
            If the release has no reference account of that kind; a server answers with 400.
        """
        del context
        params = params or {}
        features = self._features(model_input)
        told = self.bundle.predict(features)
        found: dict[str, Any] = dict(told.numbers)
        limit = int(params.get("reasons", 0))
        if limit > 0:
            found |= self._reasons(features, told, limit, str(params.get("reference", "")))
        return pd.DataFrame(found, index=model_input.index)

    def _reasons(self, features: FeatureSet, told: Predictions, limit: int, kind: str) -> dict[str, Any]:
        references = self.bundle.references
        kind = kind or references.kind
        if kind not in references.kinds:
            raise MlflowException.invalid_parameter_value(
                f"The model has no reference account of the kind '{kind[:20]}'."
                f"{nearest(kind, references.kinds)} Use one of: {', '.join(references.kinds)}."
            )
        decoded = [self.bundle.decoded(r.values) for r in references.accounts]
        total = self.bundle.explain(told.X, kind).total
        up, down = strongest(features, decoded, references.which(told.X, kind), total, limit)
        return {"reasons_positive": up.to_pylist(), "reasons_negative": down.to_pylist()}

    def _features(self, rows: pd.DataFrame) -> FeatureSet:
        columns: dict[str, pa.Array] = {
            "account_id": pa.nulls(len(rows), pa.string()),
            "cutoff": pa.nulls(len(rows), pa.timestamp("us", "UTC")),
            "group_id": pa.nulls(len(rows), pa.string()),
        }
        for definition in self.bundle.definitions:
            kind = pa.float64() if definition.kind == "number" else pa.string()
            columns[definition.name] = (
                pa.array(rows[definition.name], type=kind, from_pandas=True)
                if definition.name in rows.columns
                else pa.nulls(len(rows), kind)
            )
        return FeatureSet(pa.table(columns), self.bundle.definitions)


mlflow.models.set_model(ServedBundle())
