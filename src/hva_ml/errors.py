"""One tree of errors: what happened, where, why it matters, and how to mend it.

Never a contact's name, an e-mail address or a credential; never longer than a screen.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

MAX_IDS = 5
MAX_TEXT = 600


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the known word nearest to `word`, else an empty string.

    Examples
    --------
    >>> nearest("horizn", ["horizon", "cutoffs"])
    " Did you mean 'horizon'?"
    >>> nearest("zzz", ["horizon"])
    ''
    """
    candidates = sorted(known)
    found = get_close_matches(word, candidates, n=1, cutoff=0.6)
    if not found and len(word) > 2:
        found = [c for c in candidates if c.startswith(word)]
    return f" Did you mean '{found[0]}'?" if found else ""


def bounded(text: str, limit: int = MAX_TEXT) -> str:
    """Cut `text` to at most `limit` characters, saying so with an ellipsis.

    Examples
    --------
    >>> bounded("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= limit else text[: limit - 1] + "…"


def one_line(text: str) -> str:
    r"""Return `text` as it may stand in a line that people read: nothing in it breaks, turns or commands.

    Line breaks and tabs become blanks; control and format characters go, other than the soft hyphen.

    Examples
    --------
    >>> one_line("Muster\x1b[2J GmbH\nError\u202e")
    'Muster[2J GmbH Error'
    """
    if text.isprintable():
        return text
    return "".join(
        c
        if c.isprintable() or c == "\u00ad" or unicodedata.category(c) == "Zs"
        else " "
        if c.isspace()
        else ""
        for c in text
    )


class HvaError(Exception):
    """Base of every error that this package raises on purpose.

    Parameters
    ----------
    what : str
        What happened, in one sentence.
    where : str, optional
        Table.column, file or command; with a row count where there is one.
    why : str, optional
        Why it matters to the person who reads it.
    fix : str, optional
        The exact command or line that mends it.
    ids : sequence of str, optional
        Identifiers of offending rows; at most five are kept.
    """

    exit_code = 1

    def __init__(
        self, what: str, *, where: str = "", why: str = "", fix: str = "", ids: Sequence[str] = ()
    ) -> None:
        self.what = bounded(one_line(what))
        self.where = bounded(one_line(where))
        self.why = bounded(why)
        # What mends it may be several lines of a file: they are ours.
        self.fix = bounded(fix)
        self.ids = tuple(bounded(one_line(str(i)), 60) for i in ids[:MAX_IDS])
        super().__init__(self.text())

    def text(self) -> str:
        """Return the whole message, one part a line."""
        parts = [self.what]
        if self.where:
            parts.append(f"  where: {self.where}")
        if self.ids:
            parts.append(f"  for example: {', '.join(self.ids)}")
        if self.why:
            parts.append(f"  why it matters: {self.why}")
        if self.fix:
            parts.append(f"  to mend it: {self.fix}")
        return "\n".join(parts)

    def told(self) -> dict[str, object]:
        """Return what may stand in a log or leave the house: no row is named."""
        return {"error": type(self).__name__, "what": self.what, "where": self.where, "fix": self.fix}

    def record(self) -> dict[str, object]:
        """Return the parts as a JSON-ready record, for machines."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "where": self.where,
            "why": self.why,
            "fix": self.fix,
            "ids": list(self.ids),
        }


class UsageError(HvaError):
    """The command or call itself is wrong (exit code 2)."""

    exit_code = 2


class ConfigError(UsageError):
    """A pipeline file says something that cannot be meant."""


class WorkspaceError(HvaError):
    """A folder of the workspace is missing, unreadable or unsafe."""


class SourceError(HvaError):
    """A source could not be read: missing, unreadable, or of an unclear form."""


class ContractError(HvaError):
    """Tables break their contract so that nothing honest can be computed (exit code 3)."""

    exit_code = 3


class NotEnoughDataError(HvaError):
    """Too few matured cohorts, accounts or conversions to learn anything (exit code 3)."""

    exit_code = 3


class RefusedError(HvaError):
    """A gate or check refused the step (exit code 3)."""

    exit_code = 3


class IntegrityError(HvaError):
    """Stored bytes are not what was written: a hash, a manifest or a checksum differs."""


class DeliveryError(HvaError):
    """A sink did not take a published run; what is published, and what the sink held before, stay."""


class BusyError(HvaError):
    """Another run holds the lock (exit code 4)."""

    exit_code = 4
