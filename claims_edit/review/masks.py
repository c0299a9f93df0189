"""The one way to masking: what of members and claims a page may show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import polars as pl


class Masks(Protocol):
    """What `claims_edit.masking` provides: pseudonyms instead of ids, and no birth dates."""

    def claim(self, claim_id: str, /) -> str:
        """A claim's id as it may be shown."""
        ...

    def text(self, text: str, ids: Iterable[str], /) -> str:
        """A sentence as it may be shown, with these ids in it."""
        ...

    def frame(self, rows: pl.DataFrame, /) -> pl.DataFrame:
        """A table as it may be shown."""
        ...


class Unmasked:
    """Everything as it is."""

    def claim(self, claim_id: str, /) -> str:
        """The id itself."""
        return claim_id

    def text(self, text: str, ids: Iterable[str], /) -> str:
        """The sentence itself."""
        return text

    def frame(self, rows: pl.DataFrame, /) -> pl.DataFrame:
        """The table itself."""
        return rows
