"""Every text of a pipeline file set to something hostile: nothing of it is run, read or written.

SQL, shells, templates, format strings, paths and control characters stand in turn for each string, each name
of a table and each element of a list. The commands either refuse the file with words or take the text for
what it is. Queries (`*.sql`) are the user's own programs and are left alone.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hva_ml as hva
from benchmarks.smaller import PIPELINE
from benchmarks.trust.tally import Tally
from benchmarks.trust.watching import SECRET, Watch, judged, payloads
from benchmarks.trust.world import TONIGHT, again

SINKS = '\n[sinks.own]\nkind = "duckdb"\npath = "data/delivered/own.duckdb"\ntables = ["scores"]\n'
Place = tuple[str | int, ...]


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
            what = f"{'.'.join(map(str, where))} = {text[:40]!r}"
            judged(tally, watch, ws.root, outside, what, lambda: _asked(ws))
    yield tally


def _asked(ws: hva.Workspace) -> bool:
    print(hva.check(ws, PIPELINE))
    print(hva.nightly(ws, PIPELINE, as_of=TONIGHT).record())
    return False
