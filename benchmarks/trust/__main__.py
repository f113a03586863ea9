"""What was tried against the night shift, how often, and how often it won; and whether the promises hold.

`python -m benchmarks.trust [--size small|full] [--only PART …] [--json FILE]`. Power cuts: every state that
the recorded writes, syncs and renames of a publish may leave on a disk. Kills and double runs: of the real
job, on a small pipeline. Flips and cuts: of its published files and release. Full disks and read-only folders
need the right to mount. Plausible: at full size only, for some of it is known to win. Truth:
`benchmarks.trust.truth`. Rows of parts not run stay in FILE as they are.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from benchmarks.results import tell, with_others
from benchmarks.trust import (
    canaries,
    clocks,
    commandline,
    crashes,
    flips,
    foreign,
    injection,
    inputs,
    kills,
    mutants,
    offline,
    payloads,
    plausible,
    sizes,
    space,
    truth,
)
from benchmarks.trust.tally import Tally
from benchmarks.trust.world import trained

TIMES = {
    "small": {"every": 4, "kills": 6, "pairs": 2, "flips": 100, "nights": 4},
    "full": {"every": 1, "kills": 300, "pairs": 50, "flips": 1_000, "nights": 20},
}


def parts(size: str, place: Path) -> dict[str, Callable[[], Iterator[Tally]]]:
    """Return what makes the lines of each part of the table, in its order."""
    times = TIMES[size]
    base = cache(lambda: trained(place / "base"))
    trial = cache(lambda: kills.Trial(base(), place))
    return {
        "crashes": lambda: crashes.all_scenes(times["every"]),
        "kills": lambda: iter([kills.kills(trial(), times["kills"])]),
        "pairs": lambda: iter([kills.pairs(trial(), times["pairs"])]),
        "flips": lambda: flips.flips(base(), times["flips"]),
        "cuts": lambda: flips.truncations(base(), times["flips"] // 10),
        "inputs": lambda: inputs.inputs(place / "inputs", times["flips"]),
        "full": lambda: space.publishes(times["every"], place),
        "fullnights": lambda: iter([space.nights(trial(), times["nights"])]),
        "readonly": lambda: space.refusals(trial()),
        "offline": lambda: offline.offline(base(), place, every=size == "full"),
        "clocks": lambda: clocks.clocks(trial(), every=size == "full"),
        "foreign": lambda: foreign.foreign(base(), place / "foreign", every=size == "full"),
        "injection": lambda: injection.injection(base(), place / "injection", every=size == "full"),
        "payloads": lambda: payloads.payloads(
            sizes.released(base()), place / "payloads", every=size == "full"
        ),
        "words": lambda: commandline.commandline(base(), place / "words", every=size == "full"),
        "names": lambda: commandline.names(sizes.released(base()), place / "names", every=size == "full"),
        "canaries": lambda: canaries.canaries(
            sizes.released(base()), place / "canaries", every=size == "full"
        ),
        "mutants": lambda: mutants.mutated(
            sizes.released(base()), place / "mutants", every=1 if size == "full" else 8
        ),
        "plausible": lambda: (
            plausible.plausible(sizes.released(base()), place / "plausible") if size == "full" else iter(())
        ),
        "sizes": lambda: sizes.sizes(sizes.released(base()), place / "sizes", every=size == "full"),
    }


def main() -> None:
    """Try, print, and write the same as JSON; exit 1 if anything won."""
    parser = argparse.ArgumentParser(description="What was tried against the night shift.")
    parser.add_argument("--size", choices=list(TIMES), default="small")
    parser.add_argument("--only", nargs="+", default=[*parts("small", Path()), "truth"])
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    tallies: list[Tally] = []
    with tempfile.TemporaryDirectory(prefix="hva-trust-") as folder:
        for name, make in parts(asked.size, Path(folder)).items():
            if name in asked.only:
                tallies += make()
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    rows = [t.row() | {"day": today} for t in tallies]
    tell("trust", with_others(rows, asked.json, asked.size), asked.json, size=asked.size)
    for what in [w for t in tallies for w in t.bad][:20]:
        print(what)
    if "truth" in asked.only:
        truth.main()
    if any(t.bad for t in tallies):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
