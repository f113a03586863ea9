"""From templates to self-contained pages: no script, no outside request, everything from data escaped.

The door to Jinja2. A page is written whole or not at all.
"""

import base64
import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from hva_ml.errors import WorkspaceError, one_line
from hva_ml.reports.charts import NARROW, WIDE, Chart, to_svg
from hva_ml.reports.language import Tongue
from hva_ml.reports.palette import css

LONGEST_NAME = 160
LONGEST_TEXT = 1200
# Charts are 680 wide, the column of a page 872: letters then have the size of the text around them.
ENLARGED = 1.28
# Not the no-break spaces: they hold numbers and their units together.
SPACES = re.compile(r"[\s\x1c-\x1f]*[\t\n\r\f\v\x1c-\x1f\x85\u2028\u2029][\s\x1c-\x1f]*| {2,}")


@dataclass(frozen=True)
class Figure:
    """A chart drawn twice, for desks and for telephones; the stylesheet shows the one that fits.

    Attributes
    ----------
    title, description : str
        What it shows, in words.
    wide, narrow : markupsafe.Markup
        SVG elements.
    """

    title: str
    description: str
    wide: Markup
    narrow: Markup


def figure(draw: Callable[[int], Chart]) -> Figure:
    """Draw a chart at both widths; `draw` takes the outer width in pixels."""
    wide, narrow = draw(WIDE), draw(NARROW)
    # to_svg escapes every text in the picture, which is what Markup promises.
    return Figure(wide.title, wide.description, Markup(to_svg(wide, ENLARGED)), Markup(to_svg(narrow)))


def plain(text: str, limit: int = LONGEST_NAME) -> str:
    r"""Return `text` without control and direction characters, on one line, at most `limit` long.

    Characters that turn the writing direction could make a name read as something else.

    Examples
    --------
    >>> plain("Muster\u202e GmbH\n")
    'Muster GmbH'
    """
    kept = one_line(SPACES.sub(" ", text).strip())
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def render(template: str, tongue: Tongue, **parts: Any) -> str:
    """Return a whole page.

    Parameters
    ----------
    template : str
        File name in ``reports/templates``.
    tongue : Tongue
        Language and country of the reader.
    **parts
        What the template names; a name it does not get is an error.
    """
    style = stylesheet()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    # The hash is of our own stylesheet, which contains nothing from data.
    return (
        _environment()
        .get_template(template)
        .render(t=tongue, word=tongue.word, style=Markup(style), style_hash=digest, **parts)
    )


def write(path: Path, content: str | bytes) -> Path:
    """Write a page (as UTF-8) or a picture in one step: a reader sees the old or the new one, never a part.

    Raises
    ------
    WorkspaceError
        If the folder cannot be written.
    """
    name = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "wb", dir=path.parent, prefix=".", suffix=".part", delete=False
        ) as file:
            name = file.name
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        if name:
            Path(name).unlink(missing_ok=True)
        raise WorkspaceError(
            "The page cannot be written.",
            where=str(path),
            fix="Free some space or choose a folder you may write to.",
        ) from error
    return path


@cache
def stylesheet() -> str:
    """Return the stylesheet of every page, colours included."""
    return css() + files("hva_ml.reports").joinpath("templates", "style.css").read_text("utf-8")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hva_ml.reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters["name"] = plain
    return environment


def _finalize(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return plain(value, LONGEST_TEXT)
    return value
