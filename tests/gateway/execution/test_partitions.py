"""The membership changes while a request runs: it keeps to those it started with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.execution.asgi import AsgiClient
from gateway.execution.members import Member
from tests.gateway.support.gateway import Gateway, codes, gateway
from tests.gateway.support.library import NAMES, Library
from tests.gateway.support.serving import Fault, crash

BOOKS = "books(first: 9) { nodes { id } totalCount totalIsExact sources { region status } }"
ALL = {
    "nodes": [{"id": f"book:{one}"} for one in ("e:1", "e:2", "n:1", "n:2", "n:3", "s:1", "s:2", "w:1")],
    "totalCount": 8,
    "totalIsExact": True,
    "sources": [{"region": region, "status": "OK"} for region in "ensw"],
}


def enrolled(library: Library, branches: str) -> list[Member]:
    """Other `Member`s of the same applications."""
    return [Member(one, NAMES[one][0], AsgiClient(library.members[one])) for one in branches]


@contextmanager
def swapped_when_asked(city: Gateway, branches: str) -> Iterator[None]:
    """While the first members are being asked, others take their places; each answers as ever."""

    async def swap(scope: Scope, receive: Receive, send: Send, app: Any) -> None:
        city.library.group.replace(enrolled(city.library, branches))
        await app(scope, receive, send)

    for one in city.library.members.values():
        one.fault = swap
    before = city.library.group.now.all
    yield
    assert all(one not in before for one in city.library.group.now.all)


@pytest.mark.parametrize("branches", ["ensw", "en", "w"])
async def test_root_fields_lose_no_row(branches: str) -> None:
    async with gateway() as city:
        with swapped_when_asked(city, branches):
            assert (await city.data(f"{{ {BOOKS} }}"))["books"] == ALL


@pytest.mark.parametrize("branches", ["ensw", "en", "w"])
async def test_gathered_entities_lose_no_row_and_count_no_member_twice(branches: str) -> None:
    async with gateway() as city:
        with swapped_when_asked(city, branches):
            answered = await city.data(f'{{ shelf(id: "e+n+s+w") {{ {BOOKS} stock {{ books isExact }} }} }}')
        assert answered["shelf"] == {"books": ALL, "stock": {"books": 8, "isExact": True}}
        assert [len(city.library.asked(branch)) for branch in "ensw"] == [1, 1, 1, 1]


async def test_what_is_fetched_later_goes_to_those_of_the_beginning() -> None:
    async with gateway() as city:
        with swapped_when_asked(city, "ens"):
            query = f'{{ {BOOKS} reviews {{ book {{ title }} }} shelf(id: "w") {{ stock {{ books }} }} }}'
            answered = await city.data(query)
        assert answered["shelf"] == {"stock": {"books": 1}}
        assert [one["book"]["title"] for one in answered["reviews"]] == ["Dream", "Anna", "Journey"]


def swap_then_crash(city: Gateway, asked: list[str]) -> Fault:
    async def fault(scope: Scope, receive: Receive, send: Send, app: Any) -> None:
        asked.append(next(name for name, one in city.library.members.items() if one.app is app))
        city.library.group.replace(enrolled(city.library, "ensw"))
        await crash(scope, receive, send, app)

    return fault


async def test_one_asks_no_member_twice() -> None:
    asked: list[str] = []
    async with gateway() as city:
        for one in city.library.members.values():
            one.fault = swap_then_crash(city, asked)
        assert codes(await city.ask("{ rules }")) == ["PARTITION_UNAVAILABLE"]
    assert asked == ["e", "n", "s", "w"]


async def test_a_required_member_stays_required_to_the_end() -> None:
    async with gateway(Library(required="n")) as city:
        city.library.members["n"].fault = swap_then_crash(city, [])
        answered = await city.ask(f"{{ {BOOKS} }}")
        assert (answered.data, codes(answered)) == ({"books": None}, ["PARTITION_UNAVAILABLE"])
