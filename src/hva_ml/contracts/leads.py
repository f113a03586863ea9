"""From a table of leads, as it is, to the columns of the contract; then what is wrong with the leads.

Nothing is computed from other leads here, and no row is left out without being counted.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import UNDATED, Leads, PipelineConfig
from hva_ml.config.leads import RESERVED, slug
from hva_ml.contracts import codes
from hva_ml.contracts.casting import mask
from hva_ml.contracts.draft import Draft
from hva_ml.contracts.privacy import shown
from hva_ml.errors import ContractError, bounded, nearest

AFTER_THE_FACT = re.compile(
    r"(^|_)(duration|won|lost|close|closed|reason|invoice|invoiced|signed|outcome|status|stage|result)(_|$)"
)
"""Words in the names of columns that are most often filled in once a lead is decided."""
_SEPARATOR = "\x1f"


def shaped(raw: pa.Table, opened: pa.Table | None, leads: Leads) -> pa.Table:
    """Return the table of leads under the contract's source names.

    Parameters
    ----------
    raw : pyarrow.Table
        Leads as they are, columns under the user's names.
    opened : pyarrow.Table or None
        Further leads without an outcome, columns as in `raw`; they come last.
    leads : Leads
        Section ``[leads]``.

    Returns
    -------
    pyarrow.Table
        Columns of the contract that ``[leads]`` names, those of its features under their names, and what no
        one has named under its own. Columns of ``after_outcome`` are gone. A lead without an id is called by
        its place in the order, or by its content.

    Raises
    ------
    ContractError
        If a named column is missing, or nobody can tell which values mean lost.
    """
    table = _named(raw, leads, is_open=False)
    if opened is not None:
        table = pa.concat_tables([table, _named(opened, leads, is_open=True)], promote_options="permissive")
    if leads.order == "rows":
        table = table.append_column("position", pa.array(range(table.num_rows), pa.int64()))
    if not leads.created:
        midnight = datetime(UNDATED.year, UNDATED.month, UNDATED.day, tzinfo=UTC)
        nowhen = pa.array([midnight] * table.num_rows, pa.timestamp("us", "UTC"))
        table = table.append_column("event_time", nowhen)
    # By the user's word all columns are known at the contact, but for those after the outcome.
    table = table.append_column("known_at", table["event_time"])
    if not leads.id:
        table = table.append_column("account_id", _called(table, leads))
    return table


def check(draft: Draft, config: PipelineConfig) -> None:
    """Add what is wrong with leads to a usable draft; leads won before their contact are set aside."""
    leads = config.leads
    if leads is None or not draft.usable:
        return
    won, won_at = draft.columns.get("won"), draft.columns.get("won_at")
    if won_at is not None:
        # A contact without an hour is a day: a win of that day does not lie before it.
        day = draft.columns["event_time"]
        earlier = pc.less(pc.add(won_at, pa.scalar(86_400_000_000, pa.duration("us"))), day)
        draft.set_aside(codes.WON_BEFORE_CONTACT, "won_at", mask(earlier) & draft.clean)
        if won is not None and leads.won_within_days is not None:
            undated = mask(won) & mask(won_at.is_null()) & draft.clean
            draft.set_aside(codes.WON_WITHOUT_DAY, "won_at", undated)
    if won is not None and leads.won_within_days is None:
        draft.note(codes.OPEN_LEADS, "won", mask(won.is_null()) & draft.clean)
    if leads.clock == "none":
        draft.note(codes.DUPLICATE_LEADS, "", _copies(draft, leads))
    for name, feature in leads.features.items():
        if any(AFTER_THE_FACT.search(slug(word)) for word in (name, feature.column)):
            draft.note(codes.AFTER_THE_FACT, name, count=draft.delivered)


def alike(table: pa.Table, names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return a number for each row, shape (n_rows,): the same where all these columns are equal."""
    code = np.zeros(table.num_rows, dtype=np.int64)
    for name in names:
        column = table[name]
        column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        indices = pc.fill_null(pc.dictionary_encode(column).indices, -1).to_numpy(zero_copy_only=False)
        own = indices.astype(np.int64) + 1
        code = np.unique(code * (int(own.max(initial=0)) + 1) + own, return_inverse=True)[1].astype(np.int64)
    return code


