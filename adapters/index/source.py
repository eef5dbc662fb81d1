"""What an index is built from: rows of any kind of source, and what tells one state of it from another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from adapters.mapping.fields import SideTables

if TYPE_CHECKING:
    from adapters.index.build import IndexBuilder

__all__ = ["RowSource", "SourceStamp"]


@dataclass(frozen=True, slots=True)
class SourceStamp:
    """What tells one state of the source from another, and how old that state is."""

    token: str
    as_of: datetime
    fault: str | None = None
    """What is wrong with a newer state that is not used (a half-written export)."""


class RowSource(Protocol):
    """Where an index's rows come from."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def stamp(self) -> SourceStamp: ...

    async def load(self, stamp: SourceStamp, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        """Read all rows of this state into the builder."""
