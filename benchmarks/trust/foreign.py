"""Model files and published files of somebody else's making: nothing in them runs, nothing leads astray.

Whoever writes to a release may also write its hashes anew, so files are tried both with the old manifest and
with one that fits. Each is met by the real commands. A champion is held to the hash that MLflow knows, a
release brought by files to `--expect`, so a model that was exchanged is refused even with fitting hashes.
"""

import json
import os
import pickle
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import hva_ml as hva
from benchmarks.smaller import PIPELINE
from benchmarks.trust.sizes import released
from benchmarks.trust.tally import Tally
from benchmarks.trust.world import TONIGHT, again, ended, start
from hva_ml.folders import MANIFEST, bytes_entry, pretty
from hva_ml.publication import current, read
from hva_ml.registry.identity import FORMAT, release_hash
from hva_ml.registry.promotion import BESIDE

REFUSED = (1, 2, 3)
PLACES = (
    "../outside",
    "/etc/hostname",
    "a/../../outside",
    "..\\outside",
    "C:\\outside",
    "a\x00b",
    "x" * 5000,
)


class _Runs:
    """What runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch '{self.marker}'",)


class Trap:
    """A workspace in which files are exchanged, and a marker that appears if any of them is run."""

    def __init__(self, base: hva.Workspace, place: Path) -> None:
        self.base, self.place = base, place
        place.mkdir(parents=True, exist_ok=True)
        self.marker, self.out = place / "ran", place / "out"
        self.pickled = pickle.dumps(_Runs(self.marker))
        self.code = f"import pathlib\npathlib.Path({str(self.marker)!r}).touch()\n".encode()

    def fresh(self) -> tuple[hva.Workspace, Path]:
        """Copy the workspace; return it and the folder of its release."""
        ws = again(self.base, self.place / "ws")
        evidence = self.base.root / "data" / "training"
        if evidence.is_dir():
            shutil.copytree(evidence, ws.root / "data" / "training")
        _own_files(ws.root / "mlruns" / "mlflow.db", str(self.base.root), str(ws.root))
        return ws, released(ws)

    def met(self, tally: Tally, ws: hva.Workspace, what: str, *words: str, may: bool = False) -> None:
        """Let a command meet it: refused with words, or passed by where it `may`."""
        code = ended(start(ws.root, self.out, *words))
        said = self.out.read_text(encoding="utf-8", errors="replace")
        if self.marker.exists():
            self.marker.unlink()
            tally.wrong("code ran", f"{what}, {words[0]}")
        elif "Traceback" in said or code not in (0, *REFUSED):
            tally.wrong("not told", f"{what}, {words[0]}: exit {code}: {said[-300:]}")
        elif code:
            tally.good("refused with words")
        elif may:
            tally.good("not looked at")
        else:
            tally.wrong("taken", f"{what}, {words[0]}")


def _own_files(path: Path, old: str, new: str) -> None:
    """Let the copy of a database name the copies of its files: MLflow keeps absolute paths."""
    with closing(sqlite3.connect(path)) as database, database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for _, column, *_ in database.execute(f'PRAGMA table_info("{table}")').fetchall():
                change = f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?)'  # noqa: S608  (its own)
                database.execute(f'{change} WHERE instr("{column}", ?)', (old, new, old))


NIGHTLY = ("nightly", PIPELINE, "--as-of", TONIGHT)
PROMOTE = ("promote", PIPELINE, "--force", "x")


def resealed(folder: Path) -> None:
    """Write a manifest that fits the files there are, as whoever exchanged them can."""
    names = json.loads((folder / MANIFEST).read_bytes())["files"]
    files = {n: bytes_entry((folder / n).read_bytes()) for n in names if (folder / n).is_file()}
    sealed = {"format": FORMAT, "files": files, "release": release_hash(files)}
    (folder / MANIFEST).write_text(pretty(sealed), encoding="utf-8")


def hostile_json() -> dict[str, bytes]:
    """Return what JSON readers stumble over."""
    return {
        "too deep": b"[" * 200_000 + b"]" * 200_000,
        "a list": b"[]",
        "a number": b"7",
        "nothing": b"",
        "null": b"null",
        "no number": b'{"a": NaN}',
        "infinite": b'{"a": 1e999}',
        "twice": b'{"a": 1, "a": 2}',
        "a large number": b'{"a": ' + b"9" * 5000 + b"}",
        "no UTF-8": b'{"a": "\xff\xfe"}',
        "half a pair": b'{"a": "\\ud800"}',
    }


def hostile_trees(text: str) -> dict[str, str]:
    """Return texts of models that lead a careless reader out of its memory."""
    lines = text.splitlines()

    def with_field(name: str, value: str) -> str:
        k = next(i for i, line in enumerate(lines) if line.startswith(f"{name}="))
        return "\n".join([*lines[:k], f"{name}={value}", *lines[k + 1 :]])

    def first_of(name: str, value: str) -> str:
        line = next(line for line in lines if line.startswith(f"{name}="))
        return with_field(name, " ".join([value, *line.split("=")[1].split()[1:]]))

    return {
        "a child beyond": first_of("left_child", "1000000"),
        "a child before": first_of("left_child", "-1000000"),
        "its own child": first_of("left_child", "0"),
        "a feature beyond": first_of("split_feature", "1000000"),
        "a feature before": first_of("split_feature", "-5"),
        "leaves without end": with_field("num_leaves", "2000000000"),
        "no leaves": with_field("num_leaves", "0"),
        "no thresholds": with_field("threshold", ""),
        "a leaf of nothing": first_of("leaf_value", "nan"),
        "leaves of words": first_of("leaf_value", "x"),
        "features beyond": with_field("max_feature_idx", "2000000000"),
        "several outputs": with_field("num_class", "5"),
        "cut": text[: len(text) // 2],
        "nothing": "",
        "only a head": "tree\nend of trees\n",
    }


def exchanged(trap: Trap, *, every: bool) -> Tally:
    """Exchange each file of a release for a pickle, hostile JSON or trees, or the other model's trees."""
    tally = Tally("a release with exchanged files")
    _, folder = trap.fresh()
    known = str(json.loads((folder / MANIFEST).read_bytes())["release"])
    trees = (folder / "conversion.txt").read_text(encoding="utf-8")
    attacks: list[tuple[str, str, bytes]] = []
    for name in sorted(p.name for p in folder.iterdir() if p.name != MANIFEST):
        attacks.append((name, "a pickle", trap.pickled))
        if name.endswith(".json"):
            attacks += [(name, what, content) for what, content in hostile_json().items()]
    attacks += [("conversion.txt", what, text.encode()) for what, text in hostile_trees(trees).items()]
    attacks += [("conversion.txt", "the other model", (folder / "value.txt").read_bytes())]
    attacks += [(MANIFEST, what, content) for what, content in hostile_json().items()]
    for k, (name, what, content) in enumerate(attacks if every else attacks[::23]):
        for fitting in (False, True):
            ws, folder = trap.fresh()
            (folder / name).write_bytes(content)
            if fitting and name != MANIFEST:
                resealed(folder)
            told = f"{name}: {what}{', hashes that fit' if fitting else ''}"
            beside = name in BESIDE
            trap.met(tally, ws, told, *NIGHTLY, may=beside)
            brought = ("promote", PIPELINE, "--from", str(folder), "--force", "x")
            if every or k % 2:
                trap.met(tally, ws, told, *brought, "--expect", known, may=beside)
            if every and fitting:
                # Without a hash to hold it to, whole files of a valid form are somebody's model.
                trap.met(tally, ws, told, *brought, may=name != MANIFEST)
    return tally


