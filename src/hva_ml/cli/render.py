"""How results look in a terminal. It computes nothing; numbers come as the jobs made them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table

from hva_ml.cli.terminal import escaped
from hva_ml.ledger.reuse import summary
from hva_ml.reports.language import Tongue

if TYPE_CHECKING:
    from hva_ml.jobs.check import CheckReport
    from hva_ml.jobs.contest import Contest
    from hva_ml.jobs.demo import Demo
    from hva_ml.jobs.explained import Explained
    from hva_ml.jobs.promote import Release
    from hva_ml.jobs.score import Scores
    from hva_ml.jobs.shadow import Shadow
    from hva_ml.jobs.train import Run
    from hva_ml.publication import AuditRow

COLOURS = {"error": "bold red", "warning": "yellow", "info": "dim"}
OUTCOMES = {"found": "bold red", "passed": "green", "not applicable": "dim"}
SHOWN = (
    ("roc_auc", "ROC AUC"),
    ("pr_auc", "PR AUC"),
    ("brier", "Brier"),
    ("calibration_error", "Calibration error"),
    ("captured_revenue_top_20", "Revenue in top 20 %"),
    ("normalized_gini", "Gini of value"),
    ("total_ratio", "Predicted / actual"),
    ("value_coverage", "Values between bounds"),
)


def plain(*columns: str, title: str = "") -> Table:
    """Return an empty table in the house's manner; the last columns are numbers."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def interval(row: Mapping[str, Any] | None) -> str:
    """Return a value with its 95 % interval, or a dash where it is undefined."""
    if row is None or row["value"] is None:
        return "–"
    if row["low"] is None:
        return f"{row['value']:z.3f}"
    return f"{row['value']:z.3f} [dim]{row['low']:z.3f}–{row['high']:z.3f}[/]"


def run(out: Console, run: "Run") -> None:
    """Show one training: the model against every baseline on the untouched cutoffs."""
    rows = {(r["model"], r["metric"]): r for r in run.metrics.to_pylist()}
    models = list(dict.fromkeys(m for m, _ in rows))
    called = Tongue("en")
    leads = run.workspace.config(run.pipeline).leads is not None
    table = plain(
        "Metric, leads judged" if leads else "Metric, later cutoffs",
        *(called.model(m) for m in models),
        title=f"{run.name} · version {run.version}",
    )
    for metric, label in SHOWN:
        if any((rows.get((m, metric)) or {}).get("value") is not None for m in models):
            table.add_row(label, *(interval(rows.get((m, metric))) for m in models))
    out.print(table)
    for finding in run.findings:
        if finding.code.startswith("HVA") and finding.severity != "info":
            colour = COLOURS[finding.severity]
            out.print(f"[{colour}]{finding.code}[/] {escaped(finding.what)}", soft_wrap=True)
    out.print(f"Report   {run.report}", soft_wrap=True)
    out.print(f"Release  {run.release[:16]} (the same data, file and versions give the same)")
    out.print(f"Next     hva promote {run.pipeline}")


def compare(out: Console, pipeline: str, runs: Sequence[Mapping[str, Any]]) -> None:
    """Show runs side by side."""
    if not runs:
        out.print(f"No finished run yet. Next: hva train {pipeline}")
        return
    table = plain("Run", "Version", "Alias", "Started", *(label for _, label in SHOWN))
    for found in runs:
        metrics = found["metrics"]
        values = (metrics.get(f"test.{m}") for m, _ in SHOWN)
        table.add_row(
            found["name"], str(found["version"]), ", ".join(found["aliases"]), str(found["started"])[:16],
            *("–" if v is None else f"{v:.3f}" for v in values),
        )  # fmt: skip
    out.print(table)


def contest(out: Console, found: "Contest") -> None:
    """Show models on the same rows, and how far the first is ahead."""
    rows = {(r["model"], r["metric"]): r for r in found.metrics.to_pylist()}
    table = plain(f"{found.rows:,} common test rows", *(escaped(m) for m in found.models))
    for metric, label in SHOWN:
        table.add_row(label, *(interval(rows.get((m, metric))) for m in found.models))
    out.print(table)
    for sentence in found.sentences:
        out.print(escaped(sentence), soft_wrap=True)
    out.print(f"Report   {found.report}", soft_wrap=True)


