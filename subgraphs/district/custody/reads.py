"""Who was told personal data: a row for each asset, written before the answer leaves, and only ever added.

It stands in the custody book because that is the one store of a district that is ours to write; no command decides by
it, so the book counts as unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from contract.identity import Identity
from subgraphs.district.custody.database import Database
from subgraphs.district.custody.records import instant
from subgraphs.district.custody.tables import reads

__all__ = ["Read", "ReadKind", "Reads"]


class ReadKind(StrEnum):
    PERSONAL = "PERSONAL"
    """An asset's keeper or user."""
    RAW = "RAW"
    """A raw row or raw value of the legacy store, whatever stands in it."""


@dataclass(frozen=True, slots=True)
class Read:
    at: str
    person: str | None
    unit: str | None
    region: str | None
    """The reader's."""
    kind: ReadKind
    asset: str
    """Native key; `*` of rows that have none."""


class Reads:
    def __init__(self, database: Database, region: str, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._region = region
        self._clock = clock

    async def record(self, reader: Identity, kind: ReadKind, assets: Collection[str]) -> None:
        """Raises `BookUnavailable`; then nothing may be told."""
        common = {
            "region": self._region,
            "at": instant(self._clock()),
            "person": reader.person,
            "unit": reader.unit,
            "from_region": reader.region,
            "kind": kind.value,
        }
        async with self._database.add() as connection:
            await connection.execute(sa.insert(reads), [{**common, "asset": asset} for asset in sorted(assets)])

    async def latest(self, limit: int, asset: str | None = None, person: str | None = None) -> list[Read]:
        """Latest first."""
        query = sa.select(reads).where(reads.c.region == self._region)
        if asset is not None:
            query = query.where(reads.c.asset == asset)
        if person is not None:
            query = query.where(reads.c.person == person)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(reads.c.seq.desc()).limit(limit))
            return [Read(row.at, row.person, row.unit, row.from_region, ReadKind(row.kind), row.asset) for row in rows]
