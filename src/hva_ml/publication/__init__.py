"""Scores go out as one whole: an immutable run folder, hashes, an audit, then one CURRENT pointer."""

from hva_ml.publication.audit import audit
from hva_ml.publication.locking import lock
from hva_ml.publication.runs import Published, current, publish, read

__all__ = ["Published", "audit", "current", "lock", "publish", "read"]
