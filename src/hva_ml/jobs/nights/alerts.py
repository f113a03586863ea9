"""The door to Apprise: somebody is told of a night that did not come out, and of alarms. Off unless declared.

A message names no account; of alarms it tells codes and numbers only. An alert that fails is logged, and
changes nothing.
"""

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from hva_ml.config import Alerts
from hva_ml.jobs.nights.summary import Nightly

_log = logging.getLogger("hva_ml.night")
MOST_CHARACTERS = 1_500


def send(config: Alerts, night: Nightly) -> bool:
    """Tell of a night, if its outcome is one that somebody wants to be told of.

    Parameters
    ----------
    config : Alerts
        ``[alerts]`` of the pipeline.
    night : Nightly
        What became of it.

    Returns
    -------
    bool
        Whether somebody was told.
    """
    if not config.url_env or occasions(night).isdisjoint(config.on):
        return False
    addresses = os.environ.get(config.url_env, "")
    if not addresses.strip():
        _log.warning("No alert was sent: the environment variable %s is not set.", config.url_env)
        return False
    # Whatever a foreign service or its library does, the night is what it is.
    try:
        sent = _notified(addresses, night)
    except ImportError:
        _log.warning('No alert was sent: it needs pip install "hva-ml[alerts]".')
        return False
    except Exception as error:
        _log.warning("The alert failed: %s.", type(error).__name__)
        return False
    if sent:
        _log.info("An alert was sent.")
    else:
        _log.warning("The alert was not delivered to every address in %s.", config.url_env)
    return sent


def occasions(night: Nightly) -> frozenset[str]:
    """Return what a night gives occasion to tell, of `hva_ml.config.Occasion`."""
    if night.outcome == "refused":
        return frozenset({"refused"})
    if night.outcome in ("failed", "stopped"):
        return frozenset({"failed"})
    found = {"published"} if night.outcome == "published" and not night.undone else set()
    found |= {"undone"} if night.undone else set()
    found |= {"alarm"} if night.watch and night.watch.raised else set()
    return frozenset(found)


def message(night: Nightly) -> str:
    """Return the text of an alert: what happened, what was found, and what to do; no account is named."""
    lines = [night.sentence()]
    lines += [f"{row.code}: {row.what}" for row in night.audit if row.outcome == "found"]
    lines += [f"{stage.name}: {stage.note}" for stage in night.undone]
    if night.watch and night.watch.raised:
        lines.append(f"Alarms of monitoring that are new: {_counts(night.watch.raised)}.")
        lines.append(f"Open: {_counts(night.watch.alarms)}.")
        lines.append(f"To see them: hva monitor {night.pipeline} --as-of {night.as_of}")
    if night.error is not None and night.error.fix:
        lines.append(f"To mend it: {night.error.fix}")
    lines.append(f"attempt {night.attempt}" + (f", run {night.run_id}" if night.run_id else ""))
    return "\n".join(lines)[:MOST_CHARACTERS]


def _counts(by_code: Mapping[str, int]) -> str:
    return ", ".join(f"{code} ({n})" for code, n in sorted(by_code.items()) if n)


def _notified(addresses: str, night: Nightly) -> bool:
    alarm = "alarm" in occasions(night)
    kind = "failure" if night.exit_code else "warning" if alarm else "success"
    title = f"hva: {night.pipeline} as of {night.as_of}: {night.outcome}{', alarm' if alarm else ''}"
    with _hushed():
        import apprise

        service = apprise.Apprise()
        understood = service.add(addresses.split())
        # Said to be text, it is escaped where a service writes HTML, as mail does.
        sent = service.notify(
            title=title, body=message(night), notify_type=apprise.NotifyType(kind),
            body_format=apprise.NotifyFormat.TEXT,
        )  # fmt: skip
    return bool(sent) and bool(understood)


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep to ourselves what the library says: its log tells hosts and parts of addresses."""
    own = logging.getLogger("apprise")
    before, own.level = own.level, logging.CRITICAL
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        own.level = before
