"""The explained pieces of a night: each is computed once, kept on disk, and given again as it was kept."""

from collections.abc import Iterator

import pyarrow as pa

from hva_ml.publication import Shards
from hva_ml.scoring import Scored


class Pieces:
    """Pieces of the published tables, best accounts first; may be gone through more than once.

    Parameters
    ----------
    scored : Scored
        All accounts.
    shards : Shards or None
        Where pieces are kept; without it each round computes them anew.

    Attributes
    ----------
    taken_up : int
        Accounts of the first round that were explained before, by a run that was stopped.
    """

    def __init__(self, scored: Scored, shards: Shards | None) -> None:
        self._scored, self._shards = scored, shards
        self._begun = False
        self.taken_up = 0

    def __iter__(self) -> Iterator[dict[str, pa.Table]]:
        first_round, self._begun = not self._begun, True
        for first, last in self._scored.blocks:
            piece = self._shards.kept(first, last) if self._shards else None
            if piece is None:
                piece = self._scored.part(first, last)
                if self._shards:
                    self._shards.keep(first, last, piece)
            elif first_round:
                self.taken_up += last - first
            yield piece
