"""Holds and movements over GraphQL, on SQLite and on PostgreSQL: nothing is promised or gone twice."""

from __future__ import annotations

import asyncio
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.model import StoreCapabilities
from contract.identity import ANONYMOUS, Identity
from tests.services import Server, postgres_execute
from tests.subgraphs.district.parts import (
    AUDITOR,
    CITY,
    OFFICER,
    REGION,
    SERVICE,
    MemoryClient,
    MemoryStore,
    district,
    row,
)

ONE, TEN = f"asset:{REGION}:one", f"asset:{REGION}:ten"
HOLD = "hold { id from to quantity state }"
PLACE = f"mutation P($input: PlaceHoldInput!) {{ placeHold(input: $input) {{ {HOLD} problems {{ code message }} }} }}"
RENEW = f"mutation R($input: RenewHoldInput!) {{ renewHold(input: $input) {{ {HOLD} problems {{ code }} }} }}"
REDUCE = f"mutation R($input: ReduceHoldInput!) {{ reduceHold(input: $input) {{ {HOLD} problems {{ code }} }} }}"
RELEASE = f"mutation R($input: ReleaseHoldInput!) {{ releaseHold(input: $input) {{ {HOLD} problems {{ code }} }} }}"
MOVE = "mutation M($input: RecordMovementInput!) { recordMovement(input: $input) { writtenBack problems { code } } }"
WEEK = {"from": "2026-12-01", "to": "2026-12-08"}
NEXT_DAY = {"from": "2026-12-08", "to": "2026-12-09"}
OVERLAP = {"from": "2026-12-07", "to": "2026-12-09"}


@pytest.fixture
async def client(url: str, tmp_path: Path) -> AsyncIterator[MemoryClient]:
    store = MemoryStore(
        [row("one"), row("ten", quantity="10"), row("closed", shareable=False), row("lost", status="LOST")]
    )
    async with district(tmp_path, store, book_url=url) as client:
        yield client


async def place(
    client: MemoryClient, key: str, asset: str = ONE, range_: Any = WEEK, quantity: str = "1", **more: Any
) -> Any:
    fields = {
        "idempotencyKey": key, "assetId": asset, "orderId": "order:1", "range": range_, "quantity": quantity,
        "lifeSeconds": 3600, **more,
    }  # fmt: skip
    return (await client.data(PLACE, {"input": fields}, SERVICE))["placeHold"]


async def move(client: MemoryClient, key: str, hold: str, kind: str, asset: str = ONE, quantity: str = "1") -> Any:
    fields = {"idempotencyKey": key, "assetId": asset, "holdId": hold, "kind": kind, "quantity": quantity}
    return (await client.data(MOVE, {"input": fields}, SERVICE))["recordMovement"]


async def reduce(client: MemoryClient, key: str, hold: str, quantity: str) -> Any:
    fields = {"idempotencyKey": key, "assetId": TEN, "holdId": hold, "quantity": quantity}
    return (await client.data(REDUCE, {"input": fields}, SERVICE))["reduceHold"]


def codes(payload: Any) -> list[str]:
    return [problem["code"] for problem in payload["problems"]]


async def test_overlapping_days_are_refused_and_adjacent_ones_are_not(client: MemoryClient) -> None:
    first = await place(client, "k1")
    assert (first["problems"], first["hold"]["state"]) == ([], "ACTIVE")
    assert codes(await place(client, "k2", range_=OVERLAP)) == ["ASSET_BUSY"]
    assert codes(await place(client, "k3", range_=NEXT_DAY)) == []


async def test_a_batch_is_held_up_to_its_quantity_on_each_day(client: MemoryClient) -> None:
    assert codes(await place(client, "k1", TEN, quantity="6")) == []
    assert codes(await place(client, "k2", TEN, OVERLAP, "4")) == []
    assert codes(await place(client, "k3", TEN, OVERLAP, "1")) == ["ASSET_BUSY"]
    assert codes(await place(client, "k4", TEN, NEXT_DAY, "6")) == []
    assert codes(await place(client, "k5", TEN, quantity="11")) == ["QUANTITY_EXCEEDED"]


async def test_many_at_once_and_one_has_it(client: MemoryClient) -> None:
    answers = await asyncio.gather(*(place(client, f"k{n}") for n in range(20)))
    assert sorted(codes(answer) for answer in answers) == [[], *[["ASSET_BUSY"]] * 19]


