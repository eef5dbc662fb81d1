"""How many rows members are asked for: what pages teach, who is asked once more, and what stays as the client wrote it.

That such pages are those of one store is shown in `tests/horizontal/test_one_store.py`, too.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.execution.page_sizes import SIZED_FROM, PageSizes
from gateway.execution.stale import MemoryStale
from gateway.pipeline.answer import PipelineOptions
from gateway.supergraph.model import Wish
from tests.gateway.support.gateway import Gateway, codes, gateway
from tests.gateway.support.library import NAMES, Library, Row, sort_rows
from tests.gateway.support.serving import Fault, alters, answer, crash, errors

EACH = 60
FIRST = 40
EVEN = tuple(
    Row(branch, key, "Even", None, key * len(NAMES) + place)
    for key in range(EACH)
    for place, branch in enumerate("ensw")
)
"""Every page has as many rows of each branch."""
BY_PAGES = (("PAGES", "ASC"),)
BOOKS = """query Books($first: Int, $after: String, $title: String) {
  books(first: $first, after: $after, filter: { title: $title }, orderBy: [{ field: PAGES }]) {
    nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } totalCount
  }
}"""
SKEWED = tuple(
    Row(branch, key, "Skewed", None, place * EACH + key) for place, branch in enumerate("ensw") for key in range(EACH)
)
"""All rows of one branch come before all rows of the next."""


def ids(rows: Any, after: int = 0, count: int = FIRST) -> list[str]:
    return [row.id for row in sort_rows(rows, BY_PAGES)][after : after + count]


def found(answered: Any) -> list[str]:
    return [node["id"] for node in answered["books"]["nodes"]]


def sizes(city: Gateway, branch: str) -> list[Any]:
    """How many rows it was asked for, each time."""
    asked = city.library.asked(branch)
    names = [re.search(r"\bfirst: (?:\$(\w+)|(\d+))", one["query"]) for one in asked]
    return [
        int(name[2]) if name[2] else one["variables"].get(name[1])
        for name, one in zip(names, asked, strict=True)
        if name is not None
    ]


@asynccontextmanager
async def taught(*rows: Row) -> AsyncIterator[Gateway]:
    """A gateway whose last page was of evenly spread rows, each member's whole share of them; and then of other rows."""
    async with gateway(Library(rows=(*EVEN, *rows))) as city:
        answered = await city.ask(BOOKS, {"first": FIRST, "title": "Even"})
        assert found(answered.data) == ids(EVEN)
        for branch in "ensw":
            city.library.asked(branch).clear()
        yield city


async def test_the_second_page_asks_each_member_for_fewer_rows() -> None:
    async with gateway(Library(rows=EVEN)) as city:
        page = await city.data(BOOKS, {"first": FIRST})
        assert found(page) == ids(EVEN)
        assert [sizes(city, branch) for branch in "ensw"] == [[FIRST]] * 4
        after = page["books"]["pageInfo"]["endCursor"]
        page = await city.data(BOOKS, {"first": FIRST, "after": after})
        assert found(page) == ids(EVEN, FIRST)
        assert page["books"]["totalCount"] == len(EVEN)
        for branch in "ensw":
            [_, size] = sizes(city, branch)
            assert FIRST / 4 <= size < FIRST


async def test_a_page_of_one_members_rows_takes_one_more_request_to_that_member_alone() -> None:
    async with taught(*SKEWED) as city:
        page = await city.data(BOOKS, {"first": FIRST, "title": "Skewed"})
        assert found(page) == ids(SKEWED)
        assert page["books"]["pageInfo"]["hasNextPage"] is True
        assert page["books"]["pageInfo"]["hasPreviousPage"] is False
        assert page["books"]["totalCount"] == len(SKEWED)
        [size, rest] = sizes(city, "e")
        assert size + rest == FIRST
        assert [len(sizes(city, branch)) for branch in "nsw"] == [1, 1, 1]
        [_, refill] = city.library.asked("e")
        assert "totalCount" not in refill["query"]
        assert "nodes" in refill["query"]


