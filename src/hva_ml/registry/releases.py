"""Which model scores: from the alias, or from the pointer file alone, to a verified release."""

from pathlib import Path

from hva_ml.registry import continuity, tracking
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.champion import champion, hash_of_release
from hva_ml.registry.continuity import Continuity
from hva_ml.registry.promotion import BESIDE, release_folder
from hva_ml.workspace import Workspace


def champion_release(ws: Workspace, pipeline: str) -> tuple[str, Bundle]:
    """Return version and model of the champion.

    The alias in MLflow decides which version it is. Where MLflow has no such alias, or there is no database
    at all, the pointer file beside the releases does: the files alone suffice.

    Returns
    -------
    tuple of (str, Bundle)

    Raises
    ------
    RefusedError
        If there is no champion; the message names ``hva promote``.
    IntegrityError
        If the release is missing, damaged, or not the model that was registered.
    """
    version, registered = champion(ws, pipeline)
    tag = tracking.release_tag(ws, pipeline, version) if registered else None
    return version, _open(release_folder(ws.models(pipeline), version), pipeline, tag)


def read_release(ws: Workspace, pipeline: str, version: str) -> Bundle:
    """Return the model of any released version, champion or not.

    Raises
    ------
    IntegrityError
        If the release is missing, damaged, or of another pipeline.
    """
    return _open(release_folder(ws.models(pipeline), version), pipeline, None)


def continuity_of(ws: Workspace, pipeline: str, version: str) -> Continuity | None:
    """Return how a released version, known to be whole, continues the scores before it; None if it does not.

    Raises
    ------
    IntegrityError
        If what says so is damaged.
    """
    return continuity.read(release_folder(ws.models(pipeline), version))


def _open(folder: Path, pipeline: str, registered: str | None) -> Bundle:
    hash_of_release(folder, pipeline, registered)
    return Bundle.read(folder, beside=BESIDE)
