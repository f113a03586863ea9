"""Changes: what moved between two published runs, why exactly, and who is unusually active."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hva_ml.errors import IntegrityError, RefusedError, UsageError, nearest
from hva_ml.explanation.changes import Change, change
from hva_ml.explanation.composition import TOLERANCE
from hva_ml.explanation.formats import factor, money, number
from hva_ml.explanation.movers import Cause, causes, title
from hva_ml.explanation.reader import Reader
from hva_ml.explanation.surges import surges
from hva_ml.jobs.both import Both
from hva_ml.jobs.explain import spoken
from hva_ml.jobs.published import Run, current_run, definitions, find_run, numeric, open_run, runs
from hva_ml.reports import changes as page
from hva_ml.workspace import Workspace

MOST = 10


@dataclass(frozen=True)
class Changes:
    """What changed between two runs.

    Attributes
    ----------
    pipeline, before, after : str
        Name of the pipeline; ids of the two runs.
    table : pyarrow.Table
        One row per account of both runs, by id: account_id, name, tier_before, tier_after, rank_before,
        rank_after, expected_value_before, expected_value_after, account_factor, model_factor.
        ``before × account_factor × model_factor`` is ``after``.
    parts : pyarrow.Table
        account_id, then one column per feature: its part of the change of ln(expected value).
    up, down, moved : tuple of page.Mover
        Biggest movers by money, with causes; accounts whose tier changed.
    new, vanished : tuple of str
        Ids of accounts of one run only.
    surges : tuple of page.Alert
        Accounts far above their own usual activity, surest first.
    files : tuple of pathlib.Path
        The page.
    """

    pipeline: str
    before: str
    after: str
    table: pa.Table
    parts: pa.Table
    up: tuple[page.Mover, ...]
    down: tuple[page.Mover, ...]
    moved: tuple[page.Mover, ...]
    new: tuple[str, ...]
    vanished: tuple[str, ...]
    surges: tuple[page.Alert, ...]
    files: tuple[Path, ...]

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record, without the rows of all accounts."""
        return {
            "pipeline": self.pipeline,
            "before": self.before,
            "after": self.after,
            "accounts": self.table.num_rows,
            **{k: [asdict(m) for m in getattr(self, k)] for k in ("up", "down", "moved", "surges")},
            "new": list(self.new),
            "vanished": list(self.vanished),
            "files": [str(p) for p in self.files],
        }


