"""What peers share: the days of a case, the rows to learn from and to score, and the answer as a file."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

INDEX = ["account_id", "cutoff"]
TABLES = ("learn", "score", "purchases")


@dataclass
class Day:
    """One cutoff: what was known, and who is to be scored.

    `learn` has account_id, cutoff, converted, value and the features; `score` the same without outcomes;
    `purchases` account_id, time and amount, of what was known on the day. `quick` asks for a small model.
    """

    cutoff: pd.Timestamp
    horizon_days: int
    seconds: float
    quick: bool
    learn: pd.DataFrame
    score: pd.DataFrame
    purchases: pd.DataFrame

    @property
    def features(self) -> list[str]:
        """Names of the features."""
        return [c for c in self.score.columns if c not in INDEX]

    def matrices(self, missing: str | None = None) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
        """Return the features to learn from and to score, and the names of the categories among them.

        Categories are of pandas' type, or words with `missing` for none.
        """
        learn, score = self.learn[self.features].copy(), self.score[self.features].copy()
        words = [c for c in self.features if not pd.api.types.is_numeric_dtype(score[c])]
        for column in words:
            if missing is not None:
                learn[column] = learn[column].astype(object).fillna(missing).astype(str)
                score[column] = score[column].astype(object).fillna(missing).astype(str)
            else:
                known = pd.CategoricalDtype(sorted(learn[column].dropna().unique()))
                learn[column], score[column] = learn[column].astype(known), score[column].astype(known)
        return learn, score, words


def days(folder: Path) -> Iterator[tuple[Path, Day]]:
    """Yield the days of a case in the order of time."""
    case = json.loads((folder / "case.json").read_text("utf-8"))
    for path in sorted(p for p in folder.iterdir() if p.is_dir()):
        learn, score, purchases = (pd.read_parquet(path / f"{name}.parquet") for name in TABLES)
        yield path, Day(pd.Timestamp(path.name), **case, learn=learn, score=score, purchases=purchases)


def answer(name: str, say: Callable[[Day], tuple[Any, Any]]) -> None:
    """Ask `say` for probability and expected value of the rows of each day, and write them."""
    for path, day in days(Path(sys.argv[1])):
        probability, expected = (np.asarray(v, dtype=np.float64) for v in say(day))
        told = day.score[["account_id"]].assign(
            probability=np.clip(probability, 1e-6, 1 - 1e-6), expected_value=np.maximum(expected, 0.0)
        )
        told.to_parquet(path / f"{name}.parquet")
