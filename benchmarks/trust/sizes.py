"""Sources of no row, of one, of one outcome, and of ten million: refused with words, or a whole night.

A night may be published only with as many accounts as its sources hold and after every audit; where a source
brought nothing, the last night must stay. A training may end with a model only where there are two outcomes.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import hva_ml as hva
from benchmarks.incremental import export, workspace
from benchmarks.peers import fresh
from benchmarks.smaller import DATA, PIPELINE, TRAINING, edit
from benchmarks.trust.exports import files, rows_of, written
from benchmarks.trust.tally import Tally
from benchmarks.trust.world import LAST, TONIGHT, ended, start, whole
from hva_ml.errors import HvaError
from hva_ml.starter.stream import stream

REFUSED = (1, 3)
MOST_GIB = 6.0
Change = Callable[[pa.Table], pa.Table]


@dataclass(frozen=True)
class Size:
    """What becomes of the sources, and whether a night of them and a training on them may succeed."""

    name: str
    changes: Mapping[str, Change]
    night: bool = False
    train: bool = False


def none(table: pa.Table) -> pa.Table:
    """Keep the columns only."""
    return table.slice(0, 0)


def one(table: pa.Table) -> pa.Table:
    """Keep the first row."""
    return table.slice(0, 1)


def of_one_account(table: pa.Table) -> pa.Table:
    """Keep the rows of the account that comes first."""
    return table.filter(pc.equal(table["company_id"], "A000000"))


def nobody_buys(table: pa.Table) -> pa.Table:
    """Turn every invoice into a credit note."""
    amount = pc.negate(pc.abs(table["amount_cents"]))
    return table.set_column(table.schema.get_field_index("amount_cents"), "amount_cents", amount)


def everybody(companies: pa.Table) -> Change:
    """Return a change after which every account has an invoice on the first of each month."""

    def change(invoices: pa.Table) -> pa.Table:
        ids = pc.unique(companies["company_id"]).to_pylist()
        days = [date(2023 + k // 12, 1 + k % 12, 1) for k in range(6, 36)]
        rows = [(f"X{a}{d}", a, d) for a in ids for d in days]
        made = pa.table(
            {
                "invoice_no": [r[0] for r in rows], "company_id": [r[1] for r in rows],
                "issued_at": pa.array([r[2] for r in rows]).cast(invoices.schema.field("issued_at").type),
                "amount_cents": [100_000] * len(rows), "currency": ["EUR"] * len(rows),
                "refers_to": [None] * len(rows),
            }
        )  # fmt: skip
        return pa.concat_tables([invoices, made.cast(invoices.schema)])

    return change


def cases(made: Path) -> tuple[Size, ...]:
    """Return all of them."""
    companies = pq.read_table(made / "companies.parquet")
    history = ("contacts", "engagement", "deals", "invoices")
    everything, spare = ("companies", *history), ("contacts", "deals")
    return (
        *(Size(f"no row in {name}", {name: none}, train=name in spare) for name in everything),
        Size("no row anywhere", dict.fromkeys(everything, none)),
        Size("accounts without any history", dict.fromkeys(history, none)),
        Size("one row in each source", dict.fromkeys(everything, one)),
        *(Size(f"one row in {name}", {name: one}, train=name in spare) for name in everything),
        Size("all rows, so that there is something to publish", {}, night=True, train=True),
        Size("one account", dict.fromkeys(everything, of_one_account)),
        Size("nobody buys", {"invoices": nobody_buys}, night=True),
        Size("everybody buys", {"invoices": everybody(companies)}, night=True),
    )  # fmt: skip


def released(ws: hva.Workspace) -> Path:
    """Return the folder of the one release of a workspace."""
    (manifest,) = ws.models(PIPELINE).rglob("manifest.json")
    return manifest.parent


def edited(ws: hva.Workspace) -> None:
    """Make the pipeline as small as the vendor."""
    edit(ws, *DATA, *TRAINING)


def vendor(
    folder: Path,
    release: Path,
    accounts: int = 500,
    events: int = 40,
    before: Callable[[hva.Workspace], None] = edited,
    exported: Callable[[Path, hva.Workspace, date, date | None], None] = export,
) -> tuple[hva.Workspace, Path]:
    """Make a workspace whose sources are files, with a champion and the scores of the night before.

    Returns the workspace, and the folder of all that its systems will ever export.
    """
    made = folder / "made"
    stream(
        made, accounts=accounts, seed=7, first=date(2023, 7, 1), last=date(2025, 12, 31),
        events_per_account=events,
    )  # fmt: skip
    ws = workspace(folder / "base")
    before(ws)
    exported(made, ws, date.fromisoformat(LAST), None)
    hva.promote_from(ws, PIPELINE, release, force="a trial of the hostile world")
    hva.nightly(ws, PIPELINE, as_of=LAST)
    return ws, made


def copied(ws: hva.Workspace, root: Path) -> hva.Workspace:
    """Copy a workspace with its sources to `root`, in place of what lies there."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(ws.root, root)
    for file in (root / "pipelines").glob("*.toml"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(str(ws.root), str(root)), encoding="utf-8")
    return hva.Workspace.find(root)


