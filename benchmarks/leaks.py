"""Does the leakage proof catch what leaks, and leave alone what does not? Measured, not promised.

`python -m benchmarks.leaks [--size small|full] [--json FILE] [--docs]` plants ten leakers of different kinds
into `dach_sample`, one at a time, and their honest twins; small has 500 accounts and 5 probed cutoffs, full
the pipeline as it is shipped and 20. With HVA_DATASETS it also tells what the suspicion rules say about three
public data sets. `--docs` writes the tables into docs/leakage.md.
"""

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import hva_ml as hva
from benchmarks import leaks_real
from benchmarks.leakers import LEAKERS, PIPELINE, Leaker, Planted
from benchmarks.results import machine, tell
from benchmarks.smaller import DATA, edit
from hva_ml.jobs.check import CheckReport

Row = dict[str, Any]

PAGE = Path(__file__).resolve().parent.parent / "docs" / "leakage.md"
SIZES = {"small": 5, "full": 20}


def workspace(folder: str, size: str) -> hva.Workspace:
    """Make a workspace with `dach_sample`, smaller if asked for."""
    ws, _ = hva.init(folder)
    edit(ws, *(DATA if size == "small" else ()))
    return ws


def checked(planted: Planted, size: str) -> CheckReport:
    """Plant into a fresh workspace, and check."""
    with tempfile.TemporaryDirectory(prefix="hva-leaks-") as folder:
        ws = workspace(folder, size)
        planted.edit(ws)
        return hva.check(ws, PIPELINE, cutoffs=SIZES[size], extra=planted.groups)


def alarms(report: CheckReport) -> list[tuple[str, str]]:
    """Return code and feature of every error and warning of the leakage proof."""
    assert report.probes, [v for v in report.violations if v.severity == "error"]
    return [(v.code, name) for p in report.probes for v in p.alarms for name in v.ids]


def caught_by(leaker: Leaker, size: str) -> list[str]:
    """Return the codes of the probes that name what the leaker spoils."""
    found = alarms(checked(leaker.leak, size))
    return sorted({code for code, name in found if name.startswith(leaker.named)})


def planted(size: str) -> list[Row]:
    """Plant every leaker and every twin; one row a leaker."""
    rows = []
    for leaker in LEAKERS:
        codes = caught_by(leaker, size)
        false = alarms(checked(leaker.twin, size))
        rows.append(
            {
                "case": leaker.name,
                "how": leaker.how,
                "caught": bool(codes),
                "by": " ".join(codes) or "nothing",
                "alarms on its honest twin": len(false),
            }
        )
    return rows


def real() -> list[Row]:
    """Ask about three public data sets."""
    folder = Path(os.environ["HVA_DATASETS"])
    return [*leaks_real.bank_marketing(folder), *leaks_real.olist(folder), *leaks_real.adventureworks()]


def markdown(rows: list[Row]) -> str:
    """Return rows as a Markdown table."""
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns), *([_cell(row[c]) for c in columns] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_page(name: str, text: str) -> None:
    """Replace what stands between the markers of docs/leakage.md."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(f"<!-- {name}:begin -->")
    after = rest.split(f"<!-- {name}:end -->")[1]
    PAGE.write_text(f"{before}<!-- {name}:begin -->\n{text}\n<!-- {name}:end -->{after}", encoding="utf-8")


def _cell(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Ten planted leakers, their twins, and real leaks.")
    parser.add_argument("--size", choices=list(SIZES), default="small")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--docs", action="store_true")
    asked = parser.parse_args()
    rows = planted(asked.size)
    clean = alarms(checked(Planted(), asked.size))
    kills = sum(bool(r["caught"]) for r in rows)
    false = sum(int(r["alarms on its honest twin"]) for r in rows)
    verdict = (
        f"{kills} of {len(rows)} planted leakers caught; {len(clean)} false alarms on {PIPELINE}, "
        f"{false} on {len(rows)} honest twins."
    )
    found = real() if os.environ.get("HVA_DATASETS") else []
    tell("leaks", rows, asked.json, size=asked.size, verdict=verdict, real=found)
    print(f"\n{verdict}\n")
    if found:
        tell("real leaks", found)
    if asked.docs:
        command = f"`python -m benchmarks.leaks --size {asked.size} --docs` on {machine()}"
        write_page("planted", f"{markdown(rows)}\n\n{verdict} ({command}.)")
        if found:
            write_page("real", markdown(found))


if __name__ == "__main__":
    main()
