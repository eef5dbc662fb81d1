"""An asset goes to another district for good: one card in the city before and after, and each names the other.

In a city of its own, for the other tests compare theirs with what was generated.
"""

from __future__ import annotations

from typing import Any

import aiohttp

from contract.identity import IDENTITY_HEADER, Identity, Role, TokenIssuer
from contract.ids import successor_id
from gwc.keys import private_key
from tests.system.client import Client
from tests.system.conftest import City

CANDIDATES = """{ assets(first: 1, filter: {region: {eq: "330106"}, status: {eq: IDLE}, shareable: true, quantity: {eq: "1"}}) {
  nodes { id name code originalValue netValue class { scheme code name } } } }"""
UNITS = '{ units(regions: ["330105"]) { id uscc } }'
FIGURES = "{ assets { totalCount totalIsExact } summary(by: []) { groups { count originalValue } } }"
CHAIN = """query($id: ID!) { node(id: $id) { ... on Asset { id status lineageId
  successor { ... on Asset { id name region { code } lineageId owner { id } predecessor { id } } } } } }"""
RANGE = {"from": "2027-03-01", "to": "2027-03-08"}


class Service:
    """The overlay's own identity at the districts' group."""

    def __init__(self, city: City, session: aiohttp.ClientSession) -> None:
        self._client = Client(session, city.url.removesuffix("/graphql") + "/groups/districts/graphql")
        issuer = TokenIssuer(private_key(city.data_dir / "keys", "internal"))
        self._headers = {IDENTITY_HEADER: issuer.issue(Identity("overlay", roles=frozenset({Role.SERVICE})))}

    async def command(self, mutation: str, type_: str, selection: str, **fields: Any) -> Any:
        query = f"mutation($input: {type_}!) {{ {mutation}(input: $input) {{ {selection} problems {{ code }} }} }}"
        payload = (await self._client(query, {"input": fields}, self._headers)).data[mutation]
        assert payload["problems"] == []
        return payload


async def test_from_one_district_to_another(own_city: City, session: aiohttp.ClientSession) -> None:
    auditor = Client(session, own_city.url).as_(own_city.token("AUDITOR"))
    service = Service(own_city, session)
    before = (await auditor(FIGURES)).data
    asset = (await auditor(CANDIDATES)).data["assets"]["nodes"][0]
    unit = (await auditor(UNITS)).data["units"][0]
    old, new = asset["id"], successor_id("330105", asset["id"], "order:1/1")

    hold = (
        await service.command(
            "placeHold", "PlaceHoldInput", "hold { id }", idempotencyKey="p", assetId=old, orderId="order:1",
            range=RANGE, quantity="1", lifeSeconds=3600, forGood=True, bufferDays=0,
        )
    )["hold"]["id"]  # fmt: skip
    for kind in ("DISPATCH", "RECEIVE"):
        await service.command(
            "recordMovement", "RecordMovementInput", "writtenBack", idempotencyKey=kind, assetId=old, holdId=hold,
            kind=kind, quantity="1",
        )  # fmt: skip
    card = {key: asset[key] for key in ("name", "code", "originalValue", "netValue", "class")}
    await service.command(
        "receiveCard", "ReceiveCardInput", "assetId", idempotencyKey="r", assetId=new, predecessorId=old,
        lineageId=old, orderId="order:1", ownerId=unit["id"], quantity="1", status="IN_USE", shareable=False, **card,
    )  # fmt: skip
    await service.command(
        "transferOut", "TransferOutInput", "writtenBack", idempotencyKey="t", assetId=old, holdId=hold,
        orderId="order:1", quantity="1", successorId=new,
    )  # fmt: skip

    assert (await auditor(FIGURES)).data == before, "nothing is lost, and nothing counted twice"
    retired = (await auditor(CHAIN, {"id": old})).data["node"]
    assert retired == {
        "id": old, "status": "DISPOSED", "lineageId": old,
        "successor": {
            "id": new, "name": asset["name"], "region": {"code": "330105"}, "lineageId": old,
            "owner": {"id": unit["id"]}, "predecessor": {"id": old},
        },
    }  # fmt: skip
