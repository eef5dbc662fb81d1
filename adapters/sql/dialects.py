"""What one engine says otherwise than another: the few forms that a statement of ours needs, each in one place.

    sqlite  postgresql (kingbase)  mysql mariadb  oracle  dm  mssql        SQLAlchemy's names of their dialects

Texts are compared exactly, by code points: no collation of the store's may ignore case, width or trailing spaces, for
what is open and what is secret hangs on it. Each engine has a way of its own to say so:

    sqlite       COLLATE BINARY      bytes of UTF-8
    postgresql   COLLATE "C"         bytes of UTF-8
    mysql        CAST … AS BINARY    bytes of UTF-8, on MySQL 5.7 too, whose collations all pad
    oracle, dm   the session's NLS_COMP, NLS_SORT = BINARY (see `adapters.sql.session`); an empty text is null
    mssql        COLLATE Latin1_General_BIN2, a mark set at the end of both sides, for `=` passes over trailing spaces

SQL Server orders UTF-16 units, which is not the order of code points: nothing is ordered there by us.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql
from sqlalchemy.engine import Dialect

__all__ = [
    "is_blank",
    "is_text",
    "limited",
    "native_form",
    "parameters_max",
    "same_text",
    "text_form",
]

_PARAMETERS_MAX: Final = {
    "sqlite": 32_766,
    "postgresql": 32_767,  # asyncpg counts them in 16 bits with a sign; the protocol would take twice as many
    "mysql": 65_535,
    "mariadb": 65_535,
    "oracle": 65_535,
    "dm": 2_048,
    "mssql": 2_100,
}
_ORACLE_TEXT: Final = 4_000
"""Bytes of the longest text that every Oracle and 达梦 can cast to."""
_END_MARK: Final = "."
"""Set at the end of both sides where a server passes over trailing spaces."""


def parameters_max(dialect: Dialect) -> int:
    """How many values a statement may have; of an engine that is not known, none, and none is ever written."""
    return _PARAMETERS_MAX.get(dialect.name, 0)


def limited(statement: sa.Select[Any], rows: int, dialect: Dialect) -> sa.Select[Any]:
    """At most so many rows in no order, the number written into the statement: `LIMIT`, `FETCH FIRST` or `TOP`."""
    if dialect.name == "mssql":  # TOP: without an order it has no FETCH
        return statement.limit(rows)
    return statement.limit(sa.literal_column(str(rows)))


# --- texts --------------------------------------------------------------------------------------------------------


def text_form(column: sa.ColumnElement[Any], type_: Any, dialect: Dialect) -> sa.ColumnElement[str]:
    """The column as text that compares by code points; as `adapters.mapping.values.text_of` writes it."""
    match dialect.name:
        case "sqlite":
            return sa.cast(column, sa.Text).collate("BINARY")
        case "postgresql":
            if isinstance(type_, sa.Boolean):
                return sa.cast(sa.cast(column, sa.Integer), sa.Text).collate("C")
            return sa.cast(column, sa.Text).collate("C")
        case "oracle" | "dm":
            return sa.cast(column, oracle.VARCHAR2(_ORACLE_TEXT))
        case "mssql":
            return sa.cast(column, mssql.NVARCHAR(None)).collate("Latin1_General_BIN2")
        case _:  # no collation of MySQL 5.7 is both exact and without padding
            binary = sa.cast(sa.cast(native_form(column, type_, dialect), sa.CHAR), mysql.BINARY)
            return sa.type_coerce(binary, sa.Text)


def native_form(column: sa.ColumnElement[Any], type_: Any, dialect: Dialect) -> sa.ColumnElement[Any]:
    """The column as it is read: as it stands, but for bits, which drivers hand over as bytes or objects of their own."""
    if isinstance(type_, mysql.BIT):
        return sa.cast(column, mysql.INTEGER(unsigned=True))
    if isinstance(type_, postgresql.BIT):
        return sa.cast(column, sa.Text)
    return column


def same_text(
    text: sa.ColumnElement[str], value: str | sa.ColumnElement[str], dialect: Dialect
) -> sa.ColumnElement[bool]:
    """Whether a text form is exactly this value."""
    if dialect.name != "mssql":
        return text == value
    return _marked(text) == _marked(sa.literal(value, sa.Unicode) if isinstance(value, str) else value)


def _marked(text: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    return text.concat(sa.literal_column(f"N'{_END_MARK}'", sa.Unicode))


def is_blank(column: sa.ColumnElement[Any], text: sa.ColumnElement[str], dialect: Dialect) -> sa.ColumnElement[bool]:
    """Null, or a text of no length."""
    if dialect.name in ("oracle", "dm"):  # '' is null there, and nothing is equal to it; 达梦: as it has been set up
        return sa.or_(column.is_(None), sa.func.length(text) == sa.literal_column("0"))
    return sa.or_(column.is_(None), same_text(text, "", dialect))


def is_text(column: sa.ColumnElement[Any], text: sa.ColumnElement[str], dialect: Dialect) -> sa.ColumnElement[bool]:
    """Neither null nor a text of no length."""
    if dialect.name in ("oracle", "dm"):
        return sa.and_(column.is_not(None), sa.func.length(text) > sa.literal_column("0"))
    return sa.and_(column.is_not(None), sa.not_(same_text(text, "", dialect)))
