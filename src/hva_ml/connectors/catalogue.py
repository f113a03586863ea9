"""The public data sets by name: publisher, licence, tables. It opens none of them."""

from dataclasses import dataclass, field

from hva_ml.connectors import workbook
from hva_ml.errors import UsageError, nearest


@dataclass(frozen=True)
class Dataset:
    """A public data set.

    Attributes
    ----------
    name, title, licence, origin : str
        What it is called, its licence, and the page of its publisher.
    tables : tuple of str
        Its tables; a set with one table is one Parquet file, others a folder of them.
    notice : str
        What the licence asks to be said.
    download : str
        https address of the original archive, or "" if there is no plain one.
    members : tuple of str
        The file in the archive, or in archives within it, each in the one before.
    originals : tuple of str
        CSV files of the publisher, one for each table; their folder serves as well as Parquet files.
    """

    name: str
    title: str
    licence: str
    origin: str
    tables: tuple[str, ...]
    notice: str = field(repr=False, default="")
    download: str = field(repr=False, default="")
    members: tuple[str, ...] = field(repr=False, default=())
    originals: tuple[str, ...] = field(repr=False, default=())

    def record(self) -> dict[str, object]:
        """Return the description as a JSON-ready record."""
        return {
            "name": self.name,
            "title": self.title,
            "licence": self.licence,
            "origin": self.origin,
            "tables": list(self.tables),
        }

    def files(self) -> dict[str, str]:
        """Return the file of each table, relative to the folder of the data set."""
        if len(self.tables) == 1:
            return {self.tables[0]: f"{self.name}.parquet"}
        return {t: f"{t}.parquet" for t in self.tables}

    def csv_files(self) -> dict[str, str]:
        """Return the publisher's file of each table, relative to the folder ``name``; empty without any."""
        return dict(zip(self.tables, self.originals, strict=bool(self.originals)))


_DATASETS = (
    Dataset(
        "adventureworks_dw",
        "AdventureWorks sample warehouse (synthetic): resellers and their orders",
        "MIT",
        "https://github.com/microsoft/sql-server-samples",
        (
            "DimCurrency", "DimDate", "DimGeography", "DimProduct", "DimProductCategory",
            "DimProductSubcategory", "DimReseller", "DimSalesTerritory", "FactResellerSales",
        ),
        "AdventureWorks sample database, (c) Microsoft Corporation, MIT licence.",
    ),
    Dataset(
        "bank_marketing",
        "Bank Marketing (additional): calls of a Portuguese bank in time order, 2008-05 to 2010-11",
        "CC BY 4.0",
        "https://doi.org/10.24432/C5K306",
        ("bank_marketing",),
        "Moro, S., Cortez, P. and Rita, P. (2014). A data-driven approach to predict the success of bank "
        "telemarketing. Decision Support Systems 62, 22-31. UCI Machine Learning Repository.",
        "https://archive.ics.uci.edu/static/public/222/bank+marketing.zip",
        ("bank-additional.zip", "bank-additional/bank-additional-full.csv"),
        ("bank-additional-full.csv.gz",),
    ),
    Dataset(
        "olist_funnel",
        "Olist marketing funnel: leads of a Brazilian marketplace and the deals won, 2017 to 2018",
        "CC BY-NC-SA 4.0 (not for commercial use)",
        "https://www.kaggle.com/datasets/olistbr/marketing-funnel-olist",
        ("leads", "closed_deals"),
        "Olist and André Sionek (2018). Marketing Funnel by Olist. Licensed under CC BY-NC-SA 4.0: measure "
        "with it, and build no product on it.",
        originals=("olist_marketing_qualified_leads_dataset.csv", "olist_closed_deals_dataset.csv"),
    ),
    Dataset(
        "online_retail_ii",
        "Online Retail II: invoice lines of a UK wholesaler, 2009-12 to 2011-12",
        "CC BY 4.0",
        "https://doi.org/10.24432/C5CG6D",
        ("online_retail_ii",),
        "Chen, D. (2012). Online Retail II [Dataset]. UCI Machine Learning Repository. "
        "https://doi.org/10.24432/C5CG6D. Licensed under CC BY 4.0 "
        "(https://creativecommons.org/licenses/by/4.0/). Changed here: from Excel to Parquet, both yearly "
        "sheets in one table, whole numbers in text columns written as text.",
        "https://archive.ics.uci.edu/static/public/502/online+retail+ii.zip",
        (workbook.MEMBER,),
    ),
    Dataset(
        "salvirt_b2b",
        "Salvirt: B2B deals of a software vendor, won and lost, described by its sellers",
        "CC BY 4.0",
        "https://www.salvirt.com/research/b2bdataset",
        ("deals",),
        "Bohanec, M., Kljajić Borštnar, M. and Robnik-Šikonja, M. (2017). Explaining machine learning models "
        "in sales predictions. Expert Systems with Applications 71, 416-428.",
        originals=("b2b_sales.csv",),
    ),
)  # fmt: skip


def list_datasets() -> tuple[Dataset, ...]:
    """Return all known data sets, by name."""
    return _DATASETS


def dataset(name: str) -> Dataset:
    """Return one data set.

    Raises
    ------
    UsageError
        If the name is unknown; the nearest one is named.
    """
    for known in _DATASETS:
        if known.name == name:
            return known
    names = [d.name for d in _DATASETS]
    raise UsageError(
        f"There is no data set '{name[:60]}'.{nearest(name, names)}",
        where="data sets",
        fix=f"Use one of: {', '.join(names)}.",
    )
