"""The section ``[leads]``: one table of leads, each looked at once, when it was first contacted.

A file with this section is short for a whole pipeline: `spelled_out` writes the sections that follow from it.
"""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool
from pydantic.dataclasses import dataclass

from hva_ml.config.names import FROZEN, Days, Family, Name, Share, Unit

NO_CURRENCY = "XXX"
"""ISO 4217's code for no currency: what is counted are wins."""
UNDATED = date(2000, 1, 1)
"""Where leads without a day stand in tables that need one; it is never shown."""
RESERVED = frozenset(
    {
        "account_id", "event_time", "known_at", "name", "group", "position", "won", "won_at", "value",
        "strategic_weight",
    }
)  # fmt: skip
FOLLOW = ("tables", "cutoffs", "horizon", "population", "target", "features", "checks")
"""Sections that follow from ``[leads]``."""
UNTIL_DECIDED = 3660
CAUTIOUS: dict[str, Any] = {
    "num_leaves": [2, 15], "min_child_samples": [5, 200], "feature_fraction": [0.3, 1.0],
    "lambda_l2": [1.0, 100.0],
}  # fmt: skip
"""Ranges of a search among few rows: few leaves, much shrinkage."""


@dataclass(frozen=True, config=FROZEN)
class LeadFeature:
    """``[leads.features.NAME]``: a column that is known when a lead is contacted.

    `column` is its name in the table; by default the one that is `NAME` but for capitals and punctuation.
    Categories take every text for a value, "Unknown" too; an empty cell is unknown. `order` lists the values
    of a category from low to high. With `track_record` there is a second feature: how often leads of the same
    value were won so far, by what was known on the day.
    """

    de: str
    en: str
    kind: Literal["category", "number", "flag", "money"] = "category"
    column: str = ""
    unit: Unit = "number"
    family: Family = "firmographic"
    order: tuple[str, ...] = ()
    track_record: StrictBool = False


@dataclass(frozen=True, config=FROZEN)
class Leads:
    """``[leads]``: what the columns of the table of leads are.

    The table is a source as it is, or what a query makes of it. Leads have a day of first contact
    (`created`), or at least an `order` in time ("rows", or a column of numbers), or neither; that decides how
    models are judged: on the latest leads, or by repeated folds. Won is a lead whose `won` has one of
    `won_values`; with `won_within_days`, one whose `won_at` lies so soon after its contact. A lead whose
    outcome is empty, or whose days are not over, is open: never a negative, but scored.
    """

    features: Annotated[dict[Name, LeadFeature], Field(min_length=1)]
    source: str = ""
    sql: str = ""
    open_source: str = ""
    id: str = ""
    name: str = ""
    created: str = ""
    order: str = ""
    won: str = ""
    won_values: tuple[str, ...] = ()
    lost_values: tuple[str, ...] = ()
    won_at: str = ""
    won_within_days: Days | None = None
    value: str = ""
    deal_value: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    group: tuple[str, ...] = ()
    strategic_weight: str = ""
    duplicates: Literal["group", "drop"] = "group"
    after_outcome: tuple[str, ...] = ()
    first: date | None = None
    data_end: date | None = None
    known_after: Annotated[int, Field(ge=0, le=100_000)] = 0
    recent_rate: tuple[Annotated[int, Field(ge=10, le=100_000)], ...] = ()
    test_share: Share = 0.2
    test_from: date | None = None
    refit_every: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    folds: Annotated[int, Field(ge=3, le=50)] = 10
    repeats: Annotated[int, Field(ge=1, le=100)] = 3

    @property
    def judged(self) -> str:
        """The sentence that says on what models are judged."""
        if self.clock == "none":
            return (
                f"Means over {self.repeats} times {self.folds} folds: every lead was judged by models that "
                "had seen neither it nor its like."
            )
        unit = "days" if self.clock == "days" else "leads"
        more = (
            f", and made anew every {self.refit_every:,} {unit} of what was known then"
            if self.refit_every
            else ""
        )
        return (
            "Measured on the latest leads, which no setting was chosen on, by a model made of what was known "
            f"when the first of them was contacted{more}."
        )

    @property
    def clock(self) -> Literal["days", "order", "none"]:
        """What is known of time: the day of contact, the order of the leads, or nothing."""
        return "days" if self.created else "order" if self.order else "none"

    @property
    def worth(self) -> bool:
        """Whether money is known of a win."""
        return bool(self.value) or self.deal_value is not None

    def problem(self) -> tuple[str, str] | None:
        """Return what cannot be meant, and what mends it; None if all belongs together."""
        dated = bool(self.created)
        learned = [n for n, f in self.features.items() if f.track_record] + list(map(str, self.recent_rate))
        late = {slug(c) for c in self.after_outcome}
        leaking = [n for n, f in self.features.items() if slug(f.column or n) in late]
        ranked = [n for n, f in self.features.items() if f.order and f.kind != "category"]
        rules = (
            (bool(self.source) == bool(self.sql), "Leads come from one source or one query.",
             'Write source = "leads" or sql = "leads.sql".'),
            (self.clock == "none" and self.refit_every is not None,
             "refit_every needs to know which leads are later.", "Write created or order, or leave it out."),
            (dated and bool(self.order), "Leads have a day of contact or an order, not both.",
             "Leave out order: days have one."),
            (not self.won and self.won_within_days is None, "Nothing says which leads were won, which lost.",
             'Write won = "COLUMN" with won_values, or created, won_at and won_within_days.'),
            (bool(self.won_values or self.lost_values) and not self.won,
             "Values of an outcome are named, but no column.", 'Write won = "COLUMN".'),
            (self.won_within_days is not None and not (dated and self.won_at),
             "won_within_days needs the day of contact and the day of the win.",
             'Write created = "COLUMN" and won_at = "COLUMN", or leave out won_within_days.'),
            (not dated and (self.first is not None or self.test_from is not None),
             "first and test_from are days, but leads have no day of contact.", 'Write created = "COLUMN".'),
            (bool(learned) and self.clock == "none",
             f"Rates of the past ({', '.join(learned)}) need to know what was past.",
             'Write created or order, or leave out track_record and recent_rate.'),
            (bool(self.value) and self.deal_value is not None, "A win is worth its value or the same as any.",
             "Leave out value or deal_value."),
            (bool(leaking), f"'{', '.join(leaking)}' is known only after the outcome, by your own word.",
             "Leave it out of features, or out of after_outcome if it is known at the first contact."),
            (bool(ranked), f"'{', '.join(ranked)}' has an order of values but is no category.",
             'Write kind = "category", or leave out order.'),
            (bool(RESERVED & set(self.features)),
             f"The name '{', '.join(sorted(RESERVED & set(self.features)))}' is taken by the contract.",
             'Call the feature otherwise and name its column: column = "COLUMN".'),
        )  # fmt: skip
        return next(((what, fix) for wrong, what, fix in rules if wrong), None)


