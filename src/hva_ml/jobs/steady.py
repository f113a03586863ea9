"""The run rate beside the trees of a value model: chosen on later cohorts, mixed in, at the same total.

It logs and stores nothing.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hva_ml.jobs.valuation import Side, Worth
from hva_ml.training.run_rate import Steady, choose, log_run_rate
from hva_ml.training.sums import combined


def steadied(
    worth: Worth, train: Side, later: Side, groups: Sequence[str], names: Sequence[str], horizon_days: int
) -> Worth:
    """Return a levelled value model with as much of the run rate beside its trees as later cohorts bear out.

    Parameters
    ----------
    worth : Worth
        Its trees have not seen the later side.
    train, later : Side
        All rows of both sides.
    groups : sequence of str
        Groups of the later rows.
    names : sequence of str, length n_features
    horizon_days : int
        Days of the horizon.
    """
    rate = log_run_rate(train.learned(worth.direct).X, names, horizon_days)
    if rate is None:
        return worth
    side = later.learned(worth.direct)
    mine = list(groups) if worth.direct else [g for g, c in zip(groups, later.converted, strict=True) if c]
    trees = np.log(worth.predicted(side))
    found = choose(side.value, trees, rate.margin(side.X) + side.swing, mine)
    return mixed(worth, found, train, later, names, horizon_days)


def mixed(
    worth: Worth, steady: Steady | None, train: Side, later: Side, names: Sequence[str], horizon_days: int
) -> Worth:
    """Return a value model with that share of the run rate; the later side keeps its predicted total.

    What the market moves is moved in full, whatever the share.
    """
    rate = log_run_rate(train.learned(worth.direct).X, names, horizon_days)
    if steady is None or rate is None or not steady.share:
        return replace(worth, steady=steady)
    share, side = steady.share, later.learned(worth.direct)
    both = replace(
        worth,
        booster=combined([worth.booster, rate], [1.0 - share, share]),
        log_scale=(1.0 - share) * worth.log_scale,
        steady=steady,
    )
    before, now = (float(w.predicted(side).sum()) for w in (worth, both))
    return replace(both, log_scale=both.log_scale + float(np.log(before / now)))
