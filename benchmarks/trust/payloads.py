"""Hostile texts in what a source says of its accounts: nothing of them is more than a text in any output.

Two vendors differ in texts only: one has formulas, markup, terminal sequences, marks of direction and forged
lines where the other has plain words. Both make their nights and run the commands that somebody reads; every
page, document, line, metric and row of a sink must have the form that the plain words give it.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.smaller import PIPELINE
from benchmarks.trust.databases import databases
from benchmarks.trust.delivered import sinks
from benchmarks.trust.heard import Heard, alerts, listening
from benchmarks.trust.learned import Learning, beside, judged, lessons, taught
from benchmarks.trust.readers import browser, forged, metrics, numbers, raw, shape, visits
from benchmarks.trust.tally import Tally
from benchmarks.trust.texts import FORGED, METRICS, TEXTS, Said, Words, World, commands, made, put
from benchmarks.trust.world import TONIGHT
from hva_ml.publication import read

Asked = TypeVar("Asked", bound=World)


def payloads(release: Path, place: Path, *, every: bool) -> Iterator[Tally]:
    """Compare both vendors, output by output; `every` text is explained, or two."""
    places = {name: place / name for name in ("plain", "hostile", "taught", "misled")}
    for folder in places.values():
        folder.mkdir(parents=True)
    with databases(places) as urls, listening() as good, listening() as bad:
        plain = made(World(False, places["plain"], urls["plain"], good.address), release)
        hostile = made(World(True, places["hostile"], urls["hostile"], bad.address), release)
        yield _told(plain, hostile, (good, bad), every=every)
        if every:
            taught_ = taught(Learning(False, places["taught"], urls["taught"]))
            misled = taught(Learning(True, places["misled"], urls["misled"]))
            yield _learned(taught_, misled)


def _told(plain: World, hostile: World, heard: tuple[Heard, Heard], *, every: bool) -> Tally:
    tally = Tally("hostile texts in rows of accounts, output by output")
    both = _both(tally, plain, hostile, lambda w: commands(w, every=every))
    for good, bad in both:
        if "--json" in bad.words:
            _documents(tally, good, bad)
    _scores(tally, plain, hostile)
    _night(tally, plain, hostile, *both[0])
    sinks(tally, hostile)
    alerts(tally, *heard)
    if every:
        _terminals(tally, plain, hostile)
        pages = [Path(p) for _, bad in both if "--json" in bad.words for p in _files(json.loads(bad.out))]
        _browsers(tally, [p for p in pages if p.suffix == ".html"], hostile.place)
        _bytes(tally, hostile)
        _keys(tally, hostile)
    return tally


def _learned(plain: Learning, hostile: Learning) -> Tally:
    tally = Tally("hostile texts that a model learns from, output by output")
    both = [said for asked in (lessons, beside) for said in _both(tally, plain, hostile, asked)]
    judged(tally, plain, hostile, both)
    sinks(tally, hostile)
    return tally


def _both(
    tally: Tally, plain: Asked, hostile: Asked, asked: Callable[[Asked], Iterator[Words]]
) -> list[tuple[Said, Said]]:
    """Run commands in both worlds at once, and judge the words of each."""
    waiting = [w.run(list(asked(w))) for w in (plain, hostile)]
    both = list(zip(*(told() for told in waiting), strict=True))
    for good, bad in both:
        _words(tally, good, bad)
    return both


def _terminals(tally: Tally, plain: World, hostile: World) -> None:
    """Judge what a terminal gets that shows colours and bars."""
    waiting = []
    for world in (plain, hostile):
        asked = [("score", PIPELINE, "--as-of", TONIGHT), ("changes", PIPELINE), ("overview", PIPELINE)]
        for account in list(world.ids.values())[: len(TEXTS)]:
            asked += [("explain", PIPELINE, *more, "--", account) for more in ((), ("--text",))]
            asked += [("explain", PIPELINE, "--", account[:-1])]
        waiting.append(world.run(asked, terminal=True))
    screens = [told() for told in waiting]
    for good, bad in zip(*screens, strict=True):
        usual = raw(good.out + good.err, colours=True)
        found = [c for c in raw(bad.out + bad.err, colours=True) if c not in usual]
        found += forged(f"{bad.out}\n{bad.err}", FORGED)
        if found or bad.code != good.code:
            tally.wrong("commands or forged lines", f"terminal, {bad.name}: exit {bad.code}, {found[:5]}")
        else:
            tally.good("screens without commands or forged lines")


def _browsers(tally: Tally, pages: list[Path], place: Path) -> None:
    """Open all pages in a browser."""
    if browser() is None:
        tally.good("skipped: no Chromium is here")
        return
    for page in dict.fromkeys(pages):
        if found := visits(page, place):
            tally.wrong("run in a browser", f"{page.name}: {found[:3]}")
        else:
            tally.good("pages that a browser shows without a run, a request or a complaint")


def _bytes(tally: Tally, world: World) -> None:
    """Write names that are no text: halves of pairs, loose bytes, letters in too many bytes."""
    path = world.ws.raw(PIPELINE) / "companies.parquet"
    whole = pq.read_table(path)
    for content in (b"\xed\xa0\x80", b"\xff\xfe=1", b"\xc0\xafx", b"x\xe2\x80"):
        names = [content, *(n.encode() for n in whole["name"].to_pylist()[1:])]
        # Arrow does not look at what it is given so.
        column = pa.array(names, pa.binary()).view(pa.string())
        pq.write_table(whole.set_column(whole.schema.get_field_index("name"), "name", column), path)
        (said,) = world.run([("score", PIPELINE, "--as-of", TONIGHT, "--full")])()
        told = "HVD006" in said.out and said.code == 0
        if "Traceback" in said.err or not (told or said.code in (1, 3)):
            tally.wrong("not told", f"name {content!r}: exit {said.code}: {said.err[-300:]!r}")
        else:
            tally.good("names that are no text set aside" if told else "names that are no text refused")


def _keys(tally: Tally, world: World) -> None:
    """Write a key with NUL, which most databases refuse: its row is set aside, and the night delivered."""
    path = world.ws.raw(PIPELINE) / "companies.parquet"
    whole = pq.read_table(path)
    ids = ["a\0b", *whole["company_id"].to_pylist()[1:]]
    pq.write_table(put(whole, "company_id", ids), path)
    score, deliver = world.run([("score", PIPELINE, "--as-of", TONIGHT, "--full"), ("deliver", PIPELINE)])()
    if "HVD006" in score.out and (score.code, deliver.code) == (0, 0):
        tally.good("keys with NUL set aside, the rest delivered")
    else:
        tally.wrong("not told", f"key with NUL: {score.code}, {deliver.code}: {deliver.err[-300:]!r}")


def _words(tally: Tally, good: Said, bad: Said) -> None:
    """Judge what a terminal, or somebody who reads its lines, gets."""
    found = [*raw(bad.out + bad.err), *forged(f"{bad.out}\n{bad.err}", FORGED)]
    if bad.code != good.code or "Traceback" in bad.out + bad.err:
        tally.wrong("not told", f"{bad.name}: exit {bad.code} instead of {good.code}: {bad.err[-300:]!r}")
    elif found:
        tally.wrong("commands or forged lines", f"{bad.name}: {found[:5]}")
    else:
        tally.good("texts without commands or forged lines")


def _documents(tally: Tally, good: Said, bad: Said) -> None:
    """Judge a JSON document, and the pages that it names."""
    one, other = (json.loads(said.out) for said in (good, bad))
    pages = [[Path(p) for p in _files(d)] for d in (one, other)]
    if bad.words[0] == "score":
        one["findings"] = other["findings"] = ()  # that texts are odd is told
    if numbers(one) != numbers(other):
        tally.wrong("other documents", bad.name)
    else:
        tally.good("JSON with the same numbers")
    for page, hostile in zip(*pages, strict=True):
        _page(tally, page, hostile)


def _files(document: dict[str, Any]) -> list[str]:
    return [*document.get("files", ()), *([document["page"]] if document.get("page") else [])]


def _page(tally: Tally, good: Path, bad: Path) -> None:
    expected, _ = shape(good.read_text(encoding="utf-8"))
    found, unsafe = shape(bad.read_text(encoding="utf-8"))
    if found != expected or unsafe:
        tally.wrong("markup", f"{bad.name}: {unsafe[:3]}, {len(found)} tags instead of {len(expected)}")
    else:
        tally.good("pages with the same tags")


def _scores(tally: Tally, plain: World, hostile: World) -> None:
    """Hold the scores of both vendors to each other, account by account."""
    known = {new: old for old, new in hostile.ids.items()}
    good, bad = (read(w.ws.scores(PIPELINE)).to_pylist() for w in (plain, hostile))
    said = ["conversion_probability", "value_if_converted", "expected_value", "rank", "tier"]
    expected = {r["account_id"]: [r[c] for c in said] for r in good}
    same = sum([r[c] for c in said] == expected[plain.ids[known[r["account_id"]]]] for r in bad)
    if same != len(expected) or len(bad) != len(plain.ids):
        tally.wrong("other scores", f"{same} of {len(expected)} accounts have the same score")
    else:
        tally.good("run with the same scores")


def _night(tally: Tally, plain: World, hostile: World, good: Said, bad: Said) -> None:
    """Judge the log and the metrics of the night."""
    lines = [[numbers(json.loads(line)) for line in said.err.splitlines()] for said in (good, bad)]
    if [line.keys() for line in lines[0]] == [line.keys() for line in lines[1]]:
        tally.good("log with the same lines")
    else:
        tally.wrong("other lines", f"{len(lines[1])} lines of the log instead of {len(lines[0])}")
    both = [metrics((w.place / METRICS).read_text(encoding="utf-8")) for w in (plain, hostile)]
    if both[0] == both[1]:
        tally.good("metrics with the same names")
    else:
        tally.wrong("other metrics", f"{set(both[1]) ^ set(both[0])}"[:300])