async def test_the_last_rows_of_a_walk_are_the_last() -> None:
    async with taught(*SKEWED) as city:
        walked: list[str] = []
        after = None
        while True:
            page = (await city.data(BOOKS, {"first": FIRST, "title": "Skewed", "after": after}))["books"]
            walked += [node["id"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert walked == ids(SKEWED, count=len(SKEWED))


def the_second_time(fault: Fault) -> Fault:
    """Only what is asked after the first request fails."""
    asked: list[Scope] = []

    async def second(scope: Scope, receive: Receive, send: Send, app: Any) -> None:
        asked.append(scope)
        await (app(scope, receive, send) if len(asked) == 1 else fault(scope, receive, send, app))

    return second


async def no_page(scope: Scope, receive: Receive, send: Send, app: Any) -> None:
    await answer(send, 200, b'{"data": {"books": {"nodes": null}}}')


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (crash, "SUBGRAPH_UNAVAILABLE"),
        (errors("FORBIDDEN"), "FORBIDDEN"),
        (no_page, "SUBGRAPH_BAD_RESPONSE"),
    ],
)
async def test_who_fails_the_second_time_keeps_its_first_rows(fault: Fault, cause: str) -> None:
    async with taught(*SKEWED) as city:
        city.library.members["e"].fault = the_second_time(fault)
        answered = await city.ask(BOOKS, {"first": FIRST, "title": "Skewed"})
        short = found(answered.data)
        [size, *_] = sizes(city, "e")
        assert short == ids(SKEWED, count=size)
        assert answered.data["books"]["pageInfo"]["hasNextPage"] is True
        assert answered.data["books"]["totalCount"] == len(SKEWED)
        [error] = answered.errors
        assert (error.code, error.path, error.extensions["region"]) == ("PARTITION_CUT_SHORT", ("books",), "e")
        assert error.extensions["cause"] == cause
        states = {one["region"]: one["status"] for one in answered.extensions["partitions"]}
        assert states == {"e": "UNAVAILABLE", "n": "OK", "s": "OK", "w": "OK"}

        city.library.members["e"].fault = None
        after = answered.data["books"]["pageInfo"]["endCursor"]
        following = await city.ask(BOOKS, {"first": FIRST, "title": "Skewed", "after": after})
        assert codes(following) == []
        assert found(following.data) == ids(SKEWED, len(short))


async def test_all_or_nothing_is_nothing_when_the_rest_does_not_come() -> None:
    async with taught(*SKEWED) as city:
        city.library.members["e"].fault = the_second_time(crash)
        answered = await city.ask(BOOKS, {"first": FIRST, "title": "Skewed"}, wish=Wish.ALL)
        assert answered.data == {"books": None}
        assert codes(answered) == ["PARTITION_CUT_SHORT"]


def refuses_the_last_title(written: dict[str, Any]) -> Any:
    nodes = written["data"]["books"]["nodes"]
    nodes[-1]["title"] = None
    path = ["books", "nodes", len(nodes) - 1, "title"]
    return {**written, "errors": [{"message": "it is secret", "path": path, "extensions": {"code": "FORBIDDEN"}}]}


async def test_an_error_beside_a_row_of_the_rest_is_told_at_that_row() -> None:
    titles = BOOKS.replace("nodes { id }", "nodes { id title }")
    async with taught(*SKEWED) as city:
        await city.data(titles, {"first": FIRST, "title": "Even"})
        city.library.members["e"].fault = the_second_time(alters(refuses_the_last_title))
        answered = await city.ask(titles, {"first": FIRST, "title": "Skewed"})
        assert found(answered.data) == ids(SKEWED)
        assert [(error.code, error.path) for error in answered.errors] == [
            ("FORBIDDEN", ("books", "nodes", FIRST - 1, "title"))
        ]


async def test_each_operation_learns_for_itself() -> None:
    async with taught() as city:
        await city.data(BOOKS.replace("totalCount", ""), {"first": FIRST})
        assert sizes(city, "e") == [FIRST]
        await city.data(BOOKS, {"first": FIRST})
        assert sizes(city, "e")[1] < FIRST