def _named(raw: pa.Table, leads: Leads, *, is_open: bool) -> pa.Table:
    roles = {
        "account_id": leads.id, "name": leads.name, "event_time": leads.created, "value": leads.value,
        "won_at": leads.won_at, "strategic_weight": leads.strategic_weight,
        "position": "" if leads.order == "rows" else leads.order,
    }  # fmt: skip
    late = ("won_at", "value")
    found = {r: _column(raw, c) for r, c in roles.items() if c and not (is_open and r in late)}
    if leads.won and not is_open:
        found["won"] = _outcome(_column(raw, leads.won), leads)
    if leads.group:
        words = [_text(_column(raw, c)) for c in leads.group]
        whole = pc.binary_join_element_wise(*words, _SEPARATOR, null_handling="replace")
        nothing = pc.equal(whole, _SEPARATOR * (len(words) - 1))
        found["group"] = pc.if_else(nothing, pa.scalar(None, pa.string()), whole)
    by_slug = {slug(c): c for c in raw.column_names}
    for name, feature in leads.features.items():
        found[name] = _column(raw, feature.column or by_slug.get(name, name))
    gone = {c for c in (*roles.values(), leads.won, *leads.group, *leads.after_outcome) if c}
    gone |= {f.column or by_slug.get(n, n) for n, f in leads.features.items()}
    rest = [c for c in raw.column_names if c not in gone and c not in found and c not in RESERVED]
    return pa.table({**found, **{c: raw[c] for c in rest}})


def _column(raw: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in raw.column_names:
        raise ContractError(
            f"The table of leads has no column '{bounded(name, 60)}'.{nearest(name, raw.column_names)}",
            where="[leads]",
            why="A column that is silently empty would be learned as such.",
            fix=f"Use one of: {bounded(', '.join(map(shown, raw.column_names)), 300)}.",
        )
    return raw[name]


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return pc.fill_null(pc.utf8_trim_whitespace(column.cast(pa.string())), "")


def _outcome(column: pa.ChunkedArray, leads: Leads) -> pa.ChunkedArray:
    """Return the outcome as true, false and null; as it is where no values are named."""
    if not leads.won_values:
        return column
    words = _text(column)
    won = pc.is_in(words, pa.array(leads.won_values))
    others = Counter(v for v in words.to_pylist() if v and v not in leads.won_values)
    lost = leads.lost_values or tuple(others)
    if len(lost) > 1 and not leads.lost_values:
        shown = ", ".join(f"'{v}'" for v, _ in others.most_common(6))
        raise ContractError(
            f"The outcome has {len(others)} values besides won_values: {bounded(shown, 200)}.",
            where=f"[leads] won = {leads.won!r}",
            why="A lead that is still open is no lost one.",
            fix="Name those that mean lost: lost_values = [...]; all others then count as open.",
        )
    decided = pc.or_(won, pc.is_in(words, pa.array(lost, pa.string())))
    return pc.if_else(decided, won, pa.scalar(None, pa.bool_()))


def _called(table: pa.Table, leads: Leads) -> pa.Array:
    """Return ids for leads that have none: the same for the same place, or for the same content."""
    if leads.clock == "order" and leads.order == "rows":
        return pa.array([f"{k:07d}" for k in range(1, table.num_rows + 1)])
    seen: Counter[str] = Counter()
    ids = []
    for row in zip(*(table[c].to_pylist() for c in sorted(table.column_names)), strict=True):
        content = hashlib.sha256(_SEPARATOR.join(map(repr, row)).encode()).hexdigest()[:12]
        seen[content] += 1
        ids.append(content if seen[content] == 1 else f"{content}-{seen[content]}")
    return pa.array(ids, pa.string())


def _copies(draft: Draft, leads: Leads) -> npt.NDArray[np.bool_]:
    """Return the rows whose features and outcome an earlier row has, too."""
    names = [n for n in (*leads.features, "won", "won_at") if n in draft.columns]
    names += [f"{n}_cents" for n in leads.features if f"{n}_cents" in draft.columns]
    code = alike(pa.table({n: draft.columns[n] for n in names}), names)
    first = np.unique(code, return_index=True)[1]
    copies = np.ones(len(code), dtype=np.bool_)
    copies[first] = False
    return copies & draft.clean
