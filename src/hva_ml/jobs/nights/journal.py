"""What every line of the log says of the night it belongs to: which pipeline, day, attempt and run."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_FACTS: ContextVar[Mapping[str, object] | None] = ContextVar("hva_night", default=None)


def facts() -> Mapping[str, object]:
    """Return what is known of the night at work; empty outside of one."""
    return _FACTS.get() or {}


def know(**more: object) -> None:
    """Add what has become known."""
    _FACTS.set({**facts(), **more})


@contextmanager
def telling(**known: object) -> Iterator[None]:
    """Tell these facts with every line until the block ends.

    Examples
    --------
    >>> with telling(pipeline="toy"):
    ...     know(run_id="1f")
    ...     dict(facts())
    {'pipeline': 'toy', 'run_id': '1f'}
    >>> facts().get("pipeline") == "toy"
    False
    """
    token = _FACTS.set(dict(known))
    try:
        yield
    finally:
        _FACTS.reset(token)
