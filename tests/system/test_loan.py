"""A loan goes its whole way across two regions, and nobody else gets the goods meanwhile."""

from __future__ import annotations

import itertools
from typing import Any

from tests.system.client import Client
from tests.system.conftest import PersonFactory

BORROWABLE = """
{ assets(first: 5, filter: {region: {eq: "330100"}, status: {eq: IN_STORE}, shareable: true, quantity: {eq: "1"}}) {
    nodes { id version owner { uscc } } } }
"""
UNITS = '{ units(regions: ["330106"]) { uscc } }'
ORDER = "order { id number state settlement lines { id hold asset { id name } } approvals { office state clause } } problems { code message remedy }"
APPLY = "mutation Apply($input: ApplyLoanInput!) { applyLoan(input: $input) { %s } }" % ORDER  # noqa: UP031
WINDOW = {"from": "2027-03-01", "to": "2027-03-08"}
OVERLAPPING = {"from": "2027-03-07", "to": "2027-03-10"}


async def command(client: Client, name: str, **fields: Any) -> dict[str, Any]:
    """Send a command; fails on faults, gives the payload with its problems."""
    type_ = name[0].upper() + name[1:] + "Input"
    query = f"mutation Command($input: {type_}!) {{ {name}(input: $input) {{ {ORDER} }} }}"
    payload: dict[str, Any] = (await client(query, {"input": fields})).data[name]
    return payload


async def apply(client: Client, key: str, asset: dict[str, Any], window: dict[str, str]) -> dict[str, Any]:
    line = {"assetId": asset["id"], "quantity": "1", "expectedVersion": asset["version"]}
    fields = {"idempotencyKey": key, "range": window, "purpose": "会议 meeting", "lines": [line]}
    payload: dict[str, Any] = (await client(APPLY, {"input": fields})).data["applyLoan"]
    return payload


async def test_a_loan_from_application_to_return(anonymous: Client, person: PersonFactory) -> None:
    asset = (await anonymous(BORROWABLE)).data["assets"]["nodes"][0]
    unit = next(u["uscc"] for u in (await anonymous(UNITS)).data["units"] if u["uscc"])
    clerk = person("APPLICANT", region="330106", unit=unit, name="clerk")
    rival = person("APPLICANT", region="330106", unit=unit, name="rival")

    applied = await apply(clerk, "loan-1", asset, WINDOW)
    assert applied["problems"] == []
    order = applied["order"]
    assert (order["state"], order["lines"][0]["hold"]) == ("IN_APPROVAL", "ACTIVE")
    assert order["lines"][0]["asset"]["id"] == asset["id"]
    assert order["lines"][0]["asset"]["name"], "the line's asset is joined from its district"

    again = await apply(clerk, "loan-1", asset, WINDOW)
    assert again["order"]["id"] == order["id"], "a repeated key gives the first result"

    refused = await apply(rival, "loan-2", asset, OVERLAPPING)
    assert [p["code"] for p in refused["problems"]] == ["ASSET_BUSY"]
    assert refused["order"] is None

    own = await command(clerk, "approveOrder", idempotencyKey="ap-0", orderId=order["id"])
    assert [p["code"] for p in own["problems"]], "nobody approves their own order"

    officers = {
        "UNIT_HEAD": person("UNIT_OFFICER", region="330106", unit=unit, name="head"),
        "LENDING_REGION": person("REGION_OFFICER", region="330100", name="lender"),
        "BORROWING_REGION": person("REGION_OFFICER", region="330106", name="borrower"),
        "CITY": person("CITY_OFFICER", region="330100", name="city"),
    }
    for step, approval in enumerate(order["approvals"]):
        assert approval["clause"]
        payload = await command(
            officers[approval["office"]], "approveOrder", idempotencyKey=f"ap-{step + 1}", orderId=order["id"]
        )
        assert payload["problems"] == []
    assert payload["order"]["state"] in {"APPROVED", "TO_DISPATCH"}

    lender = person("KEEPER", region="330100", name="keeper-100")
    receiver = person("KEEPER", "APPLICANT", region="330106", unit=unit, name="clerk")
    dispatched = await command(lender, "dispatchOrder", idempotencyKey="di-1", orderId=order["id"])
    assert (dispatched["problems"], dispatched["order"]["state"]) == ([], "IN_TRANSIT")
    received = await command(receiver, "receiveOrder", idempotencyKey="re-1", orderId=order["id"])
    assert (received["problems"], received["order"]["state"]) == ([], "LENT")

    assert [p["code"] for p in (await apply(rival, "loan-3", asset, OVERLAPPING))["problems"]] == ["ASSET_BUSY"]

    returned = await command(receiver, "returnGoods", idempotencyKey="rg-1", orderId=order["id"])
    assert returned["problems"] == []
    line = {"lineId": returned["order"]["lines"][0]["id"], "outcome": "PASSED"}
    inspected = await command(
        lender, "inspectReturn", idempotencyKey="in-1", orderId=returned["order"]["id"], lines=[line]
    )
    assert (inspected["problems"], inspected["order"]["state"]) == ([], "DONE")

    joined = (
        await clerk("query Asset($id: ID!) { asset(id: $id) { name orders { id number state } } }", {"id": asset["id"]})
    ).data["asset"]
    assert order["id"] in {o["id"] for o in joined["orders"]}
    now = (await anonymous("query Now($id: ID!) { asset(id: $id) { id version } }", {"id": asset["id"]})).data["asset"]
    free = await apply(rival, "loan-4", now, OVERLAPPING)
    assert free["problems"] == [], "what came back can be lent again"


