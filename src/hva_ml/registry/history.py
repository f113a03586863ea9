"""Which versions were champion one after the other, in a file beside the releases: the way back.

A rollback is noted before anything is changed and once more when it is done, so that one that was stopped in
between can be finished instead of being taken for a further step back.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from hva_ml.errors import IntegrityError
from hva_ml.folders import canonical, pretty, read_json, replace_file, text_hash
from hva_ml.registry.promotion import released

HISTORY = "HISTORY"
FORMAT = "hva-history-1"


@dataclass(frozen=True)
class Step:
    """One change of the champion.

    Attributes
    ----------
    how : str
        ``promoted`` or ``rolled back``.
    version, before : str
        The champion from then on; the one before it, empty for none.
    reason : str
        Of a forced promotion, or of a rollback; may be empty.
    run_id : str
        The run of scores that a rollback put back; empty for none.
    done : bool
        False while a rollback is on its way.
    """

    how: Literal["promoted", "rolled back"]
    version: str
    before: str
    reason: str = ""
    run_id: str = ""
    done: bool = True


def steps(models_folder: Path) -> tuple[Step, ...]:
    """Return the steps, oldest first; none if there is no file.

    Raises
    ------
    IntegrityError
        If the file is not as it was written.
    """
    path = models_folder / HISTORY
    if not path.is_file():
        return ()
    fix = (
        f"Restore it from a copy or from git, or move it away; hva rollback {models_folder.name} --to VERSION"
    )
    record: Any = read_json(path, fix)
    try:
        body = {k: v for k, v in record.items() if k != "seal"}
        if record["seal"] != text_hash(canonical(body)) or body["format"] != FORMAT:
            raise ValueError(FORMAT)
        return tuple(Step(**step) for step in body["steps"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise IntegrityError(
            "The history of champions has been changed.",
            where=str(path),
            why="Going back to a version that never was champion would be no way back.",
            fix=fix,
        ) from error


def note(models_folder: Path, step: Step) -> None:
    """Add a step by one atomic change of the file; a last one that is not done gives way to it.

    A file that is begun begins with the releases there were before it.
    """
    before = [s for s in steps(models_folder) if s.done]
    if not (models_folder / HISTORY).is_file() and step.before:
        champions = line(models_folder, step.before)
        before = [Step("promoted", v, b) for b, v in pairwise(("", *champions))]
    record = {"format": FORMAT, "steps": [asdict(s) for s in (*before, step)]}
    replace_file(models_folder / HISTORY, pretty({**record, "seal": text_hash(canonical(record))}))


def line(models_folder: Path, champion: str) -> tuple[str, ...]:
    """Return the versions that were champion and may be again, oldest first; the last one is `champion`.

    Where there is no history, the released versions with lower numbers count as champions before it.
    """
    known = [s for s in steps(models_folder) if s.done]
    if not known and champion.isdigit():
        numbers = sorted(int(v) for v in released(models_folder) if v.isdigit() and int(v) < int(champion))
        return (*map(str, numbers), champion)
    found = replayed(known)
    return found if found[-1:] == (champion,) else (*found, champion)


def replayed(known: Sequence[Step]) -> tuple[str, ...]:
    """Return the line of champions after some steps: a promotion adds to it, a rollback shortens it.

    Examples
    --------
    >>> replayed([Step("promoted", "1", ""), Step("promoted", "2", "1"), Step("promoted", "3", "2")])
    ('1', '2', '3')
    >>> replayed([Step("promoted", "2", "1"), Step("rolled back", "1", "2"), Step("promoted", "3", "1")])
    ('1', '3')
    """
    found: list[str] = []
    for step in known:
        if step.before and found[-1:] != [step.before]:
            # Somebody has moved the alias in MLflow itself.
            found.append(step.before)
        if step.how == "rolled back" and step.version in found:
            del found[len(found) - found[::-1].index(step.version) :]
        elif found[-1:] != [step.version]:
            found.append(step.version)
    return tuple(found)
