"""One bit turned in what was published or released: it is refused, and never read as something else."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import hva_ml as hva
from benchmarks.smaller import PIPELINE
from benchmarks.trust.tally import Tally
from benchmarks.trust.world import whole
from hva_ml.errors import HvaError
from hva_ml.publication import current
from hva_ml.registry.releases import read_release


def flips(ws: hva.Workspace, times: int, seed: int = 3) -> Iterator[Tally]:
    """Turn one bit so many times in the files of the current run, and in those of the release."""
    run = current(ws.scores(PIPELINE))
    assert run is not None
    version = str(run.identity["model_version"])
    release = ws.models(PIPELINE) / version
    yield _flipped("one bit of a published file", run.path, times, seed, lambda: whole(ws))
    yield _flipped("one bit of a release", release, times, seed, lambda: read_release(ws, PIPELINE, version))


def truncations(ws: hva.Workspace, times: int, seed: int = 4) -> Iterator[Tally]:
    """Cut the files of the current run short, at every length or at so many of them."""
    run = current(ws.scores(PIPELINE))
    assert run is not None
    tally, chance = Tally("a published file cut short"), random.Random(seed)
    for path in sorted(p for p in run.path.iterdir() if p.is_file()):
        content = path.read_bytes()
        lengths = range(len(content))
        for length in chance.sample(lengths, min(times, len(lengths))):
            path.write_bytes(content[:length])
            _judged(tally, lambda: whole(ws), f"{path.name} of {length} bytes")
        path.write_bytes(content)
    yield tally


def _flipped(case: str, folder: Path, times: int, seed: int, read: Callable[[], object]) -> Tally:
    tally, chance = Tally(case), random.Random(seed)
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.stat().st_size)
    for _ in range(times):
        path = chance.choice(files)
        content = path.read_bytes()
        place = chance.randrange(8 * len(content))
        changed = bytearray(content)
        changed[place // 8] ^= 1 << place % 8
        path.write_bytes(changed)
        _judged(tally, read, f"bit {place} of {path.name}")
        path.write_bytes(content)
    read()
    return tally


def _judged(tally: Tally, read: Callable[[], object], what: str) -> None:
    try:
        read()
    except HvaError:
        tally.good("refused")
    except Exception as error:
        tally.wrong("not told", f"{what}: {type(error).__name__}")
    else:
        tally.wrong("read", what)