async def test_the_ledger_of_a_lent_asset_balances(person: PersonFactory, anonymous: Client) -> None:
    asset = (await anonymous(BORROWABLE)).data["assets"]["nodes"][0]
    auditor = person("AUDITOR")
    entries = (
        await auditor(
            "query Ledger($id: ID!) { ledgerEntries(assetId: $id) { nodes { movement quantity previousHash hash } } }",
            {"id": asset["id"]},
        )
    ).data["ledgerEntries"]["nodes"]
    assert {"DISPATCH", "RECEIVE", "RETURN"} <= {entry["movement"] for entry in entries}
    assert sum(float(entry["quantity"]) for entry in entries) == 0
    for earlier, later in itertools.pairwise(entries):
        assert later["previousHash"] == earlier["hash"]


async def test_the_ledger_agrees_with_the_stores_and_their_books(person: PersonFactory, anonymous: Client) -> None:
    asset = (await anonymous(BORROWABLE)).data["assets"]["nodes"][0]
    auditor = person("AUDITOR")
    start = 'mutation { startReconciliation(input: {idempotencyKey: "r-1"}) { run { id } problems { code } } }'
    started = (await auditor(start)).data["startReconciliation"]
    assert started["problems"] == []
    run = await ended(auditor, started["run"]["id"])
    assert run["regionsMissing"] == []
    assert run["assets"] == run["compared"] > 0
    assert run["differences"]["nodes"] == [], "what was lent and came back is in the store as the ledger says"
    balances = "query ($ids: [ID!]) { ledgerBalances(by: [REGION, CUSTODY], filter: {assetIds: $ids}) { groups { regionCode custody quantity } } }"
    groups = (await auditor(balances, {"ids": [asset["id"]]})).data["ledgerBalances"]["groups"]
    assert groups == [{"regionCode": "330100", "custody": "IN_STORE", "quantity": "1"}]


async def ended(client: Client, run_id: str) -> dict[str, Any]:
    query = """query ($id: ID!) { reconciliation(id: $id) {
      state assets compared regionsMissing differences { nodes { code assetId inLedger inStore } } } }"""
    while True:
        run: dict[str, Any] = (await client(query, {"id": run_id})).data["reconciliation"]
        if run["state"] != "RUNNING":
            return run


async def test_anonymous_applies_for_nothing(anonymous: Client) -> None:
    asset = (await anonymous(BORROWABLE)).data["assets"]["nodes"][1]
    payload = await apply(anonymous, "anon-1", asset, WINDOW)
    assert payload["problems"], "an anonymous application must be refused"
    assert payload["order"] is None


async def test_one_application_asks_each_of_the_fourteen_stores_for_several(
    anonymous: Client, person: PersonFactory
) -> None:
    regions = [region["code"] for region in (await anonymous("{ regions { code } }")).data["regions"]]
    query = """query($region: ID!) { assets(first: 2, filter: {region: {eq: $region}, status: {in: [IN_STORE, IDLE]},
      shareable: true}) { nodes { id version } } }"""
    found = [(await anonymous(query, {"region": region})).data["assets"]["nodes"] for region in regions]
    wanted = [asset for nodes in found for asset in nodes]
    assert len({asset["id"].split(":")[1] for asset in wanted}) >= 12, "a store may have nothing to lend"
    unit = next(u["uscc"] for u in (await anonymous(UNITS)).data["units"] if u["uscc"])
    clerk = person("APPLICANT", region="330106", unit=unit, name="clerk")
    days = {"from": "2027-05-01", "to": "2027-05-03"}
    orders = []
    for start in range(0, len(wanted), 20):
        lines = [
            {"assetId": one["id"], "quantity": "1", "expectedVersion": one["version"]}
            for one in wanted[start : start + 20]
        ]
        fields = {"idempotencyKey": f"many-{start}", "range": days, "purpose": "会议", "lines": lines}
        payload = (await clerk(APPLY, {"input": fields})).data["applyLoan"]
        assert payload["problems"] == []
        orders.append(payload["order"])
    held = [line for order in orders for line in order["lines"]]
    assert sorted(line["asset"]["id"] for line in held) == sorted(asset["id"] for asset in wanted)
    assert {line["hold"] for line in held} == {"ACTIVE"}
