"""The fake city's own commands for what moves for good: what the overlay's tests lean on does what districts do."""

from __future__ import annotations

from typing import Any

from contract.identity import IDENTITY_HEADER, TokenIssuer
from contract.ids import successor_id
from overlay.group.custody import SERVICE_IDENTITY
from tests.overlay.city import BORROWER, INTERNAL, City, ManualClock, days

ISSUER = TokenIssuer(INTERNAL[0])
PROBLEMS = "problems { code path message remedy }"
CARD = "{ name quantity originalValue status successorId predecessorId lineageId owner { id uscc } }"


def headers() -> dict[str, str]:
    return {IDENTITY_HEADER: ISSUER.issue(SERVICE_IDENTITY)}


async def command(city: City, name: str, kind: str, selection: str, input_: dict[str, Any]) -> Any:
    document = f"mutation M($input: {kind}!) {{ {name}(input: $input) {{ {selection} {PROBLEMS} }} }}"
    key = str(input_["idempotencyKey"])
    answer = await city.execute(document, {"input": input_}, headers=headers(), timeout_s=1, idempotency_key=key)
    assert "errors" not in answer, answer
    return answer["data"][name]


async def asset(city: City, id_: str) -> Any:
    answer = await city.execute(
        f"query A($id: ID!) {{ asset(id: $id) {CARD} }}", {"id": id_}, headers=headers(), timeout_s=1
    )
    return answer["data"]["asset"]


async def held(city: City, id_: str, quantity: str, **more: Any) -> str:
    placed = await command(
        city, "placeHold", "PlaceHoldInput", "hold { id }",
        {"idempotencyKey": f"p{id_}", "assetId": id_, "orderId": "o1", "range": days(0, 7), "quantity": quantity,
         "lifeSeconds": 600, **more},
    )  # fmt: skip
    hold = str(placed["hold"]["id"])
    moved = {"idempotencyKey": f"d{id_}", "assetId": id_, "holdId": hold, "kind": "DISPATCH", "quantity": quantity}
    assert (await command(city, "recordMovement", "RecordMovementInput", "writtenBack", moved))["problems"] == []
    return hold


async def test_what_is_reallocated_has_a_card_at_the_receiver_and_less_at_the_owner() -> None:
    city = City(ManualClock())
    old = city.add_asset("a", quantity="10", originalValue="100.00")
    hold = await held(city, old, "4", forGood=True)
    new = successor_id("330105", old, "o1/1")
    received = {
        "idempotencyKey": "r", "assetId": new, "predecessorId": old, "lineageId": old, "orderId": "o1",
        "ownerUscc": BORROWER, "name": "投影仪", "quantity": "4", "originalValue": "40.00", "status": "IN_USE",
        "shareable": False,
    }  # fmt: skip
    first = await command(city, "receiveCard", "ReceiveCardInput", "assetId", received)
    assert first == {"assetId": new, "problems": []}
    assert await command(city, "receiveCard", "ReceiveCardInput", "assetId", received) == first
    left = {
        "idempotencyKey": "t", "assetId": old, "holdId": hold, "orderId": "o1", "quantity": "4", "successorId": new
    }  # fmt: skip
    assert (await command(city, "transferOut", "TransferOutInput", "writtenBack", left))["problems"] == []
    assert await asset(city, old) == {
        "name": "投影仪", "quantity": "6", "originalValue": "60.00", "status": "IN_STORE", "successorId": None,
        "predecessorId": None, "lineageId": old, "owner": {"id": "unit:330106:u1", "uscc": "11330106MB0000001A"},
    }  # fmt: skip
    card = await asset(city, new)
    assert (card["quantity"], card["predecessorId"], card["lineageId"]) == ("4", old, old)
    assert card["owner"] == {"id": "unit:330105:u-B", "uscc": BORROWER}


async def test_the_whole_is_retired_and_names_its_successor() -> None:
    city = City(ManualClock())
    old = city.add_asset("a")
    hold = await held(city, old, "1")
    new = successor_id("330109", old, "o1/1")
    left = {
        "idempotencyKey": "t", "assetId": old, "holdId": hold, "orderId": "o1", "quantity": "1", "successorId": new
    }  # fmt: skip
    await command(city, "transferOut", "TransferOutInput", "writtenBack", left)
    retired = await asset(city, old)
    assert (retired["status"], retired["successorId"]) == ("DISPOSED", new)


async def test_a_hold_is_extended_unless_somebody_else_has_the_days() -> None:
    city = City(ManualClock())
    one = city.add_asset("a")
    hold = await held(city, one, "1", bufferDays=2)
    extended = {"idempotencyKey": "e", "assetId": one, "holdId": hold, "to": days(0, 10)["to"]}
    assert (await command(city, "extendHold", "ExtendHoldInput", "hold { id }", extended))["problems"] == []
    later = {
        "idempotencyKey": "p2", "assetId": one, "orderId": "o2", "range": days(12, 5), "quantity": "1", "lifeSeconds": 60
    }  # fmt: skip
    assert (await command(city, "placeHold", "PlaceHoldInput", "hold { id }", later))["problems"] == []
    extended |= {"idempotencyKey": "e2", "to": days(0, 11)["to"]}
    refused = await command(city, "extendHold", "ExtendHoldInput", "hold { id }", extended)
    assert [one["code"] for one in refused["problems"]] == ["ASSET_BUSY"]
