"""What ``hva init`` writes: pipelines with their queries, notes on each folder. It never overwrites."""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

_NAMES = {"gitignore": ".gitignore"}
"""Files whose name would mean something to git already inside the package."""


def _package(folder: str) -> Traversable:
    return files("hva_ml.starter").joinpath(folder)


def _below(place: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for entry in sorted(place.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            yield from _below(entry, path / entry.name)
        else:
            yield path / _NAMES.get(entry.name, entry.name), entry


PIPELINES: tuple[str, ...] = tuple(
    sorted(e.name.removesuffix(".toml") for e in _package("pipelines").iterdir() if e.name.endswith(".toml"))
)
"""Names of the pipelines that come with the package."""


def copy_into(root: Path) -> list[Path]:
    """Write the pipelines, their queries, the notes on each folder and a .gitignore into a workspace.

    A file that exists is left as it is, whatever it holds.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the workspace; made if missing.

    Returns
    -------
    list of pathlib.Path
        The files written, in the order of their names; empty if all were there.

    Raises
    ------
    OSError
        If a folder or file cannot be written.
    """
    wanted = [
        *_below(_package("pipelines"), PurePosixPath("pipelines")),
        *_below(_package("workspace"), PurePosixPath()),
    ]
    written = []
    for relative, source in sorted(wanted, key=lambda pair: pair[0].parts):
        target = root / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        content = source.read_bytes()
        try:
            # "x" refuses an existing file in one step; looking first could overwrite one made in between.
            with target.open("xb") as out:
                out.write(content)
        except FileExistsError:
            continue
        written.append(target)
    return written
