"""Every text of a pipeline file set to something hostile: nothing of it is run, read or written.

SQL, shells, templates, format strings, paths and control characters stand in turn for each string, each name
of a table and each element of a list. The commands either refuse the file with words or take the text for
what it is. Queries (`*.sql`) are the user's own programs and are left alone.
"""

import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import hva_ml as hva
from benchmarks.smaller import PIPELINE
from benchmarks.trust.tally import Tally
from benchmarks.trust.world import TONIGHT, again
from hva_ml.errors import HvaError

SECRET = "kept-from-everybody"
SINKS = '\n[sinks.own]\nkind = "duckdb"\npath = "data/delivered/own.duckdb"\ntables = ["scores"]\n'
Place = tuple[str | int, ...]


def payloads(outside: Path) -> tuple[str, ...]:
    """Return the hostile texts; a marker outside the workspace shows what was run, a secret what was read."""
    marker, secret = outside / "marker", outside / "secret.txt"
    stolen = f"SELECT content FROM read_text('{secret}')"  # noqa: S608  (it must not be run)
    return (
        f"x\"; COPY (SELECT 1) TO '{marker}'; --",
        f"x'; COPY (SELECT 1) TO '{marker}'; --",
        f"x' UNION ALL {stolen} --",
        f"({stolen})",
        f"x\"; ATTACH '{marker}' AS y; DROP TABLE accounts; --",
        f"$(touch {marker})",
        f"`touch {marker}`; touch {marker} | touch {marker}",
        f"{{{{ ''.__class__.__mro__[1].__subclasses__() }}}} {{% include '{secret}' %}}",
        "{0.__class__.__init__.__globals__} %(x)s %n",
        f"__import__('os').system('touch {marker}')",
        "../../../../outside",
        f"{secret}",
        "a\x00b\x1b[2Jc\u202ed\n[gates]\nmin_roc_auc = 0",
        "аccounts",
        "x" * 20_000,
        "",
    )


def places(value: Any, here: Place = ()) -> Iterator[tuple[Place, bool]]:
    """Yield where strings stand, and where names of tables do."""
    if isinstance(value, str):
        yield here, False
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield (*here, key), True
            yield from places(inner, (*here, key))
    elif isinstance(value, list):
        for k, inner in enumerate(value):
            yield from places(inner, (*here, k))


def put(value: Any, place: Place, text: str, name: bool) -> Any:
    """Return the same with the text at that place, or as the name there."""
    first, *rest = place
    if isinstance(value, Mapping) and name and not rest:
        return {text if k == first else k: v for k, v in value.items()}

    def inner(key: str | int, old: Any) -> Any:
        if key != first:
            return old
        return put(old, tuple(rest), text, name) if rest else text

    if isinstance(value, Mapping):
        return {k: inner(k, v) for k, v in value.items()}
    return [inner(k, v) for k, v in enumerate(value)]


def toml(value: Any) -> str:
    """Write a value in TOML, tables inline."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value).replace("\x7f", "\\u007f")
    return json.dumps(value) if isinstance(value, bool | int | float) else str(value)


class Watch:
    """What the process opens for writing outside its workspace, and what it starts."""

    def __init__(self) -> None:
        self.root: Path | None = None
        self.seen: list[str] = []
        sys.addaudithook(self._heard)

    def _heard(self, event: str, told: tuple[Any, ...]) -> None:
        if self.root is None:
            return
        if event in ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn"):
            self.seen.append(event)
        elif event == "open" and isinstance(told[0], str | bytes) and "w" in str(told[1]):
            path = Path(told[0] if isinstance(told[0], str) else told[0].decode(errors="replace"))
            if path.is_absolute() and not path.is_relative_to(self.root) and "hva-" not in str(path):
                self.seen.append(f"writes {path}")

    @contextmanager
    def over(self, root: Path) -> Iterator[list[str]]:
        """Watch while the block runs."""
        self.root, self.seen = root, []
        try:
            yield self.seen
        finally:
            self.root = None


def injection(base: hva.Workspace, place: Path, *, every: bool) -> Iterator[Tally]:
    """Set every text to every payload, or each to one of them."""
    place.mkdir(parents=True, exist_ok=True)
    outside = place / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text(SECRET, encoding="utf-8")
    ws, watch = again(base, place / "ws"), Watch()
    file = ws.pipelines / f"{PIPELINE}.toml"
    whole = tomllib.loads(file.read_text(encoding="utf-8") + SINKS)
    tally, hostile = Tally("hostile texts in a pipeline file"), payloads(outside)
    found = list(places(whole))
    for k, (where, name) in enumerate(found if every else found[::7]):
        for text in [hostile[(k + j) % len(hostile)] for j in range(4 if every else 1)]:
            changed = put(whole, where, text, name).items()
            lines = [f"{json.dumps(n)} = {toml(v)}" for n, v in changed]
            file.write_text("\n".join(lines), encoding="utf-8")
            _judged(tally, ws, watch, outside, f"{'.'.join(map(str, where))} = {text[:40]!r}")
    yield tally


def _judged(tally: Tally, ws: hva.Workspace, watch: Watch, outside: Path, what: str) -> None:
    said, refused = StringIO(), False
    with watch.over(ws.root) as seen, redirect_stdout(said), redirect_stderr(said):
        try:
            print(hva.check(ws, PIPELINE))
            print(hva.nightly(ws, PIPELINE, as_of=TONIGHT).record())
        except HvaError as error:
            refused = True
            print(error)
        except Exception as error:
            tally.wrong("not told", f"{what}: {type(error).__name__}: {error}"[:300])
            return
    left = sorted(p.name for p in outside.iterdir())
    if seen or left != ["secret.txt"] or SECRET in said.getvalue():
        tally.wrong("run, read or written", f"{what}: {seen[:2]} {left}")
        for path in outside.iterdir():
            if path.name != "secret.txt":
                path.unlink()
    else:
        tally.good("refused with words" if refused else "taken as text")
