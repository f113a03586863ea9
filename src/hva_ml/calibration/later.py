"""The rows that calibrate: later cohorts, in an order that hangs on the rows alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hva_ml.calibration.logistic import Array
from hva_ml.errors import ContractError

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Membership:
    """To which segment each row belongs.

    Attributes
    ----------
    feature : str
        The category whose values are the segments.
    names : tuple of str
        Its values by code.
    code : ndarray of int64, shape (n_rows,)
        -1 for a row without a segment, or with one that is not among `names`.
    """

    feature: str
    names: tuple[str, ...]
    code: Ints

    def take(self, rows: Ints | npt.NDArray[np.bool_]) -> "Membership":
        """Return that of some rows."""
        return replace(self, code=self.code[rows])


@dataclass(frozen=True, eq=False)
class Later:
    """Matured rows that the model has not learned from, sorted by cutoff, group, margin and outcome.

    Attributes
    ----------
    margin, converted, weight : ndarray of float64, shape (n_rows,)
        Raw score; 1 or 0; how much a row counts, in (0, 1].
    cutoff : ndarray of int64, shape (n_rows,)
        Microseconds since the epoch.
    group : ndarray of int64, shape (n_rows,)
        Number of the ultimate parent.
    names : tuple of str
        Ultimate parents by number.
    segment : Membership or None
        Of the same rows; None where no segments were asked for.
    """

    margin: Array
    converted: Array
    weight: Array
    cutoff: Ints
    group: Ints
    names: tuple[str, ...]
    segment: Membership | None = None

    @classmethod
    def of(
        cls,
        margin: Array,
        converted: npt.ArrayLike,
        cutoffs: Ints,
        groups: Sequence[str],
        weight: Array | None = None,
        segment: Membership | None = None,
    ) -> "Later":
        """Put rows in order; `cutoffs` in microseconds since the epoch, everything else as in `fit`.

        Raises
        ------
        ContractError
            If lengths differ.
        """
        names, code = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
        m, y = np.asarray(margin, dtype=np.float64), np.asarray(converted, dtype=np.float64)
        cutoff = np.asarray(cutoffs, dtype=np.int64)
        w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
        part = np.zeros(len(y), dtype=np.int64) if segment is None else segment.code
        if len({len(a) for a in (m, y, cutoff, code, w, part)}) != 1:
            raise ContractError(
                f"{len(m)} margins, {len(y)} outcomes, {len(cutoff)} cutoffs, {len(code)} groups.",
                where="calibration side",
                fix="Give all of them for every calibration row, in one order.",
            )
        order = np.lexsort((part, w, y, m, code, cutoff))
        return cls(
            m[order], y[order], w[order], cutoff[order], code[order], tuple(names.tolist()),
            None if segment is None else segment.take(order),
        )  # fmt: skip

    @property
    def groups(self) -> list[str]:
        """Ultimate parent of each row."""
        return [self.names[k] for k in self.group]