def slug(column: str) -> str:
    """Return a column's name as a feature may bear it.

    Examples
    --------
    >>> slug("Comp. Size (EUR)"), slug("emp.var.rate")
    ('comp_size_eur', 'emp_var_rate')
    """
    return "_".join(re.findall(r"[a-z0-9]+", column.lower()))


def spelled_out(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the file with the sections that follow from ``[leads]``; one without it as it is.

    Raises
    ------
    ValueError
        With the name of a section that follows from ``[leads]`` and was given all the same.
    """
    leads = raw.get("leads")
    if not isinstance(leads, dict):
        return raw
    doubled = [s for s in FOLLOW if s in raw]
    split = raw.get("split", {})
    doubled += [f"split.{k}" for k in split if k != "bootstrap"] if isinstance(split, dict) else []
    if doubled:
        raise ValueError(doubled[0])
    told = leads.get("features")
    features = told if isinstance(told, dict) else {}
    kinds = {n: f.get("kind", "category") if isinstance(f, dict) else "category" for n, f in features.items()}
    first = leads.get("first") or UNDATED
    return {
        **raw,
        "pipeline": _with({"currency": NO_CURRENCY}, raw.get("pipeline", {})),
        "tables": {"leads": {"sql": leads.get("sql", ""), "columns": kinds}},
        "cutoffs": {"first": first, "last": first, "data_end": leads.get("data_end")},
        "horizon": {"days": leads.get("won_within_days") or UNTIL_DECIDED},
        "population": {"table": "leads"},
        "target": {"table": "leads", "value_table": "leads"},
        "checks": {"refits": False},
        "split": _with({"groups": "time"}, raw.get("split", {})),
        "search": _with(CAUTIOUS, raw.get("search", {})),
        "gates": _with({"beat_baselines": ["prevalence"]}, raw.get("gates", {})),
    }


def _with(defaults: dict[str, Any], given: Any) -> Any:
    return {**defaults, **given} if isinstance(given, dict) else given
