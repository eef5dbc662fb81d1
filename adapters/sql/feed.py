"""What a SQL store tells of its changes, in its own statements: times, versions, or digests it works out itself.

Every statement starts from `SqlSource.select`, so secret and ignored rows stay out of scans and digests too. A row is told
by its ident, the text forms of its key joined by NUL; the same text forms are what digests are made of, so no number or
date is written by us and by the store in two ways. Rows are read again by their keys as the store's index has them, with
the text form beside it, exact whatever the collation.

A digest is MD5 over the lengths and texts of all columns that the mapping reads. PostgreSQL, MySQL and MariaDB have it;
into SQLite, which runs in this process, it is put as a function.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from hashlib import md5
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from adapters.index.source import FedRow
from adapters.index.update import BUCKET_DIGITS, SUM_DIGITS
from adapters.mapping.fields import SideTables
from adapters.mapping.model import FeedSettings, Mapping
from adapters.mapping.values import text_of
from adapters.sql.reader import Reader, Statement, write_statement
from adapters.sql.sides import SideReader
from adapters.sql.source import SqlSource

__all__ = ["SqlFeed", "prepare_feed"]

_SEPARATOR = "\x00"
_FETCHED = 50
"""Idents of one statement; fewer are filled up with the last, so that the statement is written once."""


def prepare_feed(connection: sqlite3.Connection) -> None:
    connection.create_function("md5", 1, _md5, deterministic=True)
    connection.create_function("gwc_hex", 1, lambda text: int(text, 16), deterministic=True)


def _md5(text: str) -> str:
    return md5(text.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()


class SqlFeed:
    def __init__(self, mapping: Mapping, settings: FeedSettings, source: SqlSource, reader: Reader) -> None:
        self._mapping, self._source, self._reader = mapping, source, reader
        self._width = len(mapping.columns)
        self._keys = [source.text(part.column) for part in mapping.key]
        self._has_key = sa.and_(*(source.column(part.column).is_not(None) for part in mapping.key))
        self._mark = self._digest() if settings.by == "digest" else self._marked(settings)
        self._fetch, self._sargable = self._fetch_statement()

    def _marked(self, settings: FeedSettings) -> sa.ColumnElement[str]:
        name = "updatedAt" if settings.by == "updated_at" else "version"
        return self._source.text(self._mapping.fields[name].columns[0])

    # --- rows -------------------------------------------------------------------------------------------------------

    def rows_statement(self) -> Statement:
        """All rows with what tells them: native columns, key texts, mark."""
        return self._written(self._rows())

    def _rows(self) -> sa.Select[Any]:
        told = [*self._keys, self._mark]
        return self._source.native_select().add_columns(*(text.label(f"t{at}") for at, text in enumerate(told)))

    def fed(self, record: tuple[Any, ...]) -> FedRow:
        return _ident(record[self._width : -1]), _text(record[-1]), record[: self._width]

    async def fetch(self, idents: Sequence[str]) -> list[FedRow]:
        found: list[FedRow] = []
        for start in range(0, len(idents), _FETCHED):
            part = idents[start : start + _FETCHED]
            values: dict[str, Any] = {}
            for at in range(_FETCHED):
                for place, text in enumerate(part[min(at, len(part) - 1)].split(_SEPARATOR)):
                    values[f"k{at}_{place}"] = text
                    if self._sargable[place]:
                        values[f"n{at}_{place}"] = self._native(place, text)
            found += map(self.fed, await self._reader.fetch(self._fetch, values))
        return found

    def _fetch_statement(self) -> tuple[Statement, list[bool]]:
        types = [self._source.type_of(part.column) for part in self._mapping.key]
        sargable = [isinstance(type_, sa.String | sa.Integer) for type_ in types]
        rows = []
        for at in range(_FETCHED):
            same = []
            for place, (part, text) in enumerate(zip(self._mapping.key, self._keys, strict=True)):
                if sargable[place]:
                    column = self._source.column(part.column)
                    same.append(column == sa.bindparam(f"n{at}_{place}", None, type_=types[place]))
                same.append(text == sa.bindparam(f"k{at}_{place}", None, type_=sa.Text()))
            rows.append(sa.and_(*same))
        return self._written(self._rows().where(sa.or_(*rows))), sargable

    def _native(self, place: int, text: str) -> Any:
        """The key as the driver takes it. SQLite compares a text with a column of numbers by itself."""
        is_integer = isinstance(self._source.type_of(self._mapping.key[place].column), sa.Integer)
        return int(text) if is_integer and self._source.dialect.name != "sqlite" else text

    async def unkeyed(self) -> AsyncIterator[list[FedRow]]:
        async for batch in self._reader.stream(self._written(self._rows().where(sa.not_(self._has_key)))):
            yield [self.fed(record) for record in batch]

    # --- changes ----------------------------------------------------------------------------------------------------

    async def side(self) -> SideTables:
        return await SideReader(self._source, self._reader).read()

    async def recent(self, since: Any) -> AsyncIterator[list[str]]:
        name = self._mapping.fields["updatedAt"].columns[0]
        column, type_ = self._source.column(name), self._source.type_of(name)
        statement = self._source.select(*self._labelled(self._keys)).where(self._has_key)
        if since is not None:
            compared = self._source.text(name) if isinstance(type_, sa.String) else column
            statement = statement.where(
                sa.or_(compared >= sa.bindparam("since", since, type_=_bound(type_)), column.is_(None))
            )
        async for batch in self._reader.stream(self._written(statement)):
            yield [ident for record in batch if (ident := _ident(record)) is not None]

    async def buckets(self) -> dict[str, tuple[int, int, int]]:
        inner = (
            self._source.select(self._bucket().label("bucket"), self._mark.label("mark"))
            .where(self._has_key)
            .subquery()
        )
        first, second = (self._hex(inner.c.mark, 1 + at * SUM_DIGITS) for at in range(2))
        statement = sa.select(inner.c.bucket, sa.func.count(), sa.func.sum(first), sa.func.sum(second))
        found = await self._reader.fetch(self._written(statement.group_by(inner.c.bucket)), {})
        return {text_of(bucket) or "": (int(count), int(one), int(two)) for bucket, count, one, two in found}

    async def scan(self, buckets: Sequence[str] | None) -> AsyncIterator[list[tuple[str, str | None]]]:
        statement = self._source.select(*self._labelled([*self._keys, self._mark])).where(self._has_key)
        if buckets is not None:
            names = [sa.bindparam(f"b{at}", name, type_=sa.Text()) for at, name in enumerate(buckets)]
            statement = statement.where(self._bucket().in_(names))
        async for batch in self._reader.stream(self._written(statement)):
            yield [(ident, _text(record[-1])) for record in batch if (ident := _ident(record[:-1])) is not None]

    # --- digests ----------------------------------------------------------------------------------------------------

    def _digest(self) -> sa.ColumnElement[str]:
        parts = []
        for name in self._mapping.columns:
            text = self._source.text(name)
            length = sa.cast(sa.func.length(text), sa.CHAR if self._is_mysql else sa.Text)
            parts.append(sa.func.coalesce(self._concat(length, ":", text), "-"))
        return self._md5(self._concat(*parts))

    def _bucket(self) -> sa.ColumnElement[str]:
        separated: list[Any] = []
        for text in self._keys:
            separated += [text] if not separated else ["|", text]
        return sa.func.substr(self._md5(self._concat(*separated)), 1, BUCKET_DIGITS)

    @property
    def _is_mysql(self) -> bool:
        return self._source.dialect.name in ("mysql", "mariadb")

    def _concat(self, *parts: Any) -> sa.ColumnElement[str]:
        """Null where a part is."""
        if self._is_mysql:
            return sa.func.concat(*parts, type_=sa.Text)
        joined = parts[0]
        for part in parts[1:]:
            joined = sa.cast(joined, sa.Text).op("||")(part)
        return sa.type_coerce(joined, sa.Text)

    def _md5(self, text: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        return sa.func.md5(text, type_=sa.Text)

    def _hex(self, mark: sa.ColumnElement[str], start: int) -> sa.ColumnElement[Any]:
        digits = sa.func.substr(mark, start, SUM_DIGITS)
        if self._is_mysql:
            return sa.cast(sa.func.conv(digits, 16, 10), mysql.INTEGER(unsigned=True))
        if self._source.dialect.name == "postgresql":
            return sa.cast(sa.cast(sa.literal_column("'x'").op("||")(digits), postgresql.BIT(32)), sa.BigInteger)
        return sa.func.gwc_hex(digits)

    # --- statements -------------------------------------------------------------------------------------------------

    def _labelled(self, columns: Sequence[sa.ColumnElement[Any]]) -> list[Any]:
        return [column.label(f"t{at}") for at, column in enumerate(columns)]

    def _written(self, statement: sa.Select[Any]) -> Statement:
        return write_statement(statement, self._reader.dialect)


def _ident(texts: Sequence[Any]) -> str | None:
    parts = [_text(text) for text in texts]
    return None if None in parts else _SEPARATOR.join(part for part in parts if part is not None)


def _text(value: Any) -> str | None:
    return text_of(value)


def _bound(type_: Any) -> Any:
    return sa.Text() if isinstance(type_, sa.String) else type_
