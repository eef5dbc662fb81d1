"""What the store itself says of its columns: whether a text compares by code points as it stands, and may be null.

The store's order is used only where it is proved equal to the contract's. SQLite's BINARY compares the bytes of UTF-8;
PostgreSQL's `C` and `C.UTF-8` do in a UTF-8 database; of MariaDB's collations those in `_MARIADB_ORDERED` compare code
points (what padding adds is taken care of by `adapters.sql.regular`). Any other collation is spelled around.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from adapters.mapping.model import Mapping
from adapters.model import StoreUnsupported
from adapters.sql.reader import Reader, TableInfo, write_statement
from adapters.status import ReasonCode

__all__ = ["Catalog", "ColumnNote", "read_catalog"]

_BY_CODE_POINT = frozenset({"C", "POSIX", "C.UTF-8", "C.utf8", "C.UTF8"})
_MARIADB_ORDERED = frozenset(
    f"{charset}_{kind}" for charset in ("utf8mb4", "utf8mb3", "utf8") for kind in ("bin", "nopad_bin")
) | {"ascii_bin", "ascii_nopad_bin"}
_SQLITE = 'SELECT name, "notnull" = 0 FROM pragma_table_info(:bare)'
_POSTGRES = """
SELECT a.attname, NOT a.attnotnull, coalesce(to_jsonb(co) ->> 'collprovider', ''), coalesce(to_jsonb(co) ->> 'collname', ''),
  coalesce(to_jsonb(co) ->> 'collcollate', ''), coalesce(to_jsonb(co) ->> 'collisdeterministic', 'true')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_collation co ON co.oid = a.attcollation
WHERE c.relname = CAST(:bare AS text) AND a.attnum > 0
  AND CASE WHEN CAST(:of AS text) IS NULL THEN pg_table_is_visible(c.oid) ELSE n.nspname = CAST(:of AS text) END"""
_POSTGRES_DATABASE = """
SELECT current_setting('server_encoding'), to_jsonb(d) ->> 'datlocprovider', d.datcollate, to_jsonb(d) ->> 'datlocale'
FROM pg_database d WHERE d.datname = current_database()"""
_MARIADB = """
SELECT COLUMN_NAME, IS_NULLABLE = 'YES', coalesce(COLLATION_NAME, '') FROM information_schema.COLUMNS
WHERE TABLE_NAME = :bare AND TABLE_SCHEMA = coalesce(:of, database())"""


@dataclass(frozen=True, slots=True)
class ColumnNote:
    ordered: bool
    """Of a text: `<` on the bare column is the order of code points."""
    exact: bool
    """Of a text: `=` on the bare column is equality of texts without blanks at their ends."""
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Catalog:
    engine: str
    """`sqlite`, `postgresql` or `mariadb`: whose language is spoken."""
    notes: Map[str, Map[str, ColumnNote]] = field(default_factory=dict)

    def note(self, table: str, column: str) -> ColumnNote:
        return self.notes.get(table, {}).get(column, ColumnNote(ordered=False, exact=False))


async def read_catalog(mapping: Mapping, tables: Map[str, TableInfo | None], reader: Reader) -> Catalog:
    """Raises `StoreUnsupported` for engines, encodings and versions into which nothing is pushed."""
    readers = {"sqlite": _sqlite, "postgresql": _postgres, "mysql": _mariadb, "mariadb": _mariadb}
    read = readers.get(reader.dialect.name)
    if read is None:
        raise StoreUnsupported(f"nothing is pushed into a {mapping.store.engine} store yet", ReasonCode.ENGINE)
    names = [mapping.table, *(join.table for join in mapping.joins)]
    return await read(reader, {name: info for name in names if (info := tables[name]) is not None})


async def _ask(reader: Reader, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    return await reader.fetch(write_statement(sa.text(sql), reader.dialect), values)


async def _sqlite(reader: Reader, tables: Map[str, TableInfo]) -> Catalog:
    ((encoding,),) = await _ask(reader, "SELECT encoding FROM pragma_encoding")
    ordered = encoding == "UTF-8"
    notes = {}
    for name, info in tables.items():
        found = await _ask(reader, _SQLITE, bare=info.name)
        notes[name] = {column: ColumnNote(ordered, True, bool(nullable)) for column, nullable in found}
    return Catalog("sqlite", notes)


async def _postgres(reader: Reader, tables: Map[str, TableInfo]) -> Catalog:
    ((encoding, provider, collate, locale),) = await _ask(reader, _POSTGRES_DATABASE)
    if encoding != "UTF8":
        raise StoreUnsupported(f"nothing is pushed into a database in {encoding}", ReasonCode.ENGINE)
    default = (locale if provider == "b" else collate) if provider != "i" else ""
    notes = {}
    for name, info in tables.items():
        columns = {}
        for column, nullable, of, named, own, deterministic in await _ask(
            reader, _POSTGRES, bare=info.name, of=info.schema
        ):
            ordered = (default if of == "d" else own if of == "c" else named) in _BY_CODE_POINT
            columns[column] = ColumnNote(ordered, deterministic == "true", nullable)
        notes[name] = columns
    return Catalog("postgresql", notes)


async def _mariadb(reader: Reader, tables: Map[str, TableInfo]) -> Catalog:
    ((version,),) = await _ask(reader, "SELECT version()")
    if "MariaDB" not in version:
        raise StoreUnsupported("nothing is pushed into MySQL yet, only into MariaDB", ReasonCode.ENGINE)
    notes = {}
    for name, info in tables.items():
        found = await _ask(reader, _MARIADB, bare=info.name, of=info.schema)
        notes[name] = {
            column: ColumnNote(collation in _MARIADB_ORDERED, collation in _MARIADB_ORDERED, bool(nullable))
            for column, nullable, collation in found
        }
    return Catalog("mariadb", notes)
