"""What an index is built from: rows of any kind of source, and what tells one state of it from another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from adapters.mapping.fields import SideTables
from adapters.status import Fault

if TYPE_CHECKING:
    from adapters.index.build import IndexBuilder

__all__ = ["ChangeFeed", "FedRow", "FedSource", "RowSource", "SourceStamp"]

FedRow: TypeAlias = tuple[str | None, str | None, tuple[Any, ...]]
"""(ident, mark, native row). The ident is the text of the row's key as the store has it, None where it has none; the
mark is whatever another state of the row has another of."""


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


class ChangeFeed(Protocol):
    """How a source tells what has changed since the index was made. Secret and ignored rows stay out of all of it."""

    async def side(self) -> SideTables: ...

    def recent(self, since: Any) -> AsyncIterator[list[str]]:
        """Idents of rows whose native time of change is `since` or later, or which have none; None: of all rows."""

    async def buckets(self) -> dict[str, tuple[int, int, int]]:
        """As `adapters.index.update.bucket_sums`, worked out by the store."""

    def scan(self, buckets: Sequence[str] | None) -> AsyncIterator[list[tuple[str, str | None]]]:
        """(ident, mark) of all rows that have an ident, or of those in these buckets, in any order."""

    async def fetch(self, idents: Sequence[str]) -> list[FedRow]:
        """All rows with these idents, as they are now."""

    def unkeyed(self) -> AsyncIterator[list[FedRow]]:
        """All rows without an ident."""


@runtime_checkable
class FedSource(RowSource, Protocol):
    """A source that has a change feed where the mapping says by what (`[feed]`)."""

    async def feed(self) -> ChangeFeed: ...
