"""Nothing that a member says is believed: whoever answers for others, twice, or another question, is cut out and named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contract.cursors import Cursor, decode_cursor, encode_cursor
from contract.order import Direction, Kind
from gateway.execution.gather import GROUPS_MAX, TooManyGroups, gather
from gateway.execution.members import Member, MemberName
from gateway.execution.parts import GatherNotes, Part
from gateway.execution.shapes import Shape, compile_arguments
from gateway.supergraph.model import Gather, GatherKind
from tests.gateway.support.gateway import Gateway, codes, gateway
from tests.gateway.support.library import Library
from tests.gateway.support.serving import alters

Answer = dict[str, Any]
REST = ["book:e:1", "book:e:2", "book:s:1", "book:s:2", "book:w:1"]
"""What members give when "n" is left out."""


def ids(answered: Any) -> list[str]:
    return [node["id"] for node in answered.data["books"]["nodes"]]


def cursors(change: Callable[[Cursor], Cursor]) -> Callable[[Answer], Answer]:
    def changed(answer: Answer) -> Answer:
        for edge in answer["data"]["books"]["_gedges"]:
            edge["cursor"] = encode_cursor(change(decode_cursor(edge["cursor"])))
        return answer

    return changed


def another_question(cursor: Cursor) -> Cursor:
    return replace(cursor, shape="another0")


def marked(cursor: Cursor) -> Cursor:
    return replace(cursor, missed=frozenset({"w"}))


def other_kinds(cursor: Cursor) -> Cursor:
    return replace(cursor, native=("x",), native_kinds=(Kind.TEXT,))


# Another question


@pytest.mark.parametrize("liar", ["e", "w"])
async def test_on_a_first_page_most_members_say_what_was_asked(liar: str) -> None:
    async with gateway() as city:
        city.library.members[liar].fault = alters(cursors(another_question))
        answered = await city.ask("{ books(first: 50) { nodes { id } totalCount totalIsExact } }")
        assert ids(answered) == [row.id for row in city.library.rows if row.branch != liar]
        assert answered.data["books"]["totalIsExact"] is False
        [error] = answered.errors
        assert (error.code, error.extensions["region"]) == ("PARTITION_ORDER_VIOLATION", liar)


async def test_two_opinions_of_equal_weight_cut_out_both() -> None:
    async with gateway() as city:
        for liar in "ew":
            city.library.members[liar].fault = alters(cursors(another_question))
        answered = await city.ask("{ books(first: 50) { nodes { id } pageInfo { hasNextPage } } }")
        assert answered.data["books"] == {"nodes": [], "pageInfo": {"hasNextPage": False}}
        assert codes(answered) == ["PARTITION_ORDER_VIOLATION"] * 4


async def test_from_the_second_page_on_the_clients_cursor_says_what_was_asked() -> None:
    query = "query($after: String) { books(first: 2, after: $after) { nodes { id } pageInfo { endCursor } } }"
    async with gateway() as city:
        first = await city.data(query)
        for liar in "nsw":
            city.library.members[liar].fault = alters(cursors(another_question))
        answered = await city.ask(query, {"after": first["books"]["pageInfo"]["endCursor"]})
        assert ids(answered) == []
        assert codes(answered).count("PARTITION_ORDER_VIOLATION") == 3


async def test_rows_in_another_direction_than_asked_for_are_cut_out() -> None:
    def fallen(cursor: Cursor) -> Cursor:
        return replace(cursor, directions=(Direction.DESC,))

    async with gateway() as city:
        for member in city.library.members.values():
            member.fault = alters(cursors(fallen))
        answered = await city.ask("{ books(orderBy: [{ field: TITLE }], first: 1) { nodes { id } } }")
        assert ids(answered) == []
        assert codes(answered) == ["PARTITION_ORDER_VIOLATION"] * 4


# Rows


@pytest.mark.parametrize("change", [marked, other_kinds], ids=lambda change: change.__name__)
async def test_cursors_that_no_member_makes_are_cut_out(change: Callable[[Cursor], Cursor]) -> None:
    def first_only(answer: Answer) -> Answer:
        edge = answer["data"]["books"]["_gedges"][0]
        edge["cursor"] = encode_cursor(change(decode_cursor(edge["cursor"])))
        return answer

    async with gateway() as city:
        city.library.members["n"].fault = alters(first_only)
        answered = await city.ask("{ books(first: 50) { nodes { id } } }")
        assert ids(answered) == REST
        assert codes(answered) == ["PARTITION_ORDER_VIOLATION"]


async def test_one_row_under_two_values_is_a_repeated_row() -> None:
    def twice(answer: Answer) -> Answer:
        books = answer["data"]["books"]
        first, *_ = books["_gedges"]
        later = replace(decode_cursor(first["cursor"]), values=("zzz",))
        books["_gedges"] = [first, {"cursor": encode_cursor(later)}]
        books["nodes"] = [books["nodes"][0]] * 2
        return answer

    async with gateway() as city:
        city.library.members["n"].fault = alters(twice)
        answered = await city.ask("{ books(orderBy: [{ field: TITLE }], first: 50) { nodes { id } } }")
        assert sorted(ids(answered)) == REST
        assert codes(answered) == ["PARTITION_ORDER_VIOLATION"]


def renamed(answer: Answer) -> Answer:
    """Rows under another region's keys, behind cursors of the member's own."""
    books = answer["data"]["books"]
    for node in (*books.get("nodes", []), *(edge["node"] for edge in books.get("edges", []))):
        node["_gkey_id_1" if "_gkey_id_1" in node else "id"] = "book:s:77"
    return answer


@pytest.mark.parametrize(
    "rows",
    [
        "nodes { id title }",
        "nodes { title }",
        "nodes { id: title }",
        "edges { node { title } }",
        "edges { cursor node { id } }",
    ],
)
async def test_rows_under_another_regions_keys_are_cut_out_whatever_is_selected(rows: str) -> None:
    async with gateway() as city:
        city.library.members["n"].fault = alters(renamed)
        answered = await city.ask(f"{{ books(first: 50) {{ {rows} totalCount }} }}")
        [found] = [value for key, value in answered.data["books"].items() if key != "totalCount"]
        assert len(found) == len(REST)
        assert answered.data["books"]["totalCount"] == len(REST)
        [error] = answered.errors
        assert (error.code, error.extensions["region"]) == ("PARTITION_FOREIGN_ROW", "n")


async def test_the_gateways_own_column_is_asked_for_only_where_the_key_is_not_selected() -> None:
    async with gateway() as city:
        await city.data("{ books(first: 1) { nodes { id } } }")
        await city.data("{ books(first: 1) { nodes { title } } }")
        with_key, without = (request["query"] for request in city.library.asked("n"))
        assert "_gkey" not in with_key
        assert "_gkey_id_1" in without


async def test_cursors_are_asked_for_once_where_the_client_selects_them() -> None:
    async with gateway() as city:
        await city.data("{ books(first: 1) { edges { cursor } } }")
        [request] = city.library.asked("n")
        assert request["query"].count("cursor") == 1


async def test_a_routed_answer_of_another_region_is_none() -> None:
    def another(answer: Answer) -> Answer:
        answer["data"]["book"]["id"] = "book:s:1"
        return answer

    async with gateway() as city:
        city.library.members["n"].fault = alters(another)
        answered = await city.ask('{ book(id: "book:n:1") { id title } }')
        assert answered.data == {"book": None}
        assert codes(answered) == ["PARTITION_FOREIGN_ROW"]


@pytest.mark.parametrize(
    ("branches", "code"),
    [(["s"], "PARTITION_FOREIGN_ROW"), (["n", "n"], "PARTITION_ORDER_VIOLATION"), ([[]], "PARTITION_FOREIGN_ROW")],
)
async def test_lists_are_not_believed_either(branches: list[Any], code: str) -> None:
    def others(answer: Answer) -> Answer:
        answer["data"]["branches"] = [{"code": branch, "name": "mine"} for branch in branches]
        return answer

    async with gateway() as city:
        city.library.members["n"].fault = alters(others)
        answered = await city.ask("{ branches { code name } }")
        assert [one["code"] for one in answered.data["branches"]] == ["e", "s", "w"]
        assert codes(answered) == [code]


# Numbers and groups


@pytest.mark.parametrize("worth", ["1e3", "much", "9" * 61, [], {}])
async def test_what_is_no_number_costs_its_member_and_not_the_sum(worth: Any) -> None:
    def garbled(answer: Answer) -> Answer:
        answer["data"]["stock"]["worth"] = worth
        return answer

    async with gateway() as city:
        city.library.members["n"].fault = alters(garbled)
        answered = await city.ask("{ stock { worth books isExact } }")
        assert answered.data["stock"] == {"worth": "135.49", "books": 5, "isExact": False}
        [error] = answered.errors
        assert (error.code, error.extensions["region"]) == ("PARTITION_BAD_VALUE", "n")


def test_groups_are_bounded_and_come_in_the_order_of_their_keys() -> None:
    shape = Shape(
        "groups", "groups", Gather(GatherKind.GROUPS), None, None, False, "Group", None,
        compile_arguments(""), (("key", "key"),), by=("key",),
    )  # fmt: skip

    def merged(*values: list[Any]) -> list[Any]:
        parts = [Part(MemberName(str(n), "m"), [{"key": key} for key in keys]) for n, keys in enumerate(values)]
        found = gather(shape, parts, (), GatherNotes({}))
        return [one["key"] for one in found]

    assert merged(["b", None], ["a", "b"]) == ["a", "b", None]
    assert merged([10, 9], [9, 8]) == [8, 9, 10]
    with pytest.raises(TooManyGroups):
        merged(list(range(GROUPS_MAX)), [-1])


# Walks while the membership changes


PAGE = "query($after: String) { books(first: 2, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } } }"


async def walk(city: Gateway, change_after_first: Callable[[Library], None]) -> tuple[list[str], list[list[str]]]:
    found: list[str] = []
    told: list[list[str]] = []
    after: str | None = None
    while True:
        answered = await city.ask(PAGE, {"after": after})
        found += ids(answered)
        told.append([region for error in answered.errors for region in error.extensions.get("regions", [])])
        info = answered.data["books"]["pageInfo"]
        if not info["hasNextPage"]:
            return found, told
        if after is None:
            change_after_first(city.library)
        after = info["endCursor"]


def without(library: Library, region: str) -> list[Member]:
    return [member for member in library.group.now.all if member.region != region]


async def test_a_member_that_leaves_in_the_middle_of_a_walk_is_named_on_every_later_page() -> None:
    async with gateway() as city:
        found, told = await walk(city, lambda library: library.group.replace(without(library, "n")))
        assert found == REST
        assert told == [[], ["n"], ["n"]]


async def test_a_member_that_joins_in_the_middle_adds_what_lies_ahead_and_is_named() -> None:
    async with gateway() as city:
        everybody = city.library.group.now.all
        city.library.group.replace(without(city.library, "e"))
        found, told = await walk(city, lambda library: library.group.replace(everybody))
        assert found == [row.id for row in city.library.rows if row.branch != "e"]
        assert told == [[], ["e"], ["e"]]


async def test_any_edges_cursor_remembers_who_was_there() -> None:
    async with gateway() as city:
        page = await city.data("{ books(first: 3) { edges { cursor } } }")
        for edge in page["books"]["edges"]:
            assert decode_cursor(edge["cursor"]).present == {"e", "n", "s", "w"}
