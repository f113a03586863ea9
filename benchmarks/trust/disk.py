"""A disk that loses power: records what a writer does to a folder, and replays what may be left of it.

After a crash each change since the last fsync may be there or not: the content of a file whole, as before,
half, or as zeros; each name in a folder as before or as after, in any combination. That is stricter than any
journaling file system (Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014).
"""

import hashlib
import itertools
import os
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Names = dict[str, int]
Files = dict[str, bytes | None]
"""Content by path; None for a folder."""
_MOST = 8
"""Of more changes at once not all combinations are tried: prefixes, each alone, all but one, and chance."""
_BY_CHANCE = 200


@dataclass(frozen=True)
class Named:
    """Names of folders change in one step: (folder, name) to a file or folder, None to nothing."""

    changes: Mapping[tuple[int, str], int | None]


@dataclass(frozen=True)
class Written:
    """A file has this content."""

    file: int
    content: bytes


@dataclass(frozen=True)
class Synced:
    """A file or folder is on the disk for good."""

    what: int


Step = Named | Written | Synced


@dataclass
class Tree:
    """Folders and files by number; 0 is the root."""

    folders: dict[int, Names] = field(default_factory=lambda: {0: {}})
    files: dict[int, bytes] = field(default_factory=dict)

    def copy(self) -> "Tree":
        """Return one that changes on its own."""
        return Tree({k: dict(v) for k, v in self.folders.items()}, dict(self.files))

    def name(self, step: Named) -> None:
        """Let names change."""
        for (folder, name), what in step.changes.items():
            if what is None:
                self.folders.setdefault(folder, {}).pop(name, None)
            else:
                self.folders.setdefault(folder, {})[name] = what

    def paths(self) -> Files:
        """Return all that can be reached from the root."""
        found: Files = {}
        waiting = [("", 0)]
        while waiting:
            prefix, folder = waiting.pop()
            for name, what in self.folders.get(folder, {}).items():
                path = prefix + name
                if what in self.folders:
                    found[path] = None
                    waiting.append((path + "/", what))
                else:
                    found[path] = self.files.get(what, b"")
        return found


