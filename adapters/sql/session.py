"""What is said to a server before anything is asked of it: only reading, each statement in its time, and how to end one.

| engine | read only | time | a statement is ended by |
|---|---|---|---|
| PostgreSQL, 金仓 | `default_transaction_read_only` | `statement_timeout` | the protocol's cancel request |
| MariaDB | `SET SESSION TRANSACTION READ ONLY` | `max_statement_time` | `KILL QUERY` |
| MySQL | the same | `max_execution_time`, of reading only | `KILL QUERY` |
| Oracle | `SET TRANSACTION READ ONLY`, each transaction | the driver's `call_timeout` | the driver's `cancel` |
| 达梦 | `SET TRANSACTION READ ONLY`, each transaction | – | its line is cut |
| SQL Server | `ApplicationIntent=ReadOnly`, a wish only | the driver's `timeout` | its line is cut |
| SQLite | `mode=ro`, `PRAGMA query_only` | – | `interrupt` |

Whatever a server does of its own, the reader counts the time too (`adapters.sql.lanes`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from enum import Enum, auto
from typing import Any, Final

import sqlalchemy as sa

from adapters.mapping.model import Guest

__all__ = [
    "Use",
    "cut",
    "drop_rest",
    "end_statement",
    "ends_by_itself",
    "line_of",
    "prepare_session",
    "server_number",
    "transaction_start",
]

log = logging.getLogger(__name__)


class Use(Enum):
    """What a connection is for."""

    READ = auto()
    """Statements one after the other, each a transaction of its own; kept."""
    STREAM = auto()
    """One long reading by a cursor at the server, which needs a transaction."""
    WRITE = auto()
    """One change that the mapping grants."""


_STREAM_STALLS_S: Final = 600
"""How long MySQL's protocol may wait for us to take more rows, when we read slowly on purpose."""
_UNKNOWN_VARIABLE: Final = 1193
_CANCEL_S: Final = 2.0
_CLOSE_S: Final = 1.0
"""How long the other side of a line may take to agree that it is closed."""
_LOOK_S: Final = 0.002


def prepare_session(connection: sa.Connection, use: Use, guest: Guest) -> None:
    """Say all that holds for the whole session; what a server is too old to know is left to our own clock."""
    for statement in _statements(connection, use, guest):
        connection.exec_driver_sql(statement)
    _set_time(connection, use, guest)
    if connection.in_transaction():
        connection.commit()


def _statements(connection: sa.Connection, use: Use, guest: Guest) -> Sequence[str]:
    reads = use is not Use.WRITE
    match connection.dialect.name:
        case "postgresql":
            said = [f"SET statement_timeout = {int(guest.statement_timeout_s * 1000)}"]
            return [*said, "SET default_transaction_read_only = on"] if reads else said
        case "mysql" | "mariadb":
            said = [f"SET SESSION net_write_timeout = {_STREAM_STALLS_S}"] if use is Use.STREAM else []
            return [*said, "SET SESSION TRANSACTION READ ONLY"] if reads else said
        case "oracle":
            return ["ALTER SESSION SET NLS_COMP = BINARY NLS_SORT = BINARY"]
        case "sqlite":
            return ["PRAGMA query_only = ON"] if reads else []
        case _:
            return []


def _set_time(connection: sa.Connection, use: Use, guest: Guest) -> None:
    milliseconds = int(guest.statement_timeout_s * 1000)
    match connection.dialect.name:
        case "mysql" | "mariadb":
            if use is not Use.STREAM:  # it counts until the last row has been taken
                _set_mysql_time(connection, milliseconds)
        case "oracle":
            with suppress(AttributeError):  # not every driver of Oracle's has it
                driver_connection(connection).call_timeout = milliseconds
        case "mssql":
            with suppress(AttributeError):
                driver_connection(connection).timeout = int(guest.statement_timeout_s)


def _set_mysql_time(connection: sa.Connection, milliseconds: int) -> None:
    if getattr(connection.dialect, "is_mariadb", False):
        statement = f"SET SESSION max_statement_time = {milliseconds / 1000}"
    else:
        statement = f"SET SESSION max_execution_time = {milliseconds}"
    try:
        connection.exec_driver_sql(statement)
    except sa.exc.DBAPIError as error:
        if error.orig is None or error.orig.args[:1] != (_UNKNOWN_VARIABLE,):
            raise
        log.warning("this MySQL server keeps no time of statements: only our own clock ends them")


def transaction_start(dialect_name: str, use: Use) -> str | None:
    """What each transaction begins with, where a session cannot be made read-only as a whole."""
    if dialect_name in ("oracle", "dm") and use is not Use.WRITE:
        return "SET TRANSACTION READ ONLY"
    return None


def ends_by_itself(dialect_name: str) -> bool:
    """Whether a statement that reads can be a transaction of its own; of others, and of engines that are not known, we end it."""
    return dialect_name in ("sqlite", "postgresql", "mysql", "mariadb", "mssql")


# --- the end of a statement ---------------------------------------------------------------------------------------


def driver_connection(connection: sa.Connection) -> Any:
    return connection.connection.driver_connection


def server_number(connection: sa.Connection) -> int | None:
    """By which the server knows this connection, where that is needed to end its statement."""
    if connection.dialect.name in ("mysql", "mariadb"):
        return int(connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one())
    return None


def end_statement(driver: Any, number: int | None, connect: Callable[[], sa.Connection]) -> None:
    """Tell the server that nobody waits any more. `connect` makes another connection, for a moment."""
    if number is not None:
        with connect() as other:
            other.exec_driver_sql(f"KILL QUERY {number:d}")
        return
    if hasattr(driver, "cancel_safe"):  # psycopg
        driver.cancel_safe(timeout=_CANCEL_S)
        return
    for name in ("cancel", "interrupt"):
        end = getattr(driver, name, None)
        if callable(end):
            end()
            return


def drop_rest(cursor: Any) -> None:
    """PyMySQL would read all rows that are left before it closes a cursor, and once more when it is collected."""
    result: Any = getattr(cursor, "_result", None)
    if result is not None and hasattr(result, "unbuffered_active"):
        result.unbuffered_active = False


async def _nothing_is_left() -> None: ...


def line_of(driver: Any) -> Callable[[], Awaitable[None]]:
    """To be taken before a driver is closed, and waited for after: returns when the line's socket is gone too.

    Asynchronous drivers of MySQL's protocol close without waiting, and under TLS a line is closed only when the other
    side has agreed.
    """
    writer = getattr(driver, "_writer", None)
    transport = getattr(driver, "_transport", None) if writer is None else writer.transport
    if not isinstance(transport, asyncio.Transport):
        return _nothing_is_left
    line = transport.get_extra_info("socket")

    async def gone() -> None:
        until = time.monotonic() + _CLOSE_S
        while line.fileno() != -1:
            if time.monotonic() > until:
                transport.abort()
            await asyncio.sleep(_LOOK_S)

    return gone


def cut(driver: Any) -> None:
    """Shut the line down under a driver that still waits on it: its thread wakes up to an error."""
    with suppress(OSError, AttributeError, ValueError):
        own = getattr(driver, "_sock", None)
        descriptor = own.fileno() if own is not None else driver.fileno()
        with socket.socket(fileno=os.dup(descriptor)) as line:
            line.shutdown(socket.SHUT_RDWR)
