"""The connections to one server: their number, their attempts, and what becomes of a line that has gone dead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from adapters.breaker import STORE_RESTING
from adapters.mapping.model import Guest, StoreSettings
from adapters.model import StoreUnavailable
from adapters.sql.engine import EngineReader
from adapters.sql.faults import STORE_READ_ONLY, STORE_TIMEOUT
from adapters.sql.lanes import STORE_BUSY, Lanes
from adapters.sql.session import Use
from tests.adapters.sql.servers import NONE, Server, plain, threads_left
from tests.adapters.support import table_of

ENDLESS = plain("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c")


def file_settings(folder: Path, **guest: Any) -> StoreSettings:
    return StoreSettings(engine="sqlite", url=f"sqlite:///{folder / 'zc.sqlite'}", guest=Guest(**guest))


# --- a driver that knows no await: sqlite3 behind SQLAlchemy, in threads ----------------------------------------------


async def test_sqlite_in_threads(tmp_path: Path) -> None:
    table_of(tmp_path, [(f"A{n:04}", f"桌{n}") for n in range(1_200)])
    reader = EngineReader(file_settings(tmp_path))
    await reader.open()
    try:
        names = plain("SELECT mc FROM zc ORDER BY id")
        rows = await asyncio.gather(*(reader.fetch(names, NONE) for _ in range(8)))
        assert rows == [[(f"桌{n}",) for n in range(1_200)]] * 8
        assert [row async for batch in reader.stream(names) for row in batch] == rows[0]
        assert len(threads_left()) <= Guest().connections_max
        with pytest.raises(StoreUnavailable) as caught:
            await reader.fetch(plain("INSERT INTO zc VALUES ('B', 'b')"), NONE)
        assert caught.value.code == STORE_READ_ONLY
    finally:
        await reader.close()
    assert threads_left() == []


@pytest.mark.parametrize("given_up", [True, False])
async def test_sqlite_in_threads_is_interrupted(tmp_path: Path, given_up: bool) -> None:
    table_of(tmp_path, [("A1", "桌")])
    reader = EngineReader(file_settings(tmp_path, connections_max=1, statement_timeout_s=600.0 if given_up else 0.1))
    await reader.open()
    asked = asyncio.ensure_future(reader.fetch(ENDLESS, NONE))
    if given_up:
        await asyncio.sleep(0)
        asked.cancel()
    with pytest.raises((StoreUnavailable, asyncio.CancelledError)):
        await asked
    await reader.close()  # waits for the thread
    assert threads_left() == []


# --- places ---------------------------------------------------------------------------------------------------------


async def test_who_finds_no_place_waits_no_longer_than_a_statement_may(tmp_path: Path) -> None:
    table_of(tmp_path, [("A1", "桌")])
    lanes = Lanes(file_settings(tmp_path, connections_max=2, statement_timeout_s=0.05))
    try:
        async with lanes.lane(Use.READ), lanes.lane(Use.STREAM):
            with pytest.raises(
                StoreUnavailable, match="all 2 connections that the mapping allows are in use"
            ) as caught:
                async with lanes.lane(Use.READ):
                    pass
        assert caught.value.code == STORE_BUSY
        async with lanes.lane(Use.READ), lanes.lane(Use.WRITE):
            pass
    finally:
        await lanes.close()


# --- connecting -----------------------------------------------------------------------------------------------------


class DeadServer:
    """Takes every connection and closes it at once."""

    def __init__(self) -> None:
        self.visits = 0

    @asynccontextmanager
    async def settings(self) -> AsyncIterator[StoreSettings]:
        async def visit(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.visits += 1
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

        async with await asyncio.start_server(visit, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            yield StoreSettings(engine="postgresql", url=f"postgresql+psycopg://gwc@127.0.0.1:{port}/zc")


async def test_a_dead_store_is_tried_again_and_then_left_in_peace() -> None:
    dead, waited, time_s = DeadServer(), [], 0.0

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with dead.settings() as settings:
        lanes = Lanes(settings, sleep=sleep, clock=lambda: time_s)
        reader = EngineReader(settings, lanes=lanes)

        async def asked() -> StoreUnavailable:
            with pytest.raises(StoreUnavailable) as caught:
                await reader.fetch(plain("SELECT 1"), NONE)
            return caught.value

        try:
            await asked()
            assert dead.visits == 3
            assert [0.1, 0.2] <= waited <= [0.2, 0.4]
            await asked()
            await asked()
            assert dead.visits == 9
            assert (await asked()).code == STORE_RESTING
            assert dead.visits == 9
            time_s = 1.5
            await asked()
            assert dead.visits == 12
            time_s = 3.0
            assert (await asked()).code == STORE_RESTING, "it rests twice as long"
            assert dead.visits == 12
        finally:
            await reader.close()


async def test_a_refused_password_is_not_tried_again(mariadb_database: str) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    url = make_url(mariadb_database).set(username="gwc_nobody", password="no").render_as_string(hide_password=False)
    settings = StoreSettings(engine="mariadb", url=url)
    reader = EngineReader(settings, lanes=Lanes(settings, sleep=sleep))
    try:
        for code in ("STORE_UNAVAILABLE", STORE_RESTING):
            with pytest.raises(StoreUnavailable, match="refuses the user or the password") as caught:
                await reader.open()
            assert caught.value.code == code
        assert waited == []
    finally:
        await reader.close()


# --- a dead line ----------------------------------------------------------------------------------------------------


class Wire:
    """A line to a server that can be frozen: nothing passes, nothing is closed, whoever connects is not greeted."""

    def __init__(self) -> None:
        self.is_frozen = False

    @asynccontextmanager
    async def to(self, url: str) -> AsyncIterator[str]:
        place = make_url(url)
        ends: list[asyncio.StreamWriter] = []

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):
                while data := await source.read(65_536):
                    if not self.is_frozen:
                        sink.write(data)
            sink.close()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            ends.append(writer)
            if self.is_frozen:
                return
            far_reader, far_writer = await asyncio.open_connection(place.host, place.port)
            ends.append(far_writer)
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        try:
            yield place.set(port=server.sockets[0].getsockname()[1]).render_as_string(hide_password=False)
        finally:
            server.close()
            for end in ends:
                end.close()
            await asyncio.gather(*(end.wait_closed() for end in ends), return_exceptions=True)


async def test_no_thread_waits_on_a_line_that_has_gone_dead(server: Server) -> None:
    wire = Wire()
    async with (
        wire.to(server.url) as url,
        server.reader(url=url, statement_timeout_s=0.5, connect_timeout_s=1.0) as reader,
    ):
        wire.is_frozen = True
        with pytest.raises(StoreUnavailable) as caught:
            await reader.fetch(plain("SELECT 1"), NONE)
        assert caught.value.code == STORE_TIMEOUT
        # `server.reader` closes while the line is dead still, and finds no thread left
