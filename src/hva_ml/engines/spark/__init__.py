"""The door to Spark, an optional extra: importing this room needs no pyspark, opening an engine does."""

from hva_ml.engines.spark.engine import SparkEngine
from hva_ml.engines.spark.frames import mapped

__all__ = ["SparkEngine", "mapped"]
