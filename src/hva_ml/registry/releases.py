"""Which model scores: from the alias, or from the pointer file alone, to a verified release."""

from pathlib import Path

from hva_ml.errors import HvaError, IntegrityError, RefusedError
from hva_ml.registry import tracking
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.promotion import BESIDE, pointed, release_folder, verified
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


def champion(ws: Workspace, pipeline: str) -> tuple[str, bool]:
    """Return the champion's version, and whether it is MLflow's alias that says so.

    Raises
    ------
    RefusedError
        If there is no champion; the message names ``hva promote``.
    """
    alias = tracking.champion_version(ws, pipeline)
    version = alias or pointed(ws.models(pipeline))
    if version is None:
        raise RefusedError(
            f"The pipeline '{pipeline}' has no champion yet.",
            where=str(ws.models(pipeline)),
            why="Only a model that has held its gates may score.",
            fix=f"hva train {pipeline}, then hva promote {pipeline}",
        )
    return version, alias is not None


def registered_release(ws: Workspace, pipeline: str, version: str) -> Bundle:
    """Return the model of a released version that MLflow knows, held to the hash it was registered with.

    Raises
    ------
    RefusedError
        If MLflow no longer knows the version.
    IntegrityError
        As `read_release`.
    """
    try:
        tag = tracking.release_tag(ws, pipeline, version)
    except HvaError as error:
        raise RefusedError(
            f"MLflow no longer knows version {version} of '{pipeline}'.",
            where=error.what,
            why="The alias decides which version scores, and can only name one that is registered.",
            fix=f"Another version: hva rollback {pipeline} --to VERSION; or train and promote again.",
        ) from error
    return _open(release_folder(ws.models(pipeline), version), pipeline, tag)


def read_release(ws: Workspace, pipeline: str, version: str) -> Bundle:
    """Return the model of any released version, champion or not.

    Raises
    ------
    IntegrityError
        If the release is missing, damaged, or of another pipeline.
    """
    return _open(release_folder(ws.models(pipeline), version), pipeline, None)


def _open(folder: Path, pipeline: str, registered: str | None) -> Bundle:
    fix = f"Restore {folder} from a copy or from git, or hva promote {pipeline} again."
    if not folder.is_dir():
        raise IntegrityError("The release is missing.", where=str(folder), fix=fix)
    record = verified(folder)
    bundle = Bundle.read(folder, beside=BESIDE)
    if bundle.pipeline != pipeline or registered not in (None, record["release"]):
        raise IntegrityError(
            "The release is whole, but another model than the one that was registered or asked for.",
            where=str(folder),
            why="The alias says which version scores; its hash says what that is.",
            fix=fix,
        )
    return bundle
