"""Scores go out as one whole: an immutable run folder, hashes, an audit, then one CURRENT pointer."""

from hva_ml.publication.arrivals import arrivals
from hva_ml.publication.audit import audit
from hva_ml.publication.keeping import kept
from hva_ml.publication.locking import lock
from hva_ml.publication.nights import Night, Tonight, of_scored
from hva_ml.publication.reading import Published, current, read
from hva_ml.publication.rows import AuditError, AuditRow
from hva_ml.publication.runs import publish
from hva_ml.publication.stale import Stale

__all__ = [
    "AuditError",
    "AuditRow",
    "Night",
    "Published",
    "Stale",
    "Tonight",
    "arrivals",
    "audit",
    "current",
    "kept",
    "lock",
    "of_scored",
    "publish",
    "read",
]
