"""Takes the runnable parts out of a Markdown page: files to write and commands to run, in their order."""

import re
from dataclasses import dataclass
from typing import Literal

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^File: `([^`]+)`\s*\Z", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One runnable part.

    Attributes
    ----------
    kind : str
        ``file`` or ``command``.
    path : str
        Where a file goes; empty for a command.
    text : str
        The file's content, or the command without its prompt.
    line : int
        Line of the page, for messages.
    """

    kind: Literal["file", "command"]
    path: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    """Return files (code after a line ``File: `path` ``) and commands (``$ …`` in console blocks)."""
    found = []
    for fence in FENCE.finditer(page):
        line = page.count("\n", 0, fence.start()) + 1
        named = FILE.search(page[: fence.start()].rstrip())
        if named:
            found.append(Block("file", named.group(1), fence.group(2), line))
        elif fence.group(1) == "console":
            commands = (text[2:] for text in fence.group(2).splitlines() if text.startswith("$ "))
            found += [Block("command", "", command, line) for command in commands]
    return found


def fenced(page: str, language: str) -> list[str]:
    """Return the content of all code blocks of a language."""
    return [fence.group(2) for fence in FENCE.finditer(page) if fence.group(1) == language]
