"""Ten leakers of different kinds, each planted into `dach_sample` as its users would do it by mistake.

Every leaker has an honest twin of the same shape that keeps to the time rules: what catches the one must let
the other through.
"""

from benchmarks.leakers import groups
from benchmarks.leakers.groups import group, whole
from benchmarks.leakers.planting import (
    PIPELINE,
    Leaker,
    Planted,
    all_of,
    employees,
    more_events,
    replaced,
    rewritten,
    snapshot,
)

__all__ = ["LEAKERS", "PIPELINE", "Leaker", "Planted", "all_of", "replaced"]

TOML = f"{PIPELINE}.toml"
POPULATION = replaced(
    TOML,
    'table = "accounts"                  # everybody in the CRM at the cutoff, customer or not',
    'table = "contacts"',
)
WON = "FROM deals WHERE stage = 'Gewonnen'"

LEAKERS = (
    Leaker(
        "label copied",
        "a feature is the label under another name",
        "planted.label",
        whole("planted.label", groups.label),
        group("planted.label", groups.label_before),
    ),
    Leaker(
        "shifted event time",
        "a call is dated ten days before the invoice that it is known from",
        "events.call.",
        Planted(
            more_events(
                "SELECT 'order-' || invoice_no, company_id, issued_at - INTERVAL 10 DAY, "
                "issued_at - INTERVAL 10 DAY, 'call', NULL FROM invoices"
            )
        ),
        Planted(
            more_events(
                "SELECT 'order-' || invoice_no, company_id, issued_at, "
                "issued_at + INTERVAL 1 DAY, 'call', NULL FROM invoices"
            )
        ),
    ),
    Leaker(
        "field overwritten at close",
        "a rating in an export without history is filled in once a company has bought",
        "accounts.credit_rating",
        Planted(snapshot("at close")),
        Planted(snapshot("at random")),
    ),
    Leaker(
        "unbounded population filter",
        "accounts are those with an invoice at any time, before or after the cutoff",
        "population",
        Planted(
            all_of(
                POPULATION,
                rewritten(
                    "contacts", "SELECT * FROM mine WHERE account_id IN (SELECT company_id FROM invoices)"
                ),
            )
        ),
        Planted(POPULATION),
    ),
    Leaker(
        "current-value attribute",
        "today's number of employees stands in every version of the master data",
        "firmographic.employees",
        Planted(employees("last")),
        Planted(employees("first")),
    ),
    Leaker(
        "post-close activity",
        "kick-off calls of won deals are booked on the day the deal was opened",
        "events.call.",
        Planted(
            more_events(
                "SELECT 'kickoff-' || deal_id, any_value(company_id), min(entered_at), min(entered_at), "
                "'call', NULL FROM deals GROUP BY deal_id HAVING bool_or(stage = 'Gewonnen')"
            )
        ),
        Planted(
            more_events(
                f"SELECT 'kickoff-' || deal_id, company_id, entered_at, recorded_at, 'call', NULL {WON}"
            )
        ),
    ),
    Leaker(
        "future window",
        "events are counted in the 30 days after the cutoff instead of before",
        "planted.window",
        group("planted.window", groups.next_30_days),
        group("planted.window", groups.last_30_days),
    ),
    Leaker(
        "late known_at",
        "the time of import is dropped, so that late rows count from when they happened",
        "events.",
        Planted(
            all_of(
                replaced(TOML, 'sql = "events.sql"\nknown_at = "known_at"', 'sql = "events.sql"'),
                rewritten("events", "SELECT * EXCLUDE (known_at) FROM mine"),
            )
        ),
        Planted(rewritten("events", "SELECT * REPLACE (known_at + INTERVAL 1 DAY AS known_at) FROM mine")),
    ),
    Leaker(
        "target-encoded with the test rows",
        "a country is replaced by the conversion rate of all its rows, test rows among them",
        "planted.country",
        whole("planted.country", groups.country_rate),
        group("planted.country", groups.country_customers),
    ),
    Leaker(
        "parent roll-up across the split",
        "the conversions of sister companies are averaged over train and test rows",
        "planted.siblings",
        whole("planted.siblings", groups.siblings),
        group("planted.siblings", groups.siblings_before),
    ),
)  # fmt: skip
