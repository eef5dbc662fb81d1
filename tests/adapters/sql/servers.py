"""A real server as seen from beside: what runs there, who is connected, and locks that keep a statement waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Any

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from adapters.mapping.model import Guest, StoreSettings
from adapters.sql.engine import EngineReader
from adapters.sql.reader import Statement
from adapters.sql.workers import THREAD_NAME

DRIVERS = (
    "postgresql+asyncpg",
    "postgresql+psycopg",
    "kingbase+asyncpg",
    "kingbase+psycopg",
    "mysql+asyncmy",
    "mysql+aiomysql",
    "mysql+pymysql",
    "mariadb+pymysql",
    *(["mysql+mysqldb"] if find_spec("MySQLdb") else []),
)
"""mysqldb is built against a library of the machine's (`pip install mysqlclient`): tested where it is there."""
COMPRESSING = ("mysql+mysqldb",)
POLL_S = 0.02


class Server:
    """The database of one test, behind one driver."""

    def __init__(self, driver: str, url: str) -> None:
        self.driver = driver
        self.is_postgresql = not driver.startswith("m")
        self.plain = url
        self.url = url.replace(url.partition("://")[0], driver, 1)
        self.database = str(make_url(url).database)

    def settings(self, url: str | None = None, **guest: Any) -> StoreSettings:
        engine = self.driver.partition("+")[0]
        return StoreSettings(engine=engine, url=url or self.url, guest=Guest(**guest))

    @asynccontextmanager
    async def reader(
        self, *, writes: bool = False, url: str | None = None, **guest: Any
    ) -> AsyncIterator[EngineReader]:
        reader = EngineReader(self.settings(url, **guest), writes=writes)
        try:
            await reader.open()
            yield reader
        finally:
            await reader.close()
            assert threads_left() == [], "no thread is left behind"

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[AsyncConnection]:
        """A connection of the test's own."""
        driver = "postgresql+asyncpg" if self.is_postgresql else "mysql+asyncmy"
        engine = create_async_engine(
            self.plain.replace(self.plain.partition("://")[0], driver, 1), isolation_level="AUTOCOMMIT"
        )
        try:
            async with engine.connect() as connection:
                yield connection
        finally:
            await engine.dispose()

    async def run(self, *statements: str) -> None:
        async with self.beside() as connection:
            for statement in statements:
                await connection.exec_driver_sql(statement)

    # --- what the server sees ---------------------------------------------------------------------------------------

    async def sessions(self, beside: AsyncConnection, *, running: bool = False) -> set[int]:
        """Sessions in this database, but the one that asks; of those that run a statement now."""
        if self.is_postgresql:
            query = f"SELECT pid FROM pg_stat_activity WHERE datname = '{self.database}' AND pid <> pg_backend_pid()"
            query += " AND state = 'active'" if running else ""
        else:
            query = f"SELECT id FROM information_schema.processlist WHERE db = '{self.database}'"
            query += " AND id <> connection_id()" + (" AND command = 'Query'" if running else "")
        return {number for (number,) in (await beside.exec_driver_sql(query)).all()}

    async def throw_out(self, beside: AsyncConnection) -> None:
        """End every session but the one that asks."""
        if self.is_postgresql:
            query = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.database}'"
            await beside.exec_driver_sql(query + " AND pid <> pg_backend_pid()")
            return
        for number in await self.sessions(beside):
            await beside.exec_driver_sql(f"KILL {number}")

    # --- statements -------------------------------------------------------------------------------------------------

    @property
    def endless(self) -> Statement:
        return plain("SELECT pg_sleep(600)" if self.is_postgresql else "SELECT SLEEP(600)")

    @property
    def waiting(self) -> Statement:
        """Ends when the test lets go of its lock (of `hold`)."""
        if self.is_postgresql:
            return plain("SELECT pg_advisory_lock_shared(7)")
        return plain(f"SELECT GET_LOCK('{self.database}', 600), RELEASE_LOCK('{self.database}')")

    async def hold(self, beside: AsyncConnection) -> None:
        await beside.exec_driver_sql(
            "SELECT pg_advisory_lock(7)" if self.is_postgresql else f"SELECT GET_LOCK('{self.database}', 0)"
        )

    async def let_go(self, beside: AsyncConnection) -> None:
        await beside.exec_driver_sql(
            "SELECT pg_advisory_unlock(7)" if self.is_postgresql else f"SELECT RELEASE_LOCK('{self.database}')"
        )


def plain(sql: str) -> Statement:
    return Statement(sql, (), {})


def parametrised(sql: str, **constants: Any) -> Statement:
    return Statement(sql, tuple(constants), constants)


async def until(look: Callable[[], Awaitable[set[int]]], number: int) -> set[int]:
    """Looks until there are so many."""
    while len(found := await look()) != number:  # noqa: ASYNC110 - a server tells nobody
        await asyncio.sleep(POLL_S)
    return found


def threads_left() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(THREAD_NAME)]


@pytest.fixture(params=DRIVERS)
def server(request: pytest.FixtureRequest) -> Server:
    driver: str = request.param
    name = "mariadb_database" if driver.startswith("m") else "postgres_database"
    return Server(driver, request.getfixturevalue(name))


NONE: Mapping[str, Any] = {}
