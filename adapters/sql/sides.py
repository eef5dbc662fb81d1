"""A store's own code tables, units and warehouses, read by statements written once."""

from __future__ import annotations

from adapters.mapping.fields import SideTables
from adapters.mapping.mapper import RowMapper
from adapters.mapping.model import Mapping
from adapters.sides import listing_entries, lookup_entries
from adapters.sql.reader import Reader, write_statement
from adapters.sql.source import SqlSource

__all__ = ["SideReader", "open_source"]


async def open_source(mapping: Mapping, reader: Reader) -> SqlSource:
    """Connect, and check that the store has the tables and columns that the mapping names."""
    await reader.open()
    return SqlSource(mapping, await reader.tables(SqlSource.tables_of(mapping)), reader.dialect)


class SideReader:
    def __init__(self, source: SqlSource, reader: Reader) -> None:
        self._reader, self._mapping = reader, source.mapping
        self._lookups = {
            name: write_statement(source.lookup_select(lookup), reader.dialect)
            for name, lookup in source.mapping.lookups.items()
        }
        self._listings = []
        for listing in (source.mapping.units, source.mapping.warehouses):
            if listing.origin == "table":
                statement, columns = source.listing_select(listing)
                self._listings.append((listing, write_statement(statement, reader.dialect), columns))

    async def read(self) -> SideTables:
        side = SideTables()
        for name, statement in self._lookups.items():
            side.lookups[name] = lookup_entries(await self._reader.fetch(statement, {}))
        for listing, statement, columns in self._listings:
            rows = await self._reader.fetch(statement, {})
            entries = listing_entries(listing, (dict(zip(columns, row, strict=True)) for row in rows))
            if listing.kind == "units":
                side.units = entries
            else:
                side.warehouses = entries
        return side

    async def mapper(self) -> RowMapper:
        return RowMapper(self._mapping, await self.read())
