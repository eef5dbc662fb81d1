"""How many rows members are asked for: what pages teach, who is asked once more, and what stays as the client wrote it.

Pages at the root and pages below an entity of another subgraph keep to the same rules, so most of it is asked of both.
That such pages are those of one store is shown in `tests/horizontal/test_one_store.py`, too.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.execution.page_sizes import SIZED_ENTITIES_MAX, SIZED_FROM, PageSizes
from gateway.execution.stale import MemoryStale
from gateway.pipeline.answer import Answered, PipelineOptions
from gateway.supergraph.model import Wish
from tests.gateway.support.gateway import Gateway, codes, gateway
from tests.gateway.support.library import NAMES, Library, Row, sort_rows
from tests.gateway.support.serving import Fault, alters, crash, errors, hang

EACH = 60
FIRST = 40
EVEN = tuple(
    Row(branch, key, "Even", None, key * len(NAMES) + place)
    for key in range(EACH)
    for place, branch in enumerate("ensw")
)
"""Every page has as many rows of each branch."""
DEADLINE_S = 0.5
"""For a member that hangs: long for the others."""
BY_PAGES = (("PAGES", "ASC"),)
PAGE = """books(first: $first, after: $after, %s orderBy: [{ field: PAGES }]) {
  nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } totalCount
}"""
SKEWED = tuple(
    Row(branch, key, "Skewed", None, place * EACH + key) for place, branch in enumerate("ensw") for key in range(EACH)
)
"""All rows of one branch come before all rows of the next."""


@dataclass(frozen=True)
class Way:
    """How a client asks for the same page of books."""

    query: str
    path: tuple[str, ...]
    """Where it stands in the answer."""
    in_reply: tuple[str | int, ...]
    """Where it stands in a member's."""

    def ask(self, first: int = FIRST, title: str = "", after: str | None = None) -> dict[str, Any]:
        """The variables."""
        return {"first": first, "after": after, "title": title or None, "shelf": f"e+n+s+w:{title}"}

    def page(self, data: Any) -> Any:
        return reduce(lambda value, key: value[key], self.path, data)

    def found(self, data: Any) -> list[str]:
        return [node["id"] for node in self.page(data)["nodes"]]


ROOT = Way(
    f"query Books($first: Int, $after: String, $title: String) {{ {PAGE % 'filter: { title: $title },'} }}",
    ("books",),
    ("books",),
)
BELOW = Way(
    f"query Books($first: Int, $after: String, $shelf: ID!) {{ shelf(id: $shelf) {{ {PAGE % ''} }} }}",
    ("shelf", "books"),
    ("_entities", 0, "books"),
)


@pytest.fixture(params=[ROOT, BELOW], ids=["at the root", "below an entity"])
def way(request: pytest.FixtureRequest) -> Way:
    asked: Way = request.param
    return asked


def ids(rows: Any, after: int = 0, count: int = FIRST) -> list[str]:
    return [row.id for row in sort_rows(rows, BY_PAGES)][after : after + count]


def sizes(city: Gateway, branch: str) -> list[Any]:
    """How many rows it was asked for, each time."""
    asked = city.library.asked(branch)
    names = [re.search(r"\bfirst: ?(?:\$(\w+)|(\d+))", one["query"]) for one in asked]
    return [
        int(name[2]) if name[2] else one["variables"].get(name[1])
        for name, one in zip(names, asked, strict=True)
        if name is not None
    ]


@asynccontextmanager
async def taught(way: Way, *rows: Row) -> AsyncIterator[Gateway]:
    """A gateway whose last page was of evenly spread rows, each member's whole share of them; and then of other rows."""
    async with gateway(Library(rows=(*EVEN, *rows))) as city:
        assert way.found(await city.data(way.query, way.ask(title="Even"))) == ids(EVEN)
        forget(city)
        yield city


def forget(city: Gateway) -> None:
    for branch in "ensw":
        city.library.asked(branch).clear()


