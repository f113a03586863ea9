"""The log as JSON lines, for machines: each with the night it belongs to, none with a row of data."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import typer

from hva_ml.cli.terminal import json_line
from hva_ml.errors import HvaError

_log = logging.getLogger("hva_ml.night")


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON: time (UTC), level, logger, message, and the facts of the night."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        from hva_ml.jobs.nights.journal import facts

        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **facts(),
            **getattr(record, "hva", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            # What a library raises may quote the data; its kind does not.
            line["exception"] = record.exc_info[0].__name__
        return json_line(line)


@contextmanager
def json_lines() -> Iterator[None]:
    """Write the log to standard error as JSON lines while the block runs: warnings and its end included."""
    root, handler = logging.getLogger(), logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        yield
    except HvaError as error:
        _log.error("%s", error.what, extra={"hva": {"event": "error", **error.told()}})
        raise typer.Exit(error.exit_code) from None
    except OSError as error:
        _log.error("The system refused: %s", error.strerror or error, extra={"hva": {"event": "error"}})
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        _log.error("Stopped. Nothing half-done was published.", extra={"hva": {"event": "stopped"}})
        raise typer.Exit(1) from None
    finally:
        logging.captureWarnings(False)
        root.setLevel(level)
        root.removeHandler(handler)
