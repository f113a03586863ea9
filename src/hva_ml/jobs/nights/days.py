"""What is asked for, as it is written, and which days of it are missing."""

from datetime import date, timedelta

from hva_ml.config import PipelineConfig
from hva_ml.errors import UsageError
from hva_ml.publication.reading import runs
from hva_ml.publication.runs import is_whole
from hva_ml.registry.champion import champion
from hva_ml.workspace import Workspace

MOST_DAYS = 3_660


def day_of(as_of: date | str) -> date:
    """Return a day, or the one that its ISO form names.

    Raises
    ------
    UsageError
        If it names none.
    """
    if isinstance(as_of, date):
        return as_of
    try:
        return date.fromisoformat(as_of)
    except ValueError as error:
        raise UsageError(
            f"'{as_of[:30]}' is not a day.", where="as_of", fix="Write it as 2025-12-31."
        ) from error


def days_of(first: date | str, last: date | str) -> tuple[date, ...]:
    """Return all days from `first` to `last`, both included.

    Raises
    ------
    UsageError
        If one is no day, or `last` lies before `first`.

    Examples
    --------
    >>> [str(day) for day in days_of("2025-02-28", "2025-03-01")]
    ['2025-02-28', '2025-03-01']
    """
    begin, end = day_of(first), day_of(last)
    count = (end - begin).days + 1
    if not 0 < count <= MOST_DAYS:
        raise UsageError(
            f"From {begin} to {end} are {max(count, 0):,} days; it takes 1 to {MOST_DAYS:,}.",
            where="--backfill",
            fix="Write the earlier day first: --backfill 2025-12-01 2025-12-31",
        )
    return tuple(begin + timedelta(days=k) for k in range(count))


def reason_of(force: str | None) -> str:
    """Return the reason to publish all the same, empty for none.

    Raises
    ------
    UsageError
        If it is asked for without a reason.
    """
    if force is not None and not force.strip():
        raise UsageError("To publish all the same needs a reason.", where="--force", fix='--force "why"')
    return (force or "").strip()


def finished(ws: Workspace, config: PipelineConfig, day: date) -> bool:
    """Whether the present champion has scored a day, with this pipeline file, and the run is whole.

    Raises
    ------
    RefusedError
        If there is no champion.
    """
    version, _ = champion(ws, config.name)
    settings = config.fingerprint()
    for run in runs(ws.scores(config.name)):
        made = run.identity
        same = (made.get("as_of"), made.get("model_version"), made.get("scoring"))
        if same == (day.isoformat(), version, settings) and is_whole(run.path, made):
            return True
    return False