async def test_the_second_page_asks_each_member_for_fewer_rows(way: Way) -> None:
    async with gateway(Library(rows=EVEN)) as city:
        data = await city.data(way.query, way.ask())
        assert way.found(data) == ids(EVEN)
        assert [sizes(city, branch) for branch in "ensw"] == [[FIRST]] * 4
        data = await city.data(way.query, way.ask(after=way.page(data)["pageInfo"]["endCursor"]))
        assert way.found(data) == ids(EVEN, FIRST)
        assert way.page(data)["totalCount"] == len(EVEN)
        for branch in "ensw":
            [_, size] = sizes(city, branch)
            assert FIRST / 4 <= size < FIRST


async def test_a_page_of_one_members_rows_takes_one_more_request_to_that_member_alone(way: Way) -> None:
    async with taught(way, *SKEWED) as city:
        data = await city.data(way.query, way.ask(title="Skewed"))
        page = way.page(data)
        assert way.found(data) == ids(SKEWED)
        assert page["pageInfo"]["hasNextPage"] is True
        assert page["pageInfo"]["hasPreviousPage"] is False
        assert page["totalCount"] == len(SKEWED)
        [size, rest] = sizes(city, "e")
        assert size + rest == FIRST
        assert [len(sizes(city, branch)) for branch in "nsw"] == [1, 1, 1]
        [_, refill] = city.library.asked("e")
        assert "totalCount" not in refill["query"]
        assert "nodes" in refill["query"]


async def test_the_last_rows_of_a_walk_are_the_last(way: Way) -> None:
    async with taught(way, *SKEWED) as city:
        walked: list[str] = []
        after = None
        while True:
            data = await city.data(way.query, way.ask(title="Skewed", after=after))
            walked += way.found(data)
            after = way.page(data)["pageInfo"]["endCursor"]
            if not way.page(data)["pageInfo"]["hasNextPage"]:
                break
        assert walked == ids(SKEWED, count=len(SKEWED))


def the_second_time(fault: Fault) -> Fault:
    """Only what is asked after the first request fails."""
    asked: list[Scope] = []

    async def second(scope: Scope, receive: Receive, send: Send, app: Any) -> None:
        asked.append(scope)
        await (app(scope, receive, send) if len(asked) == 1 else fault(scope, receive, send, app))

    return second


def gives(books: Any) -> Fault:
    """In place of each page."""

    def change(written: dict[str, Any]) -> Any:
        data = written["data"]
        return {"data": {"_entities": [{"books": books}]} if "_entities" in data else {"books": books}}

    return alters(change)


def nobody(written: dict[str, Any]) -> Any:
    return {"data": {"_entities": []} if "_entities" in written["data"] else {}}


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (crash, "SUBGRAPH_UNAVAILABLE"),
        (errors("FORBIDDEN"), "FORBIDDEN"),
        (gives({"nodes": None}), "SUBGRAPH_BAD_RESPONSE"),
        (gives(None), "SUBGRAPH_BAD_RESPONSE"),
        (alters(nobody), "SUBGRAPH_BAD_RESPONSE"),
    ],
)
async def test_who_fails_the_second_time_keeps_its_first_rows(way: Way, fault: Fault, cause: str) -> None:
    async with taught(way, *SKEWED) as city:
        city.library.members["e"].fault = the_second_time(fault)
        answered = await city.ask(way.query, way.ask(title="Skewed"))
        short, page = way.found(answered.data), way.page(answered.data)
        [size, *_] = sizes(city, "e")
        assert short == ids(SKEWED, count=size)
        assert page["pageInfo"]["hasNextPage"] is True
        assert page["totalCount"] == len(SKEWED)
        [error] = answered.errors
        assert (error.code, error.path, error.extensions["region"]) == ("PARTITION_CUT_SHORT", way.path, "e")
        assert error.extensions["cause"] == cause
        states = {one["region"]: one["status"] for one in answered.extensions["partitions"]}
        assert states == {"e": "UNAVAILABLE", "n": "OK", "s": "OK", "w": "OK"}

        city.library.members["e"].fault = None
        following = await city.ask(way.query, way.ask(title="Skewed", after=page["pageInfo"]["endCursor"]))
        assert codes(following) == []
        assert way.found(following.data) == ids(SKEWED, len(short))


