"""Texts of a source stay texts: on a terminal, in lines, and in documents of one line."""

import json
import logging
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.cli import terminal
from hva_ml.cli.logs import JsonLines
from hva_ml.errors import UsageError, one_line

HOSTILE = "a\x1b[2J\x9b1m\nError \u202eb\u2028c\x07:bomb:[red]d[/]"


def test_a_console_prints_a_text_as_letters(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.console().print(terminal.escaped(HOSTILE), soft_wrap=True)
    assert capsys.readouterr().out == "a[2J1m Error b c:bomb:[red]d[/]\n"


def test_an_error_names_a_hostile_id_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    error = UsageError(f"There is no '{HOSTILE}'.", where=HOSTILE, fix="one\ntwo", ids=[HOSTILE])
    terminal.show_error(error)
    told = capsys.readouterr().err
    assert told.splitlines()[1:] == [
        "  where: a[2J1m Error b c:bomb:[red]d[/]",
        "  for example: a[2J1m Error b c:bomb:[red]d[/]",
        "  to mend it: one",
        "two",
    ]
    assert "\x1b" not in str(error)


@given(st.text())
def test_a_document_is_one_line_that_commands_nothing(text: str) -> None:
    line = terminal.json_line({"name": text})
    assert json.loads(line) == {"name": text}
    assert one_line(line) == line
    assert len(line.splitlines()) == 1


@given(st.text())
def test_a_line_stays_a_line_and_letters_stay(text: str) -> None:
    line = one_line(text)
    assert len(f"{line}.".splitlines()) == 1
    assert one_line(line) == line
    assert [c for c in text if c.isprintable() and c != " "] == [
        c for c in line if c.isprintable() and c != " "
    ]


def test_a_message_of_the_log_is_one_line() -> None:
    said = StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(JsonLines())
    handler.handle(logging.LogRecord("hva_ml", logging.INFO, "", 1, "%s", (HOSTILE,), None))
    (line,) = said.getvalue().splitlines()
    assert json.loads(line)["message"] == HOSTILE
