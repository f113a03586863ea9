"""Rollback: the release before is champion again, and its last scores are the ones that count."""

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from hva_ml import config as configs
from hva_ml import publication
from hva_ml.errors import ConfigError, HvaError, IntegrityError, RefusedError, UsageError, nearest
from hva_ml.jobs.state import restate
from hva_ml.publication import Published
from hva_ml.publication.runs import latest_of, point
from hva_ml.publication.stale import Stale, mark
from hva_ml.registry import history, promotion, tracking
from hva_ml.registry.champion import champion, release_hash
from hva_ml.registry.history import Step
from hva_ml.workspace import Workspace


@dataclass(frozen=True)
class Rollback:
    """What counts after a rollback.

    Attributes
    ----------
    pipeline, version, before : str
        The champion is `version` again, instead of `before`.
    run_id, as_of : str
        The run of scores that counts again and its day; empty if the version has made none.
    reason : str
        As given.
    changed : bool
        False if everything was so already.
    notes : tuple of str
        What to know, and what to do next.
    undelivered : bool
        True if a sink of the pipeline does not show what counts now.
    """

    pipeline: str
    version: str
    before: str
    run_id: str
    as_of: str
    reason: str
    changed: bool
    notes: tuple[str, ...]
    undelivered: bool = False

    def record(self) -> dict[str, object]:
        """Return it as a JSON-ready record."""
        return {
            "pipeline": self.pipeline,
            "version": self.version,
            "before": self.before,
            "run_id": self.run_id,
            "as_of": self.as_of,
            "reason": self.reason,
            "changed": self.changed,
            "notes": list(self.notes),
            "undelivered": self.undelivered,
        }


def rollback(ws: Workspace, pipeline: str, *, to: str | None = None, reason: str = "") -> Rollback:
    """Make an earlier release the champion again, and put its last scores back.

    Nothing is computed. Everything is verified before the first change; each change is atomic, and noted
    before it begins: a rollback that was stopped is finished by the next one. Then the sinks of the pipeline
    get what counts now; one that fails does not undo the rollback.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline : str
        Name of the pipeline.
    to : str, optional
        A released version; by default the champion before the present one.
    reason : str
        Why; noted in the history of champions and at both versions in MLflow.

    Returns
    -------
    Rollback

    Raises
    ------
    RefusedError
        If there is no champion, none before it, or MLflow no longer knows the version.
    UsageError
        If the version was never released.
    IntegrityError
        If the release is damaged.
    """
    with suppress(ConfigError):
        # A pipeline file that cannot be read must not bar the way back; one that is not there must.
        ws.config(pipeline)
    done = _back(ws, pipeline, to, reason.strip())
    notes = _handed(ws, pipeline)
    return replace(done, notes=(*done.notes, *notes), undelivered=bool(notes))


def _back(ws: Workspace, pipeline: str, to: str | None, reason: str) -> Rollback:
    with publication.lock(ws.lock(pipeline)):
        now, registered = champion(ws, pipeline)
        step = _step(ws, pipeline, now, to, reason)
        release = release_hash(ws, pipeline, step.version, registered=registered)
        run, damaged = latest_of(ws.scores(pipeline), step.version, release)
        notes = tuple(
            f"The run {d.run_id} as of {d.identity.get('as_of')} is damaged and was passed over."
            for d in damaged
        )
        shown = _current(ws, pipeline)
        if now == step.version and step.done and (run is None or (shown and shown.run_id == run.run_id)):
            return _told(pipeline, step, run, False, (*notes, "Nothing was to be changed."))
        step = replace(step, run_id=run.run_id if run else "", done=False)
        _change(ws, pipeline, step, run, shown, registered=registered)
        page = _page(ws, pipeline)
    note = drift(ws, pipeline, step.version)
    return _told(pipeline, step, run, True, (*notes, *_unscored(pipeline, step, run, shown), *note, *page))


def _step(ws: Workspace, pipeline: str, now: str, to: str | None, reason: str) -> Step:
    """Return where to go: on with what was stopped, to the version asked for, or one champion back."""
    folder = ws.models(pipeline)
    last = history.steps(folder)[-1:]
    if last and not last[0].done and to in (None, last[0].version):
        return replace(last[0], reason=reason or last[0].reason)
    known = promotion.released(folder)
    if to is not None and to not in known:
        raise UsageError(
            f"Version '{to[:40]}' of '{pipeline}' has not been released.{nearest(to, known)}",
            where=str(folder),
            fix=f"Use one of: {', '.join(known[-10:]) or 'none yet'}.",
        )
    if to is not None:
        return Step("rolled back", to, now, reason)
    before = history.line(folder, now)[:-1]
    if not before:
        others = [v for v in known if v != now]
        raise RefusedError(
            f"There is no champion before version {now} to go back to.",
            where=str(folder),
            why="Only a model that has held its gates may score.",
            fix=f"hva rollback {pipeline} --to {others[-1]}   (released: {', '.join(others[-10:])})"
            if others
            else f"hva train {pipeline}, then hva promote {pipeline}",
        )
    return Step("rolled back", before[-1], now, reason)


