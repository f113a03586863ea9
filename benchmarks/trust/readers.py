"""How outputs are read by those who are to be fooled: browsers, terminals, JSON and metrics readers."""

import re
import shutil
import subprocess
import unicodedata
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

Shape = list[tuple[str, ...]]
MEASURED = frozenset(("seconds", "peak_bytes", "files_read", "time"))
_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\].*?(?:\x07|\x1b\\)|.)", re.S)
_OWN = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|[0-9]*[AK]|2K|H)")
# Left-to-right and right-to-left marks of a sentence are letters of some languages; overrides are not.
_TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# What Chromium asks for by itself, with any page.
OWN = (
    "file:", "chrome", "about:", "http://clients2.google.com/", "http://update.googleapis.com/",
    "https://update.googleapis.com/", "https://accounts.google.com/", "https://www.google.com/async/",
)  # fmt: skip
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr", "--virtual-time-budget=2000", "--dump-dom",
)  # fmt: skip


class _Shape(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: Shape = []
        self.unsafe: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *sorted(name for name, _ in attrs)))
        if tag in ("script", "iframe", "object", "embed", "link", "base", "form", "img", "foreignobject"):
            self.unsafe.append(tag)
        for name, value in attrs:
            outside = re.match(r"\s*(?:[a-z][a-z0-9+.-]*:|//|\\\\)", value or "", re.I)
            if name.startswith("on") or (name in ("href", "src", "xlink:href", "style") and outside):
                self.unsafe.append(f"{tag} {name}")

    def handle_endtag(self, tag: str) -> None:
        self.found.append((f"/{tag}",))

    def handle_comment(self, data: str) -> None:
        self.found.append(("<!--", data))

    def handle_decl(self, decl: str) -> None:
        self.found.append(("<!", decl))

    def unknown_decl(self, data: str) -> None:
        self.unsafe.append(f"<![{data[:20]}")

    def handle_pi(self, data: str) -> None:
        self.unsafe.append(f"<?{data[:20]}")


def shape(page: str) -> tuple[Shape, list[str]]:
    """Return the tags of a page in their order, with the names of their attributes, and what is unsafe."""
    parser = _Shape()
    parser.feed(page)
    parser.close()
    return parser.found, parser.unsafe


def raw(text: str, *, colours: bool = False) -> list[str]:
    """Return the characters that command a terminal or turn a line, none of which a text may bring.

    Parameters
    ----------
    text : str
        What was printed.
    colours : bool
        Whether the terminal was one: then colours and the moves of a progress bar are left out.
    """
    kept = _OWN.sub("", text) if colours else text
    bad = {c for c in kept if unicodedata.category(c) in ("Cc", "Zl", "Zp") and c != "\n"}
    return sorted(f"U+{ord(c):04X}" for c in bad | (set(kept) & set(_TURNS)))


def forged(text: str, word: str) -> list[str]:
    """Return the lines that begin with a word that only stands within texts."""
    return [line for line in text.splitlines() if line.startswith(word)]


def numbers(value: Any) -> Any:
    """Return a document with its texts left out, and what is never the same twice."""
    if isinstance(value, dict):
        return {k: numbers(v) for k, v in value.items() if k not in MEASURED}
    if isinstance(value, list):
        return [numbers(v) for v in value]
    return "text" if isinstance(value, str) else value


def metrics(text: str) -> list[tuple[str, ...]]:
    """Return the names and labels of all samples, as the client of Prometheus reads them."""
    from prometheus_client.parser import text_string_to_metric_families

    found = [
        (s.name, *(f"{k}={v}" for k, v in sorted(s.labels.items())))
        for family in text_string_to_metric_families(text)
        for s in family.samples
    ]
    return sorted(found)


def browser() -> str | None:
    """Return the Chromium of this machine."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def visits(page: Path, place: Path) -> list[str]:
    """Open a page in a headless Chromium; return what it ran, complained of or asked for."""
    program = browser()
    assert program is not None
    log = place / "requests.json"
    command = [program, *FLAGS, f"--user-data-dir={place / 'browser'}", f"--log-net-log={log}"]
    done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, check=False)
    written, seen = (_title(text) for text in (page.read_text(encoding="utf-8"), done.stdout))
    found = [] if seen == written and not done.returncode else [f"exit {done.returncode}, title {seen!r}"]
    found += [line[:200] for line in done.stderr.splitlines() if "CONSOLE" in line]
    asked = set(re.findall(r'"url":"([a-z]+:[^"?]*)', log.read_text(encoding="utf-8")))
    return found + sorted(url for url in asked if not url.startswith(OWN))


def _title(page: str) -> str:
    return unescape(page.partition("<title>")[2].partition("</title>")[0])
