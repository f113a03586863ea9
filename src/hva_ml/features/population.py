"""Who is an account at a cutoff, and to which group of companies it belongs."""

import numpy as np
import pyarrow as pa

from hva_ml.config import Population, Target
from hva_ml.contracts import outcomes
from hva_ml.cutoffs import MICROSECONDS_PER_DAY
from hva_ml.features.universe import Bools, Rows, Universe, coded
from hva_ml.features.versions import Versions, ultimate
from hva_ml.features.windows import NONE, Ints, latest


def members(universe: Universe, population: Population, target: Target) -> Bools:
    """Return who is an account at each cutoff; both clocks count.

    Parameters
    ----------
    universe : Universe
        Accounts, tables and cutoffs.
    population : config.Population
        An account has a visible row of ``population.table``; with ``active_within_days`` the event time of
        the latest one lies in ``[cutoff - days, cutoff)``; with ``exclude_customers`` it has no visible
        conversion.
    target : config.Target
        What a conversion is.

    Returns
    -------
    numpy.ndarray of bool, shape (n_accounts, n_cutoffs)
    """
    table = universe.table(population.table)
    last = latest(table.account, table.entered, table.event_time, *universe.shape)
    found = last != NONE
    if population.active_within_days is not None:
        begin = universe.cutoffs - population.active_within_days * MICROSECONDS_PER_DAY
        found &= last >= begin[None, :]
    if population.exclude_customers:
        found &= ~converted(universe, target)
    return np.asarray(found, dtype=np.bool_)


def conversions(universe: Universe, target: Target) -> Bools:
    """Return which rows of the target table are conversions, shape (n_rows,)."""
    return outcomes.conversions(universe.table(target.table).table, target)


def converted(universe: Universe, target: Target) -> Bools:
    """Return who has a visible conversion at each cutoff, shape (n_accounts, n_cutoffs)."""
    table = universe.table(target.table)
    rows = conversions(universe, target)
    last = latest(table.account[rows], table.entered[rows], table.event_time[rows], *universe.shape)
    return np.asarray(last != NONE, dtype=np.bool_)


def groups(universe: Universe) -> Ints:
    """Return the ultimate parent of each account, by the latest version there is of each.

    The group serves splits and bootstraps, never a feature: one account must not stand on two sides because
    its parent changed. So this is the one answer that looks at all rows, whatever the cutoff.

    Returns
    -------
    numpy.ndarray of int64, shape (n_accounts,)
        The account itself where it has no parent.
    """
    parent = np.full(universe.n_accounts, -1, dtype=np.int64)
    if universe.vouched is not None and "parent_id" in universe.vouched.column_names:
        table = universe.vouched
        parent[universe.numbered(table["account_id"])] = universe.numbered(table["parent_id"])
        return ultimate(parent)
    plain = universe.table("accounts").table
    ordered = plain.select(["event_time", "known_at", "account_id", "parent_id"]).sort_by(
        [("account_id", "ascending"), ("event_time", "ascending"), ("known_at", "ascending"),
         ("parent_id", "ascending")]
    )  # fmt: skip
    ids = coded(ordered["account_id"]).codes
    last = np.concatenate((ids[1:] != ids[:-1], [True]))[: len(ids)]
    ordered = ordered.filter(pa.array(last))
    parent[universe.numbered(ordered["account_id"])] = universe.numbered(ordered["parent_id"])
    return ultimate(parent)


def groups_as_of(versions: Versions, cutoff: int) -> Ints:
    """Return the ultimate parent of each account by what is known at one cutoff, shape (n_accounts,)."""
    n = versions.universe.n_accounts
    rows = Rows(np.arange(n, dtype=np.int64), np.full(n, cutoff, dtype=np.int64))
    return ultimate(versions.parents(rows))
