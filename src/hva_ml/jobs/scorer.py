"""The champion as a function over record batches, for those who score where their rows already are."""

from hva_ml.registry.releases import champion_release
from hva_ml.scoring.scorer import Scorer
from hva_ml.workspace import Workspace


def scorer(ws: Workspace, pipeline: str) -> Scorer:
    """Return the champion of a pipeline as a function over record batches.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline : str
        Name of the pipeline.

    Returns
    -------
    Scorer
        ``scorer.spark(frame)`` scores a Spark frame of features.

    Raises
    ------
    RefusedError
        If there is no champion.
    IntegrityError
        If the release is missing or damaged.
    """
    return Scorer(champion_release(ws, ws.config(pipeline).name)[1])
