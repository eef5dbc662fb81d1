"""Who was told personal data, and of which asset, stands in the book before the answer leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from typer.testing import CliRunner

from adapters.model import Issue, QuarantinedRow
from gwc.cli import app
from tests.subgraphs.district.parts import (
    CITY,
    OFFICER,
    OWN_UNIT,
    REGION,
    MemoryClient,
    MemoryStore,
    district,
    row,
)

KEEPERS = "{ assets(first: 50) { nodes { id keeper user } } }"
BAD: Issue = {"code": "DUPLICATE_KEY", "field": None, "raw": "王小明", "rule": "key", "blocking": True}
OF_KEEPER: Issue = {"code": "MOJIBAKE", "field": "keeper", "raw": "Íõ", "rule": "fields.keeper", "blocking": False}


@pytest.fixture
async def client(url: str, tmp_path: Path) -> AsyncIterator[MemoryClient]:
    rows = [
        row("a", owner="U1"),
        row("b", owner="U2"),
        row("c", owner="U2", keeper=None, user=None, issues=[OF_KEEPER]),
    ]
    store = MemoryStore(rows, quarantined=[QuarantinedRow(("q0",), {"xm": "王小明"}, [BAD])])
    async with district(tmp_path, store, book_url=url) as client:
        yield client


async def told(client: MemoryClient) -> set[tuple[str | None, str, str]]:
    return {(one.person, one.kind, one.asset) for one in await client.book.reads.latest(100)}


async def test_each_asset_whose_keeper_was_told_is_recorded(client: MemoryClient) -> None:
    await client.data(KEEPERS, None, OWN_UNIT)
    assert await told(client) == {(OWN_UNIT.person, "PERSONAL", "a")}
    await client.data(KEEPERS, None, OFFICER)
    assert {asset for person, _, asset in await told(client) if person == OFFICER.person} == {"a", "b"}


async def test_what_was_not_told_is_no_read(client: MemoryClient) -> None:
    await client.data(KEEPERS, None, CITY)
    await client.data("{ assets(first: 50) { nodes { id name } } }", None, OFFICER)
    assert await told(client) == set()


async def test_raw_values_and_rows_are_reads_too(client: MemoryClient) -> None:
    await client.data("{ assets(first: 50) { nodes { issues { raw } } } }", None, OFFICER)
    assert await told(client) == {(OFFICER.person, "PERSONAL", "c")}
    await client.data("{ dataQuality { quarantine { nodes { raw } } } }", None, OFFICER)
    assert (OFFICER.person, "RAW", "q0") in await told(client)


async def test_what_cannot_be_recorded_is_not_told(client: MemoryClient, tmp_path: Path) -> None:
    url = client.book._database._engine.url.render_as_string(hide_password=False)
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(sa.text("DROP TABLE custody_reads"))
    await engine.dispose()
    answer = await client.ask(KEEPERS, None, OFFICER)
    assert answer["data"] is None and answer["errors"][0]["extensions"]["code"] == "NOT_RECORDED"
    assert (await client.data("{ assets(first: 50) { nodes { name } } }", None, OFFICER))["assets"] is not None


async def test_a_read_leaves_what_commands_decide_by_as_it_was(client: MemoryClient) -> None:
    before = client.book.writes
    await client.data(KEEPERS, None, OFFICER)
    assert client.book.writes == before, "windows that are kept stay good"


async def test_the_command_shows_them(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    url = f"sqlite:///{state}/custody-{REGION}.sqlite"
    async with district(tmp_path, MemoryStore([row("a", owner="U1"), row("b", owner="U2")]), book_url=url) as client:
        await client.data(KEEPERS, None, OFFICER)
    shown = await asyncio.to_thread(
        CliRunner().invoke, app, ["district", "reads", "--region", REGION, "--asset", "b", "--data-dir", str(tmp_path)]
    )
    assert shown.exit_code == 0, shown.output
    lines = shown.output.splitlines()
    assert len(lines) == 2 and f"PERSONAL  b  {OFFICER.person}" in lines[0] and lines[1] == f"{REGION}: 1 reads"
