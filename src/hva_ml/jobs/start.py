"""The first steps: make a workspace, list the public data sets, fetch one."""

from pathlib import Path

from hva_ml.connectors import datasets as registry
from hva_ml.errors import WorkspaceError
from hva_ml.starter import files
from hva_ml.workspace import Workspace, readable


def init(directory: str | Path = ".") -> tuple[Workspace, list[Path]]:
    """Make a workspace in `directory`: pipelines with their queries, and notes on each folder.

    Files that exist are kept as they are.

    Returns
    -------
    tuple of Workspace and list of pathlib.Path
        The workspace and the files written.
    """
    root = readable(Path(directory).expanduser().resolve())
    try:
        root.mkdir(parents=True, exist_ok=True)
        written = files.copy_into(root)
    except OSError as error:
        raise WorkspaceError(
            "The workspace cannot be written.",
            where=str(root),
            fix="Choose a folder you may write to: hva init DIR",
        ) from error
    return Workspace(root), written


def datasets(root: str | Path | None = None) -> list[dict[str, object]]:
    """Return the public data sets with title, licence, origin and where they are now."""
    ws = Workspace.find(root)
    return [{**d.record(), "here": str(registry.locate(ws, d.name) or "")} for d in registry.list_datasets()]


def fetch(name: str, root: str | Path | None = None) -> dict[str, object]:
    """Download a public data set into the workspace; returns its path, hash and licence notice."""
    return registry.fetch(Workspace.find(root), name).record()
