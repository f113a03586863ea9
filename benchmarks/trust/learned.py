"""Hostile texts that a model learns from: its report, its card, its release and what MLflow keeps of them."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa

from benchmarks.incremental import workspace
from benchmarks.smaller import PIPELINE, edit
from benchmarks.trust.readers import shape
from benchmarks.trust.tally import Tally
from benchmarks.trust.texts import FORGED, TEXTS, Said, Words, World, delivering, put, stored
from benchmarks.trust.world import LAST
from hva_ml.starter.stream import stream

VOCABULARY = {"companies": ("legal_form", "country"), "contacts": ("job_function", "seniority")}
NAME = " name-of-account-{:03d}"
NIGHT = ("nightly", PIPELINE, "--as-of")


class Learning(World):
    """A vendor each of whose categories has another word, from the beginning."""

    def called(self, number: int) -> str:
        """Return the name of an account, which nothing else is called."""
        return self.text(number) + NAME.format(number)

    def categories(self, name: str, table: pa.Table, rows: list[int]) -> pa.Table:
        """Exchange the words of all rows, equal ones for equal ones."""
        assert len(rows) == table.num_rows
        for at, column in enumerate(VOCABULARY.get(name, ())):
            words = table[column].to_pylist()
            # Five steps go through all texts, and the first are markup.
            known = sorted(set(filter(None, words)))
            new = {w: f"{stored(self.text(12 + at + 5 * k))} {column[0]}{k}" for k, w in enumerate(known)}
            table = put(table, column, [w and new[w] for w in words])
        return table


def taught(world: Learning) -> Learning:
    """Make a vendor's workspace with the exports of the night before."""
    made = world.place / "made"
    stream(made, accounts=500, seed=7, first=date(2023, 7, 1), last=date(2025, 12, 31), events_per_account=40)
    world.ws = workspace(world.place / "base")
    delivering(world.ws, world.urls)
    world.export(made, world.ws, date.fromisoformat(LAST), None)
    return world


def lessons(world: Learning) -> Iterator[Words]:
    """Yield what is run: a training, its promotion, a night, and what is told of both."""
    yield ("train", PIPELINE)
    yield ("promote", PIPELINE, "--force", "a trial of the hostile world")
    yield ("compare", PIPELINE)
    yield (*NIGHT, LAST)
    for name in ("overview", "monitor"):
        yield (name, PIPELINE)
        yield (name, PIPELINE, "--lang", "de", "--json")
    for k, account in enumerate(list(world.ids.values())[: len(TEXTS)]):
        lang = ("--lang", ("de", "en")[k % 2])
        yield ("explain", PIPELINE, *lang, "--json", "--information-sheet", "--", account)
        yield ("explain", PIPELINE, *lang, "--", account)


def beside(world: Learning) -> Iterator[Words]:
    """Yield what is run for a challenger beside the champion: one of another search."""
    edit(world.ws, ("\ntrials = 2", "\ntrials = 3"))
    yield ("train", PIPELINE)
    yield ("shadow", PIPELINE)
    yield ("shadow", PIPELINE, "--json")
    yield ("compare", PIPELINE)


def judged(tally: Tally, plain: Learning, hostile: Learning, both: list[tuple[Said, Said]]) -> None:
    """Judge pages, card and kept files; the models differ, and so the numbers may."""
    pages = [sorted({*_named(said), *_reports(w)}) for w, said in _sides(plain, hostile, both)]
    known = {tag for page in pages[0] for tag in shape(page.read_text(encoding="utf-8"))[0]}
    for page in pages[1]:
        tags, unsafe = shape(page.read_text(encoding="utf-8"))
        if unsafe or not set(tags) <= known:
            tally.wrong("markup", f"{page.name}: {unsafe[:3]} {sorted(set(tags) - known)[:3]}")
        else:
            tally.good("pages with the same tags")
    _card(tally, hostile)
    _kept(tally, hostile)


def _sides(
    plain: Learning, hostile: Learning, both: list[tuple[Said, Said]]
) -> Iterator[tuple[Learning, list[Said]]]:
    yield plain, [good for good, _ in both]
    yield hostile, [bad for _, bad in both]


def _named(said: list[Said]) -> set[Path]:
    return {Path(p) for s in said if "--json" in s.words for p in json.loads(s.out).get("files", ())}


def _reports(world: Learning) -> set[Path]:
    return {*(world.ws.root / "data").rglob("*.html"), *(world.ws.root / "mlruns").rglob("*.html")}


def _card(tally: Tally, hostile: Learning) -> None:
    """Judge the card as Markdown: a category is no heading, no link, no picture and no line of its own."""
    for card in sorted(hostile.ws.root.rglob("card.md")):
        text = card.read_text(encoding="utf-8")
        found = [line for line in text.splitlines() if line.startswith((FORGED, "H", "# H", "![x]"))]
        found += [sign for sign in ("![x](", "[y](javascript:", "<script", "<img", "<svg") if sign in text]
        if found:
            tally.wrong("markup", f"{card.name}: {found[:3]}")
        else:
            tally.good("cards without a line or a link of a text")


def _kept(tally: Tally, hostile: Learning) -> None:
    """Hold what leaves with a model to its promise: no account is named."""
    ids = [i for i in hostile.ids.values() if len(i) > 9]
    signs = {
        s.encode() for i in ids for s in (i, *(json.dumps(i, ensure_ascii=a)[1:-1] for a in (True, False)))
    }
    signs.add(NAME.partition("{")[0].strip().encode())
    for place in ("models", "mlruns"):
        files = [p for p in sorted((hostile.ws.root / place).rglob("*")) if p.is_file()]
        named = [p.name for p in files if _holds(p.read_bytes(), signs)]
        if named or not files:
            tally.wrong("an account named", f"{place}: {named[:3]}")
        else:
            tally.good("folders of models that name no account")


def _holds(content: bytes, signs: set[bytes]) -> bool:
    return any(sign in content for sign in signs)