async def test_who_fails_the_second_time_and_was_not_needed_is_not_told(way: Way) -> None:
    """Of the branch in the north little was expected; what it gave lies behind the page, and so would the rest."""
    without_north = [row for row in EVEN if row.branch != "n"]
    far = [
        Row(branch, key, "Far", None, start + key) for branch, start in (("e", 0), ("n", 1000)) for key in range(EACH)
    ]
    async with gateway(Library(rows=(*without_north, *far))) as city:
        await city.data(way.query, way.ask(title="Even"))
        city.library.members["n"].fault = the_second_time(crash)
        answered = await city.ask(way.query, way.ask(title="Far"))
        assert len(city.library.asked("n")) > 1
        assert codes(answered) == []
        assert way.found(answered.data) == ids(far)


@pytest.mark.parametrize("fault", [crash, errors("INTERNAL"), hang])
async def test_who_gives_nothing_at_all_costs_its_own_rows_and_is_remembered(way: Way, fault: Fault) -> None:
    async with taught(way) as city:
        city.library.members["e"].fault = fault
        answered = await city.ask(way.query, way.ask(title="Even"), deadline_s=DEADLINE_S)
        others = [row for row in EVEN if row.branch != "e"]
        assert way.found(answered.data) == ids(others)
        assert way.page(answered.data)["totalCount"] == len(others)
        [error] = answered.errors
        assert (error.code, error.path, error.extensions["region"]) == ("PARTITION_UNAVAILABLE", way.path, "e")

        city.library.members["e"].fault = None
        end = way.page(answered.data)["pageInfo"]["endCursor"]
        following = await city.ask(way.query, way.ask(title="Even", after=end))
        assert codes(following) == ["PARTITION_MISSED_EARLIER"]


async def test_who_gives_fewer_rows_than_it_is_asked_for_leaves_the_page_short_and_the_walk_whole(way: Way) -> None:
    async with taught(way, *SKEWED) as city:
        city.library.members["e"].fault = alters(halved)
        walked: list[str] = []
        after = None
        for _ in range(len(SKEWED)):
            data = await city.data(way.query, way.ask(title="Skewed", after=after))
            walked += way.found(data)
            after = way.page(data)["pageInfo"]["endCursor"]
            if not way.page(data)["pageInfo"]["hasNextPage"]:
                break
        assert walked == ids(SKEWED, count=len(SKEWED))


def halved(written: dict[str, Any]) -> Any:
    """A page of half the rows, which says that more follow."""
    for one in written["data"].get("_entities", [written["data"]]):
        page = one["books"]
        kept = (len(page["nodes"]) + 1) // 2
        page["_gpage"]["hasNextPage"] |= kept < len(page["nodes"])
        page["nodes"], page["_gedges"] = page["nodes"][:kept], page["_gedges"][:kept]
    return written


async def test_all_or_nothing_is_nothing_when_the_rest_does_not_come(way: Way) -> None:
    async with taught(way, *SKEWED) as city:
        city.library.members["e"].fault = the_second_time(crash)
        answered = await city.ask(way.query, way.ask(title="Skewed"), wish=Wish.ALL)
        assert way.page(answered.data) is None
        assert codes(answered) == ["PARTITION_CUT_SHORT"]


def refuses_the_last_title(way: Way) -> Fault:
    def change(written: dict[str, Any]) -> Any:
        nodes = reduce(lambda value, step: value[step], way.in_reply, written["data"])["nodes"]
        nodes[-1]["title"] = None
        path = [*way.in_reply, "nodes", len(nodes) - 1, "title"]
        return {**written, "errors": [{"message": "it is secret", "path": path, "extensions": {"code": "FORBIDDEN"}}]}

    return alters(change)


