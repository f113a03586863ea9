"""A disk that is full at any byte, and folders that take nothing: the old complete night or the new one.

The disk is a real one in memory (tmpfs) with so many pages or names left, the folders are mounted read-only:
the system itself refuses, wherever Python, Arrow, DuckDB or SQLite happen to write.
"""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import hva_ml as hva
from benchmarks.smaller import PIPELINE
from benchmarks.trust.crashes import NOTHING, SCENES, Scene, night, seen
from benchmarks.trust.kills import NIGHT, Trial
from benchmarks.trust.tally import Tally
from benchmarks.trust.world import LAST, TONIGHT, again, run_files, seconds_of, whole
from hva_ml.errors import HvaError

PAGE = os.sysconf("SC_PAGE_SIZE")
COMMANDS: tuple[tuple[str, ...], ...] = (
    NIGHT,
    ("score", PIPELINE, "--as-of", TONIGHT),
    ("check", PIPELINE),
    ("train", PIPELINE),
    ("promote", PIPELINE, "latest", "--force", "a trial"),
    ("rollback", PIPELINE),
    ("explain", PIPELINE, "C00001"),
    ("monitor", PIPELINE),
    ("prune", PIPELINE),
)
FOLDERS = ("", "data", "data/scores", f"data/scores/{PIPELINE}/runs", "data/ledger", "models", "mlruns")


def may_mount() -> bool:
    """Return whether this process may mount file systems."""
    return shutil.which("mount") is not None and os.geteuid() == 0