class Recording:
    """What was done to a folder, step by step.

    Attributes
    ----------
    before : Tree
        What lay there at the beginning, all of it on the disk for good.
    steps : list of Step
        In their order.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._numbers: dict[int, int] = {root.stat().st_ino: 0}
        self._next = 1
        self.steps: list[Step] = []
        self._now = self._look()
        self.before = self._now.copy()

    def seen(self, at_once: bool = False) -> None:
        """Note all that has changed since the last look; with `at_once` names change in one step."""
        now = self._look()
        changes: dict[tuple[int, str], int | None] = {}
        for folder in sorted({*now.folders, *self._now.folders}):
            old, new = self._now.folders.get(folder, {}), now.folders.get(folder, {})
            for name in sorted({*old, *new}):
                if old.get(name) != new.get(name):
                    changes[folder, name] = new.get(name)
        if at_once and changes:
            self.steps.append(Named(changes))
        else:
            self.steps += [Named({place: what}) for place, what in changes.items()]
        self.steps += [
            Written(file, content)
            for file, content in now.files.items()
            if self._now.files.get(file) != content
        ]
        gone = {*self._now.files, *self._now.folders} - {*now.files, *now.folders}
        # The system gives the number of a removed file to the next one: that is another file.
        self._numbers = {ino: number for ino, number in self._numbers.items() if number not in gone}
        self._now = now

    def synced(self, descriptor: int) -> None:
        """Note an fsync."""
        number = self._numbers.get(os.fstat(descriptor).st_ino)
        if number is not None:
            self.steps.append(Synced(number))

    def _look(self) -> Tree:
        tree = Tree()
        waiting = [(self._root, 0)]
        while waiting:
            path, folder = waiting.pop()
            names = tree.folders[folder] = {}
            for entry in sorted(os.scandir(path), key=lambda e: e.name):
                ino = entry.inode()
                if ino not in self._numbers:
                    self._numbers[ino], self._next = self._next, self._next + 1
                names[entry.name] = number = self._numbers[ino]
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((Path(entry.path), number))
                else:
                    tree.files[number] = Path(entry.path).read_bytes()
        return tree


@contextmanager
def recorded(root: Path) -> Iterator[Recording]:
    """Record what this process does to a folder while the block runs.

    The steps are seen where the system is called to sync, rename, remove or make; what a library wrote in
    between by roads of its own is seen at the next of them.
    """
    made = Recording(root)
    real: dict[str, Callable[..., Any]] = {
        name: getattr(os, name) for name in ("fsync", "rename", "replace", "unlink", "rmdir", "mkdir")
    }

    def watched(name: str) -> Callable[..., Any]:
        def call(*given: Any, **more: Any) -> Any:
            made.seen()
            result = real[name](*given, **more)
            if name == "fsync":
                made.synced(given[0])
            made.seen(at_once=True)
            return result

        return call

    try:
        for name in real:
            setattr(os, name, watched(name))
        yield made
    finally:
        for name, call in real.items():
            setattr(os, name, call)
        made.seen()


def crashes(made: Recording, seed: int = 0) -> Iterator[tuple[int, Files]]:
    """Yield every state that a crash after each step may leave, each once with the first step that allows it.

    Yields
    ------
    tuple of (int, dict)
        The number of steps that were done, and content by path.
    """
    chance = random.Random(seed)
    kept, latest = made.before.copy(), dict(made.before.files)
    files = {*latest, *(step.file for step in made.steps if isinstance(step, Written))}
    for step in made.steps:
        for what in step.changes.values() if isinstance(step, Named) else ():
            if what is not None and what not in files:
                kept.folders.setdefault(what, {})
    pending: list[Named] = []
    told: set[str] = set()
    for done in range(len(made.steps) + 1):
        if done:
            _do(made.steps[done - 1], files, kept, latest, pending)
        for chosen in _combinations(len(pending), chance):
            tree = kept.copy()
            for k in chosen:
                tree.name(pending[k])
            unsure = [f for f in latest if kept.files.get(f) != latest[f]]
            for content in _contents(unsure, kept.files, latest):
                tree.files = {**kept.files, **latest, **content}
                state = tree.paths()
                name = _hash(state, done == len(made.steps))
                if name not in told:
                    told.add(name)
                    yield done, state


def _do(step: Step, files: set[int], kept: Tree, latest: dict[int, bytes], pending: list[Named]) -> None:
    if isinstance(step, Written):
        latest[step.file] = step.content
    elif isinstance(step, Named):
        pending.append(step)
    elif step.what in files:
        kept.files[step.what] = latest.get(step.what, b"")
    else:
        for change in [p for p in pending if any(folder == step.what for folder, _ in p.changes)]:
            kept.name(change)
            pending.remove(change)


def _combinations(n: int, chance: random.Random) -> Iterator[tuple[int, ...]]:
    if n <= _MOST:
        for size in range(n + 1):
            yield from itertools.combinations(range(n), size)
        return
    yield from (tuple(range(k)) for k in range(n + 1))
    yield from ((k,) for k in range(n))
    yield from (tuple(j for j in range(n) if j != k) for k in range(n))
    for _ in range(_BY_CHANCE):
        yield tuple(k for k in range(n) if chance.random() < 0.5)


def _contents(
    unsure: list[int], before: Mapping[int, bytes], after: Mapping[int, bytes]
) -> Iterator[dict[int, bytes]]:
    """Yield what unsynced files may hold: all as written, all as before, all zeros, each alone."""
    yield {}
    spoilt = [
        {f: before.get(f, b"") for f in unsure},
        {f: bytes(len(after[f])) for f in unsure},
        {f: after[f][: len(after[f]) // 2] for f in unsure},
    ]
    yield from spoilt
    for way in spoilt:
        yield from ({f: way[f]} for f in unsure)


def _hash(state: Files, finished: bool) -> str:
    digest = hashlib.sha256(bytes([finished]))
    for path, content in sorted(state.items()):
        digest.update(repr((path, content)).encode())
    return digest.hexdigest()


def lay(state: Files, folder: Path) -> None:
    """Write a state into an empty folder."""
    folder.mkdir(parents=True)
    for path, content in sorted(state.items()):
        if content is None:
            (folder / path).mkdir(parents=True, exist_ok=True)
        else:
            (folder / path).write_bytes(content)