def _current(ws: Workspace, pipeline: str) -> Published | None:
    try:
        return publication.current(ws.scores(pipeline))
    except IntegrityError:
        # Going back is one way to mend it.
        return None


def _change(
    ws: Workspace,
    pipeline: str,
    step: Step,
    run: Published | None,
    shown: Published | None,
    *,
    registered: bool,
) -> None:
    models, scores = ws.models(pipeline), ws.scores(pipeline)
    history.note(models, step)
    if registered:
        tracking.restore_champion(ws, pipeline, step.version, instead_of=step.before, reason=step.reason)
    else:
        promotion.point(models, step.version)
    _mark(scores, step, run, shown)
    if run is not None:
        point(scores, run.path)
    history.note(models, replace(step, done=True))


def _mark(scores: Path, step: Step, run: Published | None, shown: Published | None) -> None:
    """Note what will be stale: scores put back from before others, or those that nothing can be put for.

    The note names the run that is put back, so that it holds from the very step that makes it current.
    """
    if shown is None or _version(shown) == step.version:
        return
    withdrawn = max(str(shown.identity.get("as_of", "")), shown.stale.as_of if shown.stale else "")
    what = f"Version {step.before} was rolled back to version {step.version}. {step.reason}".strip()
    if run is not None and withdrawn > str(run.identity.get("as_of", "")):
        mark(scores, run.run_id, Stale(withdrawn, what))
    elif run is None and _version(shown) == step.before:
        mark(scores, shown.run_id, Stale("", what))


def _version(run: Published) -> str:
    return str(run.identity.get("model_version", ""))


def _unscored(pipeline: str, step: Step, run: Published | None, shown: Published | None) -> tuple[str, ...]:
    if run is not None:
        return ()
    stay = f" Those of version {_version(shown)} stay." if shown else ""
    how = f"Next: hva score {pipeline} --as-of DAY"
    return (f"Version {step.version} has made no scores that are still here.{stay} {how}",)


def drift(ws: Workspace, pipeline: str, version: str) -> tuple[str, ...]:
    """Say so if the pipeline file is no longer the one that the release was trained with."""
    kept = promotion.release_folder(ws.models(pipeline), version) / "pipeline.toml"
    with suppress(ConfigError):
        then = configs.parse(kept.read_text(encoding="utf-8"), f"{pipeline}.toml")
        if then.fingerprint() == ws.config(pipeline).fingerprint():
            return ()
    return (
        f"pipelines/{pipeline}.toml is not the file that version {version} was trained with; compare it with "
        f"{kept} before the next hva score.",
    )


def _page(ws: Workspace, pipeline: str) -> tuple[str, ...]:
    """Let the page of the run that counts now say so; going back must not fail for a page."""
    run = _current(ws, pipeline)
    if run is None:
        return ()
    try:
        restate(ws, ws.config(pipeline), run)
    except (HvaError, OSError) as error:
        what = error.what if isinstance(error, HvaError) else str(error.strerror)
        return (f"The page of the run was not written: {what}",)
    return ()


def _handed(ws: Workspace, pipeline: str) -> tuple[str, ...]:
    """Let the sinks show what counts now; return what kept any from it. Going back must not fail for one."""
    try:
        if publication.current(ws.scores(pipeline)) is None or not ws.config(pipeline).sinks:
            return ()
        # It loads the libraries of the models: seconds that a way back without sinks has no use for.
        from hva_ml.jobs.deliver import deliver

        failed = deliver(ws, pipeline).failed
    except HvaError as error:
        return (f"The sinks were not served: {error.what}",)
    return tuple(
        f"The sink {s.sink} was not served: {s.error.what if s.error else ''} Later: hva deliver {pipeline}"
        for s in failed
    )


def _told(
    pipeline: str, step: Step, run: Published | None, changed: bool, notes: tuple[str, ...]
) -> Rollback:
    run_id, as_of = (run.run_id, str(run.identity.get("as_of", ""))) if run else ("", "")
    return Rollback(pipeline, step.version, step.before, run_id, as_of, step.reason, changed, notes)
