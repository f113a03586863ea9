"""The last look before scores go out: one row an account, numbers that can be true, reasons that add up."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.errors import RefusedError
from hva_ml.publication.rows import AuditRow

SCORES = "scores"
EXPLANATIONS = "explanations"
LIFETIME = "lifetime"
NUMBERS = ("conversion_probability", "value_if_converted", "expected_value", "percentile")
TIERS = ("A", "B", "C")
TOLERANCE = 1e-9
WHOLE = "HVS010"
ADDITIVE = "HVS011"


class Audit:
    """Refuses a run that must not reach sales, piece by piece while it is written.

    Parameters
    ----------
    expected_rows : int
        Accounts of the population.
    """

    def __init__(self, expected_rows: int) -> None:
        self._expected = expected_rows
        self._seen: list[pa.Table] = []
        self._explained, self._apart = 0, 0.0

    def piece(self, tables: Mapping[str, pa.Table]) -> None:
        """Audit the numbers of some accounts: ``scores`` with their ``explanations``, if there are any.

        Raises
        ------
        RefusedError
            Naming the first thing found, with at most five accounts.
        """
        if SCORES not in tables:
            return
        scores = tables[SCORES]
        missing = [c for c in ("account_id", *NUMBERS, "rank", "tier") if c not in scores.column_names]
        if missing:
            raise _refused(f"Columns are missing: {', '.join(missing)}", SCORES)
        _ids(scores)
        tiers = np.array([t in TIERS for t in scores["tier"].to_pylist()], dtype=np.bool_)
        _refuse_rows(scores, ~tiers, "tier", "have no tier A, B or C")
        _numbers(scores)
        if EXPLANATIONS in tables:
            self._apart = max(self._apart, _additive(scores, tables[EXPLANATIONS]))
            self._explained += scores.num_rows
        if LIFETIME in tables:
            _lifetime(tables[LIFETIME])
        self._seen.append(scores.select(["account_id", "rank"]))

    def whole(self) -> tuple[AuditRow, ...]:
        """Audit the run after its last piece: every account once, every rank once.

        Returns
        -------
        tuple of AuditRow
            What was looked at in all pieces, and held.

        Raises
        ------
        RefusedError
            As `piece`.
        """
        if not self._seen:
            raise _refused("There is no table of scores", "run")
        scores = pa.concat_tables(self._seen)
        if scores.num_rows != self._expected:
            raise _refused(
                f"{scores.num_rows} accounts are scored, the population has {self._expected}", SCORES
            )
        _ids(scores)
        ranks = np.sort(np.asarray(pc.fill_null(scores["rank"], 0)))
        if not np.array_equal(ranks, np.arange(1, scores.num_rows + 1)):
            raise _refused("The ranks are not 1 to n, each once", f"{SCORES}.rank")
        return (self._whole_row(scores.num_rows), self._additivity_row())

    def _whole_row(self, n: int) -> AuditRow:
        what = f"Each of {n:,} accounts has one row with a rank, a tier and numbers that can be true."
        return AuditRow(WHOLE, "passed", SCORES, what, float(n), f"{self._expected} accounts")

    def _additivity_row(self) -> AuditRow:
        if not self._explained:
            return AuditRow(ADDITIVE, "not applicable", EXPLANATIONS, "The run has no explanations.")
        what = f"The reasons of {self._explained:,} accounts multiply to their scores."
        return AuditRow(ADDITIVE, "passed", EXPLANATIONS, what, self._apart, f"at most {TOLERANCE:g} apart")


def audit(tables: Mapping[str, pa.Table], expected_rows: int) -> tuple[AuditRow, ...]:
    """Refuse a run of one piece, see `Audit`."""
    found = Audit(expected_rows)
    found.piece(tables)
    return found.whole()


def _ids(scores: pa.Table) -> None:
    ids = scores["account_id"]
    counts = ids.value_counts()
    twice = [str(r["values"]) for r in counts.filter(pc.greater(counts.field("counts"), 1)).to_pylist()]
    if ids.null_count or twice:
        raise _refused(
            f"{ids.null_count} rows have no account, {len(twice)} accounts have several rows",
            f"{SCORES}.account_id",
            sorted(twice),
        )


def _numbers(scores: pa.Table) -> None:
    found = {name: _floats(scores, name) for name in NUMBERS}
    for name, numbers in found.items():
        _refuse_rows(scores, ~np.isfinite(numbers), name, "have no finite number")
    probability, value = found["conversion_probability"], found["value_if_converted"]
    _refuse_rows(
        scores, (probability <= 0) | (probability >= 1), "conversion_probability", "lie outside (0, 1)"
    )
    _refuse_rows(scores, value <= 0, "value_if_converted", "are not positive")
    for name, number in (("probability", probability),):
        if f"{name}_low" not in scores.column_names:
            continue
        low, high = _floats(scores, f"{name}_low"), _floats(scores, f"{name}_high")
        # Unknown bounds are NaN, and no comparison holds for them.
        _refuse_rows(scores, (low > number) | (number > high), f"{name}_low", "do not lie around it")
    wrong = found["expected_value"] != probability * value
    _refuse_rows(scores, wrong, "expected_value", "are not probability × value")


def _additive(scores: pa.Table, explanations: pa.Table) -> float:
    """Return the largest distance between a logarithm of a score and the sum of its reasons."""
    same = explanations.num_rows == scores.num_rows and explanations["account_id"].combine_chunks().equals(
        scores["account_id"].combine_chunks()
    )
    if not same:
        raise _refused(
            "The explanations are not of the accounts that are scored", EXPLANATIONS, code=ADDITIVE
        )
    worst = 0.0
    for part, told in (("likelihood", "conversion_probability"), ("value", "value_if_converted")):
        columns = [c for c in explanations.column_names if c.startswith(f"{part}.")]
        total = _floats(explanations, f"log_base_{'probability' if part == 'likelihood' else 'value'}").copy()
        for column in columns:
            total += _floats(explanations, column)
        apart = np.abs(total - np.log(_floats(scores, told)))
        what = "are not what their reasons multiply to"
        _refuse_rows(scores, ~(apart <= TOLERANCE), told, what, ADDITIVE)
        worst = max(worst, float(apart.max(initial=0.0)))
    return worst


def _lifetime(table: pa.Table) -> None:
    """Refuse windows that do not sum to the value told, or customers who come back to life."""
    value, added = _floats(table, "value"), _floats(table, "value_in_window")
    begin, left = _floats(table, "from_days"), _floats(table, "survival")
    first, ids = begin == 0, table["account_id"].combine_chunks()
    goes_on = np.r_[False, np.asarray(pc.equal(ids[1:], ids[:-1]))] if len(ids) else first
    before = np.where(first, 0.0, np.r_[0.0, value[:-1]])[: len(value)]
    rising = np.where(first, True, left <= np.r_[1.0, left[:-1]][: len(left)])
    sums = (value == before + added) & (added > 0) & (first | goes_on)
    alive = rising & (left > 0) & (left < 1) & (left >= _floats(table, "probability"))
    _refuse_rows(table, ~sums, "value", "are not the sum of their windows", ADDITIVE, LIFETIME)
    _refuse_rows(table, ~alive, "survival", "rise, or lie below a purchase", WHOLE, LIFETIME)


def _floats(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    filled = pc.fill_null(table[name].cast(pa.float64()), float("nan"))
    return np.asarray(filled.to_numpy(), dtype=np.float64)


def _refuse_rows(
    scores: pa.Table, wrong: npt.NDArray[np.bool_], column: str, what: str, code: str = WHOLE,
    table: str = SCORES,
) -> None:  # fmt: skip
    if wrong.any():
        ids = [scores["account_id"][int(k)].as_py() for k in np.flatnonzero(wrong)[:5]]
        raise _refused(f"{int(wrong.sum())} of {len(wrong)} rows {what}", f"{table}.{column}", ids, code)


def _refused(what: str, where: str, ids: Sequence[str] = (), code: str = WHOLE) -> RefusedError:
    return RefusedError(
        f"{code}: {what}.",
        where=where,
        why="The scores published before stay; a wrong list would send sales to the wrong accounts.",
        fix="hva check PIPELINE, then train again if the model gives such numbers.",
        ids=ids,
    )
