"""Two hundred people want the same thing at the same moment, through the gateway: as many get it as there are, no more."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from contract.identity import ACCESS, Identity, Role, TokenIssuer
from gwc.keys import private_key
from tests.system.client import Answer, Client
from tests.system.conftest import City

CLIENTS = 200
FILTER = "shareable: true, status: {in: [IDLE, IN_STORE]}"
ONE = f'{{ assets(first: 1, filter: {{{FILTER}, quantity: {{eq: "1"}}}}) {{ nodes {{ id quantity }} }} }}'
BATCH = f'{{ assets(first: 1, filter: {{{FILTER}, quantity: {{gte: "3"}}}}) {{ nodes {{ id quantity }} }} }}'
APPLY = """
mutation($key: String!, $lines: [LoanLineInput!]!) {
  applyLoan(input: {idempotencyKey: $key, range: {from: "2027-06-01", to: "2027-06-08"}, purpose: "race", lines: $lines}) {
    order { id state } problems { code message remedy }
  }
}
"""
PATIENCE = {"gwc-deadline-ms": "60000"}
ASKED_MAX = 20
AGAIN = {"REGION_UNAVAILABLE", "OUTCOME_UNKNOWN"}
"""Refusals by chance, which say: try again with the same key. A member has places for so many at a time."""


@pytest.fixture(scope="module")
def city(own_city: City) -> City:
    """What is won here stays taken."""
    return own_city


async def whole(client: Client, query: str, variables: dict[str, Any] | None = None) -> Answer:
    """Ask until nobody was too busy to answer."""
    for _ in range(ASKED_MAX):
        answer = await client(query, variables, PATIENCE)
        if not answer.errors:
            break
    return answer


@pytest.mark.parametrize(("query", "there_are"), [(ONE, 1), (BATCH, 3)], ids=["a projector", "a batch of three"])
async def test_as_many_win_as_there_are(anonymous: Client, city: City, query: str, there_are: int) -> None:
    asset = (await whole(anonymous, query)).data["assets"]["nodes"][0]
    issuer = TokenIssuer(private_key(city.data_dir / "keys", "access"), ACCESS, life_s=3600)

    async def apply(name: str, quantity: Decimal) -> dict[str, Any]:
        person = Identity(name, f"unit of {name}"[:18], "330105", frozenset({Role.APPLICANT}))
        variables = {"key": f"race-{asset['id']}", "lines": [{"assetId": asset["id"], "quantity": str(quantity)}]}
        client = anonymous.as_(issuer.issue(person))
        for _ in range(ASKED_MAX):
            payload: dict[str, Any] = (await whole(client, APPLY, variables)).data["applyLoan"]
            if not {problem["code"] for problem in payload["problems"]} & AGAIN:
                return payload
        raise AssertionError(payload)

    if (more := Decimal(asset["quantity"]) - there_are) > 0:
        assert (await apply("holder of the rest", more))["problems"] == []
    answers = await asyncio.gather(*(apply(f"rival {n}", Decimal(1)) for n in range(CLIENTS)))
    winners = [answer for answer in answers if answer["problems"] == []]
    assert len(winners) == there_are
    assert {winner["order"]["state"] for winner in winners} == {"IN_APPROVAL"}
    assert len({winner["order"]["id"] for winner in winners}) == there_are
    refused = [problem for answer in answers for problem in answer["problems"]]
    assert Counter(problem["code"] for problem in refused) == {"ASSET_BUSY": CLIENTS - there_are}
    assert all(problem["message"] and problem["remedy"] for problem in refused)
    assert all(answer["order"] is None for answer in answers if answer["problems"])
