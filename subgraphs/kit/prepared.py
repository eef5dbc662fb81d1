"""Statements that a program executes again and again, made ready once.

What SQLAlchemy does at every execution, to look the compiled statement up, gather its values by name and wrap the
cursor, costs several times what SQLite takes for a statement by key. A statement that is `kept` is compiled by
SQLAlchemy once; from then on its values pass through the same conversions of their types straight to the driver, and
its rows through the same ones back. On connections that know nothing of this it is executed as ever.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Insert, Select, Update, false, or_
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError, InvalidRequestError, MultipleResultsFound, NoResultFound, StatementError
from sqlalchemy.sql.compiler import SQLCompiler

__all__ = ["Answer", "is_kept", "kept", "one_of", "prepared"]

_KEPT = "gwc_kept"
_PREPARED_MAX = 1_024
_REQUIRED = object()

Statement = Select[Any] | Insert | Update
S = TypeVar("S", Select[Any], Insert, Update)
Convert = Callable[[Any], Any]


def kept(statement: S) -> S:
    """For statements that live as long as the program does, and have no list of values within (`one_of`)."""
    return statement.execution_options(**{_KEPT: True})


def one_of(column: ColumnElement[Any], constants: Collection[Any]) -> ColumnElement[bool]:
    """What `in_` says, without a list that SQLAlchemy puts into the statement anew at each execution."""
    return or_(false(), *(column == constant for constant in constants))


def is_kept(statement: Any) -> bool:
    return _KEPT in statement.get_execution_options()


class Answer:
    """Rows as SQLAlchemy's own result gives them, of which it is the part that is used; `rowcount` of a change."""

    __slots__ = ("_keys", "_named", "_rows", "rowcount")

    def __init__(self, keys: tuple[str, ...], named: Any, rows: list[Sequence[Any]], rowcount: int) -> None:
        """`named`: makes a row whose values are attributes."""
        self._keys, self._named, self._rows = keys, named, rows
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Any]:
        return map(self._named._make, self._rows)

    def mappings(self) -> Mappings:
        keys = self._keys
        return Mappings([dict(zip(keys, row, strict=True)) for row in self._rows])


class Mappings(list[dict[str, Any]]):
    def all(self) -> Sequence[dict[str, Any]]:
        return self

    def first(self) -> dict[str, Any] | None:
        return self[0] if self else None

    def one(self) -> dict[str, Any]:
        if not self:
            raise NoResultFound("No row was found when one was required")
        if len(self) > 1:
            raise MultipleResultsFound("Multiple rows were found when exactly one was required")
        return self[0]


class Prepared:
    def __init__(self, statement: Statement, columns: tuple[str, ...] | None, dialect: Dialect) -> None:
        """`columns`: of an insert, in the order of its rows' keys."""
        compiled = statement.compile(dialect=dialect, column_keys=None if columns is None else list(columns))
        if not isinstance(compiled, SQLCompiler) or compiled.positiontup is None or _is_open(compiled):
            raise InvalidRequestError(f"this cannot be made ready once: {statement}")
        self._dialect = dialect
        self._text = compiled.string
        self._binds = [_bind(compiled.binds[name], dialect) for name in compiled.positiontup]
        selected = list(statement.selected_columns) if isinstance(statement, Select) else []
        self._keys = tuple(str(column.key) for column in selected)
        if len(set(self._keys)) < len(self._keys):
            raise InvalidRequestError(f"two of its columns have one name: {statement}")
        self._named = namedtuple("Row", self._keys, rename=True)  # type: ignore[misc]  # fields as the columns' keys
        self._converted = [
            (at, convert)
            for at, column in enumerate(selected)
            if (convert := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
        ]

    def execute(self, raw: sqlite3.Connection, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Answer:
        """Raises what SQLAlchemy raises."""
        try:
            if isinstance(parameters, Sequence):
                cursor = raw.executemany(self._text, [self._values(one) for one in parameters])
            else:
                cursor = raw.execute(self._text, self._values(parameters))
            rows = cursor.fetchall() if self._keys else []
        except sqlite3.Error as error:
            raise DBAPIError.instance(self._text, (), error, sqlite3.Error, dialect=self._dialect) from error
        return Answer(self._keys, self._named, self._rows(rows), cursor.rowcount)

    def _values(self, given: Mapping[str, Any]) -> list[Any]:
        values: list[Any] = []
        for key, default, convert in self._binds:
            value = given.get(key, default)
            if value is _REQUIRED:
                raise self._unfit(InvalidRequestError(f"a value is required for {key!r}"))
            try:
                values.append(value if convert is None else convert(value))
            except Exception as error:  # whatever a conversion raises
                raise self._unfit(error) from error
        return values

    def _unfit(self, error: Exception) -> StatementError:
        return StatementError(str(error), self._text, (), error)

    def _rows(self, rows: list[Sequence[Any]]) -> list[Sequence[Any]]:
        if not self._converted:
            return rows
        converted: list[Sequence[Any]] = []
        for row in rows:
            values = list(row)
            for at, convert in self._converted:
                values[at] = convert(values[at])
            converted.append(values)
        return converted


@lru_cache(_PREPARED_MAX)
def prepared(statement: Statement, columns: tuple[str, ...] | None, dialect: Dialect) -> Prepared:
    return Prepared(statement, columns, dialect)


def _is_open(compiled: SQLCompiler) -> bool:
    """Whether SQLAlchemy itself has work to do at each execution: lists of values to put in, defaults to call, rows that
    a change returns."""
    is_called = any(bind.callable is not None for bind in compiled.binds.values())
    is_filled = bool(compiled.insert_prefetch or compiled.update_prefetch or compiled.effective_returning)
    return bool(compiled.post_compile_params) or is_called or is_filled


def _bind(bind: BindParameter[Any], dialect: Dialect) -> tuple[str, Any, Convert | None]:
    convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
    return bind.key, _REQUIRED if bind.required else bind.effective_value, convert