def changes(
    ws: Workspace,
    pipeline: str,
    *,
    before: str | None = None,
    after: str | None = None,
    account: str | None = None,
    language: str = "en",
    country: str = "DE",
    limit: int = MOST,
) -> Changes:
    """Say what changed between two published runs, and write the page of the changes.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline : str
        Name of the pipeline.
    before, after : str, optional
        Run id, its beginning, or a day; by default the current run and the latest one of an earlier day.
    account : str, optional
        Tell of this account only; no page is written.
    language : {"en", "de"}
        Language of words.
    country : {"DE", "AT", "CH"}
        How German numbers are written.
    limit : int
        Most movers each way.

    Raises
    ------
    RefusedError
        If there are not two runs.
    UsageError
        If a run or account is unknown.
    IntegrityError
        If the parts of any account's change do not add up within 1e-9, or a release no longer gives the
        published score.
    """
    config = ws.config(pipeline)
    tongue = spoken(language, country)
    old, new = _runs(ws, config.name, before, after)
    reader = Reader(tongue, country, new.bundle.currency)
    both = Both(old, new)
    if account is not None and account not in both.place:
        known = {*old.ids, *new.ids}
        raise UsageError(
            f"The account '{account[:60]}' is not in both runs.{nearest(account, known)}",
            where=f"runs {old.run_id} and {new.run_id}",
            fix="Take an account that was scored in both.",
        )
    split = _split(both)
    told = _Telling(both, split, reader)
    table = told.table()
    difference = np.exp(split.after) - np.exp(split.before)
    rows = np.arange(len(both.ids)) if account is None else np.array([both.place[account]])
    order = sorted(rows.tolist(), key=lambda k: (-difference[k], both.ids[k]))
    up = [told.mover(k) for k in order[:limit] if difference[k] > 0]
    down = [told.mover(k) for k in order[::-1][:limit] if difference[k] < 0]
    tier0, tier1 = (table[c].to_pylist() for c in ("tier_before", "tier_after"))
    moved = [told.mover(k) for k in sorted(order, key=lambda k: (tier1[k], told.rank1[k]))
             if tier0[k] != tier1[k]]  # fmt: skip
    alerts = _alerts(new, reader, account)
    gone, came = set(old.ids) - set(new.ids), set(new.ids) - set(old.ids)
    files: tuple[Path, ...] = ()
    if account is None:
        view = page.ChangesView(
            title=config.pipeline.title, before=old.as_of, after=new.as_of, currency=new.bundle.currency,
            run_before=old.run_id, run_after=new.run_id,
            version_before=old.scores["model_version"][0].as_py(),
            version_after=new.scores["model_version"][0].as_py(),
            n_accounts=len(both.ids), new=_named(new, came), vanished=_named(old, gone),
            total_before=float(np.exp(split.before).sum()), total_after=float(np.exp(split.after).sum()),
            up=tuple(up), down=tuple(down), moved=tuple(moved), alerts=tuple(alerts),
            simulated=bool(new.bundle.metadata.get("simulated")),
        )  # fmt: skip
        place = ws.reports(config.name) / f"{new.as_of:%Y-%m-%d}" / f"changes-{old.run_id[:8]}.html"
        files = (page.write(view, place, language=tongue, country=country),)
    return Changes(
        config.name, old.run_id, new.run_id, table, told.parts(), tuple(up), tuple(down), tuple(moved),
        tuple(sorted(came)), tuple(sorted(gone)), tuple(alerts), files,
    )  # fmt: skip


def _runs(ws: Workspace, pipeline: str, before: str | None, after: str | None) -> tuple[Run, Run]:
    last = find_run(ws, pipeline, after) if after else current_run(ws, pipeline)
    if before is None:
        known = runs(ws, pipeline)
        day = dict(known)[last]
        earlier = [r for r, d in known if d < day] or [r for r, d in known if d == day and r != last]
        if not earlier:
            raise RefusedError(
                "There is no earlier run to compare with.",
                where=str(ws.scores(pipeline)),
                fix=f"hva score {pipeline} --as-of AN_EARLIER_DAY, then score the present day again",
            )
        before = earlier[-1]
    return open_run(ws, pipeline, find_run(ws, pipeline, before)), open_run(ws, pipeline, last)


def _split(both: Both) -> Change:
    old, new = both.old, both.new
    same = old.bundle.release == new.bundle.release
    found = change(both.seen(old), None if same else both.seen(new))
    for run, rows, told in ((old, both.rows0, found.before), (new, both.rows1, found.after)):
        published = np.log(numeric(run.scores["expected_value"].take(rows)))
        error = np.abs(published - told)
        if not (error <= TOLERANCE).all():
            raise IntegrityError(
                "The release no longer gives the scores that were published with it.",
                where=f"run {run.run_id}, {int((~(error <= TOLERANCE)).sum())} of {len(error)} accounts",
                why="A change told of other numbers than sales has seen would be none.",
                fix="Restore the release, or score both days again with this version.",
            )
    return found