def added(trap: Trap) -> Tally:
    """Lay files beside those of a release, of a run, and of the model in MLflow."""
    tally = Tally("foreign files beside ours")
    for name in ("model.pkl", "python_model.pkl", "__init__.py", "sitecustomize.py", "numpy.py", "hva_ml.py"):
        content = trap.pickled if name.endswith("pkl") else trap.code
        for where in ("release", "run", "mlruns"):
            ws, folder = trap.fresh()
            for target in _targets(ws, folder, where):
                (target / name).write_bytes(content)
            what, may = f"{name} in {where}", where != "release"
            trap.met(tally, ws, what, *NIGHTLY, may=may)
            trap.met(tally, ws, what, "explain", PIPELINE, _account(trap), may=True)
            trap.met(tally, ws, what, *PROMOTE, may=may)
    return tally


def loaders(trap: Trap) -> Tally:
    """Let the model in MLflow name a foreign loader, foreign code, or a pickle."""
    tally = Tally("a model in MLflow that names foreign code")
    changes: dict[str, Callable[[str], str]] = {
        "loader_module": lambda t: t.replace("loader_module: ", "loader_module: foreign # "),
        "code": lambda t: t.replace("python_function:", "python_function:\n    code: foreign"),
        "python_model": lambda t: t.replace("python_function:", "python_function:\n    python_model: x.pkl"),
        "model_code_path": lambda t: t.replace("model_code_path: ", "model_code_path: foreign.py # "),
        "a YAML tag": lambda t: f"x: !!python/object/apply:os.system ['touch {trap.marker}']\n{t}",
    }
    for name, change in changes.items():
        ws, folder = trap.fresh()
        found = _targets(ws, folder, "mlruns")
        for target in found:
            (target / "foreign.py").write_bytes(trap.code)
            (target / "x.pkl").write_bytes(trap.pickled)
            model = target / "MLmodel"
            model.write_text(change(model.read_text(encoding="utf-8")), encoding="utf-8")
        for words in (
            NIGHTLY,
            ("promote", PIPELINE, "--force", "x"),
            ("shadow", PIPELINE),
            ("train", PIPELINE),
        ):
            trap.met(tally, ws, name, *words, may=True)
    return tally


