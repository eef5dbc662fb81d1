"""A real server by every driver, async or in threads: the same rows, nothing written where it is read, nothing left running."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters import open_store
from adapters.guest import STORE_CLOSED, Gate
from adapters.mapping.model import Guest, HourSpan
from adapters.model import StoreUnavailable, StoreUnsupported
from adapters.sql.engine import EngineReader
from adapters.sql.faults import STORE_READ_ONLY, STORE_TIMEOUT
from tests.adapters.sql.servers import COMPRESSING, NONE, Server, parametrised, plain, until
from tests.adapters.support import ALL, mapping_of

ROWS = 1_300
"""More than two batches of a stream."""
NAMES = ["桌", "100% 棉", "O'Brien", "a:b", "ß\u00a0", "\U0001f4a1", "", "x  "]


async def filled(server: Server, rows: int = ROWS) -> None:
    names = [NAMES[n % len(NAMES)].replace("'", "''") for n in range(rows)]
    values = ", ".join(f"('A{n:04}', '{name}', {n}.50)" for n, name in enumerate(names)).replace("%", "%%")
    if server.is_postgresql:
        values = values.replace("%%", "%")
    await server.run(
        "CREATE TABLE zc (id varchar(9) PRIMARY KEY, mc varchar(20), yz decimal(10, 2))",
        f"INSERT INTO zc VALUES {values}",
    )


async def test_the_same_rows(server: Server, tmp_path: Path) -> None:
    await filled(server)
    fields = {"name": "mc", "originalValue": {"column": "yz", "unit": "元"}}
    found = {}
    for mode in ("live", "indexed"):
        table = {"engine": server.driver.partition("+")[0], "url": server.url, "mode": mode}
        store = open_store(mapping_of(tmp_path, store=table, fields=fields), cache_dir=tmp_path / mode)
        await store.open()
        try:
            found[mode] = [(row["native"], row["name"], row["originalValue"]) for row in (await store.page(ALL)).rows]
        finally:
            await store.close()
    wanted = [
        (f"A{n:04}", NAMES[n % len(NAMES)].strip(" \u00a0") or None, f"{n}.50")
        for n in range(ROWS)
        if NAMES[n % len(NAMES)]
    ]
    assert found["live"] == found["indexed"]
    assert [row for row in found["live"] if row[1]] == wanted


async def test_nothing_is_written_where_it_is_read(server: Server) -> None:
    await filled(server, 3)
    async with server.reader() as reader:
        for change in ("INSERT INTO zc VALUES ('B', 'b', 1)", "UPDATE zc SET mc = 'x'", "CREATE TABLE b (id integer)"):
            with pytest.raises(StoreUnavailable) as caught:
                await reader.fetch(plain(change), NONE)
            assert caught.value.code == STORE_READ_ONLY
        with pytest.raises(StoreUnavailable):
            async for _ in reader.stream(plain("DELETE FROM zc")):
                pass
        with pytest.raises(StoreUnsupported, match="grants no changes"):
            await reader.execute(plain("UPDATE zc SET mc = 'x'"), NONE)
        rows = await reader.fetch(plain("SELECT id, mc FROM zc ORDER BY id"), NONE)
        assert rows == [("A0000", "桌"), ("A0001", "100% 棉"), ("A0002", "O'Brien")]


async def test_a_granted_change_has_a_connection_of_its_own(server: Server) -> None:
    await filled(server, 3)
    async with server.reader(writes=True, connections_max=1) as reader, server.beside() as beside:
        mark = "$1" if reader.dialect.paramstyle == "numeric_dollar" else "%s"
        change = parametrised(f"UPDATE zc SET mc = 'x' WHERE id = {mark}", id="A0001")
        if not reader.dialect.positional:
            change = parametrised("UPDATE zc SET mc = 'x' WHERE id = %(id)s", id="A0001")
            change = type(change)(change.sql, (), change.constants)
        assert await reader.execute(change, NONE) == 1
        assert await reader.fetch(plain("SELECT id FROM zc WHERE mc = 'x'"), NONE) == [("A0001",)]
        with pytest.raises(StoreUnavailable):
            await reader.fetch(plain("UPDATE zc SET mc = 'y'"), NONE)
        assert len(await server.sessions(beside)) <= 1


async def test_a_statement_that_takes_too_long_is_ended_at_the_server(server: Server) -> None:
    async with server.reader(statement_timeout_s=1.0) as reader, server.beside() as beside:
        with pytest.raises(StoreUnavailable) as caught:
            await reader.fetch(server.endless, NONE)
        assert caught.value.code == STORE_TIMEOUT
        await until(lambda: server.sessions(beside, running=True), 0)


@pytest.mark.parametrize("way", ["fetch", "stream"])
async def test_a_statement_that_is_given_up_is_ended_at_the_server(server: Server, way: str) -> None:
    async with server.reader(statement_timeout_s=600.0) as reader, server.beside() as beside:
        work = reader.fetch(server.endless, NONE) if way == "fetch" else anext(reader.stream(server.endless))
        asked = asyncio.ensure_future(work)
        await until(lambda: server.sessions(beside, running=True), 1)
        asked.cancel()
        await asyncio.wait([asked])
        assert asked.cancelled()
        await until(lambda: server.sessions(beside, running=True), 0)
        assert await reader.fetch(plain("SELECT 1"), NONE) == [(1,)]


async def test_a_stream_that_is_left_early_is_ended_at_the_server(server: Server) -> None:
    await filled(server)
    async with server.reader() as reader, server.beside() as beside:
        rows = reader.stream(plain("SELECT a.id FROM zc a, zc b, zc c"))
        assert len(await anext(rows)) == 500
        await rows.aclose()  # type: ignore[attr-defined]
        await until(lambda: server.sessions(beside, running=True), 0)


async def test_a_line_is_compressed_or_the_mapping_is_refused(server: Server) -> None:
    """A long answer comes whole: it spans many compressed packets, whose ends are not those of rows."""
    if server.driver not in COMPRESSING:
        with pytest.raises(StoreUnsupported, match="compresses nothing: write the url as mysql\\+mysqldb"):
            EngineReader(server.settings(compression=True))
        return
    async with server.reader(compression=True) as reader:
        assert await reader.fetch(plain("SHOW SESSION STATUS LIKE 'Compression'"), NONE) == [("Compression", "ON")]
        long = plain("SELECT seq, repeat('桌', 300) FROM seq_1_to_20000")
        wanted = [(number, "桌" * 300) for number in range(1, 20_001)]
        assert await reader.fetch(long, NONE) == wanted
        assert [row async for batch in reader.stream(long) for row in batch] == wanted


async def test_never_more_connections_than_allowed(server: Server) -> None:
    most = 2 if server.is_postgresql else 3  # KILL QUERY takes one for its moment
    async with server.reader(connections_max=2, statement_timeout_s=600.0) as reader, server.beside() as beside:
        await server.hold(beside)
        asked = [asyncio.ensure_future(reader.fetch(server.waiting, NONE)) for _ in range(6)]

        async def looked() -> set[int]:
            assert len(await server.sessions(beside)) <= most
            return await server.sessions(beside, running=True) - seen

        seen: set[int] = set()
        seen = await until(looked, 2)
        for one in asked[:2]:
            one.cancel()
        await until(looked, 2)  # two others
        await server.let_go(beside)
        assert len(await asyncio.gather(*asked[2:])) == 4
        assert len(await server.sessions(beside)) <= most


async def test_a_connection_that_was_closed_behind_our_back_is_replaced(server: Server) -> None:
    async with server.reader(connections_max=1) as reader, server.beside() as beside:
        assert len(await server.sessions(beside)) == 1
        await server.throw_out(beside)
        assert await reader.fetch(plain("SELECT 1"), NONE) == [(1,)]


async def test_outside_the_hours_nothing_is_asked(server: Server) -> None:
    moment = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    night = Guest(hours=(HourSpan(22 * 60, 6 * 60),))
    reader = EngineReader(server.settings(hours=night.hours), gate=Gate(night, now=lambda: moment))
    try:
        assert await reader.fetch(plain("SELECT 1"), NONE) == [(1,)]
        moment = datetime(2026, 1, 2, 6, 0, tzinfo=UTC)
        with pytest.raises(StoreUnavailable, match="it opens at 2026-01-02 22:00") as caught:
            await reader.fetch(plain("SELECT 1"), NONE)
        assert caught.value.code == STORE_CLOSED
    finally:
        await reader.close()
