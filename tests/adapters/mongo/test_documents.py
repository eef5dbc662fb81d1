"""Documents as they are found in a real store: one mapping reads them from MongoDB and from their export alike."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId, json_util
from motor.motor_asyncio import AsyncIOMotorClient

from adapters.documents.lines import LineDocuments
from adapters.documents.source import DocumentSource
from adapters.index import IndexedStore
from adapters.model import Row, StoreUnavailable
from adapters.mongo.source import MongoDocuments
from adapters.status import HealthState
from tests.adapters.support import ALL, mapping_of

OID = ObjectId("64b0c0ffee0000000000abcd")
DOCUMENTS: list[dict[str, Any]] = [
    {"_id": OID, "mj": "公开", "card": {"name": "桌", "v": "1200.50", "day": "2019-03-05"}, "ck": "W1"},
    {
        "_id": "b",
        "mj": "公开",
        "card": {"name": "椅", "v": 80.1, "day": datetime(2019, 3, 4, 16, tzinfo=UTC)},
        "ck": "W9",
    },
    {"_id": "c", "mj": "公开", "card": {"name": "柜", "v": Decimal128("90071992547409.93")}, "tags": ["红", "旧"]},
    {"_id": "d", "mj": "公开", "card": {"name": {"zh": "灯", "by": OID}, "v": Int64(7)}, "tags": []},
    {"_id": "e", "mj": "公开", "card": {"name": "箱", "v": ["3"]}},
    {"_id": {"no": 1}, "mj": "公开", "card": {"name": "架"}},
    {"_id": "密g", "mj": ["公开"], "card": {"name": "密"}},
    {"_id": "密h", "card": {"name": "无密级"}},
    {"_id": "i", "mj": "公开", "card": "no card at all"},
    {"_id": "密j", "mj": {"级": "公开"}, "card": {"name": "密"}},
]
HOUSES = [
    {"_id": "W1", "name": "一号仓", "state": "在用"},
    {"_id": "W9", "name": "旧仓", "state": "停用"},
]
TABLES: dict[str, Any] = {
    "source": {"table": "assets"},
    "secrecy": {"column": "mj", "open": ["公开"]},
    "key": {"columns": ["_id"]},
    "fields": {
        "name": "card.name",
        "originalValue": {"column": "card.v", "unit": "元"},
        "acquiredOn": "card.day",
        "brand": "tags.0",
        "location": "tags",
        "warehouse": "ck",
    },
    "warehouses": {
        "table": "houses",
        "key": "_id",
        "name": "name",
        "rows": [{"column": "state", "in": ["在用"]}],
    },
}


@asynccontextmanager
async def from_mongo(folder: Path, url: str) -> AsyncIterator[IndexedStore]:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(url)
    try:
        await client.get_default_database()["assets"].insert_many([dict(one) for one in DOCUMENTS])
        await client.get_default_database()["houses"].insert_many([dict(one) for one in HOUSES])
    finally:
        client.close()
    mapping = mapping_of(folder, store={"engine": "mongodb", "url": url}, **TABLES)
    async with opened(IndexedStore(mapping, DocumentSource(mapping, MongoDocuments(mapping)), folder / "a")) as store:
        yield store


@asynccontextmanager
async def from_lines(folder: Path, **more: Any) -> AsyncIterator[IndexedStore]:
    export(folder, "assets", DOCUMENTS)
    export(folder, "houses", HOUSES)
    store_table = {"engine": "jsonl", "url": "export", "reread_s": 86_400}
    mapping = mapping_of(folder, store=store_table, **{"file": {"settle_s": 0}, **TABLES, **more})
    async with opened(IndexedStore(mapping, DocumentSource(mapping, LineDocuments(mapping)), folder / "b")) as store:
        yield store


@asynccontextmanager
async def opened(store: IndexedStore) -> AsyncIterator[IndexedStore]:
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def export(folder: Path, name: str, documents: list[dict[str, Any]]) -> Path:
    """As `mongoexport` writes it."""
    path = folder / "export" / f"{name}.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json_util.dumps(one, ensure_ascii=False) + "\n" for one in documents), encoding="utf-8")
    return path


def told(row: Row) -> list[tuple[str, str | None]]:
    return [(issue["code"], issue["field"]) for issue in row["issues"]]


async def check(store: IndexedStore) -> None:
    found = {row["native"]: row for row in (await store.page(ALL)).rows}
    assert set(found) == {str(OID), "b", "c", "d", "i"}
    first, second, third, fourth, last = (found[key] for key in (str(OID), "b", "c", "d", "i"))
    assert [row["acquiredOn"] for row in (first, second, third)] == ["2019-03-05", "2019-03-05", None]
    assert [row["originalValue"] for row in (first, second, third, fourth, last)] == [
        "1200.50", "80.10", "90071992547409.93", "7.00", None,
    ]  # fmt: skip
    assert (first["warehouse"], told(first)) == ("W1", [])
    assert (second["warehouse"], told(second)) == (None, [("UNKNOWN_CODE", "warehouse")])
    assert (third["brand"], third["location"], told(third)) == ("红", None, [("NESTED_VALUE", "location")])
    assert (fourth["name"], told(fourth)) == (None, [("NESTED_VALUE", "location"), ("NESTED_VALUE", "name")])
    assert [issue["raw"] for issue in fourth["issues"]] == ["[]", f'{{"zh":"灯","by":"{OID}"}}'], "JSON, and no repr"
    assert told(last) == [("NAME_MISSING", "name")]
    kept = await store.quarantine(10, None)
    blocking = sorted(issue["code"] for row in kept for issue in row.issues if issue["blocking"])
    assert blocking == ["EMPTY_KEY", "MALFORMED_ROW", "MALFORMED_ROW", "UNMAPPABLE_AMOUNT"]
    assert (await store.quality()).rows == 9, "the one that is not open leaves no trace"
    assert [sorted(row.raw) for row in kept if "MALFORMED_ROW" in [issue["code"] for issue in row.issues]] == [
        ["line"], ["line"],
    ]  # fmt: skip
    assert (await store.health()).unreadable == 2, "a list or an object says nothing of secrecy"
    assert "密" not in repr(kept), "and nothing of such a document is shown"


async def test_out_of_mongodb(tmp_path: Path, mongo_database: str) -> None:
    async with from_mongo(tmp_path, mongo_database) as store:
        await check(store)


async def test_out_of_exported_lines(tmp_path: Path) -> None:
    async with from_lines(tmp_path) as store:
        await check(store)


EARLIER, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
CHANGES: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "its version": lambda assets: assets.update_one({"_id": "A2"}, {"$set": {"mc": "新桌"}, "$inc": {"bb": 1}}),
    "its time": lambda assets: assets.update_one({"_id": "A2"}, {"$set": {"mc": "新桌", "gxsj": LATER}}),
    "it is new": lambda assets: assets.insert_one({"_id": "A9", "mc": "新桌", "bb": 1, "gxsj": EARLIER}),
    "it is gone": lambda assets: assets.delete_one({"_id": "A2"}),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_is_seen_at_the_next_look(tmp_path: Path, mongo_database: str, change: str) -> None:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo_database)
    assets = client.get_default_database()["zc"]
    names = {f"A{n}": "桌" for n in range(3)}
    try:
        await assets.insert_many([{"_id": key, "mc": mc, "bb": 1, "gxsj": EARLIER} for key, mc in names.items()])
        mapping = mapping_of(
            tmp_path,
            store={"engine": "mongodb", "url": mongo_database, "reread_s": 86_400, "reload_s": 86_400},
            key={"columns": ["_id"]},
            fields={"name": "mc", "version": "bb", "updatedAt": "gxsj"},
        )
        async with opened(IndexedStore(mapping, DocumentSource(mapping, MongoDocuments(mapping)), tmp_path)) as store:
            await CHANGES[change](assets)
            await store.refresh()
            found = {row["native"]: row["name"] for row in (await store.page(ALL)).rows}
    finally:
        client.close()
    wanted = {"it is new": {**names, "A9": "新桌"}, "it is gone": {"A0": "桌", "A1": "桌"}}
    assert found == wanted.get(change, {**names, "A2": "新桌"})


async def test_a_change_that_nothing_tells_is_seen_when_all_is_read_again(tmp_path: Path, mongo_database: str) -> None:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo_database)
    assets, now = client.get_default_database()["zc"], 60_000.0
    table = {"engine": "mongodb", "url": mongo_database, "reread_s": 86_400, "reload_s": 60}
    mapping = mapping_of(tmp_path, store=table, key={"columns": ["_id"]})
    documents = DocumentSource(mapping, MongoDocuments(mapping, lambda: now))
    try:
        await assets.insert_one({"_id": "A1", "mc": "桌"})
        async with opened(IndexedStore(mapping, documents, tmp_path)) as store:
            await assets.update_one({"_id": "A1"}, {"$set": {"mc": "新桌"}})
            for passed, name in ((59, "桌"), (1, "新桌")):
                now += passed
                await store.refresh()
                assert [row["name"] for row in (await store.page(ALL)).rows] == [name]
    finally:
        client.close()


async def test_the_same_rows_whichever_way_they_come(tmp_path: Path, mongo_database: str) -> None:
    async with from_mongo(tmp_path, mongo_database) as one, from_lines(tmp_path) as other:
        rows = [[{**row, "observedAt": None} for row in (await store.page(ALL)).rows] for store in (one, other)]
        assert rows[0] == rows[1]


@pytest.mark.parametrize("cut", [1, 20], ids=["the line's end", "the middle of a line"])
async def test_a_half_written_export_leaves_the_last_good_state(tmp_path: Path, cut: int) -> None:
    async with from_lines(tmp_path) as store:
        path = tmp_path / "export" / "assets.jsonl"
        os.truncate(path, path.stat().st_size - cut)
        await store.refresh()
        health = await store.health()
        assert health.state is HealthState.DEGRADED and health.fault is not None
        assert health.fault.code == "EXPORT_UNFINISHED" and "line 10" in health.fault.message
        await check(store)


async def test_an_export_has_as_many_documents_as_were_announced(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    announced = tmp_path / "export" / "assets.ok"
    announced.write_text(f"{len(DOCUMENTS)}\n")
    async with from_lines(tmp_path, file={"ready_suffix": ".ok"}) as store:
        await check(store)
        export(tmp_path, "assets", DOCUMENTS[:5])
        await store.refresh()
        health = await store.health()
        assert health.fault is not None and "5 documents came where 10 were announced" in health.fault.message
        announced.unlink()
        await store.refresh()
        health = await store.health()
        assert health.fault is not None and "there is no assets.ok" in health.fault.message
        await check(store)


async def test_an_export_that_was_written_just_now_is_not_believed_yet(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="may still be being written"):
        async with from_lines(tmp_path, file={"settle_s": 3600}):
            pass


@pytest.mark.parametrize("line", ["[1, 2]", '{"a": ', '{"d": {"$date": "no day"}}', "NaN"])
async def test_a_line_that_is_no_document_is_named(tmp_path: Path, line: str) -> None:
    async with from_lines(tmp_path) as store:
        with (tmp_path / "export" / "assets.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        await store.refresh()
        health = await store.health()
        assert health.fault is not None and "line 11 of assets.jsonl is no JSON document" in health.fault.message
        await check(store)