def astray(trap: Trap, *, every: bool) -> Tally:
    """Let pointers and manifests lead out of their folders."""
    tally = Tally("pointers and manifests that lead elsewhere")
    for place in PLACES if every else PLACES[:2]:
        ws, folder = trap.fresh()
        pointer = ws.scores(PIPELINE) / "CURRENT"
        _, _, digest = pointer.read_text(encoding="utf-8").partition(" ")
        pointer.write_bytes(f"{place} {digest}".encode())
        trap.met(tally, ws, f"CURRENT to {place[:20]!r}", "explain", PIPELINE, _account(trap))
        ws, folder = trap.fresh()
        (folder.parent / "CHAMPION").write_bytes(place.encode())
        shutil.rmtree(ws.root / "mlruns")
        trap.met(tally, ws, f"CHAMPION to {place[:20]!r}", *NIGHTLY)
        ws, folder = trap.fresh()
        files = json.loads((folder / MANIFEST).read_bytes())["files"]
        files[place] = bytes_entry(b"")
        sealed = {"format": FORMAT, "files": files, "release": release_hash(files)}
        (folder / MANIFEST).write_text(pretty(sealed), encoding="utf-8")
        brought = ("promote", PIPELINE, "--from", str(folder), "--force", "x")
        trap.met(tally, ws, f"a manifest with {place[:20]!r}", *brought)
    for target in ("/etc/hostname", str(trap.out)):
        ws, folder = trap.fresh()
        (folder / "calibrator.json").unlink()
        (folder / "calibrator.json").symlink_to(target)
        trap.met(tally, ws, f"a link to {target}", *NIGHTLY)
    return tally


def _targets(ws: hva.Workspace, folder: Path, where: str) -> Sequence[Path]:
    if where == "release":
        return [folder]
    if where == "run":
        run = current(ws.scores(PIPELINE))
        assert run is not None
        return [run.path]
    found = [p.parent for p in (ws.root / "mlruns").rglob("MLmodel")]
    assert found
    return found


def _account(trap: Trap) -> str:
    return str(read(trap.base.scores(PIPELINE))["account_id"][0].as_py())


def foreign(base: hva.Workspace, place: Path, *, every: bool) -> Iterator[Tally]:
    """Return all lines."""
    trap = Trap(base, place)
    yield exchanged(trap, every=every)
    yield astray(trap, every=every)
    if every:
        yield added(trap)
        yield loaders(trap)
