"""Segments: drawn to nothing as far as evidence is thin, kept only if they pay on rows that did not teach."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit

from hva_ml.calibration import Calibrated, Later, Membership, Segments, calibrate
from hva_ml.cutoffs import MICROSECONDS_PER_DAY
from hva_ml.errors import ContractError

NAMES = tuple(f"industry {k}" for k in range(8))
SIZES = np.array([0.4, 0.25, 0.15, 0.1, 0.05, 0.03, 0.015, 0.005])


def rows(
    truth: np.ndarray, seed: int, *, many: int = 3000, cohorts: int = 6, every: int = 90, copies: int = 1
) -> Later:
    """Return cohorts whose true log-odds are 0.8 · margin + what the segment adds; one in fifty has none."""
    rng = np.random.default_rng(seed)
    code = np.where(rng.random(many) < 0.02, -1, rng.choice(len(truth), many, p=SIZES))
    margin = rng.normal(-1.0, 1.2, many)
    cutoff = rng.integers(0, cohorts, many) * every * MICROSECONDS_PER_DAY
    y = (rng.random(many) < expit(0.8 * margin + np.append(truth, 0.0)[code])).astype(float)
    groups = [f"G{k}" for k in range(many)]
    again = np.tile(np.arange(many), copies)
    member = Membership("accounts.industry", NAMES, code[again].astype(np.int64))
    return Later.of(margin[again], y[again], cutoff[again], [groups[k] for k in again], None, member)


def learned(later: Later) -> Calibrated:
    return calibrate(later, "platt", "pooled", interval=0.8, wait_days=90, seed=7)


def found(later: Later) -> Segments:
    told = learned(later).segments
    assert told is not None
    return told


def raw(later: Later) -> np.ndarray:
    """Return what each segment would add if it stood alone, by another road than ours; within ±5."""
    shared = calibrate(
        Later.of(later.margin, later.converted, later.cutoff, later.groups), "platt", "pooled",
        interval=0.8, wait_days=90, seed=7,
    )  # fmt: skip
    offset = {c.cutoff: c.offset for c in shared.level.cohorts}
    base = shared.pooled.logit(later.margin) + np.array([offset[int(c)] for c in later.cutoff])
    assert later.segment is not None
    code, alone = later.segment.code, np.zeros(len(NAMES))
    for k in range(len(NAMES)):
        eta, y = base[code == k], later.converted[code == k]

        def loss(b: float, eta: np.ndarray = eta, y: np.ndarray = y) -> float:
            return float((np.logaddexp(0.0, eta + b) - y * (eta + b)).sum())

        alone[k] = minimize_scalar(loss, bounds=(-5, 5), method="bounded").x if len(y) else 0.0
    return alone


def test_shifts_lie_between_nothing_and_what_a_segment_says_alone_and_are_nearer_the_truth_than_both() -> (
    None
):
    errors = np.zeros(3)
    for seed in range(12):
        truth = np.random.default_rng(seed).normal(0, 0.4, len(NAMES))
        truth -= (truth * SIZES).sum()
        later = rows(truth, 100 + seed, many=1500)
        alone, told = raw(later), found(later)
        if told.sd > 0:
            assert (told.shift * alone >= 0).all()
            assert (np.abs(told.shift) <= np.abs(alone) + 1e-3).all()
        errors += [((x - truth) ** 2).mean() for x in (told.shift, np.zeros(len(NAMES)), alone)]
    ours, nothing, alone_all = errors
    assert ours < 0.8 * nothing
    assert ours < 0.5 * alone_all


def test_a_segment_of_few_rows_hardly_moves_and_one_that_was_never_seen_not_at_all() -> None:
    told = found(rows(np.array([0.6, -0.6, 0.4, -0.4, 0.0, 0.0, 0.0, 0.0]), 3))
    assert told.kept
    assert told.judged == "later"
    assert told.shift[0] > 0.3
    assert told.shift[1] < -0.3
    member = Membership("accounts.industry", NAMES, np.array([0, -1]))
    assert told.of(member).tolist() == [told.shift[0], 0.0]
    few = rows(np.array([0.3, -0.3, 0.3, -0.3, 0.3, -0.3, 0.3, -0.3]), 3)
    assert few.segment is not None
    # All of the smallest, about fifteen rows, are won: alone it would say infinity.
    few.converted[few.segment.code == 7] = 1.0
    drawn = found(few)
    assert raw(few)[7] > 4
    assert 0 < drawn.shift[7] < 2


def test_where_segments_do_not_differ_they_are_left_out_in_95_of_100_worlds_or_more() -> None:
    kept = [found(rows(np.zeros(8), seed, many=800)).kept for seed in range(100)]
    assert sum(kept) <= 5


def test_a_difference_is_found_and_pays_in_most_worlds() -> None:
    truth = np.array([0.4, -0.4, 0.4, -0.4, 0.4, -0.4, 0.4, -0.4])
    assert sum(found(rows(truth, seed, many=4000)).kept for seed in range(10)) >= 9


def test_with_one_cohort_groups_are_held_out_and_copies_of_a_row_count_once() -> None:
    truth = np.array([0.5, -0.5, 0.5, -0.5, 0.0, 0.0, 0.0, 0.0])
    once, thrice = (found(rows(truth, 5, many=1500, cohorts=1, copies=n)) for n in (1, 3))
    assert once.judged == thrice.judged == "groups"
    assert once.sd == thrice.sd
    assert thrice.shift == pytest.approx(once.shift, abs=0.02)
    assert thrice.error == pytest.approx(once.error, rel=0.1)


def test_a_cohort_judges_only_what_was_over_by_then() -> None:
    truth = np.array([0.5, -0.5, 0.5, -0.5, 0.0, 0.0, 0.0, 0.0])
    later = rows(truth, 6)
    assert later.segment is not None
    whole = found(later)
    assert sum(r.rows for r in whole.rows) == int(((later.cutoff > 0) & (later.segment.code >= 0)).sum())
    # With 90 days to wait and cohorts 30 days apart, the first three have nothing behind them.
    close = rows(truth, 6, every=30)
    assert close.segment is not None
    judged = (close.cutoff >= 90 * MICROSECONDS_PER_DAY) & (close.segment.code >= 0)
    assert sum(r.rows for r in found(close).rows) == int(judged.sum())


def test_too_few_rows_are_judged_by_nothing_and_left_out() -> None:
    told = found(rows(np.array([2.0, -2, 2, -2, 2, -2, 2, -2.0]), 7, many=70, cohorts=1))
    assert told.judged == "nothing"
    assert not told.kept


def test_the_order_of_rows_does_not_change_a_bit() -> None:
    truth = np.array([0.5, -0.5, 0.5, -0.5, 0.0, 0.0, 0.0, 0.0])
    later = rows(truth, 8)
    order = np.random.default_rng(0).permutation(len(later.margin))
    assert later.segment is not None
    other = Later.of(
        later.margin[order], later.converted[order], later.cutoff[order],
        [later.groups[k] for k in order], None, later.segment.take(order),
    )  # fmt: skip
    one, two = learned(later), learned(other)
    assert one.map == two.map
    assert one.segments is not None
    assert two.segments is not None
    assert one.segments.record() == two.segments.record()
    assert one.segments.shift.tobytes() == two.segments.shift.tobytes()


def test_with_shifts_promised_and_actual_agree_in_large_segments_and_the_map_keeps_its_slope() -> None:
    truth = np.array([0.6, -0.6, 0.4, -0.4, 0.0, 0.0, 0.0, 0.0])
    later = rows(truth, 9)
    one = learned(later)
    assert one.segments is not None
    assert later.segment is not None
    by = one.margin_shift
    assert by is not None
    p = one.map.probability(later.margin + np.append(by, 0.0)[later.segment.code])
    bare = calibrate(
        Later.of(later.margin, later.converted, later.cutoff, later.groups), "platt", "pooled",
        interval=0.8, wait_days=90, seed=7,
    )  # fmt: skip
    assert one.map.slope == bare.map.slope  # type: ignore[union-attr]
    for k in range(4):
        here = later.segment.code == k
        before, after = bare.map.probability(later.margin[here]).mean(), p[here].mean()
        came = later.converted[here].mean()
        assert abs(after - came) < 0.4 * abs(before - came)
    assert p.mean() == pytest.approx(later.converted.mean(), abs=1e-6)


def test_a_map_that_is_no_line_has_no_segments() -> None:
    with pytest.raises(ContractError, match="Platt"):
        calibrate(rows(np.zeros(8), 1), "beta", "pooled", interval=0.8, wait_days=90, seed=7)
