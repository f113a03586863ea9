"""Looks for e-mail addresses and telephone numbers where none belong. It never shows what it found."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.contracts.schema import Column

EMAIL = r"[^\s@<>,;]+@[^\s@<>,;]+\.[A-Za-z]{2,}"
PHONE = (
    r"^\s*(?:"
    r"(?:\+|00)[1-9]\d{0,2}[\s()/.\-]*(?:\d[\s()/.\-]*){6,12}"  # international
    r"|\(?0[1-9]\d{1,4}\)?[\s/\-]+(?:\d[\s\-]*){4,9}"  # national, area code set apart
    r"|01[567]\d{8,9}"  # German mobile
    r")\s*$"
)
UNSEEN = "(withheld)"


def personal(values: pa.Array, column: Column) -> npt.NDArray[np.bool_]:
    """Say which values look personal.

    Parameters
    ----------
    values : pyarrow.StringArray
        Values of shape (n_rows,).
    column : Column
        Keys are only searched for e-mail addresses: a long number may well be a key. The company's ``name``
        is not searched.

    Returns
    -------
    numpy.ndarray
        Boolean, of shape (n_rows,).
    """
    nothing = np.zeros(len(values), dtype=bool)
    if column.kind not in ("id", "category", "text") or column.name == "name":
        return nothing
    # Keys seldom repeat, so coding them costs more than this look at each.
    if column.kind == "id" and not pc.any(pc.match_substring(values, "@")).as_py():
        return nothing
    coded = values.dictionary_encode()  # categories repeat: search each value once
    found = pc.match_substring_regex(coded.dictionary, EMAIL)
    if column.kind != "id":
        found = pc.or_(found, pc.match_substring_regex(coded.dictionary, PHONE))
    taken = found.take(coded.indices).fill_null(False)
    return np.asarray(taken.to_numpy(zero_copy_only=False), dtype=bool)


def shown(key: str) -> str:
    """Return a key as it may stand in a message: without control characters, and never an e-mail address.

    Examples
    --------
    >>> shown("A1"), shown("erika@beispiel.de")
    ('A1', '(withheld)')
    """
    text = "".join(c if c.isprintable() else " " for c in key)[:60]
    return UNSEEN if "@" in text or pc.match_substring_regex(pa.array([text]), PHONE)[0].as_py() else text
