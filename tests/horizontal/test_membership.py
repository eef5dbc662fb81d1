"""Membership that changes while a request runs: the request keeps to the members it began with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.horizontal.city import City, city
from tests.horizontal.rows import Row
from tests.horizontal.stub import Request

DEPOTS = ("A", "m")
ROWS = [Row(code, key, "same") for code in DEPOTS for key in range(3)]
LOTS = "lots(first: 9) { nodes { id } totalCount totalIsExact }"
QUERIES = {
    "root": f"{{ {LOTS} census {{ lots isExact }} depots {{ code }} }}",
    "entities": f'{{ room(id: "room:0") {{ {LOTS} census {{ lots isExact }} }} }}',
    "keys": '{ noted(ids: ["lot:A:0", "lot:m:1"]) { name } }',
    "routed": '{ lot(id: "lot:m:1") { name } }',
}


def swapping(here: City, server: Callable[[Request], dict[str, Any]]) -> Callable[[Request], dict[str, Any]]:
    """A server in whose time all members are replaced: the same depots behind clients of their own, as after a move."""

    def answer(request: Request) -> dict[str, Any]:
        here.enrol(DEPOTS)
        return server(request)

    return answer


@pytest.mark.parametrize("query", QUERIES)
def test_a_request_under_way_does_not_notice_that_members_are_replaced(query: str) -> None:
    here = city().settle(DEPOTS, ROWS, [(DEPOTS, None)])
    expected = asyncio.run(here.data(QUERIES[query]))
    for code in DEPOTS:
        here.stubs[code].server = swapping(here, here.depot(code))
    assert asyncio.run(here.data(QUERIES[query])) == expected
