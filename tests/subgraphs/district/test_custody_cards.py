"""What moves between regions for good, through the contract: the owner's card is retired, the receiver's is an asset."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from contract.ids import successor_id
from contract.rules import Rule
from subgraphs.district.custody.instruction_file import read_ticks, render
from tests.subgraphs.district.parts import (
    OFFICER,
    OWN_UNIT,
    REGION,
    SERVICE,
    USCC,
    MemoryClient,
    MemoryStore,
    district,
    row,
)
from tests.subgraphs.district.test_custody import codes, move, place
from tests.subgraphs.district.test_views import VIEW, view_of

OLD = "asset:330109:TY7"
NEW = successor_id(REGION, OLD, "order:1/1")
ONE, TEN = f"asset:{REGION}:one", f"asset:{REGION}:ten"
AWAY = successor_id("330109", TEN, "order:1/1")
TRANSFER = "mutation T($input: TransferOutInput!) { transferOut(input: $input) { writtenBack problems { code path } } }"
RECEIVE = "mutation R($input: ReceiveCardInput!) { receiveCard(input: $input) { assetId problems { code path } } }"
CARD = """query A($id: ID!) { asset(id: $id) { id name code quantity originalValue netValue acquisition acquiredOn status
  condition source shareable version lineageId predecessorId successorId class { scheme code name }
  owner { id uscc } warehouse { id } issues { code } } }"""
LISTED = """{ assets(orderBy: [{field: ORIGINAL_VALUE, direction: DESC}]) { totalCount nodes { id quantity }
  facets(fields: [STATUS, CLASS, REGION]) { field value count } }
  summary(by: []) { groups { count quantity originalValue } } dataQuality { rows listed issues { code } } }"""


@pytest.fixture
async def client(url: str, tmp_path: Path) -> AsyncIterator[MemoryClient]:
    rows = [row("one"), row("ten", quantity="10", originalValue="1000.00", netValue="100.01")]
    async with district(tmp_path, MemoryStore(rows, writable=False), book_url=url) as client:
        yield client


async def receive(client: MemoryClient, key: str = "r1", **changed: Any) -> Any:
    fields = {
        "idempotencyKey": key, "assetId": NEW, "predecessorId": OLD, "lineageId": OLD, "orderId": "order:1",
        "ownerUscc": USCC, "name": "投影仪", "code": "TY7", "class": {"scheme": "2022", "code": "A02020200"},
        "quantity": "2.0", "unitOfMeasure": "台", "acquiredOn": "2020-05-06", "originalValue": "9998",
        "netValue": "4000.5", "warehouseId": f"warehouse:{REGION}:W1", "condition": "GOOD", "source": "IDLE",
        "status": "IN_STORE", "shareable": True, **changed,
    }  # fmt: skip
    return (await client.data(RECEIVE, {"input": fields}, SERVICE))["receiveCard"]


async def transfer(client: MemoryClient, key: str, hold: str, quantity: str, asset: str = TEN, **changed: Any) -> Any:
    fields = {
        "idempotencyKey": key, "assetId": asset, "holdId": hold, "orderId": "order:1", "quantity": quantity,
        "successorId": AWAY, **changed,
    }  # fmt: skip
    return (await client.data(TRANSFER, {"input": fields}, SERVICE))["transferOut"]


async def dispatched(client: MemoryClient, asset: str, quantity: str) -> str:
    hold = (await place(client, f"p-{asset}-{quantity}", asset, quantity=quantity, forGood=True))["hold"]["id"]
    assert codes(await move(client, f"d-{asset}-{quantity}", hold, "DISPATCH", asset, quantity)) == []
    return str(hold)


async def test_a_card_that_came_is_an_asset_like_any_other(client: MemoryClient) -> None:
    before = (await client.data(LISTED))["summary"]["groups"]
    assert await receive(client) == {"assetId": NEW, "problems": []}
    assert (await client.data(CARD, {"id": NEW}))["asset"] == {
        "id": NEW, "name": "投影仪", "code": "TY7", "quantity": "2", "originalValue": "9998.00", "netValue": "4000.50",
        "acquisition": "TRANSFER", "acquiredOn": "2020-05-06", "status": "IN_STORE", "condition": "GOOD",
        "source": "IDLE", "shareable": True, "version": "1", "lineageId": OLD, "predecessorId": OLD,
        "successorId": None, "class": {"scheme": "2022", "code": "A02020200", "name": None},
        "owner": {"id": f"unit:{REGION}:U1", "uscc": USCC}, "warehouse": {"id": f"warehouse:{REGION}:W1"}, "issues": [],
    }  # fmt: skip
    assert before == [{"count": 2, "quantity": "11", "originalValue": "6000.00"}]
    shown = await client.data(LISTED)
    assert [one["id"] for one in shown["assets"]["nodes"]] == [NEW, ONE, TEN]
    assert shown["assets"]["totalCount"] == 3
    assert shown["summary"]["groups"] == [{"count": 3, "quantity": "13", "originalValue": "15998.00"}]
    assert {"field": "STATUS", "value": "IN_STORE", "count": 1} in shown["assets"]["facets"]
    assert {"field": "REGION", "value": REGION, "count": 3} in shown["assets"]["facets"]
    assert shown["dataQuality"] == {"rows": 3, "listed": 3, "issues": []}


async def test_the_same_card_comes_once_and_another_of_its_id_never(client: MemoryClient) -> None:
    assert await receive(client) == await receive(client)
    assert codes(await receive(client, "r2")) == ["CARD_EXISTS"]
    assert codes(await receive(client, name="别的")) == ["IDEMPOTENCY_KEY_REUSED"]
    assert (await client.data("{ assets { totalCount } }"))["assets"]["totalCount"] == 3


async def test_what_the_region_does_not_know_is_refused(client: MemoryClient) -> None:
    assert codes(await receive(client, ownerUscc="11330106002499999X")) == ["UNKNOWN_UNIT"]
    assert codes(await receive(client, "r2", warehouseId=f"warehouse:{REGION}:W9")) == ["UNKNOWN_WAREHOUSE"]
    assert codes(await receive(client, "r3", quantity="0")) == ["INVALID_QUANTITY"]
    natural = {"idempotencyKey": "r4", "assetId": f"asset:{REGION}:new", "predecessorId": OLD, "lineageId": OLD,
               "orderId": "o", "ownerUscc": USCC, "name": "x", "quantity": "1", "status": "IDLE", "shareable": True}  # fmt: skip
    assert await client.code(RECEIVE, {"input": natural}, SERVICE) == "BAD_USER_INPUT", "a key that a store might give"
    assert await client.code(RECEIVE, {"input": natural}, OFFICER) == "FORBIDDEN"
    assert await client.code(TRANSFER, {"input": {
        "idempotencyKey": "t", "assetId": TEN, "holdId": "h", "orderId": "o", "quantity": "1", "successorId": AWAY
    }}, OFFICER) == "FORBIDDEN"  # fmt: skip


async def test_a_row_of_the_store_that_has_the_key_already_is_not_covered(tmp_path: Path) -> None:
    store = MemoryStore([row(NEW.split(":")[2])])
    async with district(tmp_path, store) as client:
        assert codes(await receive(client)) == ["CARD_EXISTS"]


async def test_a_card_is_held_lent_and_returned_and_its_status_is_its_own(client: MemoryClient) -> None:
    await receive(client)
    assert codes(await place(client, "p1", NEW, quantity="3")) == ["QUANTITY_EXCEEDED"]
    hold = (await place(client, "p2", NEW, quantity="2", expectedVersion="1"))["hold"]["id"]
    assert codes(await place(client, "p3", NEW)) == ["ASSET_BUSY"]
    for kind, status in (("DISPATCH", "IN_TRANSIT"), ("RECEIVE", "LENT"), ("RETURN", "IN_STORE")):
        moved = await move(client, kind, hold, kind, NEW, "2")
        assert moved == {"writtenBack": True, "problems": []}, "the book is its store"
        assert (await client.data(CARD, {"id": NEW}))["asset"]["status"] == status
    assert codes(await place(client, "p4", NEW, expectedVersion="1")) == ["VERSION_CHANGED"]


async def test_a_view_leaves_out_the_card_that_is_held(client: MemoryClient) -> None:
    await receive(client)
    rule = Rule({"class": {"eq": "A02020200"}}, ("2026-12-01", "2026-12-08"))

    async def shown() -> int:
        (view,) = (await client.data(VIEW, {"of": view_of(rule)}))["_entities"]
        return int(view["assets"]["totalCount"])

    assert await shown() == 1
    await place(client, "p", NEW, quantity="2")
    assert await shown() == 0


async def test_a_part_that_left_is_less_at_the_owner_until_the_store_shows_it(client: MemoryClient) -> None:
    hold = await dispatched(client, TEN, "3")
    assert codes(await transfer(client, "t0", hold, "4")) == ["QUANTITY_EXCEEDED"]
    assert codes(await transfer(client, "t0b", hold, "3", orderId="order:2")) == ["UNKNOWN_HOLD"]
    assert codes(await transfer(client, "t0c", hold, "3", successorId=ONE)) == ["INVALID_CARD"]
    first = await transfer(client, "t1", hold, "3")
    assert first == {"writtenBack": False, "problems": []} == await transfer(client, "t1", hold, "3")
    left = (await client.data(CARD, {"id": TEN}))["asset"]
    assert (left["quantity"], left["originalValue"], left["netValue"]) == ("7", "700.00", "70.01")
    assert (left["status"], left["successorId"], left["version"]) == ("IDLE", None, "v1~7")
    assert (await client.data(LISTED))["summary"]["groups"] == [
        {"count": 2, "quantity": "8", "originalValue": "5700.00"}
    ]
    assert codes(await place(client, "p2", TEN, quantity="8")) == ["QUANTITY_EXCEEDED"]
    assert (await place(client, "p3", TEN, quantity="7"))["problems"] == []
    client.store.all["ten"] |= {"quantity": "7", "originalValue": "700.00", "netValue": "70.01", "version": "v2"}
    left = (await client.data(CARD, {"id": TEN}))["asset"]
    assert (left["quantity"], left["netValue"], left["version"]) == ("7", "70.01", "v2"), "not taken off twice"


async def test_the_whole_is_retired_names_its_successor_and_is_nobodys_to_hold(client: MemoryClient) -> None:
    hold = await dispatched(client, TEN, "10")
    for key, part in (("t1", "4"), ("t2", "6")):
        assert (await transfer(client, key, hold, part))["problems"] == []
    gone = (await client.data(CARD, {"id": TEN}))["asset"]
    assert (gone["status"], gone["successorId"], gone["lineageId"]) == ("DISPOSED", AWAY, TEN)
    assert [one["id"] for one in (await client.data(LISTED))["assets"]["nodes"]] == [ONE]
    assert codes(await place(client, "p2", TEN)) == ["NOT_AVAILABLE"]
    assert (await client.data(LISTED))["dataQuality"]["listed"] == 1


async def test_who_may_not_see_the_card_sees_no_link_of_it(client: MemoryClient) -> None:
    await receive(client, shareable=False)
    assert (await client.data(CARD, {"id": NEW}))["asset"] is None
    assert (await client.data(CARD, {"id": NEW}, OWN_UNIT))["asset"]["predecessorId"] == OLD
    assert (await client.data("{ assets { totalCount } }"))["assets"]["totalCount"] == 2


async def test_the_district_enters_the_card_and_nothing_is_counted_twice(client: MemoryClient, tmp_path: Path) -> None:
    await receive(client)
    hold = (await place(client, "p", NEW))["hold"]["id"]
    (batch,) = await client.book.instructions.number()
    await client.book.instructions.filed(batch.file)
    lines = list(csv.DictReader(io.StringIO(render(REGION, batch.instructions).decode("utf-8-sig"))))
    (line,) = lines
    assert (line["动作"], line["数量"]) == ("新增卡片", "2")
    assert "名称：投影仪；分类：A02020200；数量：2" in line["卡片内容"]
    assert "原值：9998.00" in line["卡片内容"]
    assert "取得方式：调拨；状态：在库" in line["卡片内容"]
    file = tmp_path / batch.file
    for given, unnamed in (("", (1,)), ("N-1", ())):
        text = io.StringIO()
        writer = csv.DictWriter(text, line)
        writer.writeheader()
        writer.writerow({**line, "新主键": given, "完成": "是"})
        file.write_text(text.getvalue())
        ticks = read_ticks(file, REGION)
        ticked = await client.book.instructions.done(ticks.numbers, ticks.natives)
        assert ticked.unnamed == unnamed
    # The store does not show it yet: the card still stands for it.
    assert next(one["id"] for one in (await client.data(LISTED))["assets"]["nodes"]) == NEW
    entered = f"asset:{REGION}:N-1"
    client.store.all["N-1"] = row(
        "N-1", quantity="2", originalValue="9998.00", status="IN_STORE", classCode="A02020200"
    )
    listed = (await client.data(LISTED))["assets"]
    assert [one["id"] for one in listed["nodes"]] == [entered, ONE, TEN]
    assert listed["totalCount"] == 3
    old, new = [(await client.data(CARD, {"id": one}))["asset"] for one in (NEW, entered)]
    assert (old["status"], old["successorId"], old["predecessorId"]) == ("IN_STORE", entered, OLD)
    assert (new["predecessorId"], new["successorId"], new["lineageId"]) == (NEW, None, OLD)
    # What was held stays held, by both names.
    assert codes(await place(client, "p5", entered, quantity="2")) == ["ASSET_BUSY"]
    assert codes(await place(client, "p6", NEW, quantity="2")) == ["ASSET_BUSY"]
    busy = 'query B($id: ID!) { asset(id: $id) { busy(range: {from: "2026-12-01", to: "2026-12-31"}) { quantity } } }'
    for one in (NEW, entered):
        assert (await client.data(busy, {"id": one}))["asset"]["busy"] == [{"quantity": "1"}]
    assert codes(await move(client, "d", hold, "DISPATCH", NEW)) == []
    assert codes(await move(client, "b", hold, "RETURN", entered)) == []


async def test_a_card_moves_on_and_the_chain_holds(client: MemoryClient) -> None:
    await receive(client)
    hold = await dispatched(client, NEW, "2")
    further = successor_id("330105", NEW, "order:2/1")
    assert await transfer(client, "t", hold, "2", NEW, successorId=further) == {"writtenBack": True, "problems": []}
    gone = (await client.data(CARD, {"id": NEW}))["asset"]
    assert (gone["status"], gone["predecessorId"], gone["successorId"]) == ("DISPOSED", OLD, further)
    assert [one["id"] for one in (await client.data(LISTED))["assets"]["nodes"]] == [ONE, TEN]
    assert await client.book.instructions.number() == [], "nobody need enter what is gone"