@contextmanager
def disk(place: Path, **limits: int) -> Iterator[Path]:
    """Mount a disk in memory at an empty folder: `size` in bytes, `nr_inodes` names."""
    place.mkdir(parents=True)
    options = ",".join(f"{name}={value}" for name, value in limits.items())
    _run("mount", "-t", "tmpfs", *(["-o", options] if options else []), "tmpfs", str(place))
    try:
        yield place
    finally:
        _run("umount", str(place))
        place.rmdir()


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Let a folder and all below it be read only."""
    _run("mount", "--bind", str(folder), str(folder))
    try:
        _run("mount", "-o", "remount,bind,ro", str(folder))
        yield
    finally:
        _run("umount", str(folder))


def _run(*words: str) -> None:
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def _limited(place: Path, **limits: int) -> None:
    _run("mount", "-o", "remount," + ",".join(f"{k}={v}" for k, v in limits.items()), str(place))


def _used(place: Path) -> dict[str, int]:
    found = os.statvfs(place)
    return {
        "size": (found.f_blocks - found.f_bfree) * found.f_frsize,
        "nr_inodes": found.f_files - found.f_ffree,
    }


def publishes(every: int, place: Path, scenes: Sequence[Scene] = SCENES) -> Iterator[Tally]:
    """Do each scene with no page left, one, two, … until it succeeds; the same with names of files."""
    for scene in scenes:
        tally = Tally(f"disk full, {scene.case}")
        for limit, step in (("size", PAGE), ("nr_inodes", 1)):
            for left in range(0, 10_000, every):
                with disk(place / "disk", size=64 << 20, nr_inodes=100_000) as root:
                    if _scene(tally, scene, root, limit, left * step):
                        break
        yield tally


def _scene(tally: Tally, scene: Scene, root: Path, limit: str, left: int) -> bool:
    """Return whether it had room enough."""
    folder = root / "scores" / "toy"
    if scene.old != NOTHING:
        folder.parent.mkdir()
    scene.before(folder)
    _limited(root, **{limit: max(1, _used(root)[limit] + left)})
    failed = ""
    try:
        scene.act(folder)
    except (HvaError, OSError) as error:
        failed = type(error).__name__
    except Exception as error:
        tally.wrong("not told", f"{scene.case}, {limit} {left}: {type(error).__name__}: {error}"[:300])
        return False
    _limited(root, size=64 << 20, nr_inodes=100_000)
    try:
        found = seen(folder)
        # A note that says stale may be missing: what made the night fail was told, and counts more.
        failed = failed or ("no room for the note" if scene.new == f"{found} stale" else "")
        if found not in ((scene.old, scene.new) if failed else (scene.new,)):
            tally.wrong("neither", f"{scene.case}, {limit} {left}: {found}")
        else:
            night(folder, 3)
            assert seen(folder) == "3", "the next night did not come out"
            tally.good(("old night" if found == scene.old else "new night") if failed else "room enough")
    except (HvaError, OSError, AssertionError) as error:
        tally.wrong("torn", f"{scene.case}, {limit} {left}: {type(error).__name__} {error}"[:300])
    return not failed


def nights(trial: Trial, times: int, seed: int = 5) -> Tally:
    """Run the real job with so much room left, then once more with enough of it."""
    tally, chance = Tally("disk full in hva nightly, then a new run"), random.Random(seed)
    with disk(trial.place / "disk", size=1 << 30) as root:
        ws = again(trial.base, root / "ws")
        before = _used(root)["size"]
        assert seconds_of(ws.root, trial.out, *NIGHT)[1] == 0
        need = max(_used(root)["size"] - before, PAGE) * 2
        for number in range(times):
            ws = again(trial.base, root / "ws")
            # Evenly spread, each somewhere within its share.
            left = int(need * (number + chance.random()) / times)
            _limited(root, size=_used(root)["size"] + left)
            _, code = seconds_of(ws.root, trial.out, *NIGHT)
            _limited(root, size=1 << 30)
            _night(tally, trial, ws, code, f"{left} bytes left")
    return tally


def _night(tally: Tally, trial: Trial, ws: hva.Workspace, code: int, what: str) -> None:
    told = trial.out.read_text(encoding="utf-8")
    try:
        found = whole(ws)
        if wrong := _wrong(code, told, found):
            tally.wrong(wrong, f"{what}: exit {code}, readers see {found}: {told[-400:]}")
            return
        _, later = seconds_of(ws.root, trial.out, *NIGHT)
        if later or whole(ws) != TONIGHT or run_files(ws, TONIGHT) != trial.reference:
            tally.wrong("not finished", f"{what}: {trial.out.read_text(encoding='utf-8')[-400:]}")
            return
        end = "old night" if found == LAST else "new night"
        tally.good(f"{end}, exit {code}")
    except (HvaError, AssertionError) as error:
        tally.wrong("torn", f"{what}: {type(error).__name__}: {error}"[:300])


def _wrong(code: int, told: str, found: str) -> str:
    if "Traceback" in told:
        return "traceback"
    if code and not told.strip():
        return "not told"
    if found not in (LAST, TONIGHT) or (code == 0 and found != TONIGHT):
        return "neither"
    return ""


def refusals(
    trial: Trial, commands: Sequence[tuple[str, ...]] = COMMANDS, folders: Sequence[str] = FOLDERS
) -> Iterator[Tally]:
    """Run every command with each folder read-only, and with no room left in any."""
    tally = Tally("commands with a read-only folder")
    for words in commands:
        for name in folders:
            ws = trial.fresh()
            with unwritable(ws.root / name):
                code = seconds_of(ws.root, trial.out, *words)[1]
            _refusal(tally, trial, ws, code, f"{words[0]}, {name or 'all'} read-only")
    yield tally
    tally = Tally("commands on a full disk")
    for words in commands:
        with ExitStack() as mounted:
            root = mounted.enter_context(disk(trial.place / "disk", size=1 << 30))
            ws = again(trial.base, root / "ws")
            _limited(root, size=_used(root)["size"])
            code = seconds_of(ws.root, trial.out, *words)[1]
            _limited(root, size=1 << 30)
            _refusal(tally, trial, ws, code, f"{words[0]}, full")
    yield tally


def _refusal(tally: Tally, trial: Trial, ws: hva.Workspace, code: int, what: str) -> None:
    told = trial.out.read_text(encoding="utf-8")
    try:
        found = whole(ws)
    except (HvaError, AssertionError) as error:
        tally.wrong("torn", f"{what}: {error}"[:300])
        return
    if "Traceback" in told:
        tally.wrong("traceback", f"{what}: {told[-500:]}")
    elif found not in (LAST, TONIGHT):
        tally.wrong("neither", f"{what}: {found}")
    elif code and "Error" not in told and '"error"' not in told:
        tally.wrong("not told", f"{what}: exit {code}: {told[-300:]}")
    else:
        tally.good("done without it" if code == 0 else "refused in one sentence")
