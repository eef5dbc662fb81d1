"""What an index is built from: rows of any kind of source, and what tells one state of it from another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from adapters.mapping.fields import SideTables
from adapters.status import Fault

if TYPE_CHECKING:
    from adapters.index.build import IndexBuilder

__all__ = ["RowSource", "SourceStamp"]


@dataclass(frozen=True, slots=True)
class SourceStamp:
    """What tells one state of the source from another, and how old that state is."""

    token: str
    as_of: datetime
    fault: Fault | None = None
    """What is wrong with a newer state that is not used (a half-written export)."""
    is_proved_whole: bool = True
    """Whether the source itself tells that it is all there: a database's answer, an announced number of lines. Where
    it does not, a state with far fewer rows than the last good one is refused (`file.rows_min_percent`)."""


class RowSource(Protocol):
    """Where an index's rows come from."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def stamp(self) -> SourceStamp: ...

    async def load(self, stamp: SourceStamp, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        """Read all rows of this state into the builder. Raises `SourceRefused` where only another state can be used.

        It is never cancelled: the builder raises `BuildStopped` into it where nobody waits any more.
        """
