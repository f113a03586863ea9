"""What a query may do on Spark: read relations that were registered, and nothing else."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hva_ml.engines.base import no_query
from hva_ml.errors import SourceError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_LEAVES = frozenset(
    {"View", "OneRowRelation", "LocalRelation", "Range", "CTERelationRef", "UnionLoopRef", "EmptyRelation"}
)


def select(own: "SparkSession", sql: str, where: str) -> "DataFrame":
    """Return the rows of a query as a frame; nothing has run yet.

    Parameters
    ----------
    own : pyspark.sql.SparkSession
        The session whose temporary views are the registered relations.
    sql, where : str
        The query and its file.

    Raises
    ------
    SourceError
        If it is no single query, or reads anything but relations.
    pyspark.errors.PySparkException
        If Spark does not understand it.
    """
    text = sql.strip().rstrip(";")
    _only_a_query(own, text, where)
    frame = own.sql(text)
    for node in _nodes(frame._jdf.queryExecution().analyzed()):
        kind = node.getClass().getSimpleName()
        if kind == "ScriptTransformation":
            raise SourceError(
                "The source query runs a command of the system.",
                where=where,
                why="A query reads its declared sources and reaches for nothing else.",
                fix="Use SQL functions instead of TRANSFORM … USING.",
            )
        if not node.children().size() and kind not in _LEAVES:
            raise SourceError(
                f"The source query reads something that is no declared source ({kind}).",
                where=where,
                fix="Declare it in [sources.NAME] and use that name.",
            )
    return frame


def _only_a_query(own: "SparkSession", text: str, where: str) -> None:
    from pyspark.errors import ParseException

    java = own._jsparkSession
    parser = java.sessionState().sqlParser()
    before = java.getActiveSession()
    # The parser reads the settings of the active session.
    java.setActiveSession(java)
    try:
        # A grammar of queries only: commands, scripts and EXECUTE IMMEDIATE are no words of it.
        parser.parseQuery(text)
    except ParseException:
        if text:
            parser.parsePlan(text)
        raise no_query(where) from None
    finally:
        java.setActiveSession(before.get()) if before.isDefined() else java.clearActiveSession()


def _nodes(plan: Any) -> Iterator[Any]:
    """Yield the parts of an analyzed query, those of subqueries too; views were looked at when defined."""
    waiting = [plan]
    while waiting:
        node = waiting.pop()
        yield node
        if node.getClass().getSimpleName() == "View" and node.isTempView():
            continue
        for found in (node.children(), node.subqueries()):
            waiting += [found.apply(place) for place in range(found.size())]
