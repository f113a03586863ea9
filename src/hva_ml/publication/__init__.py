"""Scores go out as one whole: an immutable run folder, hashes, an audit, then one CURRENT pointer."""

from hva_ml.publication.arrivals import arrivals
from hva_ml.publication.audit import Audit, audit
from hva_ml.publication.holder import Holder
from hva_ml.publication.keeping import kept
from hva_ml.publication.locking import lock
from hva_ml.publication.nights import Night, Profile, Tonight, of_published, of_scored, profiles
from hva_ml.publication.reading import Published, ahead, before, current, read, run_id_of
from hva_ml.publication.rows import AuditError, AuditRow
from hva_ml.publication.runs import point, publish, whole_run
from hva_ml.publication.shards import Shards
from hva_ml.publication.stale import Stale
from hva_ml.publication.verdict import Verdict, judge

__all__ = [
    "Audit",
    "AuditError",
    "AuditRow",
    "Holder",
    "Night",
    "Profile",
    "Published",
    "Shards",
    "Stale",
    "Tonight",
    "Verdict",
    "ahead",
    "arrivals",
    "audit",
    "before",
    "current",
    "judge",
    "kept",
    "lock",
    "of_published",
    "of_scored",
    "point",
    "profiles",
    "publish",
    "read",
    "run_id_of",
    "whole_run",
]
