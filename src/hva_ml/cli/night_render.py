"""How changes, advice and overviews look in a terminal."""

from typing import TYPE_CHECKING

from rich.console import Console

from hva_ml.cli.render import plain
from hva_ml.cli.terminal import escaped
from hva_ml.reports.language import Tongue

if TYPE_CHECKING:
    from hva_ml.jobs.advise import Advised
    from hva_ml.jobs.changes import Changes
    from hva_ml.jobs.overview import Overview


def changes(out: Console, found: "Changes", language: str) -> None:
    """Show movers with their causes, surges, and the page's path."""
    word = Tongue("de" if language == "de" else "en").word
    shown: set[str] = set()
    for key, rows in (("biggest_up", found.up), ("biggest_down", found.down), ("tier_moves", found.moved)):
        fresh = [m for m in rows if m.account_id not in shown][:10]
        if fresh:
            out.print(f"[bold]{word(key)}[/]")
        for m in fresh:
            shown.add(m.account_id)
            out.print(f"  {escaped(m.account_id)} {escaped(m.name)}: {escaped(m.text)}", soft_wrap=True)
    if found.surges:
        out.print(f"[bold]{word('alerts_title')}[/]")
    for alert in found.surges[:10]:
        out.print(
            f"  {escaped(alert.account_id)} {escaped(alert.name)}: {escaped(alert.text)}", soft_wrap=True
        )
    if not shown and not found.surges:
        out.print(word("no_moves"))
    if found.files:
        out.print(
            f"{word('new_accounts')}: {len(found.new)} · {word('vanished_accounts')}: {len(found.vanished)}"
        )
    for path in found.files:
        out.print(f"Page     {path}", soft_wrap=True)


def advice(out: Console, found: "Advised") -> None:
    """Show what would help, and what stands beside it."""
    out.print(f"[bold]{escaped(found.title)}[/]", soft_wrap=True)
    for sentence in found.sentences:
        out.print(f"  {escaped(sentence)}", soft_wrap=True)
    out.print(f"[dim]{escaped(found.note)}[/]", soft_wrap=True)


def overview(out: Console, found: "Overview", language: str, country: str) -> None:
    """Show a sentence for each tier, the heaviest topics, how firm they are, and the page's path."""
    tongue = Tongue("de" if language == "de" else "en", country)
    for tier in found.tiers:
        out.print(escaped(tier.text), soft_wrap=True)
    if found.lifetime:
        out.print(escaped(found.lifetime), soft_wrap=True)
    words = tongue.word
    table = plain(words("topic"), words("factor"), words("told_for"), words("told_against"))
    for row in found.importance.slice(0, 10).to_pylist():
        shares = (tongue.percent(row[k], 0) for k in ("told_for", "told_against"))
        table.add_row(escaped(row["label"]), f"×{tongue.number(row['factor'], 2)}", *shares)
    out.print(table)
    out.print(f"[bold]{tongue.word('stability_title')}[/]")
    out.print(escaped(found.stability), soft_wrap=True)
    for path in found.files:
        out.print(f"Page     {path}", soft_wrap=True)
