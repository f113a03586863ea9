"""A small night that the audit accepts, each row carrying the number of its run."""

import numpy as np
import pyarrow as pa


def tables_of(number: int, n: int = 40) -> dict[str, pa.Table]:
    """Return the tables of a night of `n` accounts, values told apart by its number."""
    probability = np.linspace(0.9, 0.1, n)
    value = np.full(n, 100.0 + number)
    ids = [f"A{k:03d}" for k in range(n)]
    share = np.full(n, 0.25)
    scores = pa.table(
        {
            "account_id": ids,
            "conversion_probability": probability,
            "value_if_converted": value,
            "expected_value": probability * value,
            "percentile": 100.0 * np.arange(n, 0, -1) / n,
            "rank": np.arange(1, n + 1),
            "tier": ["A"] * 10 + ["B"] * 10 + ["C"] * (n - 20),
        }
    )
    explanations = pa.table(
        {
            "account_id": ids,
            "log_base_probability": np.full(n, -1.0),
            "log_base_value": np.full(n, 2.0),
            "likelihood.a": np.log(probability) + 1.0 - share,
            "likelihood.b": share,
            "value.a": np.log(value) - 2.0,
            "value.b": np.zeros(n),
        }
    )
    return {"scores": scores, "explanations": explanations}
