"""Keeps what became of published nights: of complete ones for good, of followed ones day by day."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import zip_longest
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml import labels, publication
from hva_ml.contracts.records import ContractTables
from hva_ml.contracts.stored import CLOCKS
from hva_ml.cutoffs import Calendar, instant, microseconds
from hva_ml.jobs.kept_nights import Nights
from hva_ml.jobs.prepare import prepare, refuse_errors
from hva_ml.jobs.published import numeric
from hva_ml.monitoring.digest import Digest
from hva_ml.monitoring.outcomes import Came, Outcome, Promised, realised
from hva_ml.monitoring.reference import Reference
from hva_ml.monitoring.under_way import UnderWay, begin_of, counted_until, followed
from hva_ml.publication import Published

Ints = npt.NDArray[np.int64]
# Every night is compared: a standard error from so many draws is good to 7 %.
MOST_DRAWS = 100


@dataclass(frozen=True)
class Outcomes:
    """What became of the nights of a pipeline, as known on a day.

    Attributes
    ----------
    nights : Nights
        The nights, and the day.
    given : ContractTables or None
        Tables that a job before has already read; they may reach beyond the day.
    """

    nights: Nights
    given: ContractTables | None = None

    @cached_property
    def tables(self) -> ContractTables:
        """What outcomes are made of, as known on the day."""
        config, moment = self.nights.config, self._moment(self.nights.day)
        if self.given is not None:
            return self.given.upto(moment)
        self.nights.progress.stage("Reading outcomes")
        few = {n: table for n, table in config.tables.items() if n in config.tables_of_outcomes}
        prepared = prepare(self.nights.ws, replace(config, tables=few), until=moment)
        refuse_errors(config, prepared.tables.violations)
        return prepared.tables.upto(moment)

    @property
    def looked_until(self) -> date | None:
        """The same as `known`, None if no outcome was looked at."""
        return self.known if "known" in vars(self) else None

    @cached_property
    def known(self) -> date:
        """The day as of which outcomes are known: an earlier one, if the outcomes have fallen silent.

        Outcomes that did not arrive must not pass for customers who did not buy.
        """
        config, day = self.nights.config, self.nights.day
        only = self.tables.only({config.target.table})
        rows = publication.arrivals(only, self._moment(day), config.audit)
        if not any(r.outcome == "found" for r in rows):
            return day
        pieces = self.tables.pieces(config.target.table, CLOCKS)
        moments = [pc.max(p[c]).as_py() for p in pieces if p.num_rows for c in CLOCKS]
        if not moments:
            return day
        newest: datetime = max(moments)
        return min(day, newest.astimezone(ZoneInfo(config.pipeline.timezone)).date())

    def complete(self, nights: Sequence[Digest], reference: Reference | None) -> tuple[Outcome, ...]:
        """Hold every complete night of a release to what came, unless that is known already.

        Nights whose run is gone keep what was known while it was here; those that had not been complete by
        then are left out.
        """
        due = [n for n in nights if n.day + timedelta(days=self.wait_days(reference)) <= self.nights.day]
        if not due:
            return ()
        kept = {(o.as_of, o.run_id): o for o in self.nights.history.outcomes(self.nights.day)}
        found: list[Outcome] = []
        missing: list[Digest] = []
        for night in due:
            if night.day + timedelta(days=self.wait_days(reference)) > self.known:
                continue
            before = kept.get((night.as_of, night.run_id))
            if before is not None and before.known > self.known.isoformat():
                # Of a later day: it must not tell an earlier one.
                before = None
            gone = night.run_id not in self.nights.runs
            if before is not None and (gone or before.mark == self._mark(night.day, reference)):
                found.append(before)
            elif not gone:
                missing.append(night)
        if missing:
            self.nights.progress.stage(f"Comparing {len(missing)} complete nights with what came")
        for k, night in enumerate(missing, 1):
            outcome = self._outcome(night, reference)
            later = kept.get((night.as_of, night.run_id))
            if later is None or later.known <= outcome.known:
                self.nights.history.keep_outcome(outcome)
            found.append(outcome)
            self.nights.progress.step(k, len(missing), "nights")
        return tuple(sorted(found, key=lambda o: o.as_of))

    def under_way(self, nights: Sequence[Digest], reference: Reference | None) -> tuple[UnderWay, ...]:
        """Follow one night of a release a week day by day, and return all that are followed.

        A night whose run has gone before anybody looked is passed over; the one before it goes on.
        """
        if reference is None or reference.pace is None or not nights:
            return ()
        kept = {(u.as_of, u.run_id): u for u in self.nights.history.under_way(self.nights.day)}
        mine = {
            n.day: n for n in nights
            if n.day >= reference.learned and ((n.as_of, n.run_id) in kept or n.run_id in self.nights.runs)
        }  # fmt: skip
        days, begin = followed(tuple(mine)), begin_of(reference.gap, reference.horizon)
        for day, later in zip_longest(days, days[1:], fillvalue=self.known):
            night = mine[day]
            old = kept.get((night.as_of, night.run_id))
            # The later night counts as soon as its own days begin.
            over = min((self.known - day).days - begin, (later - day).days)
            done = old is not None and (old.complete or len(old.seen) >= over)
            if night.run_id not in self.nights.runs or over < 1 or done:
                continue
            part = self._followed(night, reference)
            kept[night.as_of, night.run_id] = part
            self.nights.history.keep_under_way(part)
        release = nights[0].release
        return tuple(u.until(self.nights.day) for u in kept.values() if u.release == release)

    def _followed(self, night: Digest, reference: Reference) -> UnderWay:
        assert reference.pace is not None
        scores = self.nights.scores(self.nights.runs[night.run_id])
        calendar = self._calendar(night.day, reference)
        after = labels.known_after(self.tables, _index(scores, calendar), self.nights.config, calendar)
        begin = begin_of(reference.gap, reference.horizon)
        length, seen, due = counted_until(
            reference.pace, numeric(scores["conversion_probability"]), after, begin,
            (self.known - night.day).days,
        )  # fmt: skip
        return UnderWay(night.as_of, night.run_id, night.release, begin, length, seen, due)

    def _outcome(self, night: Digest, reference: Reference | None) -> Outcome:
        config, run = self.nights.config, self.nights.runs[night.run_id]
        scores = self.nights.scores(run)
        metrics, kept, worked = realised(
            self._promised(run, scores), self.came(scores, night.day, reference), night.day,
            resamples=min(config.split.bootstrap, MOST_DRAWS), seed=config.models.seed,
        )  # fmt: skip
        return Outcome(
            night.as_of, night.run_id, night.release, self.known.isoformat(),
            self._mark(night.day, reference), metrics, kept, worked,
        )  # fmt: skip

    def came(self, accounts: pa.Table, day: date, reference: Reference | None) -> Came:
        """Return what became of accounts within the horizon that begins on a day, in their order.

        Parameters
        ----------
        accounts : pyarrow.Table
            account_id, sorted.
        reference : Reference or None
            Of the release that has promised, for its horizon.
        """
        config, calendar = self.nights.config, self._calendar(day, reference)
        # The declared end of the data is that of the training; nights come after it.
        later = replace(config, cutoffs=replace(config.cutoffs, data_end=None))
        came = labels.build(self.tables, _index(accounts, calendar), later, calendar)
        return Came(came["converted"].to_numpy().astype(np.float64), came["value_cents"].to_numpy() / 100.0)

    def _promised(self, run: Published, scores: pa.Table) -> Promised:
        groups = self.nights.features(run, ("account_id", "group_id"))
        return Promised(
            numeric(scores["conversion_probability"]), numeric(scores["value_if_converted"]),
            np.asarray(scores["tier"].to_pylist()), np.asarray(scores["rank"].to_numpy(), dtype=np.int64),
            np.asarray(scores["in_capacity"].to_pylist(), dtype=np.bool_),
            np.asarray(pc.coalesce(groups["group_id"], groups["account_id"]).to_pylist()),
        )  # fmt: skip

    def wait_days(self, reference: Reference | None) -> int:
        """Return the days until a night can be compared: gap, horizon, and as long as rows come in late."""
        gap, horizon = self._window(reference)
        return gap + horizon + self.nights.config.split.embargo_days

    def _calendar(self, day: date, reference: Reference | None) -> Calendar:
        gap, horizon = self._window(reference)
        return Calendar((day,), horizon, gap, self.nights.config.pipeline.timezone)

    def _window(self, reference: Reference | None) -> tuple[int, int]:
        """Return gap and horizon that the release has promised for: the pipeline file may have gone on."""
        declared = self.nights.config.horizon
        return (reference.gap, reference.horizon) if reference else (declared.gap_days, declared.days)

    def _moment(self, day: date) -> datetime:
        return instant(day, self.nights.config.pipeline.timezone)

    def _mark(self, day: date, reference: Reference | None) -> tuple[int, ...]:
        """Return rows and cents within a night's horizon: while they stay, so do its outcomes."""
        start, end = (microseconds(m) for m in self._calendar(day, reference).label_window(day))
        told: list[int] = []
        for times, sums in self._running:
            low, high = np.searchsorted(times, [start, end])
            told += [int(high - low), int(sums[high] - sums[low])]
        return tuple(told)

    @cached_property
    def _running(self) -> tuple[tuple[Ints, Ints], ...]:
        """Times of conversions and of value rows, sorted, each with the running sum of their cents."""
        config = self.nights.config
        column = f"{config.target.value_column}_cents"
        decided = [_int64(p["event_time"]) for p in labels.deciding(self.tables, config)]
        paid = [
            (_int64(p["event_time"]), _int64(pc.fill_null(p[column], 0)))
            for p in labels.paying(self.tables, config)
        ]
        times = np.concatenate(decided)
        return (
            _summed(times, np.ones(len(times), dtype=np.int64)),
            _summed(np.concatenate([t for t, _ in paid]), np.concatenate([c for _, c in paid])),
        )


def _summed(times: Ints, amounts: Ints) -> tuple[Ints, Ints]:
    order = np.argsort(times, kind="stable")
    return times[order], np.concatenate([[0], np.cumsum(amounts[order])])


def _index(scores: pa.Table, calendar: Calendar) -> pa.Table:
    moments = pa.array([calendar.cutoffs[0]] * scores.num_rows, pa.timestamp("us", "UTC"))
    return pa.table({"account_id": scores["account_id"], "cutoff": moments})


def _int64(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)
