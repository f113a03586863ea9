"""The model as MLflow serves it: code that opens a bundle's plain files. MLflow runs it; nobody imports it.

It gives exactly the numbers of the nightly path, because it calls the same ``Bundle.predict``.
"""

import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from hva_ml.features.definition import FeatureSet
from hva_ml.registry.bundle import Bundle

with warnings.catch_warnings():
    # MLflow warns of type hints of its own while it is imported.
    warnings.filterwarnings("ignore", module=r"mlflow(\.|$)")
    import mlflow
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
            Not used.

        Returns
        -------
        pandas.DataFrame
            conversion_probability, value_if_converted and expected_value (currency units), index as given.
        """
        del context, params
        told = self.bundle.predict(self._features(model_input))
        return pd.DataFrame(
            {
                "conversion_probability": told.probability,
                "value_if_converted": told.value_if_converted,
                "expected_value": told.expected_value,
            },
            index=model_input.index,
        )

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