@pytest.mark.parametrize(
    "books",
    [
        f"books(first: {SIZED_FROM - 1}) {{ nodes {{ id }} }}",
        f"books(last: {FIRST}) {{ nodes {{ id }} }}",
        f"books(first: {FIRST}) {{ totalCount }}",
        f'books(first: {FIRST}, filter: {{ branch: {{ eq: "e" }} }}) {{ nodes {{ id }} }}',
        "books { nodes { id } }",
    ],
)
async def test_what_gains_nothing_is_asked_as_it_was_written(books: str) -> None:
    async with gateway(Library(rows=EVEN)) as city:
        for _ in range(2):
            await city.data(f"{{ {books} }}")
        first, second = city.library.asked("e")
        assert first == second
        assert "_gfirst" not in first["query"]


async def test_a_variable_that_is_used_elsewhere_too_keeps_its_value_there() -> None:
    both = """query Both($n: Int) {
      books(first: $n, orderBy: [{ field: PAGES }]) { nodes { id } }
      backward: books(last: $n, orderBy: [{ field: PAGES }]) { nodes { id } }
    }"""
    async with gateway(Library(rows=EVEN)) as city:
        for _ in range(2):
            answered = await city.data(both, {"n": FIRST})
            assert found(answered) == ids(EVEN)
            assert [one["id"] for one in answered["backward"]["nodes"]] == ids(EVEN, len(EVEN) - FIRST)
        [_, second] = city.library.asked("e")
        assert second["variables"]["n"] == FIRST
        assert second["variables"]["_gfirst0"] < FIRST


async def test_a_page_that_is_too_large_is_refused_whatever_was_learned() -> None:
    async with taught() as city:
        answered = await city.ask(BOOKS, {"first": 501})
        assert codes(answered) == ["BAD_USER_INPUT"]


async def test_an_earlier_answer_of_another_size_stands_in() -> None:
    options = PipelineOptions(stale=MemoryStale(1 << 20, 900))
    async with gateway(Library(rows=EVEN), options) as city:
        asked = {"first": FIRST, "title": "Even"}
        await city.data(BOOKS, asked)
        city.library.members["e"].fault = crash
        answered = await city.ask(BOOKS, asked, wish=Wish.STALE)
        assert sizes(city, "n")[1] < FIRST
        assert found(answered.data) == ids(EVEN)
        assert codes(answered) == ["PARTITION_STALE"]


async def test_explain_tells_what_was_sent_and_the_rest_as_a_request_of_its_own() -> None:
    async with taught(*SKEWED) as city:
        answered = await city.ask(BOOKS, {"first": FIRST, "title": "Skewed"}, explain=True)
        [fetch] = answered.extensions["explain"]["fetches"]
        told = [(one["region"], one["operation"]) for one in fetch["members"]]
        sent = [(branch, one["query"]) for branch in "ensw" for one in city.library.asked(branch)]
        assert sorted(told) == sorted(sent)
        assert [region for region, _ in told].count("e") == 2
        assert sum(one["rows"] for one in fetch["members"] if one["region"] == "e") == FIRST


# The policy


def test_a_share_comes_down_slowly_and_goes_up_at_once() -> None:
    sizes = PageSizes()
    sizes.learn(0, 100, {"e": 50})
    asked = []
    for _ in range(30):
        asked.append(sizes.size(0, "e", 100))
        sizes.learn(0, 100, {"e": 0})
    assert asked == sorted(asked, reverse=True)
    assert asked[0] > 50 > asked[7]
    sizes.learn(0, 100, {"e": 50})
    assert sizes.size(0, "e", 100) == asked[0]


def test_nobody_is_asked_for_more_than_the_page() -> None:
    sizes = PageSizes()
    sizes.learn(0, 20, {"e": 20, "n": 0})
    assert sizes.size(0, "e", 20) == 20
    assert 0 < sizes.size(0, "n", 20) < 20


def test_fields_members_and_larger_pages_are_not_spoken_for_by_others() -> None:
    sizes = PageSizes()
    sizes.learn(0, 20, {"e": 0})
    assert sizes.size(1, "e", 20) == 20
    assert sizes.size(0, "n", 20) == 20
    assert sizes.size(0, "e", 21) == 21
