"""A server that says by nothing what it has changed is read again when its time has come, and not before."""

from __future__ import annotations

from pathlib import Path

from adapters.index import IndexedStore
from adapters.sql.rows import SqlRows
from tests.adapters.sql.servers import Server
from tests.adapters.support import ALL, mapping_of

RELOAD_S = 60


async def test_a_change_is_seen_when_all_is_read_again(tmp_path: Path, postgres_database: str) -> None:
    server = Server("postgresql+asyncpg", postgres_database)
    await server.run(
        "CREATE TABLE zc (id text PRIMARY KEY, mc text)", "INSERT INTO zc VALUES ('a', '桌'), ('b', '椅'), ('c', '柜')"
    )
    table = {"engine": "postgresql", "url": server.url, "mode": "indexed", "reread_s": 86_400, "reload_s": RELOAD_S}
    mapping = mapping_of(tmp_path, store=table)
    now = RELOAD_S * 1_000.0
    store = IndexedStore(mapping, SqlRows(mapping, lambda: now), tmp_path / "cache")

    async def names() -> dict[str, str]:
        await store.refresh()
        return {row["native"]: row["name"] for row in (await store.page(ALL)).rows}

    await store.open()
    try:
        await server.run("UPDATE zc SET mc = '新桌' WHERE id = 'a'", "DELETE FROM zc WHERE id = 'b'")
        now += RELOAD_S - 1
        assert await names() == {"a": "桌", "b": "椅", "c": "柜"}
        now += 1
        assert await names() == {"a": "新桌", "c": "柜"}
    finally:
        await store.close()
