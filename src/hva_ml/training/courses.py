"""How leads are held out while a model is chosen: always the later ones, or in turn where time is unknown.

The test leads are never touched here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hva_ml.contracts.decisions import Decisions, Floats, Ints
from hva_ml.errors import NotEnoughDataError
from hva_ml.splits import group_uniform
from hva_ml.training.folds import Fold
from hva_ml.training.matrix import EncodedColumn
from hva_ml.training.waiting import Lesson, lesson

STARTS = (0.4, 0.55, 0.7, 0.85)
"""Parts of the wins after which blocks of later leads begin."""
MIN_WON = 10.0
MIN_WON_HELD_OUT = 5.0


@dataclass(frozen=True, eq=False)
class Course:
    """Lessons and the leads they are judged by.

    Attributes
    ----------
    rows, y, weight
        Everything that is learned or judged, one behind the other, as in `Lesson`.
    parts : tuple of Fold
        Which of it fits, which judges.
    """

    rows: Ints
    y: Floats
    weight: Floats
    parts: tuple[Fold, ...]

    @property
    def judged(self) -> Ints:
        """What judges, of all parts one behind the other."""
        return np.concatenate([p.valid for p in self.parts])


def ahead(X: Floats, told: Decisions, columns: Sequence[EncodedColumn], whole: Lesson) -> Course:
    """Return blocks of later leads, each judged by a model of what was known when the block began.

    Parameters
    ----------
    X : numpy.ndarray of float64, shape (n_leads, n_columns)
        Encoded leads of the training side.
    told : Decisions
        Of these leads.
    columns : sequence of EncodedColumn
        What the columns of `X` are.
    whole : Lesson
        What is known of them at the end; it judges.

    Raises
    ------
    NotEnoughDataError
        If fewer than two blocks have ten wins to learn from and five to be judged by.
    """
    wins = np.sort(told.position[whole.rows[(whole.y == 1) & (whole.weight == 1)]])
    starts = sorted({int(wins[int(s * len(wins))]) for s in STARTS}) if len(wins) else []
    lessons: list[tuple[Lesson, Lesson]] = []
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        later = told.position >= start
        block = whole.among(later if end is None else later & (told.position < end))
        learned = lesson(X, told, columns, start)
        others = learned.weight.sum() - learned.converted
        if min(learned.converted, others) >= MIN_WON and _both(block):
            lessons.append((learned, block))
    if len(lessons) < 2:
        raise _too_few(len(wins), "blocks of later leads")
    return _course(lessons)


def in_turn(told: Decisions, groups: Sequence[str], folds: int, repeats: int, seed: int) -> Course:
    """Return folds of whole groups, dealt anew for each repeat, with like shares of wins in each.

    Parameters
    ----------
    told : Decisions
        Of the leads that train; all are decided.
    groups : sequence of str, length n_leads
        What stands together.
    folds, repeats : int
        Each lead judges once in each repeat.
    seed : int
        Seed of the dealing.

    Raises
    ------
    NotEnoughDataError
        If a fold has fewer than five wins, or others.
    """
    won = told.won
    parts = []
    for fold_of in dealt(told, groups, folds, repeats, seed):
        for k in range(folds):
            judge = fold_of == k
            n_won = int((won & judge).sum())
            if min(n_won, int(judge.sum()) - n_won) < MIN_WON_HELD_OUT:
                raise _too_few(int(won.sum()), f"{folds} folds")
            parts.append(Fold(np.flatnonzero(~judge), np.flatnonzero(judge)))
    return Course(np.arange(len(won)), won.astype(np.float64), np.ones(len(won)), tuple(parts))


def dealt(told: Decisions, groups: Sequence[str], folds: int, repeats: int, seed: int) -> list[Ints]:
    """Return the fold of each lead, for each repeat; the same for the same names, whatever their order."""
    names, place = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    won = np.bincount(place, told.won) / np.bincount(place)
    found = []
    for repeat in range(repeats):
        uniform = group_uniform(names.tolist(), seed, f"fold {repeat}")
        order = np.lexsort((uniform, won > 0.5))
        fold = np.empty(len(names), dtype=np.int64)
        fold[order] = np.arange(len(names)) % folds
        found.append(fold[place])
    return found


def _both(block: Lesson) -> bool:
    return min(block.converted, float(block.weight.sum()) - block.converted) >= MIN_WON_HELD_OUT


def _course(lessons: Sequence[tuple[Lesson, Lesson]]) -> Course:
    rows: list[Ints] = []
    y: list[Floats] = []
    weight: list[Floats] = []
    parts, first = [], 0
    for pair in lessons:
        places = []
        for one in pair:
            rows.append(one.rows)
            y.append(one.y)
            weight.append(one.weight)
            places.append(np.arange(first, first + len(one.rows)))
            first += len(one.rows)
        parts.append(Fold(places[0], places[1], pair[1].weight))
    return Course(np.concatenate(rows), np.concatenate(y), np.concatenate(weight), tuple(parts))


def _too_few(won: int, where: str) -> NotEnoughDataError:
    return NotEnoughDataError(
        f"{won} wins are too few to choose a model by {where}: at least {MIN_WON:.0f} are needed to learn "
        f"from and {MIN_WON_HELD_OUT:.0f} to be judged by, and as many leads that were not won.",
        where="[leads], training side",
        why="With so few, a model would be chosen by chance.",
        fix="Wait for more decided leads, lower folds, or let test_from begin later.",
    )
