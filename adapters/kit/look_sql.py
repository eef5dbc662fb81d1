"""Looking into a SQL store, read-only: what the engine says of its tables, and samples of their rows.

Any SQLAlchemy URL: drivers that speak asyncio are used that way, all others run in a thread. The session is made
read-only where the engine has such a thing, each statement has a time limit where it can have one, and no statement
reads a whole table: counts of large tables are the engine's own estimates.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.kit.survey import (
    CELL_MAX,
    COUNT_EXACT_MAX,
    SAMPLE_ROWS,
    TABLES_MAX,
    Budget,
    ColumnSurvey,
    Reference,
    StoreUrl,
    SurveyError,
    TableSurvey,
)

__all__ = ["look_into_sql"]

T = TypeVar("T")
_ASYNC = {"postgresql": "postgresql+asyncpg", "mysql": "mysql+asyncmy", "mariadb": "mysql+asyncmy"}
_STATEMENT_S = 10
_GUEST: dict[str, tuple[str, ...]] = {
    "postgresql": (
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        f"SET statement_timeout = '{_STATEMENT_S}s'",
    ),
    "mariadb": ("SET SESSION TRANSACTION READ ONLY", f"SET SESSION max_statement_time = {_STATEMENT_S}"),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", f"SET SESSION max_execution_time = {_STATEMENT_S * 1000}"),
}
"""What makes a session a guest's. An engine that does not know a statement is read without it."""
_ESTIMATES = {
    "postgresql": "SELECT relname, reltuples FROM pg_class WHERE relkind IN ('r', 'p', 'm', 'f')",
    "mysql": "SELECT table_name, table_rows FROM information_schema.tables WHERE table_schema = DATABASE()",
}
_COMMENT = re.compile(r"""^\s*["'`\[]?([^\s"'`\],()]+)["'`\]]?\s[^\n]*?--\s*(.+?)\s*$""", re.MULTILINE)
"""SQLite keeps the text of CREATE TABLE, comments of the vendor's included."""


async def look_into_sql(url: StoreUrl, budget: Budget) -> list[TableSurvey]:
    try:
        return await _connected(url, lambda connection: _survey(connection, budget))
    except (SurveyError, ImportError):
        raise
    except (SQLAlchemyError, sqlite3.Error, OSError, ValueError) as error:
        raise SurveyError(
            f"the store cannot be read ({_cause(error)})",
            "check host, port, database, account, and the variables of the url",
        ) from None
    except Exception as error:  # drivers have error classes of their own; their texts may show the url
        raise SurveyError(
            f"the store cannot be read ({type(error).__name__})", "check the url and the account"
        ) from None


def _cause(error: BaseException) -> str:
    """The class of the driver's own error: more telling than SQLAlchemy's, and never its text."""
    inner = getattr(error, "orig", None)
    deepest = getattr(inner, "__cause__", None) or inner or error
    return type(deepest).__name__


async def _connected(url: StoreUrl, work: Callable[[sa.Connection], T]) -> T:
    if url.engine == "sqlite":
        return await asyncio.to_thread(_in_sqlite, url.full, work)
    try:
        parsed = sa.make_url(url.full)
        if parsed.drivername in _ASYNC or parsed.drivername == "postgres":
            parsed = parsed.set(drivername=_ASYNC[url.engine])
    except SQLAlchemyError:
        raise SurveyError(
            "this is no URL of a store", "such as postgresql://user:${PASSWORD}@host:5432/database"
        ) from None
    try:
        if parsed.get_dialect().is_async:
            return await _in_loop(parsed, work)
    except NoSuchModuleError:
        name = parsed.get_backend_name()
        raise SurveyError(f"no driver knows {name}://", f"install the SQLAlchemy dialect of {name}") from None
    return await asyncio.to_thread(_in_thread, parsed, work)


def _in_sqlite(path: str, work: Callable[[sa.Connection], T]) -> T:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=_STATEMENT_S)

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        return work(connection)


def _in_thread(url: sa.URL, work: Callable[[sa.Connection], T]) -> T:
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        _be_a_guest(connection)
        return work(connection)


async def _in_loop(url: sa.URL, work: Callable[[sa.Connection], T]) -> T:
    def guarded(connection: sa.Connection) -> T:
        _be_a_guest(connection)
        return work(connection)

    engine = create_async_engine(url, poolclass=sa.pool.NullPool)
    try:
        async with asyncio.timeout(_STATEMENT_S):
            connection = await engine.connect()
        try:
            return await connection.run_sync(guarded)
        finally:
            await connection.close()
    except TimeoutError:
        raise SurveyError(
            "the store did not answer in time", "check host and port, and whether a firewall is between"
        ) from None
    finally:
        await engine.dispose()


def _be_a_guest(connection: sa.Connection) -> None:
    dialect = connection.dialect
    name = "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name
    for statement in _GUEST.get(name, ()):
        try:
            connection.exec_driver_sql(statement)
        except SQLAlchemyError:
            connection.rollback()
    connection.commit()


# --- what is there ------------------------------------------------------------------------------------------------


