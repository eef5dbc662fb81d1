"""Entities that another router names: `_entities` of the libraries' group, spread over its members and gathered."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.execution.given import compile_given
from gateway.execution.page_sizes import SIZED_FROM
from gateway.plan.nodes import Echo, Fetch, Given, Scatter, ScatterFetch
from tests.gateway.support.gateway import Gateway, codes, group
from tests.gateway.support.library import LIBRARIES, Row
from tests.gateway.support.serving import alters, crash

BOOKS = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Book { title } } }"
SHELF = {"__typename": "Shelf", "id": "n+s", "rule": {"regions": ["n", "s"], "title": None}}


def books(*ids: object) -> list[dict[str, Any]]:
    return [{"__typename": "Book", "id": one} for one in ids]


def sent(city: Gateway, branch: str) -> list[Any]:
    """The representations of each request that a member got."""
    return [
        next(value for name, value in one["variables"].items() if name.endswith("representations"))
        for one in city.library.asked(branch)
    ]


async def test_each_entity_stands_where_it_was_named_and_members_get_one_request_each() -> None:
    asked = books("book:s:1", "book:n:1", "book:s:77", "book:n:2", "book:n:1")
    async with group() as city:
        data = await city.data(BOOKS, {"r": asked})
        titles = [one and one["title"] for one in data["_entities"]]
        assert titles == ["Margin", "Journey", None, "Anna", "Journey"]
        assert data["_entities"][2] is None
        assert sent(city, "s") == [books("book:s:1", "book:s:77")]
        assert sent(city, "n") == [books("book:n:1", "book:n:2")]
        assert sent(city, "e") == sent(city, "w") == []


async def test_a_retired_code_still_names_its_member() -> None:
    async with group() as city:
        await city.data(BOOKS, {"r": books("book:old-n:1")})
        assert sent(city, "n") == [books("book:old-n:1")]


async def test_representations_go_on_as_they_came() -> None:
    one = {"id": "book:n:1", "more": [{"deep": None, "n": 1.5}, "文"], "__typename": "Book", "author": {"id": 7}}
    async with group() as city:
        await city.data(BOOKS, {"r": [one]})
        assert sent(city, "n") == [[one]]
        assert list(sent(city, "n")[0][0]) == list(one)


async def test_a_type_that_the_group_extends_is_gathered_from_what_the_representation_requires() -> None:
    query = """query($r: [_Any!]!) { _entities(representations: $r) { ... on Shelf {
        __typename of: id
        books(first: 3, orderBy: [{field: TITLE}]) { nodes { id } totalCount sources { region } }
        stock { books }
    } } }"""
    async with group() as city:
        [shelf] = (await city.data(query, {"r": [SHELF]}))["_entities"]
        assert shelf == {
            "__typename": "Shelf",
            "of": "n+s",
            "books": {
                "nodes": [{"id": "book:n:2"}, {"id": "book:s:2"}, {"id": "book:n:1"}],
                "totalCount": 5,
                "sources": [{"region": "n"}, {"region": "s"}],
            },
            "stock": {"books": 5},
        }
        assert sent(city, "n") == sent(city, "s") == [[SHELF]]
        assert sent(city, "e") == []


async def test_what_prunes_nothing_is_asked_of_all() -> None:
    query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Shelf { stock { books } } } }"
    async with group() as city:
        rule = {"regions": None, "title": None}
        data = await city.data(query, {"r": [{**SHELF, "rule": rule}]})
        assert data == {"_entities": [{"stock": {"books": 8}}]}


async def test_a_key_alone_is_answered_from_the_representation() -> None:
    query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Shelf { id } } }"
    async with group() as city:
        assert await city.data(query, {"r": [SHELF]}) == {"_entities": [{"id": "n+s"}]}
        assert all(not city.library.asked(branch) for branch in "ensw")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"__typename": "Book", "id": "book:x:1"}, "UNKNOWN_REGION"),
        ({"__typename": "Branch", "code": "x"}, "UNKNOWN_REGION"),
        ({"__typename": "Book", "id": None}, "BAD_USER_INPUT"),
        ({"__typename": "Book"}, "BAD_USER_INPUT"),
        ({"__typename": "Book", "id": 1}, "BAD_USER_INPUT"),
        ({"__typename": "Author", "id": "book:n:1"}, "BAD_USER_INPUT"),
        ({"id": "book:n:1"}, "BAD_USER_INPUT"),
        ("book:n:1", "BAD_USER_INPUT"),
        ({**SHELF, "rule": {"regions": ["x"], "title": None}}, "UNKNOWN_REGION"),
    ],
)
async def test_a_wrong_representation_is_an_error_at_its_place_and_costs_no_other(wrong: Any, code: str) -> None:
    query = """query($r: [_Any!]!) { _entities(representations: $r) {
        ... on Book { title } ... on Branch { name } ... on Shelf { stock { books } } } }"""
    async with group() as city:
        answered = await city.ask(query, {"r": [*books("book:n:1"), wrong, *books("book:s:1")]})
        assert answered.data == {"_entities": [{"title": "Journey"}, None, {"title": "Margin"}]}
        assert [(one.code, one.path) for one in answered.errors] == [(code, ("_entities", 1))]


async def test_a_members_error_keeps_its_place_and_what_is_below() -> None:
    query = "query($r: [_Any!]!) { found: _entities(representations: $r) { ... on Book { title hidden: secret } } }"
    async with group() as city:
        answered = await city.ask(query, {"r": books("book:n:1", "book:s:1", "book:n:1")})
        assert answered.data["found"][1] == {"title": "Margin", "hidden": None}
        assert {(one.code, one.path) for one in answered.errors} == {
            ("FORBIDDEN", ("found", place, "hidden")) for place in range(3)
        }


async def test_a_member_that_is_down_costs_its_own_entities() -> None:
    async with group() as city:
        city.library.members["n"].fault = crash
        answered = await city.ask(BOOKS, {"r": books("book:n:1", "book:s:1", "book:n:2")})
        assert answered.data == {"_entities": [None, {"title": "Margin"}, None]}
        [error] = answered.errors
        assert (error.code, error.path, error.extensions["region"]) == ("PARTITION_UNAVAILABLE", ("_entities",), "n")


async def test_a_member_that_gives_too_few_entities_is_not_believed() -> None:
    async with group() as city:
        city.library.members["n"].fault = alters(lambda body: {"data": {"_entities": body["data"]["_entities"][:1]}})
        answered = await city.ask(BOOKS, {"r": books("book:n:1", "book:n:2", "book:s:1")})
        assert answered.data == {"_entities": [None, None, {"title": "Margin"}]}
        assert codes(answered) == ["PARTITION_UNAVAILABLE"]


async def test_pages_of_given_entities_are_asked_for_in_sizes() -> None:
    size = 2 * SIZED_FROM
    query = f"""query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on Shelf {{
        books(first: {size}, orderBy: [{{ field: PAGES }}]) {{ nodes {{ id }} }} }} }} }}"""
    shelf = {"__typename": "Shelf", "id": "all", "rule": {"regions": list("ensw"), "title": None}}
    rows = [Row(branch, key, None, None, key * 4 + place) for key in range(9) for place, branch in enumerate("ensw")]
    async with group(rows) as city:
        for _ in range(2):
            [found] = (await city.data(query, {"r": [shelf]}))["_entities"]
            assert [node["id"] for node in found["books"]["nodes"]] == [row.id for row in rows[:size]]
        assert [one["variables"]["_gfirst0"] < size for one in city.library.asked("e")] == [False, True]


async def test_aliases_are_batches_of_their_own() -> None:
    query = """query($a: [_Any!]!, $b: [_Any!]!) {
        a: _entities(representations: $a) { ... on Book { k: title } }
        b: _entities(representations: $b) { ... on Book { k: pages } }
        stock(codes: ["w"]) { books }
    }"""
    async with group() as city:
        data = await city.data(query, {"a": books("book:n:1"), "b": books("book:n:1", "book:s:1")})
        assert data == {"a": [{"k": "Journey"}], "b": [{"k": 900}, {"k": 1200}], "stock": {"books": 1}}
        assert sent(city, "n") == [books("book:n:1"), books("book:n:1")]


async def test_conditions_switch_fields_and_whole_fetches() -> None:
    query = """query($r: [_Any!]!, $more: Boolean!) {
        _entities(representations: $r) { ... on Book { title pages @include(if: $more) } }
        off: _entities(representations: $r) @skip(if: $more) { ... on Book { title } }
        _service @skip(if: $more) { sdl }
    }"""
    async with group() as city:
        on = await city.data(query, {"r": books("book:n:1"), "more": True})
        assert on == {"_entities": [{"title": "Journey", "pages": 900}]}
        off = await city.data(query, {"r": books("book:n:1"), "more": False})
        assert off == {
            "_entities": [{"title": "Journey"}],
            "off": [{"title": "Journey"}],
            "_service": {"sdl": LIBRARIES},
        }


async def test_one_alias_in_two_halves_is_one_list() -> None:
    query = """query($r: [_Any!]!, $a: Boolean!, $b: Boolean!) {
        _entities(representations: $r) @include(if: $a) { ... on Book { title } }
        _entities(representations: $r) @include(if: $b) { ... on Book { pages } ... on Shelf { id } }
    }"""
    given = [*books("book:n:1"), SHELF]
    async with group() as city:
        both = await city.data(query, {"r": given, "a": True, "b": True})
        assert both == {"_entities": [{"title": "Journey", "pages": 900}, {"id": "n+s"}]}
        half = await city.data(query, {"r": given, "a": False, "b": True})
        assert half == {"_entities": [{"pages": 900}, {"id": "n+s"}]}
        assert "title@include(if:$a)" in city.library.asked("n")[-1]["query"]
        assert await city.data(query, {"r": given, "a": False, "b": False}) == {}


async def test_representations_may_be_written_out() -> None:
    query = (
        '{ _entities(representations: [{__typename: "Book", id: "book:n:1"}]) { __typename ... on Book { title } } }'
    )
    async with group() as city:
        assert await city.data(query) == {"_entities": [{"__typename": "Book", "title": "Journey"}]}


async def test_nobody_is_asked_for_nothing() -> None:
    async with group() as city:
        assert await city.data(BOOKS, {"r": []}) == {"_entities": []}
        assert all(not city.library.asked(branch) for branch in "ensw")


async def test_the_service_tells_the_contract_word_for_word() -> None:
    async with group() as city:
        data = await city.data("{ _service { __typename sdl } again: _service { text: sdl } }")
        assert data == {
            "_service": {"__typename": "_Service", "sdl": LIBRARIES},
            "again": {"text": LIBRARIES},
        }
        assert all(not city.library.asked(branch) for branch in "ensw")


def test_a_nested_key_is_answered_in_the_askers_shape() -> None:
    echo = Echo("of", "owners", (Echo("who", "id"), Echo("home", "home", (Echo("code", "code"),))))
    node = Given("list", "$r", ScatterFetch(Fetch("G", "query", "{ _entities }"), Scatter(())), (("View", echo),))
    view = {"__typename": "View", "owners": [{"id": "1", "home": {"code": "n"}}, {"id": "2", "home": None}]}
    given = compile_given(node, frozenset({"View"}))
    items, refusals = given.read({"r": [view]})
    assert refusals == []
    assert given.answer(items, [0], [{"size": 3}]) == [
        {
            "__typename": "View",
            "size": 3,
            "of": [{"who": "1", "home": {"code": "n"}}, {"who": "2", "home": None}],
        }
    ]