async def test_the_same_key_is_the_same_hold(client: MemoryClient) -> None:
    """Sent again, at once or later, the command is not carried out again."""
    same = await asyncio.gather(*(place(client, "k1") for _ in range(5)))
    assert len({answer["hold"]["id"] for answer in same}) == 1
    refused = await place(client, "k2")
    released = await client.data(
        RELEASE, {"input": {"idempotencyKey": "r1", "assetId": ONE, "holdId": same[0]["hold"]["id"]}}, SERVICE
    )
    assert released["releaseHold"]["problems"] == []
    assert codes(await place(client, "k2")) == codes(refused) == ["ASSET_BUSY"], "a refusal stays what it was"
    assert codes(await place(client, "k3")) == []
    status = await client.data(
        f'{{ commandStatus(assetId: "{ONE}", idempotencyKey: "k1") {{ known hold {{ state }} }} }}', None, SERVICE
    )
    assert status["commandStatus"] == {"known": True, "hold": {"state": "RELEASED"}}
    unknown = await client.data(
        f'{{ commandStatus(assetId: "{ONE}", idempotencyKey: "no") {{ known }} }}', None, SERVICE
    )
    assert unknown["commandStatus"] == {"known": False}


async def test_one_key_for_two_commands_is_refused(client: MemoryClient) -> None:
    await place(client, "k1")
    assert codes(await place(client, "k1", range_=NEXT_DAY)) == ["IDEMPOTENCY_KEY_REUSED"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"asset": f"asset:{REGION}:closed"}, "NOT_SHAREABLE"),
        ({"asset": f"asset:{REGION}:lost"}, "NOT_AVAILABLE"),
        ({"asset": f"asset:{REGION}:none"}, "UNKNOWN_ASSET"),
        ({"expectedVersion": "v0"}, "VERSION_CHANGED"),
        ({"quantity": "0"}, "INVALID_QUANTITY"),
        ({"range_": {"from": "2026-12-02", "to": "2026-12-02"}}, "INVALID_RANGE"),
        ({"range_": {"from": "2026-11-23", "to": "2026-12-02"}}, "INVALID_RANGE"),
        ({"lifeSeconds": 0}, "INVALID_LIFE"),
    ],
)
async def test_what_cannot_be_held_says_why(client: MemoryClient, more: dict[str, Any], code: str) -> None:
    refused = await place(client, "k1", **more)
    assert codes(refused) == [code]
    assert refused["hold"] is None
    assert refused["problems"][0]["message"]


@pytest.mark.parametrize("identity", [ANONYMOUS, OFFICER, CITY, AUDITOR], ids=lambda identity: identity.person)
async def test_only_the_system_itself_commands_custody(client: MemoryClient, identity: Identity) -> None:
    fields = {
        "idempotencyKey": "k1", "assetId": ONE, "orderId": "order:1", "range": WEEK, "quantity": "1", "lifeSeconds": 60,
    }  # fmt: skip
    assert await client.code(PLACE, {"input": fields}, identity) == "FORBIDDEN"
    assert codes(await place(client, "k2")) == [], "nothing was held"


async def test_goods_go_out_and_come_back(client: MemoryClient) -> None:
    hold = (await place(client, "k1"))["hold"]["id"]
    assert codes(await move(client, "m0", hold, "RECEIVE")) == ["NOT_DISPATCHED"]
    dispatched = await move(client, "m1", hold, "DISPATCH")
    assert dispatched == {"writtenBack": True, "problems": []}
    assert client.store.all["one"]["status"] == "IN_TRANSIT"
    assert (await move(client, "m1", hold, "DISPATCH"))["problems"] == [], "the same command again"
    assert codes(await move(client, "m2", hold, "DISPATCH")) == ["QUANTITY_EXCEEDED"]
    release = {"input": {"idempotencyKey": "r1", "assetId": ONE, "holdId": hold}}
    assert codes((await client.data(RELEASE, release, SERVICE))["releaseHold"]) == ["HOLD_DISPATCHED"]
    await move(client, "m3", hold, "RECEIVE")
    assert client.store.all["one"]["status"] == "LENT"
    assert codes(await move(client, "m4", hold, "RETURN")) == []
    assert client.store.all["one"]["status"] == "IDLE", "as it was before"
    assert codes(await place(client, "k2")) == [], "what came back can be held again"


async def test_a_batch_comes_back_in_parts(client: MemoryClient) -> None:
    """What is back can be held again at once; what is out cannot. No single status tells of a part of a batch."""
    hold = (await place(client, "k1", TEN, quantity="10"))["hold"]["id"]
    assert codes(await move(client, "m1", hold, "DISPATCH", TEN, "10")) == []
    assert await move(client, "m2", hold, "RETURN", TEN, "4") == {"writtenBack": False, "problems": []}
    assert client.store.all["ten"]["status"] == "IN_TRANSIT"
    assert codes(await place(client, "k2", TEN, quantity="5")) == ["ASSET_BUSY"]
    assert codes(await place(client, "k3", TEN, quantity="4")) == []
    assert codes(await move(client, "m3", hold, "RETURN", TEN, "7")) == ["QUANTITY_EXCEEDED"]
    assert await move(client, "m4", hold, "RETURN", TEN, "6") == {"writtenBack": True, "problems": []}
    assert client.store.all["ten"]["status"] == "IDLE"


