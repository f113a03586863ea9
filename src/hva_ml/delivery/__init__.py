"""What is published goes out to other systems: whole, verified, once; what is published never changes."""

from hva_ml.delivery.current import Current
from hva_ml.delivery.opening import Sink, opened, setup_sql
from hva_ml.delivery.parcel import Parcel

__all__ = ["Current", "Parcel", "Sink", "opened", "setup_sql"]