def shadow(out: Console, found: "Shadow") -> None:
    """Show a challenger beside the champion."""
    table = plain("Champion \\ challenger", "A", "B", "C")
    cells = {(r["tier_champion"], r["tier_challenger"]): r["accounts"] for r in found.migration.to_pylist()}
    for old in "ABC":
        table.add_row(old, *(f"{cells[old, new]:,}" for new in "ABC"))
    out.print(table)
    alike = "not defined" if found.rank_correlation is None else f"{found.rank_correlation:.3f}"
    out.print(f"Version {found.challenger} beside version {found.champion}, night of {found.as_of}")
    out.print(f"Rank correlation {alike}; {found.overlap:.0%} of the best {found.top} accounts are the same")
    out.print(f"Expected value   {found.total_champion:,.0f} → {found.total_challenger:,.0f}")
    for line in found.sentences:
        out.print(escaped(line), soft_wrap=True)
    out.print(f"Report   {found.report}", soft_wrap=True)


def release(out: Console, release: "Release") -> None:
    """Show a promotion with every gate."""
    table = plain("Gate", "Holds", "Measured")
    for gate in release.gates:
        table.add_row(
            gate.name, "[green]yes[/]" if gate.passed else "[bold red]no[/]", escaped(gate.sentence())
        )
    out.print(table)
    if release.forced:
        out.print(f"[yellow]Forced:[/] {escaped(release.forced)}")
    for note in release.notes:
        out.print(f"[yellow]Note:[/] {escaped(note)}", soft_wrap=True)
    out.print(
        f"Champion of {release.pipeline} is now version {release.version}: {release.path}", soft_wrap=True
    )
    out.print(f"Release  {release.release}", soft_wrap=True)


def check(out: Console, report: "CheckReport") -> None:
    """Show findings as rows."""
    counts = plain("Table", "Rows kept", "Set aside", title=f"Contract of {report.pipeline}")
    for name, (clean, aside) in report.rows.items():
        counts.add_row(name, f"{clean:,}", f"{aside:,}")
    out.print(counts)
    if report.quirks:
        quirks = plain("Set right by the source queries", "Rows", "What")
        for row in report.quirks:
            quirks.add_row(*(escaped(str(v)) for v in row.values()))
        out.print(quirks)
    if report.violations:
        table = plain("Code", "Severity", "Where", "Rows", "What was found", "What to do")
        for v in report.violations:
            ids = f" [dim]({escaped(', '.join(v.ids))})[/]" if v.ids else ""
            table.add_row(
                v.code, f"[{COLOURS[v.severity]}]{v.severity}[/]", escaped(v.where), f"{v.count:,}",
                escaped(v.what) + ids, escaped(v.fix),
            )  # fmt: skip
        out.print(table)
    if report.probes:
        probes = plain("Code", "Probe", "Outcome", "What was asked")
        for p in report.probes:
            why = f" Not applicable: {p.not_applicable}." if p.not_applicable else ""
            outcome = f"[{OUTCOMES[p.outcome]}]{p.outcome}[/]"
            probes.add_row(p.code, p.name, outcome, f"[dim]{escaped(p.what + why)}[/]")
        out.print(probes)
    verdict = (
        "[green]Nothing stands in the way of training.[/]"
        if report.ok
        else "[bold red]Refused: errors above.[/]"
    )
    out.print(verdict)


def _amount(value: float) -> str:
    return f"{value:,.2f}" if abs(value) < 10 and value != round(value) else f"{value:,.0f}"


