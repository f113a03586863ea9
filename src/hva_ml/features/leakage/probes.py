"""The findings of the time travel: which features, which population, and what the probes could not ask."""

from collections.abc import Collection, Sequence

from hva_ml.config import PipelineConfig
from hva_ml.contracts.probes import Probed
from hva_ml.contracts.records import Severity, Violation
from hva_ml.features.leakage.scrambling import Moved
from hva_ml.features.leakage.subject import POPULATION, Subject, Travel, Travels

FIX = (
    "Let the feature see only rows whose event_time and known_at lie before the cutoff; "
    "if it comes from a source query, give the row the time at which it was really known."
)


def truncation(subject: Subject, cut: Travel) -> Probed:
    """Say whether features from data cut at the cutoff are those from all data, bit for bit.

    Returns
    -------
    Probed
        ``HVL001`` error with the names of features that differ; info for tables of which nothing was cut
        off, or no late-known row, and for attributes that are exempt because they are declared static.
    """
    what = "These features change when the data end at the cutoff: they see the future."
    return Probed(
        "HVL001",
        "truncation",
        f"{_features(subject)} built again from tables cut at each of {_cutoffs(subject)}; {_taken(cut)}.",
        (
            *_differing("HVL001", what, cut),
            *_exempt("HVL001", subject.config),
            *_untouched("HVL001", cut),
            *_no_late_rows(cut),
        ),
        _nothing(cut),
    )


def perturbation(subject: Subject, travels: Travels) -> Probed:
    """Say whether everything after the cutoff, by either clock, may be made up without any feature changing.

    Returns
    -------
    Probed
        ``HVL002`` error with the names of features that differ; info for tables without a row to make up,
        and for features that did not react even when the made up rows were shown to them.
    """
    what = "These features change when everything from the cutoff on is made up: they see the future."
    mixed = travels.mixed
    return Probed(
        "HVL002",
        "perturbation",
        f"{_features(subject)} built again with the future made up at each of {_cutoffs(subject)}; "
        f"{_taken(mixed)}.",
        (
            *_differing("HVL002", what, mixed),
            *_untouched("HVL002", mixed),
            *_deaf([n for n in travels.deaf if n != POPULATION]),
        ),
        _nothing(mixed),
    )


def sources(subject: Subject, cut: Travel, timeless: Sequence[str], named: Collection[str] = ()) -> Probed:
    """Say whether features from raw data that end at the cutoff are those from all data.

    Parameters
    ----------
    subject : Subject
        What is probed.
    cut : Travel
        Of the raw data cut and mapped again; rows are counted by source.
    timeless : sequence of str
        Sources that name no ``time`` and stay whole.
    named : collection of str
        Features that look ahead in the contract tables: whether their query does too, cannot be told.

    Returns
    -------
    Probed
        ``HVL004`` error with the names of features that differ; info for sources that could not be cut. Not
        applicable where none could.
    """
    what = "These features change when the raw data end at the cutoff: a source query looks ahead."
    fix = (
        "Compute the column in the query from rows before its own event_time only, "
        "or give it its true known_at."
    )
    names, days = _named(cut, named)
    found = []
    if names:
        place = f"pipelines/{subject.config.name}/*.sql"
        found.append(finding("HVL004", place, days, "error", what, fix, names))
    if timeless:
        what = "These sources name no raw column that holds their time, so they were not cut."
        fix = 'Add time = "<column>" to [sources.<name>] so that hva check can cut the raw data.'
        found.append(finding("HVL004", "sources", (), "info", what, fix, timeless))
    if not cut.moved:
        why = "no source names the raw column that holds its time"
        return Probed("HVL004", "source truncation", "No raw data were cut.", tuple(found), why)
    rows = ", ".join(f"{source} {m.rows:,}" for source, m in cut.moved.items())
    what = (
        f"Raw data cut at each of {_cutoffs(subject)} and mapped again by the queries; rows cut off: {rows}."
    )
    return Probed("HVL004", "source truncation", what, (*found, *_untouched("HVL004", cut)), _nothing(cut))


