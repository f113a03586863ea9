"""What every engine can do. It knows no contract and computes no feature."""

from typing import Protocol

import pyarrow as pa


class Engine(Protocol):
    """Runs the source queries of a pipeline in the engine's own dialect."""

    def register(self, name: str, table: pa.Table) -> None:
        """Make `table` visible to queries as the relation `name`."""
        ...

    def query(self, sql: str, where: str) -> pa.Table:
        """Run one query written by the user; `where` is its file, for errors."""
        ...

    def close(self) -> None:
        """Give back all resources."""
        ...
