"""Sources that changed overnight into values that can be read: what of them is held, told, or not noticed.

Unlike those of `benchmarks.trust.mutants`, most of these are as valid as what they replace, so a night may go
out with other scores. Counted is how loudly: held, published with a warning or a note that the honest night
has not, or without a word, which is bad.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.trust import sizes
from benchmarks.trust.mutants import Mutant, Night, constant, night, put, rename, text, times, vendor, words
from benchmarks.trust.tally import Tally

MONTHS = 12
OFFICES = (timezone(timedelta(hours=1)), timezone(timedelta(hours=-5)))
Finding = tuple[str, str, str]


def later(values: pa.ChunkedArray) -> pa.Array:
    """Have all times two hours later, as if local times were taken for UTC."""
    return pc.add(values, pa.scalar(timedelta(hours=2), pa.duration("us"))).cast(values.type)


def exchanged(values: pa.ChunkedArray) -> pa.Array:
    """Have day and month exchanged, where that is a day."""
    return pa.array([_exchanged(x) for x in values.to_pylist()], values.type)


def _exchanged(at: datetime | None) -> datetime | None:
    return at.replace(month=at.day, day=at.month) if at and at.day <= MONTHS else at


def offsets(values: pa.ChunkedArray) -> pa.Array:
    """Write the same instants, every other one with the offset of another office."""
    found = enumerate(values.to_pylist())
    return pa.array([x and _utc(x).astimezone(OFFICES[k % 2]).isoformat() for k, x in found], pa.string())


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def changes(made: Path) -> Iterator[Mutant]:
    """Yield all of them; `made` holds what stands in for a source."""
    for source, moment in (("engagement", "occurred_at"), ("invoices", "issued_at"), ("deals", "entered_at")):
        yield Mutant(source, f"{moment} with day and month exchanged", put(moment, exchanged))
        yield Mutant(source, f"{moment} of two offsets", put(moment, offsets))
        yield Mutant(source, f"{moment} as days without a time", put(moment, text("%Y-%m-%d")))
        yield Mutant(source, f"{moment} two hours later", put(moment, later))
    for source, other in (("deals", "invoices"), ("invoices", "deals"), ("contacts", "companies")):
        table = pq.read_table(made / f"{other}.parquet")
        yield Mutant(source, f"in its place {other}", lambda _, table=table: table)  # type: ignore[misc]
    for source, amount in (("deals", "amount_cents"), ("invoices", "amount_cents"),
                           ("companies", "annual_revenue_eur")):  # fmt: skip
        yield Mutant(source, f"{amount} in thousands", put(amount, times(0.001)))
        yield Mutant(source, f"{amount} one per cent higher", put(amount, times(1.01)))
    yield Mutant("companies", "country as Länderkürzel", rename("country", "Länderkürzel"))
    yield Mutant("companies", "one company_id on all rows", put("company_id", constant))
    yield Mutant("companies", "founded_year as yes", put("founded_year", words(lambda _: "yes")))
    yield Mutant("companies", "employees with a German comma", put("employees", words(lambda x: f"{x},5")))


def plausible(release: Path, place: Path) -> Iterator[Tally]:
    """Make a night of each."""
    place.mkdir(parents=True, exist_ok=True)
    base, made = vendor(place, release)
    honest = night(base, made, place, None)
    assert honest[0] == 0, honest[2]
    tally = Tally("a source whose changed values can be read")
    for mutant in changes(made):
        judged(tally, f"{mutant.source}, {mutant.name}", night(base, made, place, mutant), honest)
    yield tally


def judged(tally: Tally, what: str, found: Night, honest: Night) -> None:
    """Count how a night ended, beside the honest one."""
    code, scores, said = found
    if "Traceback" in said or said.startswith("torn") or code not in (0, *sizes.REFUSED):
        tally.wrong("not told", f"{what}: exit {code}: {said[-300:]}")
        return
    if scores is None and code:
        tally.good("refused or held, with words")
        return
    if scores is not None and honest[1] is not None and scores.equals(honest[1]):
        tally.good("the same scores")
        return
    new = findings(said) - findings(honest[2])
    if any(severity == "warning" for _, severity, _ in new):
        tally.good("published with a warning")
    elif new:
        tally.good("published with a note")
    else:
        tally.wrong("other scores without a word", f"{what}: exit {code}, other scores without a word")


def findings(said: str) -> set[Finding]:
    """Return code, severity and place of what a night found in its sources."""
    record = json.loads(said[said.index("{") :])
    return {(f["code"], f["severity"], f["where"]) for f in record.get("findings") or []}