def _survey(connection: sa.Connection, budget: Budget) -> list[TableSurvey]:
    inspector = sa.inspect(connection)
    tables, views = list(inspector.get_table_names()), list(inspector.get_view_names())
    names = [name for name in [*tables, *views] if not name.startswith("sqlite_")]
    if len(names) > TABLES_MAX:
        budget.notes.append(f"{len(names)} tables: only the first {TABLES_MAX} by name were looked into")
        names = sorted(names)[:TABLES_MAX]
    estimates = _estimates(connection)
    found = []
    for done, name in enumerate(names):
        budget.progress(name, done, len(names))
        with _tolerant(connection, budget, name):
            found.append(_table(connection, inspector, name, estimates.get(name), budget, is_view=name in views))
    return found


@contextmanager
def _tolerant(connection: sa.Connection, budget: Budget, name: str) -> Iterator[None]:
    """One table that cannot be read (no right, a broken view, too slow) does not end the survey."""
    try:
        yield
    except SQLAlchemyError as error:
        connection.rollback()
        budget.notes.append(f"{name} was not read ({_cause(error)})")


def _estimates(connection: sa.Connection) -> dict[str, int]:
    statement = _ESTIMATES.get(connection.dialect.name)
    if statement is None:
        return {}
    return {str(name): int(rows or 0) for name, rows in connection.exec_driver_sql(statement) if (rows or 0) >= 0}


def _table(
    connection: sa.Connection,
    inspector: sa.Inspector,
    name: str,
    estimate: int | None,
    budget: Budget,
    *,
    is_view: bool,
) -> TableSurvey:
    columns = inspector.get_columns(name)
    key = tuple(inspector.get_pk_constraint(name).get("constrained_columns") or ()) if not is_view else ()
    comments = _comments(connection, name)
    samples = {} if budget.is_spent else _samples(connection, name, columns, key)
    if budget.is_spent:
        budget.notes.append(f"{name}: no time was left for samples")
    rows, is_estimated = _count(connection, name, estimate, is_view=is_view)
    return TableSurvey(
        name=name,
        columns=tuple(
            ColumnSurvey(
                column["name"],
                _type_text(column["type"], connection.dialect),
                column.get("comment") or comments.get(column["name"], ""),
                bool(column.get("nullable", True)),
                tuple(samples.get(column["name"], ())),
            )
            for column in columns
        ),
        rows=rows,
        is_estimated=is_estimated,
        comment=_table_comment(inspector, name),
        key=key,
        unique=() if is_view else _unique(inspector, name),
        references=() if is_view else _references(inspector, name),
        is_view=is_view,
    )


def _type_text(type_: Any, dialect: sa.Dialect) -> str:
    try:
        return str(type_.compile(dialect=dialect))
    except SQLAlchemyError:
        return type(type_).__name__


def _comments(connection: sa.Connection, name: str) -> dict[str, str]:
    if connection.dialect.name != "sqlite":
        return {}
    found = connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": name}).scalar()
    return dict(_COMMENT.findall(found or ""))


def _table_comment(inspector: sa.Inspector, name: str) -> str:
    try:
        return inspector.get_table_comment(name).get("text") or ""
    except NotImplementedError:
        return ""


def _unique(inspector: sa.Inspector, name: str) -> tuple[tuple[str, ...], ...]:
    found = [tuple(item["column_names"]) for item in inspector.get_unique_constraints(name)]
    found += [
        tuple(str(column) for column in item["column_names"])
        for item in inspector.get_indexes(name)
        if item["unique"] and None not in item["column_names"]
    ]
    return tuple(dict.fromkeys(found))


def _references(inspector: sa.Inspector, name: str) -> tuple[Reference, ...]:
    return tuple(
        Reference(tuple(item["constrained_columns"]), item["referred_table"], tuple(item["referred_columns"]))
        for item in inspector.get_foreign_keys(name)
    )


# --- rows ---------------------------------------------------------------------------------------------------------


def _count(connection: sa.Connection, name: str, estimate: int | None, *, is_view: bool) -> tuple[int | None, bool]:
    """(rows, whether that is an estimate)."""
    if is_view:
        return None, False
    table = sa.table(sa.sql.quoted_name(name, True))
    if connection.dialect.name == "sqlite":
        try:
            estimate = connection.execute(
                sa.select(sa.func.max(sa.literal_column("rowid"))).select_from(table)
            ).scalar()
        except SQLAlchemyError:  # WITHOUT ROWID
            estimate = None
    if estimate is not None and estimate > COUNT_EXACT_MAX:
        return estimate, True
    return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar(), False


def _samples(connection: sa.Connection, name: str, columns: list[Any], key: tuple[str, ...]) -> dict[str, list[Any]]:
    """The first rows and, where a key says which they are, the last ones: a store changes its habits with the years."""
    readable = [column["name"] for column in columns if not isinstance(column["type"], sa.LargeBinary)]
    if not readable:
        return {}
    table = sa.table(
        sa.sql.quoted_name(name, True), *(sa.column(sa.sql.quoted_name(column, True)) for column in readable)
    )
    statement = sa.select(*(table.c[column] for column in readable)).limit(SAMPLE_ROWS)
    rows = [tuple(row) for row in connection.execute(statement)]
    if key and len(rows) == SAMPLE_ROWS and set(key) <= set(readable):
        rows += [
            tuple(row) for row in connection.execute(statement.order_by(*(table.c[column].desc() for column in key)))
        ]
    rows = list(dict.fromkeys(map(_hashable, rows)))
    return {column: [row[at] for row in rows] for at, column in enumerate(readable)}


def _hashable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        value[:CELL_MAX]
        if isinstance(value, str | bytes)
        else str(value)[:CELL_MAX]
        if isinstance(value, dict | list)
        else value
        for value in row
    )