async def test_what_has_not_left_of_a_hold_is_given_up(client: MemoryClient) -> None:
    """What is given up can be held again at once, and no more than that; sent again, it is given up once."""
    hold = (await place(client, "k1", TEN, quantity="8"))["hold"]["id"]
    assert codes(await move(client, "m1", hold, "DISPATCH", TEN, "3")) == []
    assert codes(await reduce(client, "r1", hold, "6")) == ["QUANTITY_EXCEEDED"], "three have left"
    assert codes(await reduce(client, "r2", hold, "0")) == ["INVALID_QUANTITY"]
    assert codes(await reduce(client, "r3", "none", "1")) == ["UNKNOWN_HOLD"]
    first = await reduce(client, "r4", hold, "4")
    assert (first["problems"], first["hold"]["quantity"], first["hold"]["state"]) == ([], "4", "DISPATCHED")
    assert await reduce(client, "r4", hold, "4") == first
    assert codes(await place(client, "k2", TEN, quantity="7")) == ["ASSET_BUSY"]
    assert codes(await place(client, "k3", TEN, quantity="6")) == []
    assert codes(await move(client, "m2", hold, "RETURN", TEN, "3")) == []
    over = await reduce(client, "r5", hold, "1")
    assert (over["problems"], over["hold"]["state"]) == ([], "RELEASED"), "nothing of it is claimed any more"
    assert codes(await reduce(client, "r6", hold, "1")) == [], "what is over may be given up again"


async def test_a_hold_that_lapsed_is_given_up_without_a_fault(client: MemoryClient) -> None:
    lapsed = (await place(client, "k1", TEN, quantity="8", lifeSeconds=1))["hold"]["id"]
    client.clock.advance(seconds=2)
    answer = await reduce(client, "r1", lapsed, "8")
    assert (answer["problems"], answer["hold"]["state"]) == ([], "EXPIRED")
    whole = (await place(client, "k2", TEN, quantity="10"))["hold"]["id"]
    assert (await reduce(client, "r2", whole, "10"))["hold"]["state"] == "RELEASED"
    assert codes(await place(client, "k3", TEN, quantity="10")) == []


async def test_a_store_whose_mapping_grants_no_holds(client: MemoryClient) -> None:
    client.store.capabilities = StoreCapabilities(hold=False)
    assert codes(await place(client, "k1")) == ["NOT_SHAREABLE"]


async def test_a_store_that_cannot_be_written_does_not_stop_the_movement(client: MemoryClient) -> None:
    """What it does not show yet (未落库) is kept as instructions, oldest first."""
    client.store.capabilities = StoreCapabilities(write=False)
    hold = (await place(client, "k1"))["hold"]["id"]
    for kind in ("DISPATCH", "RECEIVE"):
        assert await move(client, f"m {kind}", hold, kind) == {"writtenBack": False, "problems": []}
        client.clock.advance(seconds=1)
    data = await client.data(f'{{ asset(id: "{ONE}") {{ status }} }}', None, CITY)
    assert data["asset"]["status"] == "IDLE"
    owed = await client.book.instructions.open(10)
    assert [(one.kind, one.asset, one.status, one.quantity) for one in owed] == [
        ("DISPATCH", "one", "IN_TRANSIT", "1"),
        ("RECEIVE", "one", "LENT", "1"),
    ]


async def test_a_row_that_somebody_else_has_changed_is_not_overwritten(client: MemoryClient) -> None:
    hold = (await place(client, "k1"))["hold"]["id"]
    client.store.changes_meanwhile = True
    assert await move(client, "m1", hold, "DISPATCH") == {"writtenBack": False, "problems": []}
    assert client.store.all["one"]["status"] == "IDLE"
    (owed,) = await client.book.instructions.open(10)
    assert (owed.status, owed.reason) == ("IN_TRANSIT", "STORE_CONFLICT")
    client.store.changes_meanwhile = False
    assert await move(client, "m1", hold, "DISPATCH") == {"writtenBack": False, "problems": []}, "the first result"
    assert client.store.all["one"]["status"] == "IDLE"


