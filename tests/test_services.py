"""The servers that tests stand on answer, each in its own protocol."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import aiomqtt
import asyncmy
import asyncpg
import pytest
from pymongo import MongoClient
from redis.asyncio import Redis

from tests.services import Server, ServerUnavailable, _binary, running_redis


async def test_postgres_answers_in_an_empty_database(postgres_database: str) -> None:
    connection = await asyncpg.connect(postgres_database)
    try:
        assert await connection.fetchval("select '公物仓'") == "公物仓"
        assert await connection.fetchval("select count(*) from pg_tables where schemaname = 'public'") == 0
    finally:
        await connection.close()


async def test_mariadb_answers_in_an_empty_database(mariadb_database: str) -> None:
    parts = urlsplit(mariadb_database)
    connection = await asyncmy.connect(
        host=parts.hostname, port=parts.port, user=parts.username, db=parts.path.lstrip("/")
    )
    try:
        async with connection.cursor() as cursor:
            await cursor.execute("select '公物仓', database()")
            assert await cursor.fetchone() == ("公物仓", parts.path.lstrip("/"))
    finally:
        await connection.ensure_closed()


def test_mongo_answers_in_an_empty_database(mongo_database: str) -> None:
    client: MongoClient[dict[str, object]] = MongoClient(mongo_database)
    try:
        database = client.get_default_database()
        assert database.list_collection_names() == []
        database["assets"].insert_one({"_id": 1, "name": "台式计算机"})
        assert database["assets"].find_one({"name": "台式计算机"}) == {"_id": 1, "name": "台式计算机"}
    finally:
        client.close()


async def test_redis_answers(redis_server: Server) -> None:
    client = Redis.from_url(redis_server.url)
    try:
        assert await client.ping()
    finally:
        await client.aclose()


async def test_mosquitto_delivers(mosquitto_server: Server) -> None:
    parts = urlsplit(mosquitto_server.url)
    async with aiomqtt.Client(parts.hostname or "", parts.port or 1883) as client:
        await client.subscribe("gwc-test/services", qos=1)
        await client.publish("gwc-test/services", "公物仓".encode(), qos=1)
        message = await anext(aiter(client.messages))
        assert message.payload == "公物仓".encode()


def test_a_server_is_gone_after_its_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    with running_redis() as server:
        assert server.pid is not None
        assert Path(f"/proc/{server.pid}").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)


def test_the_users_own_server_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://example.org:7000/3")
    with running_redis() as server:
        assert server == Server("Redis", "redis://example.org:7000/3", None)


def test_a_missing_server_names_the_package_and_the_variable() -> None:
    with pytest.raises(ServerUnavailable, match=r"apt-get install some-server.*SOME_URL"):
        _binary("no-such-server-binary", "apt-get install some-server", "SOME_URL")
