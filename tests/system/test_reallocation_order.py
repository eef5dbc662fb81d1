"""A reallocation across two regions of the real city: approved by both sides, and the receiver gets a card of its own."""

from __future__ import annotations

import pytest

from tests.system.client import Client
from tests.system.conftest import City, PersonFactory
from tests.system.test_loan import UNITS, command

GIVEN = """
{ assets(first: 5, filter: {region: {eq: "330100"}, status: {eq: IN_STORE}, shareable: true, quantity: {eq: "1"}},
         orderBy: [{field: NET_VALUE, direction: DESC}]) { nodes { id version owner { uscc } } } }
"""
CARD = """query Card($id: ID!) { asset(id: $id) {
  status lineageId successor { ... on Asset { id lineageId region { code } owner { uscc } predecessor { id } } } } }"""


@pytest.fixture(scope="module")
def city(own_city: City) -> City:
    """What is reallocated here has gone for good."""
    return own_city


async def test_what_is_reallocated_is_found_at_its_receiver(anonymous: Client, person: PersonFactory) -> None:
    asset = (await anonymous(GIVEN)).data["assets"]["nodes"][0]
    unit = next(u["uscc"] for u in (await anonymous(UNITS)).data["units"] if u["uscc"])
    clerk = person("APPLICANT", region="330106", unit=unit, name="receiver")
    line = {"assetId": asset["id"], "expectedVersion": asset["version"]}
    applied = await command(clerk, "applyReallocation", idempotencyKey="r-0", purpose="调剂", lines=[line])
    assert applied["problems"] == []
    order = applied["order"]
    officers = {
        "UNIT_HEAD": person("UNIT_OFFICER", region="330106", unit=unit, name="head"),
        "OWNER_UNIT": person("UNIT_OFFICER", "REGION_OFFICER", region="330100", unit=asset["owner"]["uscc"], name="o"),
        "LENDING_REGION": person("REGION_OFFICER", region="330100", name="lender"),
        "BORROWING_REGION": person("REGION_OFFICER", region="330106", name="borrower"),
        "LENDING_FINANCE": person("FINANCE", region="330100", name="finance-100"),
        "BORROWING_FINANCE": person("FINANCE", region="330106", name="finance-106"),
    }
    for step, approval in enumerate(order["approvals"]):
        officer = officers[approval["office"]]
        payload = await command(officer, "approveOrder", idempotencyKey=f"r-a{step}", orderId=order["id"])
        assert payload["problems"] == []
    for who, name, state in (
        (person("KEEPER", region="330100", name="keeper-100"), "dispatchOrder", "IN_TRANSIT"),
        (clerk, "arriveOrder", "TO_RECEIVE"),
        (clerk, "receiveOrder", "DONE"),
    ):
        payload = await command(who, name, idempotencyKey=f"r-{name}", orderId=order["id"])
        assert (payload["problems"], payload["order"]["state"]) == ([], state)
    officer = person("CITY_OFFICER", region="330100", name="city")
    old = (await officer(CARD, {"id": asset["id"]})).data["asset"]
    new = old["successor"]
    assert old["status"] == "DISPOSED"
    assert (new["region"]["code"], new["owner"]["uscc"], new["predecessor"]["id"]) == ("330106", unit, asset["id"])
    assert new["lineageId"] == old["lineageId"]
