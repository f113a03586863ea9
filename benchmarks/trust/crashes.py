"""Every crash point of a publish: whatever the disk kept, readers see the old complete night or the new."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.trust.disk import Files, Recording, crashes, lay, recorded
from benchmarks.trust.made import tables_of
from benchmarks.trust.tally import Tally
from hva_ml.delivery.folder import FolderSink
from hva_ml.delivery.parcel import Parcel
from hva_ml.errors import HvaError, RefusedError
from hva_ml.publication import current, kept, point, publish, read

ROWS = 40
NOTHING = "nothing"
AS_OF = "2025-01-01"
DAY = date.fromisoformat(AS_OF)


@dataclass(frozen=True)
class Scene:
    """Something that is done to a folder of scores.

    Attributes
    ----------
    case : str
        What it is.
    before : callable
        Makes what lies there before.
    act : callable
        Is recorded and crashes.
    old, new : str
        What readers see before and after.
    """

    case: str
    before: Callable[[Path], object]
    act: Callable[[Path], object]
    old: str
    new: str


def night(folder: Path, number: int) -> None:
    """Publish a night of this number."""
    identity = {"as_of": AS_OF, "number": number, "model_version": "1"}
    publish(folder, [tables_of(number, ROWS)], identity, expected_rows=ROWS)


def seen(folder: Path) -> str:
    """Return what a reader sees: `NOTHING`, the number of the night, with `` stale`` if it is marked so.

    Raises
    ------
    HvaError, AssertionError
        If that is no complete night.
    """
    run = current(folder)
    if run is None:
        return NOTHING
    number = run.identity["number"]
    for table, column in (("scores", "value_if_converted"), ("explanations", "log_base_value")):
        found, made = read(folder, table, run.run_id), tables_of(number, ROWS)[table]
        assert found.equals(made), f"{table}.{column} of {number}"
    return f"{number} stale" if run.stale else str(number)


def _two(folder: Path) -> None:
    night(folder, 1)
    night(folder, 2)


def _damaged(folder: Path) -> None:
    _two(folder)
    # Night 1 is not current, and is damaged.
    path = next(p for p in (folder / "runs").iterdir() if p.name != getattr(current(folder), "run_id", ""))
    (path / "scores.parquet").write_bytes(b"")


def _back(folder: Path) -> None:
    here = getattr(current(folder), "run_id", "")
    point(folder, next(p for p in (folder / "runs").iterdir() if p.name != here))


def _refused(folder: Path) -> None:
    with suppress(RefusedError), kept(folder, DAY, lambda _: None):
        raise RefusedError("A test.")


def _delivered(folder: Path, number: int) -> None:
    with tempfile.TemporaryDirectory(prefix="hva-trust-") as place:
        home = Path(place) / "toy"
        night(home, number)
        run = current(home)
        assert run is not None
        FolderSink(folder, "toy", "EUR").deliver(Parcel(home, run, "toy", "EUR"))


SCENES = (
    Scene("publish: the first night", lambda _: None, lambda f: night(f, 1), NOTHING, "1"),
    Scene("publish: the next night", lambda f: night(f, 1), lambda f: night(f, 2), "1", "2"),
    Scene("publish: a damaged run made anew", _damaged, lambda f: night(f, 1), "2", "1"),
    Scene("publish: back to the night before", _two, _back, "2", "1"),
    Scene("publish: a refused night marked", lambda f: night(f, 1), _refused, "1", "1 stale"),
    Scene("deliver: the first night to a folder", lambda _: None, lambda f: _delivered(f, 1), NOTHING, "1"),
    Scene("deliver: the next one", lambda f: _delivered(f, 1), lambda f: _delivered(f, 2), "1", "2"),
)


def record(scene: Scene, root: Path) -> Recording:
    """Do it once, and record it; the folder of scores itself may not be there before."""
    folder = root / "scores" / "toy"
    if scene.old != NOTHING:
        folder.parent.mkdir()
    scene.before(folder)
    with recorded(root) as made:
        scene.act(folder)
    assert seen(folder) == scene.new
    return made


def tried(scene: Scene, every: int = 1) -> Tally:
    """Read after each crash, then publish the next night over what is left.

    Parameters
    ----------
    every : int
        Try only one of so many states.
    """
    tally = Tally(f"power lost, {scene.case}")
    with tempfile.TemporaryDirectory(prefix="hva-trust-", dir=_fast()) as place:
        root = Path(place) / "made"
        root.mkdir()
        made = record(scene, root)
        states = crashes(made)
        for number, (done, state) in enumerate(states):
            if number % every == 0:
                _one(tally, scene, state, Path(place) / "left", finished=done == len(made.steps))
    return tally


def all_scenes(every: int = 1) -> Iterator[Tally]:
    """Try all scenes."""
    for scene in SCENES:
        yield tried(scene, every)


def _one(tally: Tally, scene: Scene, state: Files, root: Path, *, finished: bool) -> None:
    lay(state, root)
    folder = root / "scores" / "toy"
    try:
        found = seen(folder)
        # What was reported as done is there for good.
        if found not in ((scene.new,) if finished else (scene.old, scene.new)):
            tally.wrong("neither", f"{scene.case}: {found}")
            return
        night(folder, 3)
        if seen(folder) != "3":
            tally.wrong("not recovered", f"{scene.case}: {seen(folder)}")
            return
        tally.good("old night" if found == scene.old else "new night")
    except (HvaError, OSError, AssertionError) as error:
        tally.wrong("torn", f"{scene.case}: {type(error).__name__} {error}"[:300])
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _fast() -> str | None:
    """Return a folder in memory, where there is one: the disk is an imagined one anyway."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
