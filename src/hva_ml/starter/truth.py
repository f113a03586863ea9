"""What nobody knows of real accounts: the exact probability of an order, and its expected value."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.errors import UsageError
from hva_ml.starter.orders import CREDIT_DAYS, CREDIT_DAYS_WEIGHTS, by_account, expected_credit_part
from hva_ml.starter.period import DAY, Floats, Ints, Period, micros
from hva_ml.starter.poisson import Pieces, overlap_days


@dataclass(frozen=True)
class Truth:
    """The latent path of a simulation, and what follows from it.

    Given the path, orders are a Poisson process with piecewise constant intensity λ; whether and what an
    account ordered before changes nothing. So ``P(at least one order in [a, b)) = 1 - exp(-∫λ)`` is exact at
    any moment, and the mean of it over accounts that look alike is what a calibrated model must say.

    Attributes
    ----------
    ids : pyarrow.Array
        Account keys, shape (n_accounts,).
    period : Period
        The simulated time; before its beginning nothing is ordered.
    pieces : Pieces
        The intensities.
    """

    ids: pa.Array
    period: Period
    pieces: Pieces

    def probability(
        self, account_ids: Sequence[str] | pa.Array | pa.ChunkedArray, start: datetime, end: datetime
    ) -> Floats:
        """Return the probability of at least one order (an invoice with a positive amount) in the window.

        Parameters
        ----------
        account_ids : sequence of str or pyarrow array, shape (n,)
            Accounts, in any order; repetition is fine.
        start, end : datetime
            Aware; half-open window ``[start, end)`` that lies within the simulated period.

        Returns
        -------
        numpy.ndarray of float64, shape (n,)
            In [0, 1).

        Raises
        ------
        UsageError
            For an unknown account, a naive moment, or a window that is empty or leaves the period.
        """
        a, b = self._window(start, end)
        return (-np.expm1(-self._expected(self._weights(a, b))))[self._positions(account_ids)]

    def expected_value(
        self, account_ids: Sequence[str] | pa.Array | pa.ChunkedArray, start: datetime, end: datetime
    ) -> Floats:
        """Return the expected net invoice amount in the window in cents, converted or not.

        Credit notes count where they are issued, those for orders before the window too; so a value may be
        below 0. Exact up to the rounding of amounts to whole cents. Parameters as in `probability`.
        """
        a, b = self._window(start, end)
        return self._net(a, b, self.period.start)[self._positions(account_ids)]

    def value_given_conversion(
        self, account_ids: Sequence[str] | pa.Array | pa.ChunkedArray, start: datetime, end: datetime
    ) -> Floats:
        """Return the expected net amount in the window in cents, given at least one order in it.

        Sums over a Poisson process vanish without a point, so given one their expectation is divided by the
        probability; credit notes for earlier orders come all the same. NaN where no order is possible.
        Parameters as in `probability`.
        """
        a, b = self._window(start, end)
        probability = -np.expm1(-self._expected(self._weights(a, b)))
        inside = self._net(a, b, a)
        earlier = self._net(a, b, self.period.start) - inside
        possible = probability > 0
        given = np.full(len(probability), np.nan)
        given[possible] = inside[possible] / probability[possible] + earlier[possible]
        return given[self._positions(account_ids)]

    def _weights(self, a: int, b: int) -> Floats:
        return self.pieces.rate * overlap_days(self.pieces.lo, self.pieces.hi, a, b)

    def _expected(self, weights: Floats) -> Floats:
        return by_account(weights, self.pieces.account, len(self.ids))

    def _net(self, a: int, b: int, since: int) -> Floats:
        """Return the expected net amount in ``[a, b)`` of orders from `since` on."""
        value = self.pieces.value
        net = value * self._weights(max(a, since), b)
        for days, share in zip(CREDIT_DAYS, CREDIT_DAYS_WEIGHTS, strict=True):
            back = share * expected_credit_part()
            low, high = max(a - days * DAY, since), b - days * DAY
            net = net - back * value * self._weights(low, max(low, high))
        return self._expected(net)

    def _window(self, start: datetime, end: datetime) -> tuple[int, int]:
        a, b = micros(start), micros(end)
        if a >= b or a < self.period.start or b > self.period.end:
            raise UsageError(
                "The window is empty or leaves the simulated period.",
                where=f"[{start.isoformat()}, {end.isoformat()})",
                why="Outside the period there is no latent path and so no truth.",
                fix="Choose start < end within [simulation] first and last.",
            )
        return a, b

    def _positions(self, account_ids: Sequence[str] | pa.Array | pa.ChunkedArray) -> Ints:
        given = account_ids if isinstance(account_ids, pa.Array | pa.ChunkedArray) else pa.array(account_ids)
        asked = given.cast(pa.string())
        found = pc.index_in(asked, value_set=self.ids)
        if found.null_count:
            unknown = pc.unique(asked.filter(pc.is_null(found))).to_pylist()
            raise UsageError(
                f"{len(unknown)} of the accounts are not simulated.",
                where="account_ids",
                fix="Use ids from the table companies of the same simulation.",
                ids=[str(u) for u in unknown],
            )
        return np.asarray(found, dtype=np.int64)
