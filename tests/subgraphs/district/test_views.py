"""A virtual warehouse at one member: the signed rule says which rows, the asker's rights say who sees them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from contract.identity import ANONYMOUS, generate_key_pair, load_private_key
from contract.rules import Rule, RuleSigner
from tests.subgraphs.district.parts import CITY, REGION, RULE_PRIVATE, SERVICE, MemoryClient, MemoryStore, district, row
from tests.subgraphs.district.test_custody import PLACE

IDLE = {"status": {"eq": "IDLE"}}
ROWS = [
    row("a", netValue="30.00"),
    row("b", netValue="20.00", status="IN_USE"),
    row("c", netValue="10.00"),
    row("hidden", netValue="40.00", shareable=False),
]
VIEW = """query View($of: [_Any!]!, $after: String, $filter: AssetFilter) { _entities(representations: $of) {
  ... on VirtualWarehouseView {
    assets(first: 1, after: $after, filter: $filter, orderBy: [{field: NET_VALUE, direction: DESC}]) {
      totalCount nodes { __typename id } pageInfo { hasNextPage endCursor } }
    summary(by: [STATUS]) { groups { status count } } } } }"""


def view_of(rule: Rule, key: str = RULE_PRIVATE) -> list[dict[str, Any]]:
    signed = {"regions": rule.regions, "token": RuleSigner(key).sign(rule)}
    return [{"__typename": "VirtualWarehouseView", "id": "view:1", "rule": signed}]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[MemoryClient]:
    async with district(tmp_path, MemoryStore(ROWS)) as client:
        yield client


async def read(client: MemoryClient, rule: Rule, identity: Any = ANONYMOUS, **more: Any) -> Any:
    (view,) = (await client.data(VIEW, {"of": view_of(rule), **more}, identity))["_entities"]
    return view


async def test_the_rule_chooses_and_the_rights_decide(client: MemoryClient) -> None:
    shown = await read(client, Rule(IDLE, None))
    assert shown["assets"]["totalCount"] == 2
    assert shown["assets"]["nodes"] == [{"__typename": "Asset", "id": f"asset:{REGION}:a"}]
    assert shown["summary"]["groups"] == [{"status": "IDLE", "count": 2}]
    assert (await read(client, Rule(IDLE, None), CITY))["assets"]["totalCount"] == 3


async def test_it_pages_and_takes_further_conditions(client: MemoryClient) -> None:
    first = (await read(client, Rule(IDLE, None)))["assets"]
    second = (await read(client, Rule(IDLE, None), after=first["pageInfo"]["endCursor"]))["assets"]
    assert second["nodes"][0]["id"] == f"asset:{REGION}:c"
    assert not second["pageInfo"]["hasNextPage"]
    cheap = await read(client, Rule(IDLE, None), filter={"netValue": {"lt": "15"}})
    assert cheap["assets"]["totalCount"] == 1


async def test_a_window_leaves_out_what_is_held_in_it(client: MemoryClient) -> None:
    fields = {
        "idempotencyKey": "k1", "assetId": f"asset:{REGION}:a", "orderId": "order:1", "quantity": "1",
        "range": {"from": "2026-12-03", "to": "2026-12-05"}, "lifeSeconds": 3600,
    }  # fmt: skip
    await client.data(PLACE, {"input": fields}, SERVICE)
    assert (await read(client, Rule(IDLE, ("2026-12-01", "2026-12-04"))))["assets"]["totalCount"] == 1
    assert (await read(client, Rule(IDLE, ("2026-12-05", "2026-12-09"))))["assets"]["totalCount"] == 2


async def test_a_rule_that_the_overlay_did_not_sign_is_refused(client: MemoryClient) -> None:
    forged = view_of(Rule({}, None), generate_key_pair()[0])
    answer = await client.ask(VIEW, {"of": forged})
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"INVALID_RULE"}
    changed = view_of(Rule(IDLE, None))
    changed[0]["rule"]["token"] = changed[0]["rule"]["token"][:-8] + "AAAAAAAA"
    answer = await client.ask(VIEW, {"of": changed})
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"INVALID_RULE"}


@pytest.mark.parametrize(("life_s", "codes"), [(60, set()), (-60, {"INVALID_RULE"})])
async def test_a_rule_that_has_expired_is_refused(client: MemoryClient, life_s: int, codes: set[str]) -> None:
    claims = {"iss": "gwc-rule", "exp": time.time() + life_s, "filter": IDLE, "window": None, "regions": None}
    token = jwt.encode(claims, load_private_key(RULE_PRIVATE), algorithm="EdDSA")
    view = [{"__typename": "VirtualWarehouseView", "id": "view:1", "rule": {"token": token}}]
    answer = await client.ask(VIEW, {"of": view})
    assert {error["extensions"]["code"] for error in answer.get("errors", ())} == codes
    assert (answer["data"]["_entities"][0]["assets"] is None) == bool(codes)


@pytest.mark.parametrize("rule", [{}, {"rule": None}, {"rule": {"regions": None}}, {"rule": {"token": 1}}])
async def test_a_view_without_its_rule_shows_nothing(client: MemoryClient, rule: dict[str, Any]) -> None:
    answer = await client.ask(VIEW, {"of": [{"__typename": "VirtualWarehouseView", "id": "view:1", **rule}]})
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_USER_INPUT"}
    assert answer["data"]["_entities"] == [{"assets": None, "summary": None}]