def scores(out: Console, scores: "Scores", rows: int = 15) -> None:
    """Show the best accounts of a run."""
    record = scores.record()
    title = f"{scores.pipeline} as of {scores.as_of}: {record['accounts']:,} accounts"
    table = plain(
        "#", "Account", "Tier", "Likelihood", "Value if won", "Expected value", "Percentile", "Work now",
        title=title,
    )  # fmt: skip
    for row in scores.table.slice(0, rows).to_pylist():
        table.add_row(
            str(row["rank"]), escaped(row["account_id"]), row["tier"], f"{row['conversion_probability']:.1%}",
            _amount(row["value_if_converted"]), _amount(row["expected_value"]), f"{row['percentile']:.1f}",
            "●" if row["in_capacity"] else "",
        )  # fmt: skip
    out.print(table)
    tiers = ", ".join(f"{t} {n:,}" for t, n in record["tiers"].items())  # type: ignore[attr-defined]
    state = "published" if scores.published else "already published, nothing done again"
    out.print(f"Tiers    {tiers}; expected value in all {_amount(record['expected_value'])}")  # type: ignore[arg-type]
    out.print(f"Run      {scores.run_id} ({state})")
    out.print(f"Folder   {scores.path}", soft_wrap=True)
    out.print(f"Page     {scores.page}", soft_wrap=True)
    for place, line in enumerate(summary(scores.reuse)):
        out.print(f"{'' if place else 'Sources':8} {escaped(line)}", soft_wrap=True)
    for finding in scores.findings:
        if finding.severity != "info":
            said = f"{escaped(finding.where)}: {escaped(finding.what)}"
            out.print(f"[{COLOURS[finding.severity]}]{finding.code}[/] {said}")
    audit(out, scores.audit, scores.forced)


def audit(out: Console, rows: "Sequence[AuditRow]", forced: str = "") -> None:
    """Show what a run was held to; what passed is only counted."""
    passed = sum(r.outcome == "passed" for r in rows)
    out.print(f"Audit    {passed} of {len(rows)} hold")
    for row in rows:
        if row.outcome == "found":
            out.print(
                f"[bold red]{row.code}[/] {escaped(row.what)} Asked for: {escaped(row.bound)}", soft_wrap=True
            )
    reasons = list(dict.fromkeys(r.what for r in rows if r.outcome == "not applicable"))
    for reason in reasons:
        out.print(f"[dim]Not applicable: {escaped(reason)}[/]", soft_wrap=True)
    if forced:
        out.print(f"[yellow]Forced:[/] {escaped(forced)}", soft_wrap=True)


def explanation(out: Console, found: "Explained") -> None:
    """Show one account: headline, reasons, arithmetic, the page's path."""
    if stale := found.told.run.stale:
        out.print(f"[yellow]Stale[/] {escaped(stale.what)}", soft_wrap=True)
    body = [escaped(found.text), *(["", escaped(found.lifetime)] if found.lifetime else [])]
    table = plain(*found.columns)
    for step in found.steps:
        table.add_row(*(escaped(part) for part in step))
    out.print(
        Panel(
            Group(*body, "", table), title=escaped(found.title), title_align="left", width=min(out.width, 110)
        )
    )
    called = Tongue(found.language, found.country)
    overview = plain(
        called.word("family"), called.word("on_probability"), called.word("on_value"), found.columns[1]
    )
    for family in found.families:
        factors = (family.likelihood, family.value, family.total)
        overview.add_row(called.family(family.family), *(called.factor(f) for f in factors))
    out.print(overview)
    if found.neighbours:
        like = plain(called.word("neighbours_title"), "", "")
        # A long name goes on in the next line, which must not begin like one of ours.
        like.pad_edge = True
        for n in found.neighbours:
            who = f"{n.name} ({n.account_id})" if n.name else n.account_id
            bought = f"{called.day(n.as_of)}: {called.money(n.value, n.currency)}"
            like.add_row(escaped(who), bought, escaped(", ".join(n.shared)))
        out.print(like)
    for path in found.files:
        out.print(f"Page     {path}", soft_wrap=True)


def demo(out: Console, found: "Demo") -> None:
    """Show the whole demonstration."""
    out.print(
        "[bold]Simulated data:[/] an invented German, Austrian and Swiss vendor whose true odds are known."
    )
    run(out, found.run)
    out.print()
    release(out, found.release)
    out.print()
    scores(out, found.scores)
    out.print()
    explanation(out, found.explained)
    out.print(f"Report   {found.run.report}", soft_wrap=True)
    second = found.scores.table["account_id"][1].as_py()
    out.print(f"Next     hva explain {found.scores.pipeline} {second} --lang de")


def datasets(out: Console, found: Sequence[Mapping[str, Any]]) -> None:
    """Show the public data sets."""
    table = plain("Name", "Title", "Licence", "Here")
    for row in found:
        table.add_row(
            row["name"],
            escaped(str(row["title"])),
            escaped(str(row["licence"])),
            escaped(str(row["here"]) or "no"),
        )
    out.print(table)
