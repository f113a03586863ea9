"""URLs of databases: from the environment variable that a pipeline names, never from a file."""

import os
import re

import sqlalchemy as sa

from hva_ml.errors import HvaError


def secret(variable: str, where: str, error: type[HvaError]) -> str:
    """Return what an environment variable holds.

    Parameters
    ----------
    variable : str
        Its name.
    where : str
        The section that names it, for errors.
    error : type of HvaError
        What is raised if it is not set.
    """
    held = os.environ.get(variable, "")
    if not held:
        raise error(
            f"The environment variable {variable} is not set.",
            where=where,
            why="It holds the URL of the database, which must not stand in a file.",
            fix=f"export {variable}=…   (in the service's own secret store, not in a script)",
        )
    return held


def address(text: str, where: str, error: type[HvaError], *, only: str = "") -> sa.URL:
    """Return the URL that a variable holds, PostgreSQL reached by psycopg; the text itself is never told.

    Parameters
    ----------
    text : str
        The content of the variable.
    where : str
        The section that names it.
    error : type of HvaError
        What is raised if it is no URL, or names another kind.
    only : str
        The one kind of database that it may name.
    """
    try:
        url = sa.make_url(re.sub("^postgres(?=[:+])", "postgresql", text.strip()))
    except (sa.exc.ArgumentError, ValueError):
        url = None
    if url is None or (only and url.get_backend_name() != only):
        raise error(
            f"The variable holds no URL of {only or 'a database'}.",
            where=where,
            fix=f"It has the form {only or 'DIALECT'}://USER:PASSWORD@HOST/DATABASE.",
        )
    return url.set(drivername="postgresql+psycopg") if only or url.drivername == "postgresql" else url


def driver(url: sa.URL, where: str, error: type[HvaError], **settings: object) -> sa.Engine:
    """Return SQLAlchemy's engine for a URL; nothing is connected, and no parameter is ever told.

    Parameters
    ----------
    url : sqlalchemy.URL
        Where.
    where : str
        The section that names it.
    error : type of HvaError
        What is raised if the driver is not installed.
    settings
        More for `sqlalchemy.create_engine`.
    """
    try:
        return sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True, **settings)
    except (ImportError, sa.exc.NoSuchModuleError) as missing:
        name = "psycopg" if url.get_backend_name() == "postgresql" else getattr(missing, "name", None)
        raise error(
            f"The driver of this kind of database is not installed: {url.get_backend_name()}.",
            where=where,
            fix='pip install "hva-ml[postgres]"'
            if name == "psycopg"
            else f"pip install {name or 'the driver'}, or correct the URL.",
        ) from None