class _Telling:
    """Rows and words of a split."""

    def __init__(self, both: Both, split: Change, reader: Reader) -> None:
        self.both, self.split, self.reader = both, split, reader
        self.scores0 = both.old.scores.take(both.rows0)
        self.scores1 = both.new.scores.take(both.rows1)
        self.rank0, self.rank1 = (s["rank"].to_pylist() for s in (self.scores0, self.scores1))
        self.tier0, self.tier1 = (s["tier"].to_pylist() for s in (self.scores0, self.scores1))
        self.definitions = definitions(both.old.bundle, both.new.bundle)
        self.names = [both.new.names[k] for k in both.rows1.to_pylist()]

    def table(self) -> pa.Table:
        split = self.split
        return pa.table(
            {
                "account_id": pa.array(self.both.ids, pa.string()),
                "name": pa.array(self.names, pa.string()),
                "tier_before": self.scores0["tier"],
                "tier_after": self.scores1["tier"],
                "rank_before": self.scores0["rank"],
                "rank_after": self.scores1["rank"],
                "expected_value_before": np.exp(split.before),
                "expected_value_after": np.exp(split.after),
                "account_factor": np.exp(split.account.sum(axis=1)),
                "model_factor": np.exp(split.model),
            }
        )

    def parts(self) -> pa.Table:
        columns: dict[str, Any] = {"account_id": pa.array(self.both.ids, pa.string())}
        for j, name in enumerate(self.split.names):
            columns[name] = np.ascontiguousarray(self.split.account[:, j])
        return pa.table(columns)

    def mover(self, k: int) -> page.Mover:
        split = self.split
        found = causes(
            self.definitions,
            self.both.was.slice(k, 1).to_pylist()[0],
            self.both.now.slice(k, 1).to_pylist()[0],
            dict(zip(split.names, split.account[k].tolist(), strict=True)),
            float(split.model[k]),
            self.reader,
        )
        before, after = math.exp(split.before[k]), math.exp(split.after[k])
        return page.Mover(
            account_id=self.both.ids[k], name=self.names[k], before=before, after=after,
            tier_before=self.tier0[k], tier_after=self.tier1[k],
            rank_before=self.rank0[k], rank_after=self.rank1[k],
            account_factor=math.exp(float(split.account[k].sum())),
            model_factor=math.exp(float(split.model[k])),
            causes=tuple(c.text for c in found), text=self._text(k, before, after, found),
        )  # fmt: skip

    def _text(self, k: int, before: float, after: float, found: list[Cause]) -> str:
        r = self.reader
        german = r.german
        low, high = (money(v, r.currency, language=r.language, country=r.country) for v in (before, after))
        head = f"{self.tier0[k]} → {self.tier1[k]}, {low} → {high}"
        head += f" ({factor(after / before, language=r.language, country=r.country)})"
        better = self.tier1[k] < self.tier0[k]
        against = self.tier0[k] != self.tier1[k] and better != (after > before)
        words = [c.text for c in found]
        if against or (not words and self.tier0[k] != self.tier1[k]):
            words.append("andere Accounts haben sich verschoben" if german else "other accounts have moved")
        if not words:
            words = ["viele kleine Änderungen" if german else "many small changes"]
        return f"{head}, {'weil' if german else 'because'}: {'; '.join(words)}."


def _alerts(run: Run, reader: Reader, only: str | None) -> list[page.Alert]:
    told = {d.name: d for d in run.bundle.definitions}
    values = {n: run.column(n) for n, d in told.items() if d.measure in ("count", "surge")}
    alerts = []
    for s in surges(run.bundle.definitions, values):
        if only not in (None, run.ids[s.row]):
            continue
        usual = number(s.usual, language=reader.language, country=reader.country, decimals=1)
        count = number(s.count, language=reader.language, country=reader.country)
        after = f"sonst etwa {usual}" if reader.german else f"usually about {usual}"
        text = f"{title(told[s.feature], reader)}: {count}, {after}"
        alerts.append(
            page.Alert(run.ids[s.row], run.names[s.row], text, s.count, s.usual, s.p_value)
        )  # fmt: skip
    return alerts


def _named(run: Run, ids: set[str]) -> tuple[tuple[str, str, float], ...]:
    """Return id, name and expected value, best first."""
    worth = run.scores["expected_value"].to_pylist()
    rows = [(i, run.names[k], worth[k]) for k, i in enumerate(run.ids) if i in ids]
    return tuple(sorted(rows, key=lambda r: (-r[2], r[0])))
