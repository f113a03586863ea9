"""Which old runs may go: never the current one, never one that a way back needs."""

import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from hva_ml.folders import PART, sync
from hva_ml.publication.reading import RUNS, Published, runs

DAMAGED = ".damaged"


@dataclass(frozen=True)
class Old:
    """A folder among the runs that is to go.

    Attributes
    ----------
    run_id, as_of, version : str
        The run, its day, the version that made it; day and version are empty for a set aside damaged one.
    path : pathlib.Path
        Where it lies.
    size : int
        Bytes.
    """

    run_id: str
    as_of: str
    version: str
    path: Path
    size: int


@dataclass(frozen=True)
class Retention:
    """What goes and what stays.

    Attributes
    ----------
    goes : tuple of Old
        Oldest day first.
    stays : mapping of str to str
        Why each run stays, by its id.
    """

    goes: tuple[Old, ...]
    stays: Mapping[str, str]

    @property
    def size(self) -> int:
        """Bytes that become free."""
        return sum(old.size for old in self.goes)


def retention(
    folder: Path, needed: Mapping[str, str], *, keep: int | None = None, keep_days: int | None = None
) -> Retention:
    """Say which runs are old; nothing is removed.

    Parameters
    ----------
    folder : Path
        ``data/scores/<pipeline>``.
    needed : mapping of str to str
        Runs that stay whatever their age, and why.
    keep : int, optional
        So many of the latest runs stay: by day, of one day those written last.
    keep_days : int, optional
        Runs whose day is less than so many days before that of the latest run stay.

    Returns
    -------
    Retention
        Runs whose manifest cannot be read stay; what was set aside as damaged goes.
    """
    known = runs(folder)
    stays = dict(needed)
    for run in _young(known, keep, keep_days):
        stays.setdefault(run.run_id, "young enough")
    goes = [_old(run) for run in known if run.run_id not in stays]
    whole = {run.run_id for run in known}
    for path in sorted((folder / RUNS).glob("*")):
        if path.name.endswith(DAMAGED):
            goes.append(Old(path.name.removeprefix(".").removesuffix(DAMAGED), "", "", path, _size(path)))
        elif not path.name.startswith(".") and path.name not in whole:
            stays.setdefault(path.name, "its manifest cannot be read: look at it yourself")
    return Retention(tuple(goes), stays)


def remove(old: Old) -> None:
    """Remove a run: it vanishes from the runs by one step, its bytes after that."""
    gone = old.path.with_name(f".{old.run_id}.{secrets.token_hex(4)}{PART}")
    old.path.rename(gone)
    sync(gone.parent)
    shutil.rmtree(gone)


def _young(known: tuple[Published, ...], keep: int | None, keep_days: int | None) -> tuple[Published, ...]:
    if keep is not None:
        return known[max(0, len(known) - keep) :]
    if keep_days is None or not known:
        return known
    newest = _day(known[-1])
    return tuple(run for run in known if newest - _day(run) < timedelta(days=keep_days))


def _day(run: Published) -> date:
    return date.fromisoformat(run.identity["as_of"]) if "as_of" in run.identity else date.min


def _old(run: Published) -> Old:
    identity = run.identity
    version = str(identity.get("model_version", ""))
    return Old(run.run_id, str(identity.get("as_of", "")), version, run.path, _size(run.path))


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