async def test_an_error_beside_a_row_of_the_rest_is_told_at_that_row(way: Way) -> None:
    titles = way.query.replace("nodes { id }", "nodes { id title }")
    async with taught(way, *SKEWED) as city:
        await city.data(titles, way.ask(title="Even"))
        city.library.members["e"].fault = the_second_time(refuses_the_last_title(way))
        answered = await city.ask(titles, way.ask(title="Skewed"))
        assert way.found(answered.data) == ids(SKEWED)
        assert [(error.code, error.path) for error in answered.errors] == [
            ("FORBIDDEN", (*way.path, "nodes", FIRST - 1, "title"))
        ]


async def test_each_operation_learns_for_itself(way: Way) -> None:
    async with taught(way) as city:
        await city.data(way.query.replace("totalCount", ""), way.ask())
        assert sizes(city, "e") == [FIRST]
        await city.data(way.query, way.ask())
        assert sizes(city, "e")[1] < FIRST


@pytest.mark.parametrize(
    "books",
    [
        f"books(first: {SIZED_FROM - 1}) {{ nodes {{ id }} }}",
        f"books(last: {FIRST}) {{ nodes {{ id }} }}",
        f"books(first: {FIRST}) {{ totalCount }}",
        f'books(first: {FIRST}, filter: {{ branch: {{ eq: "e" }} }}) {{ nodes {{ id }} }}',
        "books { nodes { id } }",
        f'shelf(id: "e+n+s+w") {{ books(first: {SIZED_FROM - 1}) {{ nodes {{ id }} }} }}',
        f'shelf(id: "e+n+s+w") {{ books(first: {FIRST}) {{ totalCount }} }}',
        f'shelf(id: "e") {{ books(first: {FIRST}) {{ nodes {{ id }} }} }}',
        'shelf(id: "e+n+s+w") { books { nodes { id } } }',
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
            assert ROOT.found(answered) == ids(EVEN)
            assert [one["id"] for one in answered["backward"]["nodes"]] == ids(EVEN, len(EVEN) - FIRST)
        [_, second] = city.library.asked("e")
        assert second["variables"]["n"] == FIRST
        assert second["variables"]["_gfirst0"] < FIRST


async def test_a_page_that_is_too_large_is_refused_whatever_was_learned(way: Way) -> None:
    async with taught(way) as city:
        answered = await city.ask(way.query, way.ask(first=501))
        assert codes(answered) == ["BAD_USER_INPUT"]


async def test_an_earlier_answer_of_another_size_stands_in(way: Way) -> None:
    options = PipelineOptions(stale=MemoryStale(1 << 20, 900))
    async with gateway(Library(rows=EVEN), options) as city:
        asked = way.ask(title="Even")
        await city.data(way.query, asked)
        city.library.members["e"].fault = crash
        answered = await city.ask(way.query, asked, wish=Wish.STALE)
        assert sizes(city, "n")[1] < FIRST
        assert way.found(answered.data) == ids(EVEN)
        assert codes(answered) == ["PARTITION_STALE"]


async def test_explain_tells_what_was_sent_and_the_rest_as_a_request_of_its_own(way: Way) -> None:
    async with taught(way, *SKEWED) as city:
        answered = await city.ask(way.query, way.ask(title="Skewed"), explain=True)
        [fetch] = [one for one in answered.extensions["explain"]["fetches"] if "members" in one]
        told = [(one["region"], one["operation"]) for one in fetch["members"]]
        sent = [(branch, one["query"]) for branch in "ensw" for one in city.library.asked(branch)]
        assert sorted(told) == sorted(sent)
        assert [region for region, _ in told].count("e") == 2
        assert sum(one["rows"] for one in fetch["members"] if one["region"] == "e") == FIRST


# Pages of several entities in one request

SHELVES = """query Shelves($first: Int, $ids: [ID!]!) { shelves(ids: $ids) {
  books(first: $first, orderBy: [{ field: PAGES }]) { nodes { id } totalCount } stock { books } } }"""
EVERYWHERE = "e+n+s+w"


def shelved(answered: Answered) -> list[list[str]]:
    return [[node["id"] for node in shelf["books"]["nodes"]] for shelf in answered.data["shelves"]]


async def test_of_several_entities_each_gets_its_own_rest() -> None:
    """The first shelf's page is full with what was asked for, the second one's is all of one branch."""
    async with gateway(Library(rows=(*EVEN, *SKEWED))) as city:
        even = f"{EVERYWHERE}:Even"
        await city.data(SHELVES, {"first": FIRST, "ids": [even]})
        forget(city)
        answered = await city.ask(SHELVES, {"first": FIRST, "ids": [even, f"{EVERYWHERE}:Skewed"]})
        assert codes(answered) == []
        assert shelved(answered) == [ids(EVEN), ids(SKEWED)]
        assert [shelf["books"]["totalCount"] for shelf in answered.data["shelves"]] == [len(EVEN), len(SKEWED)]
        assert [len(city.library.asked(branch)) for branch in "ensw"] == [2, 1, 1, 1]
        [first, refill] = city.library.asked("e")
        assert [len(one["variables"]["representations"]) for one in (first, refill)] == [2, 1]
        assert "stock" not in refill["query"]


async def test_the_entity_whose_rest_does_not_come_is_the_only_one_that_is_short() -> None:
    async with gateway(Library(rows=(*EVEN, *SKEWED))) as city:
        even = f"{EVERYWHERE}:Even"
        await city.data(SHELVES, {"first": FIRST, "ids": [even]})
        city.library.members["e"].fault = the_second_time(crash)
        answered = await city.ask(SHELVES, {"first": FIRST, "ids": [even, f"{EVERYWHERE}:Skewed"]})
        whole, short = shelved(answered)
        assert whole == ids(EVEN)
        assert short == ids(SKEWED, count=len(short)) != ids(SKEWED)
        assert [(str(one.code), one.path) for one in answered.errors] == [
            ("PARTITION_CUT_SHORT", ("shelves", 1, "books"))
        ]


async def test_what_one_member_alone_has_to_give_is_asked_of_it_whole() -> None:
    async with gateway(Library(rows=EVEN)) as city:
        await city.data(SHELVES, {"first": FIRST, "ids": [EVERYWHERE]})
        forget(city)
        answered = await city.ask(SHELVES, {"first": FIRST, "ids": [EVERYWHERE, "e"]})
        assert shelved(answered) == [ids(EVEN), ids([row for row in EVEN if row.branch == "e"])]
        assert sizes(city, "e") == [FIRST]
        assert all(sizes(city, branch) < [FIRST] for branch in "nsw")


async def test_the_most_that_any_entity_took_of_a_member_is_what_is_learned() -> None:
    async with gateway(Library(rows=(*EVEN, *SKEWED))) as city:
        both = {"first": FIRST, "ids": [f"{EVERYWHERE}:Skewed", f"{EVERYWHERE}:Even"]}
        for _ in range(3):
            forget(city)
            assert shelved(await city.ask(SHELVES, both)) == [ids(SKEWED), ids(EVEN)]
        assert sizes(city, "e") == [FIRST]
        assert all(FIRST / 4 <= size < FIRST for branch in "nsw" for size in sizes(city, branch))


async def test_very_many_entities_are_asked_for_whole_pages() -> None:
    async with gateway(Library(rows=EVEN)) as city:
        many = [f"{EVERYWHERE}:{place}" for place in range(SIZED_ENTITIES_MAX)]
        for others in (many[1:], many):
            for _ in range(2):
                forget(city)
                await city.data(SHELVES, {"first": FIRST, "ids": [f"{EVERYWHERE}:Even", *others]})
            assert (sizes(city, "e")[0] < FIRST) is (others is not many)


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
