"""A native column as the store's own language sees it: what it holds, how it is compared, what a value becomes for it.

Every comparison has the bare column on its left wherever the catalog proves that this compares as the contract does,
for only then an index of the store serves it. Elsewhere `=` on the bare column finds more than is meant (case and
accents folded), so that an exact comparison stands beside it: the index narrows, the exact one decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from adapters.mapping.values import TRIMMED
from adapters.model import StoreUnsupported
from adapters.sql.catalog import Catalog
from adapters.sql.source import SqlSource
from adapters.status import ReasonCode

__all__ = ["ColumnKind", "NativeColumn", "native_column"]

_CONTROLS = frozenset(map(chr, range(32)))


class ColumnKind(Enum):
    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    DAY = "day"
    MOMENT = "moment"
    BOOLEAN = "boolean"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class NativeColumn:
    name: str
    engine: str
    kind: ColumnKind
    sql: sa.ColumnElement[Any]
    """The column as it stands, or as near to it as compares rightly."""
    ordered: bool
    exact: bool
    nullable: bool
    integers: tuple[int, int] = (-(2**63), 2**63 - 1)
    """What an integer column, or its driver, can hold."""

    # --- texts ----------------------------------------------------------------------------------------------------

    def exactly(self) -> sa.ColumnElement[Any]:
        """What equals another text only where it is the same."""
        if self.kind is not ColumnKind.TEXT or self.exact:
            return self.sql
        if self.engine == "postgresql":
            return self.sql.collate("C")
        return self.as_bytes()

    def sortable(self) -> sa.ColumnElement[Any]:
        """What compares by code points."""
        if self.kind is not ColumnKind.TEXT or self.ordered:
            return self.sql
        if self.engine == "postgresql":
            return self.sql.collate("C")
        if self.engine == "sqlite":
            raise StoreUnsupported("a database in UTF-16 does not sort by code points", ReasonCode.ORDER)
        return self.as_bytes()

    def as_bytes(self) -> sa.ColumnElement[Any]:
        """MariaDB: the bytes of UTF-8, which compare as code points do."""
        return sa.type_coerce(sa.cast(sa.cast(self.sql, sa.CHAR), mysql.BINARY), sa.Text)

    def is_one_of(self, params: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[bool]:
        if not params:
            return sa.false()
        found = self.sql == params[0] if len(params) == 1 else self.sql.in_(params)
        exact = self.exactly()
        if exact is self.sql:
            return found
        return sa.and_(found, exact == params[0] if len(params) == 1 else exact.in_(params))

    def is_spelled(self, params: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[bool]:
        """One of these texts, to the last blank: of rows that need not be regular."""
        if not params:
            return sa.false()
        return (self.as_bytes() if self.engine == "mariadb" else self.exactly()).in_(params)

    def text_value(self, text: str) -> str | None:
        """A text as the store takes it; None: no row that is as it should be holds it."""
        if text != text.strip(TRIMMED) or not text or "\x00" in text:
            return None
        return text

    def text_bound(self, text: str) -> str:
        if "\x00" in text or (self.engine == "mariadb" and not _CONTROLS.isdisjoint(text)):
            raise StoreUnsupported("a text with control characters is compared by scanning", ReasonCode.VALUE)
        return text

    # --- codes ----------------------------------------------------------------------------------------------------

    def code_value(self, code: str) -> Any:
        """The native value whose text is this code; None: there is none."""
        if self.kind is ColumnKind.TEXT:
            return self.text_value(code)
        if self.kind is ColumnKind.INTEGER:
            return self.integer(int(code)) if _is_integer(code) else None
        if self.kind is ColumnKind.BOOLEAN:
            return {"1": True, "0": False}.get(code)
        raise StoreUnsupported(f"{self.name} holds no codes", ReasonCode.FIELD)

    def integer(self, number: int) -> int | None:
        least, most = self.integers
        return number if least <= number <= most else None

    def literal(self, value: Any) -> sa.ColumnElement[Any]:
        return sa.literal(value, sa.types.NULLTYPE)

    def literals(self, values: Sequence[Any]) -> list[sa.ColumnElement[Any]]:
        return [self.literal(value) for value in values]


def _is_integer(code: str) -> bool:
    return code.isascii() and code.removeprefix("-").isdecimal() and len(code) <= 19 and str(int(code)) == code


def native_column(source: SqlSource, catalog: Catalog, name: str) -> NativeColumn:
    type_, column, engine = source.type_of(name), source.column(name), catalog.engine
    alias, _, bare = name.rpartition(".")
    own = source.is_own(name)
    table = source.mapping.table if own else next(join.table for join in source.mapping.joins if join.alias == alias)
    note = catalog.note(table, name if own else bare)
    kind, integers, sql = _kind(type_, engine), _integers(type_, engine), column
    ordered, exact = note.ordered, note.exact
    if kind is ColumnKind.TEXT and engine == "sqlite":
        sql = column.collate(
            "BINARY"
        )  # the column may have been declared with another; an index of BINARY still serves
    if engine == "postgresql" and isinstance(type_, sa.CHAR | sa.Enum | postgresql.CITEXT) and kind is ColumnKind.TEXT:
        sql, ordered, exact = sa.cast(column, sa.Text), False, not isinstance(type_, postgresql.CITEXT)
    if engine == "mariadb" and isinstance(type_, sa.Enum | mysql.SET):
        ordered = exact = False
    return NativeColumn(name, engine, kind, sql, ordered, exact, note.nullable or not own, integers)


def _kind(type_: Any, engine: str) -> ColumnKind:
    if isinstance(type_, sa.Boolean):
        return ColumnKind.INTEGER if engine == "sqlite" else ColumnKind.BOOLEAN
    if isinstance(type_, mysql.BIT | postgresql.BIT | sa.Interval | sa.LargeBinary):
        return ColumnKind.OTHER
    if isinstance(type_, sa.String):
        return ColumnKind.TEXT
    if isinstance(type_, sa.Integer):
        return ColumnKind.INTEGER
    if isinstance(type_, sa.Double | mysql.DOUBLE) or (engine == "sqlite" and isinstance(type_, sa.Float | sa.Numeric)):
        return ColumnKind.FLOAT
    if isinstance(type_, sa.Numeric) and not isinstance(type_, sa.Float):
        return ColumnKind.DECIMAL
    if isinstance(type_, sa.Date):
        return ColumnKind.DAY
    if isinstance(type_, sa.DateTime):
        aware = bool(getattr(type_, "timezone", False)) or isinstance(type_, mysql.TIMESTAMP)
        return ColumnKind.OTHER if aware or engine == "sqlite" else ColumnKind.MOMENT
    return ColumnKind.OTHER


def _integers(type_: Any, engine: str) -> tuple[int, int]:
    bits = 64
    if engine == "postgresql" and isinstance(type_, sa.Integer) and not isinstance(type_, sa.BigInteger):
        bits = 16 if isinstance(type_, sa.SmallInteger) else 32
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
