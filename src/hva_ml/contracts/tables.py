"""The contract tables of an account universe. Everything downstream speaks of these and of nothing else."""

from hva_ml.contracts.schema import Column, Kind, TableContract

_ID = Column("account_id", "id", "Account the row belongs to.", required=True, nullable=False)


def _clocks(what: str) -> tuple[Column, Column]:
    return (
        Column("event_time", "time", f"When {what}.", required=True, nullable=False, unit="UTC"),
        Column("known_at", "time", "When we could first have known it; event_time if not given.", unit="UTC"),
    )


ACCOUNTS = TableContract(
    "accounts",
    "Companies that may buy, one row per version of their master data.",
    ("account_id", "event_time"),
    (
        _ID,
        *_clocks("this version of the master data became valid (for the first one: the account came to be)"),
        Column("name", "text", "Company name, shown to sellers; never a feature."),
        Column("country", "category", "ISO 3166 code of the seat (DE, AT, CH …)."),
        Column("postcode", "category", "Postal code of the seat, leading zeros kept."),
        Column("industry_code", "category", "WZ 2008 / NACE Rev. 2 code, e.g. 28.41."),
        Column("legal_form", "category", "Legal form, e.g. GmbH, AG, KG."),
        Column("employees", "number", "Number of employees.", unit="heads"),
        Column("annual_revenue", "number", "Annual revenue of the company.", unit="currency units"),
        Column("founded_year", "integer", "Year of foundation.", unit="year"),
        Column("parent_id", "id", "Account of the direct parent company, if any."),
        Column("strategic_weight", "number", "The user's own strategic weight; carried beside the score."),
    ),
)

CONTACTS = TableContract(
    "contacts",
    "People we know at an account, without names or addresses.",
    ("contact_id",),
    (
        Column("contact_id", "id", "Pseudonymous key of the contact.", required=True, nullable=False),
        _ID,
        *_clocks("the contact was added"),
        Column("job_function", "category", "Function, e.g. purchasing, engineering."),
        Column("seniority", "category", "Seniority, e.g. executive, manager, staff."),
    ),
)

EVENTS = TableContract(
    "events",
    "Engagement: web visits, e-mails, events, calls.",
    ("event_id",),
    (
        Column("event_id", "id", "Key of the event.", required=True, nullable=False),
        _ID,
        *_clocks("the engagement happened"),
        Column(
            "event_type", "category", "Type, e.g. web_visit, email_open, call.", required=True, nullable=False
        ),
        Column("contact_id", "id", "Contact who acted, if known."),
    ),
)

DEAL_STAGES = TableContract(
    "deal_stages",
    "History of deals: one row each time a deal enters a stage, or its amount or expected close date changes "
    "in it; 'won' and 'lost' end it.",
    ("deal_id", "event_time"),
    (
        Column("deal_id", "id", "Key of the deal.", required=True, nullable=False),
        _ID,
        *_clocks("the deal entered the stage, or changed in it"),
        Column(
            "stage",
            "category",
            "Stage from then on: an open stage, 'won' or 'lost'.",
            required=True,
            nullable=False,
        ),
        Column("amount", "money", "Amount of the deal as then known.", unit="minor units"),
        Column("currency", "category", "ISO 4217 code of the amount."),
        Column(
            "expected_close_at",
            "time",
            "When the deal was then expected to close; a date is its midnight.",
            unit="UTC",
        ),
    ),
)

INVOICES = TableContract(
    "invoices",
    "Invoices and credit notes; a credit note has a negative amount.",
    ("invoice_id",),
    (
        Column("invoice_id", "id", "Key of the invoice.", required=True, nullable=False),
        _ID,
        *_clocks("the invoice was issued"),
        Column("amount", "money", "Net amount; negative for a credit note.", required=True, nullable=False,
               unit="minor units"),
        Column("currency", "category", "ISO 4217 code of the amount."),
    ),
)  # fmt: skip

LEADS = TableContract(
    "leads",
    "Leads, one row each, as they were when first contacted; made from your table as `[leads]` says.",
    ("account_id",),
    (
        Column("account_id", "id", "Key of the lead.", required=True, nullable=False),
        *_clocks("the lead was first contacted; one and the same day for all where no day is known"),
        Column("name", "text", "What sellers call the lead; never a feature."),
        Column("group", "id", "Leads that belong together, e.g. of one company."),
        Column("position", "integer", "Place in the order of time, where only an order is known."),
        Column("won", "flag", "Won or lost; empty while open."),
        Column("won_at", "time", "When it was won.", unit="UTC"),
        Column("value", "money", "What it was worth, if won.", unit="minor units"),
        Column("strategic_weight", "number", "The user's own strategic weight; carried beside the score."),
    ),
)

CONTRACT: dict[str, TableContract] = {
    t.name: t for t in (ACCOUNTS, CONTACTS, EVENTS, DEAL_STAGES, INVOICES, LEADS)
}


ATTRIBUTE_COLUMNS: dict[str, tuple[str, ...]] = {
    "country": ("country",),
    "region": ("country", "postcode"),
    "industry_section": ("industry_code",),
    "industry_division": ("industry_code",),
    "legal_form": ("legal_form",),
    "employees": ("employees",),
    "size_class": ("employees",),
    "annual_revenue": ("annual_revenue",),
    "revenue_per_employee": ("annual_revenue", "employees"),
    "age_years": ("founded_year",),
    "has_parent": ("parent_id",),
    "children": ("parent_id",),
}
"""Columns of `accounts` that each firmographic attribute is made from."""


def contract_for(name: str, extra: dict[str, Kind] | None = None) -> TableContract:
    """Return the contract of table `name`, extended by the user's declared columns.

    Parameters
    ----------
    name : str
        One of the keys of ``CONTRACT``.
    extra : dict of str to str, optional
        The pipeline file's own columns and their kinds.

    Examples
    --------
    >>> contract_for("invoices", {"items": "number"}).names[-1]
    'items'
    """
    base = CONTRACT[name]
    columns = tuple(Column(n, k, "Declared in the pipeline file.") for n, k in (extra or {}).items())
    return base.extended(columns)
