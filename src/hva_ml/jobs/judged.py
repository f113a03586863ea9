"""What judging a pipeline's models came to: the hand-over to the evidence, of accounts and of leads alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from hva_ml.contracts.records import Violation
from hva_ml.evaluation.table import ModelPrediction
from hva_ml.jobs.fitting import Pair, Searched
from hva_ml.splits import Split


@dataclass(frozen=True, eq=False)
class Judged:
    """Models judged on rows that nothing was fitted on, and the one that is released.

    Attributes
    ----------
    split, last : Split
        Sides of the evaluation, and of the release.
    searched : Searched
        Settings of the release.
    predictions : dict of str to ModelPrediction
        Of the model and every baseline, for the rows of ``split.test``.
    metrics, totals : pyarrow.Table
        As made by ``evaluation.table``.
    final : Pair
        The models that are released.
    findings : tuple of Violation
        What the checks of the model found.
    calibration : mapping
        How the likelihood was calibrated, and what that did.
    """

    split: Split
    last: Split
    searched: Searched
    predictions: dict[str, ModelPrediction]
    metrics: pa.Table
    totals: pa.Table
    final: Pair
    findings: tuple[Violation, ...]
    calibration: Mapping[str, Any]
