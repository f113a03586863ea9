"""Whom a score is compared with: named reference accounts, of all and of every segment that is large enough.

All but the medoid are made up (medians and most frequent categories), so a model file holds no account.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from hva_ml.errors import IntegrityError
from hva_ml.explanation.typical import medoid, typical
from hva_ml.training.trees import Floats, Ints

TYPICAL, MEDOID, WON, THRESHOLD = KINDS = ("typical", "medoid", "won", "threshold")
AROUND = 25
AROUND_SHARE = 0.01


@dataclass(frozen=True, eq=False)
class Reference:
    """One account to compare with.

    Attributes
    ----------
    kind : str
        ``typical``, ``medoid``, ``won`` or ``threshold``.
    code : float
        Code of the segment it stands for, NaN if it stands for all.
    values : numpy.ndarray of float64, shape (n_features,)
        Encoded.
    rows : int
        Rows it was made of; 0 where unknown.
    """

    kind: str
    code: float
    values: Floats
    rows: int = 0

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    @property
    def overall(self) -> bool:
        """Whether it stands for all segments."""
        return bool(np.isnan(self.code))


@dataclass(frozen=True, eq=False)
class References:
    """All that a model can be asked to compare with.

    Attributes
    ----------
    accounts : tuple of Reference
        Of every kind, the one of all segments first.
    kind : str
        The kind that published scores are explained against.
    column : int or None
        Which encoded column says the segment.
    """

    accounts: tuple[Reference, ...]
    kind: str = TYPICAL
    column: int | None = None

    def __post_init__(self) -> None:
        lengths = {r.values.shape for r in self.accounts}
        if len(lengths) != 1 or self.kind not in self.kinds:
            raise IntegrityError(
                f"{len(self.accounts)} reference accounts have shapes {sorted(lengths)} "
                f"and none of kind '{self.kind}' stands for all.",
                where="reference accounts",
                why="Without one there is nothing to compare a score with.",
                fix="Restore the model files, or train and promote again.",
            )

    @classmethod
    def single(cls, values: Floats) -> "References":
        """Return one typical account for all."""
        return cls((Reference(TYPICAL, np.nan, values),))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds there are."""
        return tuple(dict.fromkeys(r.kind for r in self.accounts if r.overall))

    @cached_property
    def matrix(self) -> Floats:
        """All accounts, shape (n_references, n_features)."""
        return np.array([r.values for r in self.accounts])

    def overall(self, kind: str = "") -> Reference:
        """Return the account of a kind that stands for all segments."""
        return next(r for r in self.accounts if r.kind == (kind or self.kind) and r.overall)

    def which(self, X: Floats, kind: str = "") -> Ints:
        """Return the place of the account that each encoded row is compared with, shape (n_rows,).

        That of its own segment, or of all where its segment has none.
        """
        kind = kind or self.kind
        places = {k: r for k, r in enumerate(self.accounts) if r.kind == kind}
        found = np.full(len(X), next(k for k, r in places.items() if r.overall), dtype=np.int64)
        if self.column is not None:
            for k, r in places.items():
                if not r.overall:
                    found[X[:, self.column] == r.code] = k
        return found

    def record(self) -> dict[str, Any]:
        """Return it JSON-ready, NaN kept for the writer."""
        if len(self.accounts) == 1 and self.kind == TYPICAL:
            return {"values": self.accounts[0].values.tolist()}
        accounts = [
            {"kind": r.kind, "code": r.code, "rows": r.rows, "values": r.values.tolist()}
            for r in self.accounts
        ]
        return {"kind": self.kind, "column": self.column, "accounts": accounts}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "References":
        """Read what `record` gives; null is NaN. Raises KeyError, TypeError or ValueError if it is not."""
        if "values" in record:
            return cls.single(_floats(record["values"]))
        accounts = tuple(
            Reference(str(r["kind"]), _floats([r["code"]])[0], _floats(r["values"]), int(r["rows"]))
            for r in record["accounts"]
        )
        column = record["column"]
        return cls(accounts, str(record["kind"]), None if column is None else int(column))


def _floats(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)


def references(
    X: Floats,
    kinds: Sequence[str],
    *,
    converted: npt.NDArray[np.int8],
    expected_value: Floats,
    tier_a: float,
    kind: str = TYPICAL,
    column: int | None = None,
    least_rows: int = 200,
) -> References:
    """Return the reference accounts of a training.

    typical
        Medians and most frequent categories of all rows, see `typical`.
    won
        The same of the rows that converted.
    threshold
        The same of the rows whose expected value is next to where tier A ends: 25 or 1 % on each side.
    medoid
        The real row that is least far from the typical account (Gower 1971: differences of ranks, unequal
        categories), only if `kind` asks for it: it puts one account's data into the model's files.

    Parameters
    ----------
    X : numpy.ndarray of float64, shape (n_rows, n_features)
        Encoded training rows in the order of the feature set.
    kinds : sequence of str, length n_features
        ``number`` or ``category``.
    converted, expected_value : numpy.ndarray, shape (n_rows,)
        What became of the rows, and what the models expect.
    tier_a : float
        Share of expected value that tier A holds, 0 < tier_a < 1.
    kind : str
        What scores are explained against by default.
    column : int, optional
        Category that splits accounts into segments.
    least_rows : int
        A segment of fewer rows (for ``won``: converted ones) is compared with all.
    """
    won = converted == 1
    found = [Reference(TYPICAL, np.nan, typical(X, kinds), len(X))]
    parts = [(TYPICAL, np.ones(len(X), dtype=np.bool_))]
    if won.any():
        found.append(Reference(WON, np.nan, typical(X[won], kinds), int(won.sum())))
        parts.append((WON, won))
    near = _next_to(expected_value, tier_a)
    found.append(Reference(THRESHOLD, np.nan, typical(X[near], kinds), len(near)))
    if kind == MEDOID:
        found.append(Reference(MEDOID, np.nan, medoid(X, kinds), len(X)))
        parts.append((MEDOID, parts[0][1]))
    if column is not None:
        for name, mask in parts:
            codes, counts = np.unique(X[mask, column], return_counts=True)
            for code in codes[(counts >= least_rows) & ~np.isnan(codes)].tolist():
                rows = X[mask & (X[:, column] == code)]
                made = medoid(rows, kinds) if name == MEDOID else typical(rows, kinds)
                found.append(Reference(name, code, made, len(rows)))
    if kind not in {r.kind for r in found}:
        kind = TYPICAL
    return References(tuple(found), kind, column)


def _next_to(expected_value: Floats, tier_a: float) -> Ints:
    order = np.argsort(-expected_value, kind="stable")
    through = np.cumsum(expected_value[order])
    end = int(np.searchsorted(through, tier_a * through[-1]))
    around = max(AROUND, int(AROUND_SHARE * len(order)))
    return order[max(0, end - around) : end + around]
