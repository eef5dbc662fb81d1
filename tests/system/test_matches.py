"""A standing query tells, through the gateway, what comes to match: once, with what its district knows of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.system.client import Client
from tests.system.conftest import PersonFactory
from tests.system.test_loan import BORROWABLE, UNITS, apply, command

WINDOW = {"from": "2027-06-01", "to": "2027-06-08"}
MATCHES = """
subscription Matches($id: ID!, $window: DateRangeInput, $after: String) {
  virtualWarehouseMatches(id: $id, window: $window, after: $after) {
    cursor gap matches { assetId asset { id name status region { code } } } } }
"""
WATCHED = {"id": "vw:city-store", "window": WINDOW}


async def hold(clerk: Client, asset: dict[str, Any]) -> str:
    applied = await apply(clerk, f"hold-{asset['id']}", asset, WINDOW)
    assert applied["problems"] == []
    order: str = applied["order"]["id"]
    return order


async def give_back(clerk: Client, order: str) -> None:
    payload = await command(clerk, "withdrawOrder", idempotencyKey=f"back-{order}", orderId=order)
    assert payload["problems"] == []


async def test_what_becomes_free_is_told_once_even_to_who_was_away(
    anonymous: Client, auditor: Client, person: PersonFactory
) -> None:
    unit = next(u["uscc"] for u in (await anonymous(UNITS)).data["units"] if u["uscc"])
    clerk = person("APPLICANT", region="330106", unit=unit, name="watcher")
    first, second = (await anonymous(BORROWABLE)).data["assets"]["nodes"][-2:]
    orders = [await hold(clerk, asset) for asset in (first, second)]

    async with auditor.subscribe(MATCHES, WATCHED) as events:
        begun = (await anext(events))["virtualWarehouseMatches"]
        assert (begun["gap"], begun["matches"]) == (False, [])
        await give_back(clerk, orders[0])
        news = (await anext(events))["virtualWarehouseMatches"]
    (match,) = news["matches"]
    assert match["assetId"] == match["asset"]["id"] == first["id"]
    assert match["asset"]["name"]
    assert match["asset"]["region"] == {"code": "330100"}

    await give_back(clerk, orders[1])
    async with auditor.subscribe(MATCHES, {**WATCHED, "after": news["cursor"]}) as events:
        while not (missed := (await anext(events))["virtualWarehouseMatches"])["matches"]:
            assert not missed["gap"]
    assert [one["assetId"] for one in missed["matches"]] == [second["id"]]


async def test_it_is_for_people_who_have_signed_in(anonymous: Client) -> None:
    async with anonymous.subscribe(MATCHES, WATCHED) as events:
        with pytest.raises(AssertionError, match="UNAUTHENTICATED"):
            await anext(events)
