"""Which version is champion, and whether a release is whole. Nothing here loads a model."""

from pathlib import Path

from hva_ml.errors import HvaError, IntegrityError, RefusedError
from hva_ml.folders import read_json
from hva_ml.registry import tracking
from hva_ml.registry.promotion import pointed, release_folder, verified
from hva_ml.workspace import Workspace


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


def release_hash(ws: Workspace, pipeline: str, version: str, *, registered: bool) -> str:
    """Return the hash of a released version after verifying it, without loading the model.

    Parameters
    ----------
    ws, pipeline, version
        Which release.
    registered : bool
        Whether MLflow must know the version, with the same hash.

    Raises
    ------
    RefusedError
        If MLflow no longer knows the version.
    IntegrityError
        If the release is missing, damaged, or another model than asked for.
    """
    try:
        tag = tracking.release_tag(ws, pipeline, version) if registered else None
    except HvaError as error:
        raise RefusedError(
            f"MLflow no longer knows version {version} of '{pipeline}'.",
            where=error.what,
            why="The alias decides which version scores, and can only name one that is registered.",
            fix=f"Another version: hva rollback {pipeline} --to VERSION; or train and promote again.",
        ) from error
    return hash_of_release(release_folder(ws.models(pipeline), version), pipeline, tag)


def hash_of_release(folder: Path, pipeline: str, registered: str | None) -> str:
    """Return the hash of a release's folder, held to its pipeline and to the hash MLflow has, if any.

    Raises
    ------
    IntegrityError
        If the release is missing, damaged, or another model.
    """
    fix = f"Restore {folder} from a copy or from git, or hva promote {pipeline} again."
    if not folder.is_dir():
        raise IntegrityError("The release is missing.", where=str(folder), fix=fix)
    release: str = verified(folder)["release"]
    of = read_json(folder / "metadata.json", fix)["model"]["pipeline"]
    if of != pipeline or registered not in (None, release):
        raise IntegrityError(
            "The release is whole, but another model than the one that was registered or asked for.",
            where=str(folder),
            why="The alias says which version scores; its hash says what that is.",
            fix=fix,
        )
    return release