async def test_goods_come_back_while_the_store_is_away_and_do_not_leave(client: MemoryClient) -> None:
    hold = (await place(client, "k1"))["hold"]["id"]
    await move(client, "m1", hold, "DISPATCH")
    client.store.is_down = True
    assert await move(client, "m2", hold, "RECEIVE") == {"writtenBack": False, "problems": []}
    fields = {"idempotencyKey": "m3", "assetId": ONE, "holdId": hold, "kind": "DISPATCH", "quantity": "1"}
    assert await client.code(MOVE, {"input": fields}, SERVICE) == "STORE_UNAVAILABLE"
    assert codes(await move(client, "m4", hold, "RETURN")) == []


async def test_busy_days_are_shown_to_everybody(client: MemoryClient) -> None:
    await place(client, "k1", TEN, quantity="6")
    await place(client, "k2", TEN, OVERLAP, "4")
    query = (
        f'{{ asset(id: "{TEN}") {{ busy(range: {{from: "2026-12-01", to: "2026-12-31"}}) {{ from to quantity }} }} }}'
    )
    busy = (await client.data(query))["asset"]["busy"]
    assert busy == [
        {"from": "2026-12-01", "to": "2026-12-07", "quantity": "6"},
        {"from": "2026-12-07", "to": "2026-12-08", "quantity": "10"},
        {"from": "2026-12-08", "to": "2026-12-09", "quantity": "4"},
    ]


async def test_a_hold_that_is_not_renewed_lapses(client: MemoryClient) -> None:
    kept = (await place(client, "k1"))["hold"]["id"]
    await place(client, "k2", TEN, quantity="10")
    renew = {"input": {"idempotencyKey": "n1", "assetId": ONE, "holdId": kept, "lifeSeconds": 7200}}
    assert codes((await client.data(RENEW, renew, SERVICE))["renewHold"]) == []
    client.clock.advance(seconds=3601)
    assert codes(await place(client, "k3", TEN, quantity="10")) == [], "nobody renewed that one"
    assert codes(await place(client, "k4")) == ["ASSET_BUSY"]


async def test_two_processes_on_one_file_give_one_hold(tmp_path: Path) -> None:
    async with (
        district(tmp_path, MemoryStore([row("one")])) as here,
        district(tmp_path, MemoryStore([row("one")])) as there,
    ):
        for day in range(1, 9):
            range_ = {"from": f"2026-12-{day:02}", "to": f"2026-12-{day + 1:02}"}
            both = await asyncio.gather(place(here, f"h{day}", range_=range_), place(there, f"t{day}", range_=range_))
            assert sorted(codes(answer) for answer in both) == [[], ["ASSET_BUSY"]]


async def test_a_file_that_another_process_holds_costs_no_more_than_the_deadline(tmp_path: Path) -> None:
    async with district(tmp_path, MemoryStore([row("one")])) as client:
        other = sqlite3.connect(tmp_path / f"{REGION}.sqlite", isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            fields = {
                "idempotencyKey": "k1", "assetId": ONE, "orderId": "order:1", "range": WEEK, "quantity": "1",
                "lifeSeconds": 60,
            }  # fmt: skip
            asked = time.monotonic()
            answer = await client.ask(PLACE, {"input": fields}, SERVICE, deadline_ms=300)
            assert time.monotonic() - asked < 5, "long before the book's own patience ends"
            assert answer["errors"][0]["extensions"]["code"] == "DEADLINE_EXCEEDED"
            data = await client.data(
                f'{{ asset(id: "{ONE}") {{ busy(range: {{from: "2026-12-01", to: "2026-12-02"}}) {{ from }} }} }}'
            )
            assert data["asset"]["busy"] == [], "readers wait for nobody, and nothing was held"
            other.execute("COMMIT")
        finally:
            other.close()
        assert codes(await place(client, "k1")) == [], "the same key may be sent again"


async def test_a_book_that_is_away_is_said_and_the_assets_are_still_shown(
    tmp_path: Path, postgres_server: Server
) -> None:
    name = f"gwc_test_{uuid.uuid4().hex[:12]}"
    await postgres_execute(postgres_server.url, f'CREATE DATABASE "{name}"')
    url = postgres_server.with_database(name).replace("postgresql://", "postgresql+asyncpg://")
    async with district(tmp_path, MemoryStore([row("one")]), book_url=url) as client:
        await postgres_execute(postgres_server.url, f'DROP DATABASE "{name}" WITH (FORCE)')
        fields = {
            "idempotencyKey": "k1", "assetId": ONE, "orderId": "order:1", "range": WEEK, "quantity": "1",
            "lifeSeconds": 60,
        }  # fmt: skip
        assert await client.code(PLACE, {"input": fields}, SERVICE) == "BOOK_UNAVAILABLE"
        assert (await client.data("{ assets { totalCount } }"))["assets"]["totalCount"] == 1
