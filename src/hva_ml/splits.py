"""Train, calibrate and test sides: apart in time and, where the pipeline asks for it, by ultimate parent.

Sides are decided by cutoff days and by a seeded hash of the parent, never by the position of a row.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml import config as settings
from hva_ml.cutoffs import Calendar
from hva_ml.errors import ConfigError, NotEnoughDataError

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Split:
    """Which rows learn, which calibrate, which are tested.

    Attributes
    ----------
    train, calibrate, test : ndarray of bool, shape (n_rows,)
        Disjoint masks over the rows of the index that was split. `test` is all False in a release split.
    train_days, calibrate_days, test_days : tuple of datetime.date
        Cutoff days of each side, increasing.
    dropped : int
        Rows on no side: their label window reaches into a later side, or their parent stands elsewhere.
    """

    train: Mask
    calibrate: Mask
    test: Mask
    train_days: tuple[date, ...]
    calibrate_days: tuple[date, ...]
    test_days: tuple[date, ...]
    dropped: int

    @property
    def sides(self) -> dict[str, Mask]:
        """The masks by name, in the order of time."""
        return {"train": self.train, "calibrate": self.calibrate, "test": self.test}


def group_uniform(groups: Iterable[str], seed: int, purpose: str) -> npt.NDArray[np.float64]:
    """Return a number in [0, 1) for each group: the same for the same name, seed and purpose, everywhere.

    Parameters
    ----------
    groups : iterable of str, length n
        Names of groups.
    seed : int
        Seed of the pipeline.
    purpose : str
        What the numbers are for; different purposes give independent numbers.

    Returns
    -------
    ndarray of float64, shape (n,)
        First 53 bits of the sha256 of purpose, seed and name.

    Examples
    --------
    >>> group_uniform(["A", "B", "A"], 7, "split").round(3).tolist()
    [0.625, 0.477, 0.625]
    """
    start = hashlib.sha256(f"{purpose}\x1f{seed}\x1f".encode())

    def uniform(name: str) -> float:
        digest = start.copy()
        digest.update(name.encode())
        return (int.from_bytes(digest.digest()[:8], "big") >> 11) / 2**53

    known: dict[str, float] = {}
    return np.array([known[g] if g in known else known.setdefault(g, uniform(g)) for g in groups], np.float64)


def group_folds(groups: Sequence[str], folds: int, seed: int, purpose: str) -> npt.NDArray[np.int64]:
    """Return the fold of each row: whole groups, as many in each, the same whatever the order of rows.

    Parameters
    ----------
    groups : sequence of str, length n
        Group of each row.
    folds : int
        How many, at least 1.
    seed, purpose
        As in `group_uniform`.

    Returns
    -------
    ndarray of int64, shape (n,)
        From 0 to `folds` - 1.

    Examples
    --------
    >>> group_folds(["A", "B", "A", "C"], 3, 7, "split").tolist()
    [1, 0, 1, 2]
    """
    names, place = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    lot = group_uniform(names.tolist(), seed, purpose)
    fold = np.argsort(np.argsort(lot)) * folds // max(len(names), 1)
    return np.asarray(fold[place.ravel()], dtype=np.int64)


def split(index: pa.Table, calendar: Calendar, config: settings.Split, seed: int) -> Split:
    """Split rows for an honest evaluation.

    The last `test_cutoffs` cutoffs test. The last `calibrate_cutoffs` whose label window and embargo are
    over by the first test cutoff calibrate. All whose label window and embargo are over by the first
    calibration cutoff train. With ``groups = "disjoint"`` every ultimate parent belongs to one side.

    Parameters
    ----------
    index : pyarrow.Table
        Columns account_id, cutoff, group_id; rows at cutoffs outside `calendar` come on no side.
    calendar : Calendar
        Matured cutoffs only.
    config : hva_ml.config.Split
        Section ``[split]``.
    seed : int
        Seed of the hash that deals parents to sides.

    Raises
    ------
    NotEnoughDataError
        If a side has no cutoff or no row.
    ConfigError
        If `test_share` and `calibrate_share` leave nothing to train on.
    """
    _check_shares(config)
    test_days = calendar.days[-config.test_cutoffs :]
    calibrate_days = over_by(calendar, test_days[0], config)[-config.calibrate_cutoffs :]
    if len(calibrate_days) < config.calibrate_cutoffs:
        raise _too_few_cutoffs(calendar, config, "calibrate", len(calibrate_days))
    train_days = over_by(calendar, calibrate_days[0], config)
    if not train_days:
        raise _too_few_cutoffs(calendar, config, "train", 0)
    uniform = _uniform(index, config, seed)
    calibrates = _calibrates(uniform, config)
    tests = uniform < config.test_share
    if config.groups == "time":
        tests = calibrates = trains = np.ones(index.num_rows, dtype=np.bool_)
    else:
        trains = ~tests & ~calibrates
    return _sides(
        index,
        calendar,
        (train_days, calibrate_days, test_days),
        (trains, calibrates, tests),
    )


def release_split(index: pa.Table, calendar: Calendar, config: settings.Split, seed: int) -> Split:
    """Split rows for the model that is released: the newest cohorts calibrate, nothing is tested.

    The last `calibrate_cutoffs` cutoffs calibrate; all whose label window and embargo are over by the first
    of them train. With ``groups = "disjoint"`` the parents that calibrate in `split` calibrate here too, and
    all others train.

    Parameters, errors: as in `split`.
    """
    _check_shares(config)
    calibrate_days = calendar.days[-config.calibrate_cutoffs :]
    if len(calibrate_days) < config.calibrate_cutoffs:
        raise _too_few_cutoffs(calendar, config, "calibrate", len(calibrate_days))
    train_days = over_by(calendar, calibrate_days[0], config)
    if not train_days:
        raise _too_few_cutoffs(calendar, config, "train", 0)
    uniform = _uniform(index, config, seed)
    calibrates = _calibrates(uniform, config)
    trains = ~calibrates
    if config.groups == "time":
        trains = calibrates = np.ones(index.num_rows, dtype=np.bool_)
    nobody = np.zeros(index.num_rows, dtype=np.bool_)
    return _sides(index, calendar, (train_days, calibrate_days, ()), (trains, calibrates, nobody))


def recalibration(
    index: pa.Table, calendar: Calendar, config: settings.Split, seed: int, trained: tuple[date, ...]
) -> tuple[Split, Split]:
    """Split rows for a model whose trees stay as they are: once for judging it, once for its release.

    Only cutoffs that lie behind the label windows and the embargo of those that taught the trees count. For
    judging, the last `test_cutoffs` of them test (fewer, where otherwise none would be left to calibrate),
    and the last `calibrate_cutoffs` that were over by the first of those calibrate. For the release the last
    `calibrate_cutoffs` calibrate. With ``groups = "disjoint"`` only parents that `release_split` keeps from
    the trees stand on these sides; they may calibrate and, later, test.

    Parameters
    ----------
    index, calendar, config, seed
        As in `split`.
    trained : tuple of datetime.date
        Cutoffs that taught the trees; the ``train`` sides hold their rows.

    Raises
    ------
    NotEnoughDataError
        If no cutoff is left to calibrate, or a side has no row.
    """
    _check_shares(config)
    needed = timedelta(days=calendar.gap_days + calendar.horizon_days + config.embargo_days)
    blind = tuple(d for d in calendar.days if d >= max(trained) + needed)
    for tests in range(min(config.test_cutoffs, len(blind)), 0, -1):
        test_days = blind[-tests:]
        known = tuple(d for d in blind if d + needed <= test_days[0])[-config.calibrate_cutoffs :]
        if known:
            break
    else:
        raise NotEnoughDataError(
            f"Of {len(calendar.days)} matured cutoffs, {len(blind)} lie behind those that taught the trees, "
            "and none of them was over when another began.",
            where=f"[cutoffs] {calendar.days[0]} to {calendar.days[-1]}; trained until {max(trained)}; label "
            f"window {calendar.gap_days + calendar.horizon_days} days",
            why="One cohort must calibrate and a later one tell whether it is right; the trees may know "
            "neither.",
            fix="Wait for the next cohort, raise [cutoffs] last and data_end if newer data are there, or "
            "train again.",
        )
    uniform = _uniform(index, config, seed)
    kept = _calibrates(uniform, config)
    nobody = np.zeros(index.num_rows, dtype=np.bool_)
    others = ~kept
    if config.groups == "time":
        kept = others = np.ones(index.num_rows, dtype=np.bool_)
    days = tuple(d for d in trained if d in calendar.days)
    latest = blind[-config.calibrate_cutoffs :]
    return (
        _sides(index, calendar, (days, known, test_days), (others, kept, kept)),
        _sides(index, calendar, (days, latest, ()), (others, kept, nobody)),
    )


def by_accounts(
    index: pa.Table, calendar: Calendar, config: settings.Split, seed: int, test_days: tuple[date, ...] = ()
) -> Split:
    """Split rows where cohorts are too scarce to keep learning and calibrating apart in time.

    Groups of accounts keep them apart instead: those of the calibration share calibrate on the latest
    `calibrate_cutoffs`, all others train on every cutoff. With test days only cutoffs count whose label
    window and embargo are over by the first of them, and with ``groups = "disjoint"`` other groups test than
    learn.

    Parameters
    ----------
    index, calendar, config, seed
        As in `split`; a row without a group is its own.
    test_days : tuple of datetime.date
        Cutoffs that test; none for what is released.

    Raises
    ------
    NotEnoughDataError
        If a side has no cutoff or no row.
    """
    _check_shares(config)
    days = over_by(calendar, test_days[0], config) if test_days else calendar.days
    if not days:
        raise _too_few_cutoffs(calendar, config, "train", 0)
    uniform = _uniform(index, replace(config, groups="disjoint"), seed)
    calibrates = _calibrates(uniform, config)
    trains, tests = ~calibrates, np.ones(index.num_rows, dtype=np.bool_)
    if config.groups == "disjoint" and test_days:
        tests = uniform < config.test_share
        trains &= ~tests
    latest = days[-config.calibrate_cutoffs :]
    return _sides(index, calendar, (days, latest, test_days), (trains, calibrates, tests))


def over_by(calendar: Calendar, day: date, config: settings.Split) -> tuple[date, ...]:
    """Return the cutoff days whose label window and embargo end at or before `day`.

    Local midnights keep the order of days.
    """
    needed = timedelta(days=calendar.gap_days + calendar.horizon_days + config.embargo_days)
    return tuple(d for d in calendar.days if d + needed <= day)


def calibrating(index: pa.Table, config: settings.Split, seed: int) -> Mask:
    """Return which rows belong to parents that may calibrate, shape (n_rows,); all by ``groups = "time"``."""
    if config.groups == "time":
        return np.ones(index.num_rows, dtype=np.bool_)
    return _calibrates(_uniform(index, config, seed), config)


def _calibrates(uniform: npt.NDArray[np.float64], config: settings.Split) -> Mask:
    return np.asarray((uniform >= config.test_share) & (uniform < config.test_share + config.calibrate_share))


def _uniform(index: pa.Table, config: settings.Split, seed: int) -> npt.NDArray[np.float64]:
    if config.groups == "time":
        return np.zeros(index.num_rows)
    # An account without a parent is its own: "A" with group null and a child of "A" must stand together.
    group = pc.coalesce(index["group_id"], index["account_id"])
    return group_uniform(group.to_pylist(), seed, "split")


def _sides(
    index: pa.Table,
    calendar: Calendar,
    days: tuple[tuple[date, ...], tuple[date, ...], tuple[date, ...]],
    allowed: tuple[Mask, Mask, Mask],
) -> Split:
    cutoff = np.asarray(index["cutoff"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy())
    train, calibrate, test = (
        np.isin(cutoff, calendar.only(d).micros) & a if d else np.zeros(index.num_rows, dtype=np.bool_)
        for d, a in zip(days, allowed, strict=True)
    )
    counts = {"train": int(train.sum()), "calibrate": int(calibrate.sum()), "test": int(test.sum())}
    empty = [side for side, d in zip(counts, days, strict=True) if d and not counts[side]]
    if empty:
        raise NotEnoughDataError(
            f"The {empty[0]} side has no rows: "
            + ", ".join(f"{counts[s]} {s}" for s in counts)
            + f", of {index.num_rows} in all.",
            where=f"[split], {len(calendar.days)} matured cutoffs",
            why="Each side needs accounts: one to learn, one to calibrate, one to tell the truth.",
            fix='Set groups = "time" in [split], give that side a larger share, or widen [population].',
        )
    return Split(train, calibrate, test, *days, dropped=int((~(train | calibrate | test)).sum()))


def _check_shares(config: settings.Split) -> None:
    if config.groups == "disjoint" and config.test_share + config.calibrate_share >= 1:
        raise ConfigError(
            f"test_share {config.test_share} and calibrate_share {config.calibrate_share} leave no account "
            "to train on.",
            where="[split]",
            fix="Choose shares that together stay below 1, for example 0.3 and 0.2.",
        )


def _too_few_cutoffs(calendar: Calendar, config: settings.Split, side: str, found: int) -> NotEnoughDataError:
    wanted = config.calibrate_cutoffs if side == "calibrate" else 1
    return NotEnoughDataError(
        f"{len(calendar.days)} matured cutoffs leave {found} to {side}; at least {wanted} needed.",
        where=f"[cutoffs] {calendar.days[0]} to {calendar.days[-1]}; label window "
        f"{calendar.gap_days + calendar.horizon_days} days, embargo {config.embargo_days} days",
        why="A label window that reaches into a later side would let the future teach the past.",
        fix="Begin [cutoffs] first earlier, shorten [horizon] days, or lower test_cutoffs, "
        "calibrate_cutoffs or embargo_days in [split].",
    )