def sizes(release: Path, place: Path, *, every: bool) -> Iterator[Tally]:
    """Make a night of each size and train on it; at full size of ten million rows, too."""
    place.mkdir(parents=True, exist_ok=True)
    base, made = vendor(place, release)
    found = cases(made)
    nights, trainings = Tally("a night of empty, tiny and one-sided sources"), Tally("a training on them")
    for case in found if every else found[-4:]:
        ws = copied(base, place / "ws")
        export(made, ws, date.fromisoformat(TONIGHT), date.fromisoformat(LAST))
        for name, change in case.changes.items():
            for path in files(ws, name):
                written(change(rows_of(path)), path)
        _night(nights, case, ws, place / "out")
        if every or case.name == "one account":
            _training(trainings, case, ws, place / "out")
    yield from (nights, trainings)
    if every:
        yield _large(place / "large", release)


def _run(ws: hva.Workspace, out: Path, *words: str) -> tuple[int, str]:
    code = ended(start(ws.root, out, *words))
    return code, out.read_text(encoding="utf-8", errors="replace")


def _night(tally: Tally, case: Size, ws: hva.Workspace, out: Path) -> None:
    code, said = _run(ws, out, "nightly", PIPELINE, "--as-of", TONIGHT, "--json")
    try:
        seen = whole(ws)
    except (HvaError, AssertionError) as error:
        tally.wrong("torn", f"{case.name}: {error}"[:300])
        return
    if "Traceback" in said or code not in (0, *REFUSED):
        tally.wrong("not told", f"night, {case.name}: exit {code}: {said[-300:]}")
    elif code == 0 and seen == TONIGHT and case.night:
        tally.good("published whole")
    elif code and seen == LAST and '"error": null' not in said:
        tally.good("refused with words, the last night stays")
    else:
        tally.wrong(
            "published or silent", f"night, {case.name}: exit {code}, readers see {seen}: {said[-200:]}"
        )


def _training(tally: Tally, case: Size, ws: hva.Workspace, out: Path) -> None:
    code, said = _run(ws, out, "train", PIPELINE)
    # A window over a kind of event that is gone is an error of the pipeline file.
    if "Traceback" in said or code not in (0, 2, *REFUSED):
        tally.wrong("not told", f"training, {case.name}: exit {code}: {said[-300:]}")
    elif code == 0 and not case.train:
        tally.wrong("a model of nothing", f"training, {case.name}: exit 0")
    else:
        tally.good("trained" if code == 0 else "refused with words")


def _large(place: Path, release: Path) -> Tally:
    """Make a night of ten million rows of history."""
    tally = Tally("a night of 10 M rows")
    ws, made = vendor(place, release, accounts=50_000, events=200)
    export(made, ws, date.fromisoformat(TONIGHT), date.fromisoformat(LAST))
    rows = sum(pq.read_metadata(p).num_rows for p in sorted(ws.raw(PIPELINE).rglob("*.parquet")))
    took = fresh(["-m", "hva_ml.cli", "nightly", PIPELINE, "--as-of", TONIGHT, "--json", "--root", ws.root])
    told = json.loads(took.out)
    what = f"{rows:,} rows: {told['outcome']} in {took.seconds:.0f} s, {took.gib:.1f} GiB"
    if told["outcome"] == "published" and whole(ws) == TONIGHT and took.gib < MOST_GIB:
        tally.good(what)
    else:
        tally.wrong("not published", what)
    shutil.rmtree(place)
    return tally