def population(subject: Subject, travels: Travels, raw: Travel | None = None) -> Probed:
    """Say whether who is an account at a cutoff obeys both clocks.

    Parameters
    ----------
    subject : Subject
        What is probed.
    travels : Travels
        Of the contract tables.
    raw : Travel, optional
        Of the raw data cut and mapped again.

    Returns
    -------
    Probed
        ``HVL003`` error with the cutoffs at which the population differs; info if nobody comes or goes even
        when made up rows are shown; not applicable where no row of the population's own table lies after a
        cutoff.
    """
    asked = (travels.cut, travels.mixed, raw or Travel())
    days = sorted({day for t in asked for day in t.differing.get(POPULATION, ())})
    table = subject.config.population.table
    real, made = (t.moved.get(table, Moved()) for t in asked[:2])
    found = []
    if days:
        what = "Who is an account changes with what happened or became known from the cutoff on."
        found.append(finding("HVL003", POPULATION, days, "error", what, FIX, (POPULATION,)))
    elif real.rows and POPULATION in travels.deaf:
        what = "Nobody came or went even when made up rows were shown: that nobody does else proves nothing."
        fix = "Probe earlier cutoffs, before all accounts were there."
        found.append(finding("HVL003", POPULATION, (), "info", what, fix, ()))
    return Probed(
        "HVL003",
        "population",
        f"Who is an account, at {_cutoffs(subject)}: {table} had {_rows(real)} rows to take away and "
        f"{_rows(made)} made up.",
        tuple(found),
        "" if real.rows else f"no row of {table} lies after a probed cutoff",
    )


def finding(
    code: str,
    where: str,
    days: Sequence[str],
    severity: Severity,
    what: str,
    fix: str,
    names: Sequence[str],
) -> Violation:
    """Return a violation that names up to three cutoffs and up to five features."""
    shown = ", ".join(days[:3]) + (" …" if len(days) > 3 else "")
    place = f"{where} at {shown}" if shown else where
    return Violation(code, place, max(len(names), 1), severity, what, fix, tuple(names[:5]))


def _named(travel: Travel, but: Collection[str] = ()) -> tuple[list[str], list[str]]:
    names = [n for n in travel.differing if n != POPULATION and n not in but]
    return names, sorted({d for n in names for d in travel.differing[n]})


def _differing(code: str, what: str, travel: Travel) -> list[Violation]:
    names, days = _named(travel)
    return [finding(code, "features", days, "error", what, FIX, names)] if names else []


def _exempt(code: str, config: PipelineConfig) -> list[Violation]:
    static = config.tables["accounts"].static
    if not static:
        return []
    what = (
        "Columns declared static are exempt from cutting and making up tables: today's value stands for the "
        "past one. Only HVL004 and the suspicion rules look at them."
    )
    fix = "Keep in [tables.accounts] static only what does not change, or give accounts a history."
    return [finding(code, "accounts", (), "info", what, fix, static)]


def _untouched(code: str, travel: Travel) -> list[Violation]:
    found = []
    tables = [t for t, m in travel.moved.items() if not m.rows]
    if tables:
        what = "No row of these tables lies after a probed cutoff: about them the probe proves nothing."
        found.append(finding(code, "tables", (), "info", what, "Probe earlier cutoffs.", tables))
    if travel.idle:
        what = "No row of any table lies at or after these cutoffs: there the probe proves nothing."
        found.append(finding(code, "tables", travel.idle, "info", what, "Probe earlier cutoffs.", ()))
    return found


def _no_late_rows(cut: Travel) -> list[Violation]:
    tables = [t for t, m in cut.moved.items() if m.later and not m.late]
    if not tables:
        return []
    what = (
        "No row of these tables happened before a probed cutoff and became known after it: cutting them "
        "proves nothing about known_at. HVL002 makes such rows up."
    )
    fix = 'If the source says when a row was recorded, name it: known_at = "<column>" in [tables.<table>].'
    return [finding("HVL001", "tables", (), "info", what, fix, tables)]


def _deaf(names: Sequence[str]) -> list[Violation]:
    if not names:
        return []
    what = (
        "These features did not react even when made up rows were shown to them: "
        "that they do not react to hidden ones proves nothing."
    )
    fix = "Look whether they are constant; if so, leave them out."
    return [finding("HVL002", "features", (), "info", what, fix, names)]


def _nothing(travel: Travel) -> str:
    return "" if any(m.rows for m in travel.moved.values()) else "no row lies after a probed cutoff"


def _features(subject: Subject) -> str:
    return f"{len(subject.whole.names)} features"


def _cutoffs(subject: Subject) -> str:
    n = len(subject.calendar.days)
    return "1 cutoff" if n == 1 else f"{n} cutoffs"


def _taken(travel: Travel) -> str:
    return "rows after the cutoffs: " + ", ".join(f"{t} {_rows(m)}" for t, m in travel.moved.items())


def _rows(rows: Moved) -> str:
    return f"{rows.later:,} later + {rows.late:,} late-known"
