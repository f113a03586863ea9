"""Every finding the contract can make: its stable code, severity and advice.

The docs are generated from here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hva_ml.contracts.records import Severity, Violation


@dataclass(frozen=True)
class Code:
    """One kind of finding.

    Attributes
    ----------
    code : str
        ``HVD`` and three digits; never given a second meaning.
    severity : str
        ``error``, ``warning`` or ``info``.
    title : str
        What was found, in a few words.
    paragraph : str
        What it means and what is done with the rows.
    fix : str
        What to do about it.
    """

    code: str
    severity: Severity
    title: str
    paragraph: str
    fix: str


MISSING_TABLE = "HVD001"
EMPTY_TABLE = "HVD002"
MISSING_COLUMN = "HVD003"
UNKNOWN_COLUMN = "HVD004"
WRONG_TYPE = "HVD005"
UNREADABLE_CELL = "HVD006"
DUPLICATE_ROW = "HVD007"
CONFLICTING_KEY = "HVD008"
BLANK_KEY = "HVD009"
NULL_REQUIRED = "HVD010"
FUTURE_EVENT = "HVD011"
KNOWN_BEFORE = "HVD012"
NO_KNOWN_AT = "HVD013"
ALL_NULL = "HVD014"
CONSTANT = "HVD015"
NAIVE_TIME = "HVD016"
IMPOSSIBLE_TIME = "HVD017"
AMBIGUOUS_TIME = "HVD018"
ABSURD_TIME = "HVD019"
MIXED_CURRENCY = "HVD020"
BAD_AMOUNT = "HVD021"
UNKNOWN_ACCOUNT = "HVD022"
UNKNOWN_PARENT = "HVD023"
PARENT_CYCLE = "HVD024"
BLANKS = "HVD025"
CONTROL_CHARACTERS = "HVD026"
PERSONAL_DATA = "HVD027"
MUCH_QUARANTINED = "HVD028"
NO_OUTCOME = "HVD029"
NO_HISTORY = "HVD030"
COLUMN_TWICE = "HVD031"
OVER_LONG = "HVD032"
WON_BEFORE_CONTACT = "HVD033"
WON_WITHOUT_DAY = "HVD034"
OPEN_LEADS = "HVD035"
DUPLICATE_LEADS = "HVD036"
AFTER_THE_FACT = "HVD037"

_ALL = (
    Code(MISSING_TABLE, "error", "missing table",
         "A table declared in the pipeline file was not delivered. Nothing that needs it can be computed.",
         "Check the query of this table, or remove its section from the pipeline file."),
    Code(EMPTY_TABLE, "error", "empty table",
         "The source query returned no row, so that nothing can be learned from the table.",
         "Check the query's filters and joins, or remove the table from the pipeline file."),
    Code(MISSING_COLUMN, "error", "missing required column",
         "The query result lacks a column without which the table means nothing. The table is left out; its "
         "rows are in quarantine. A column of your own declared in [tables.<table>.columns] is missed, too; "
         "then the rows stay.",
         "Name the column in the query: SELECT <source column> AS <contract column>."),
    Code(UNKNOWN_COLUMN, "info", "unknown extra column",
         "The query returns a column that neither contract nor pipeline file declares. It is ignored.",
         "Leave it out of the query, or declare it under [tables.<table>.columns]."),
    Code(WRONG_TYPE, "error", "column of a wrong type",
         "No value of the column can be read as its kind. An optional column counts as empty; without a "
         "required one the table is left out and its rows are in quarantine.",
         "Convert the column in the query, or set its type and decimal sign under [sources.<name>]."),
    Code(UNREADABLE_CELL, "warning", "unreadable values",
         "Some values cannot be read as the column's kind, for example 'n/a' in a number, or a key or a "
         "category that holds the character NUL. These rows are in quarantine.",
         "Correct the values at the source, or map them to NULL in the query."),
    Code(DUPLICATE_ROW, "warning", "exact duplicate rows",
         "Rows occur more than once with equal content. One of each stays, the others are in quarantine.",
         "Look for a file loaded twice or a join that multiplies rows; SELECT DISTINCT hides it."),
    Code(CONFLICTING_KEY, "error", "one key with different content",
         "Rows share a key but differ. Nobody can tell which is right: all of them are in quarantine.",
         "Make the key unique in the query: keep the valid row, or add what tells them apart to the key."),
    Code(BLANK_KEY, "warning", "null or blank key",
         "Rows without a key can be neither counted once nor referred to. They are in quarantine.",
         "Give the key at the source, or leave such rows out in the query, visibly."),
    Code(NULL_REQUIRED, "warning", "empty required value",
         "A column that must be filled is empty in some rows. They are in quarantine.",
         "Complete them at the source, or leave such rows out in the query, visibly."),
    Code(FUTURE_EVENT, "warning", "events after the end of the data",
         "Rows lie on or after data_end. They are in quarantine. They do not count towards the share "
         "of HVD028, because the pipeline file asks for it.",
         "Nothing, if data_end is meant so; else correct data_end or the dates (day and month swapped?)."),
    Code(KNOWN_BEFORE, "warning", "known before it happened",
         "known_at lies before event_time. Nothing is known before it happens, so event_time is used.",
         "Check which column says when the row was recorded, and both time zones."),
    Code(NO_KNOWN_AT, "info", "no time of knowledge",
         "Where known_at is not given, event_time is used: the row counts as known when it happened. Rows "
         "entered late then look known too early.",
         'If the source says when a row was recorded, name it: known_at = "<column>" in [tables.<table>].'),
    Code(ALL_NULL, "warning", "column without any value",
         "The column was delivered but every cell is empty, so that it says nothing; or a feature needs it "
         "and the query does not give it.",
         "Check the column in the query, or leave it out."),
    Code(CONSTANT, "info", "column with one value only",
         "All rows have the same value, so that the column cannot tell accounts apart.",
         "Nothing, if that is right."),
    Code(NAIVE_TIME, "info", "times without a zone",
         "Times without a zone are read as local times of the pipeline's time zone, dates as local midnight.",
         "Check timezone in [pipeline]; a column already in UTC needs AT TIME ZONE 'UTC' in the query."),
    Code(IMPOSSIBLE_TIME, "warning", "impossible local time",
         "The local time was skipped when clocks went forward. The rows are in quarantine. Most often the "
         "times are really UTC.",
         "If the column is in UTC, say so in the query: <column> AT TIME ZONE 'UTC'."),
    Code(AMBIGUOUS_TIME, "warning", "ambiguous local time",
         "The local time occurred twice when clocks went back. The earlier instant is used.",
         "Deliver times with their zone if an hour matters."),
    Code(ABSURD_TIME, "warning", "absurd time",
         "The time lies before 1990 (for accounts and contacts: before 1900) or after 2100. The rows are in "
         "quarantine.",
         "Map stand-ins such as 1970-01-01 or 9999-12-31 to NULL or to the true date in the query."),
    Code(MIXED_CURRENCY, "error", "mixed currency",
         "Rows are in another currency than the pipeline's. Amounts of different currencies cannot be added: "
         "the rows are in quarantine.",
         "Convert them in the query at the rate of the day, or leave them out there, visibly."),
    Code(BAD_AMOUNT, "warning", "amount that is no number",
         "The amount is not finite, too large or unreadable. The rows are in quarantine.",
         'Correct them at the source; for decimal commas set decimal = "," under [sources.<name>].'),
    Code(UNKNOWN_ACCOUNT, "warning", "unknown account",
         "The row's account_id is not among the clean accounts. The rows are in quarantine.",
         "Check that both tables use the same key (leading zeros, prefixes), or complete accounts."),
    Code(UNKNOWN_PARENT, "warning", "unknown parent company",
         "parent_id is not among the clean accounts. The rows stay; siblings still form a group.",
         "Add the parent to accounts, or set parent_id to NULL in the query."),
    Code(PARENT_CYCLE, "warning", "circle of parents",
         "By their newest parent_id, companies are their own ancestors. The rows stay; a circle is a group.",
         "Correct parent_id; the head of a group has none."),
    Code(BLANKS, "info", "surrounding blanks",
         "Blanks around keys and categories were removed, so that 'A1 ' and 'A1' are one.",
         "trim() in the query says the same where everybody sees it."),
    Code(CONTROL_CHARACTERS, "warning", "control characters",
         "Texts contain control characters, such as line breaks. In names they become a blank, elsewhere "
         "they stay.",
         "Remove them at the source; they often come from a wrong encoding."),
    Code(PERSONAL_DATA, "error", "personal data",
         "Values look like e-mail addresses or telephone numbers. The contract holds companies and "
         "pseudonymous contacts only. The values are never shown.",
         "Leave the column out, or replace it in the query by a pseudonymous key or a category."),
    Code(MUCH_QUARANTINED, "error", "much of the table in quarantine",
         "More than a fifth of the rows cannot be used. What is left would not stand for the whole.",
         "Mend the other findings of this table first."),
    Code(NO_OUTCOME, "warning", "no deal is ever won, or none lost",
         "No row has the stage 'won', or none has the stage 'lost'. Win rates and likeness to winners cannot "
         "be known.",
         "Map your own words in the query: CASE stage WHEN 'Gewonnen' THEN 'won' … END."),
    Code(NO_HISTORY, "error", "attribute without a history",
         "accounts has one version of each company, so that today's value would stand in for the past one "
         "and may tell what happened since.",
         "Give one row per version, or vouch for columns that never change with static = [...]."),
    Code(COLUMN_TWICE, "error", "column given twice",
         "The query returns two columns of one name, and nobody can tell which is meant. The table is left "
         "out; its rows are in quarantine.",
         "Name the columns one by one instead of SELECT *."),
    Code(OVER_LONG, "warning", "over-long text",
         "Keys, categories or names have more than 1,000 characters, as behind a quote closed too late. The "
         "rows are in quarantine.",
         "Look at the source's quotes and delimiter, or shorten the text in the query: left(<column>, 200)."),
    Code(WON_BEFORE_CONTACT, "warning", "leads won before their contact",
         "The day of the win lies before the day of first contact. Such rows tell nothing about how a "
         "contact becomes a win. They are in quarantine.",
         "Correct one of the two days at the source; look for day and month swapped."),
    Code(WON_WITHOUT_DAY, "warning", "leads won on an unknown day",
         "The outcome says won, but there is no day of the win. Nobody can tell whether it was within "
         "won_within_days. The rows are in quarantine.",
         "Complete the day, or leave out won_within_days: then only whether a lead was won counts."),
    Code(OPEN_LEADS, "info", "open leads",
         "The outcome is empty, or neither among won_values nor lost_values. Such leads are scored, and "
         "never learned from.",
         "Nothing, if they are open indeed; else name their value in lost_values."),
    Code(DUPLICATE_LEADS, "info", "leads that equal an earlier one",
         "All features and the outcome equal those of another lead. Without a day of contact, equal leads "
         "always stand on the same side of a fold; with duplicates = \"drop\" one of them is learned from.",
         "Ask whether they are one lead exported twice; then duplicates = \"drop\" in [leads]."),
    Code(AFTER_THE_FACT, "warning", "feature named like something known only afterwards",
         "The name of the column is one of those that are most often filled in once a lead is decided, such "
         "as the duration of the call that won it. Learned from, it makes a model that knows the outcome "
         "before it scores.",
         "Ask when the column is filled in. If only with the outcome, move it to after_outcome in [leads]."),
)  # fmt: skip

CODES: dict[str, Code] = {c.code: c for c in _ALL}
"""All findings of the contract by code, in the order of the codes."""


def violation(
    code: str, where: str, count: int, ids: Sequence[str] = (), *, what: str = "", fix: str = ""
) -> Violation:
    """Return a finding of kind `code`; `what` and `fix` default to the words of the registry.

    Examples
    --------
    >>> violation("HVD002", "invoices", 0).what
    'Empty table.'
    """
    kind = CODES[code]
    title = f"{kind.title[0].upper()}{kind.title[1:]}."
    return Violation(code, where, count, kind.severity, what or title, fix or kind.fix, tuple(ids[:5]))
