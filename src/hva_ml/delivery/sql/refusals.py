"""What a database says when it does not take something, in words that never carry a row or a password."""

import re
from dataclasses import dataclass

import sqlalchemy as sa

from hva_ml.errors import DeliveryError

_WHY = "What is published stays as it is, and so does what readers of this sink see."
_LOGIN_FIX = "Check user and password in the variable."
_UNSTORABLE = "A text holds a character that the database cannot store (NUL, or none of its encoding)."
_STATES = (
    # The classes of SQLSTATE (PostgreSQL manual, appendix A), the longest that fits first.
    ("42501", "It lacks a privilege.", "hva deliver PIPELINE --setup-sql prints the GRANTs that are needed."),
    ("42P07", "Another writer has set the tables up at the same time.", "Run the command again."),
    ("3F000", "The schema does not exist.", "Create it, or name another one in the sink's section."),
    ("22001", "A text is longer than its column: keys have at most 255 characters here.", ""),
    ("22021", _UNSTORABLE, ""),
    ("25006", "The server is read-only.", "Let the URL name the primary server."),
    ("28", "The login was refused.", _LOGIN_FIX),
    ("53", "The server has no room, memory or connection left.", "Make room and deliver again."),
    ("55P03", "Another transaction holds the tables.", "Deliver again once it has ended."),
    ("23514", "A check that somebody has added does not hold.", "Drop it: the rows are as published."),
    ("23", "It takes two of our keys for one: its collation may ignore case or blanks.",
     "Use a collation that compares the bytes."),
)  # fmt: skip
_PASSING = ("08", "57P01", "57P02", "57P03", "40001", "40P01", "55P03")
_LOGIN = re.compile(r"authentication failed|no password supplied|pg_hba|access denied", re.IGNORECASE)
_MISSING = re.compile(r"database .* does not exist|unknown database|unable to open database", re.IGNORECASE)
_NUL = re.compile(r"\bNUL\b")
_BUSY = re.compile(r"database is locked|could not serialize|deadlock", re.IGNORECASE)


@dataclass(frozen=True)
class Refusal:
    """Why a database did not do it.

    Attributes
    ----------
    error : DeliveryError
        To be raised.
    passing : bool
        Whether the same may well succeed if tried again.
    """

    error: DeliveryError
    passing: bool


def refusal(error: Exception, where: str) -> Refusal:
    """Return what an error of a driver means.

    The driver's own words are read but never passed on: they may quote rows, or the URL.

    Parameters
    ----------
    error : Exception
        Of SQLAlchemy or of the driver.
    where : str
        The sink.
    """
    driver = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig else error
    state, text = str(getattr(driver, "sqlstate", None) or ""), str(driver)
    lost = isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated
    for begins, what, fix in _STATES:
        if state.startswith(begins):
            return _told(f"The database refused: {what}", where, fix, passing=state.startswith(_PASSING))
    if _LOGIN.search(text):
        return _told("The database refused: The login was refused.", where, _LOGIN_FIX, passing=False)
    if _MISSING.search(text):
        return _told("The database does not exist.", where, "Create it, or correct the URL.", passing=False)
    if not state and _NUL.search(text):
        return _told(f"The database refused: {_UNSTORABLE}", where, "", passing=False)
    if _BUSY.search(text):
        return _told("The database is held by another writer.", where, "Deliver again.", passing=True)
    if lost or state.startswith(_PASSING) or (not state and "OperationalError" in type(driver).__name__):
        what = "The database could not be reached, or the connection broke."
        return _told(what, where, "Check that the server runs, then hva deliver again.", passing=True)
    told = f"SQLSTATE {state}" if re.fullmatch(r"[0-9A-Z]{5}", state) else type(driver).__name__
    what = f"The database refused, with {told}."
    return _told(what, where, "The server's own log tells more.", passing=False)


def _told(what: str, where: str, fix: str, *, passing: bool) -> Refusal:
    return Refusal(DeliveryError(what, where=where, why=_WHY, fix=fix), passing)
