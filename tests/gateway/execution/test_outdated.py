"""Members of another age: what they do not know is null in their rows, or keeps them out; never a wrong answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.execution.answers import Answer
from gateway.execution.asking import Call
from gateway.execution.outdated import Fit, fit_call
from tests.gateway.support.ages import age, contract_of
from tests.gateway.support.gateway import Gateway, codes, gateway

NO_PAGES = {"  pages: Int\n": ""}
NO_TITLE_FILTER = {"id: IdFilter title: String": "id: IdFilter"}
NO_PRICE_ORDER = {"TITLE PRICE PAGES": "TITLE PAGES"}
NO_BEFORE = {"last: Int, before: String": "last: Int"}
NO_WORTHS = {"  cheapest: Decimal @fold(with: MIN)\n": ""}
NO_FACET_TITLE = {"type Facet { title: String ": "type Facet { "}
NO_SHELF = {
    'type Shelf @key(fields: "id") {\n  id: ID!\n  rule: ShelfRule! @external\n': "type Gone {",
    '    @requires(fields: "rule")': "   ",
    'stock: Stock @requires(fields: "rule")': "stock: Stock",
    '"rule.regions"': '"regions"',
}


def fit(operation: str, changes: Mapping[str, str], **variables: Any) -> Fit:
    return fit_call(Call(operation, variables, 0), contract_of(changes))


def text(found: Fit) -> str:
    assert found.call is not None
    return found.call.operation


# One operation


def test_a_member_of_the_same_age_is_asked_as_it_stands() -> None:
    operation = "{ books { nodes { id } } }"
    found = fit(operation, {})
    assert text(found) is operation


def test_a_member_that_nobody_has_looked_at_is_asked_as_it_stands() -> None:
    call = Call("{ books { nodes { pages } } }", {}, 0)
    assert fit_call(call, None).call is call


def test_a_field_that_it_does_not_know_is_not_asked_and_null_wherever_it_would_stand() -> None:
    found = fit("query($f:Int){books(first:$f){nodes{id p:pages}edges{node{pages}}}}", NO_PAGES, f=2)
    assert text(found) == "query($f:Int){books(first:$f){nodes{id}edges{node{__typename}}}}"
    assert found.lacks == ("Book.pages",)
    given = {"books": {"nodes": [{"id": "1"}, None, {"id": "2"}], "edges": [{"node": {"__typename": "Book"}}]}}
    found.fill(Answer(given))
    assert given == {
        "books": {
            "nodes": [{"id": "1", "p": None}, None, {"id": "2", "p": None}],
            "edges": [{"node": {"__typename": "Book", "pages": None}}],
        }
    }


def test_a_variable_that_is_not_used_any_more_is_not_declared() -> None:
    operation = "query($w:Boolean!,$f:Int){books(first:$f){nodes{id pages@include(if:$w)}}}"
    found = fit(operation, NO_PAGES, w=True, f=1)
    assert text(found) == "query($f:Int){books(first:$f){nodes{id}}}"
    assert found.call is not None and found.call.variables == {"f": 1}


@pytest.mark.parametrize(
    "operation",
    [
        "query($w:Boolean!){books{nodes{id pages@include(if:$w)}}}",
        "query($w:Boolean!){books{nodes{id ...@include(if:$w){pages}}}}",
        "query($w:Boolean!){books@include(if:$w){nodes{pages}}rules}",
        "query($w:Boolean!){...@include(if:$w){books{nodes{pages}}}rules}",
    ],
)
def test_what_is_switched_off_is_not_lacking(operation: str) -> None:
    assert fit(operation, NO_PAGES, w=False).lacks == ()
    assert fit(operation, NO_PAGES, w=True).lacks == ("Book.pages",)


@pytest.mark.parametrize(
    ("arguments", "variables", "changes", "coordinate"),
    [
        ('filter:{title:"a"}', {}, NO_TITLE_FILTER, "BookFilter.title"),
        ("filter:{title:$t}", {"t": "a"}, NO_TITLE_FILTER, "BookFilter.title"),
        ("filter:{title:$t}", {"t": None}, NO_TITLE_FILTER, "BookFilter.title"),
        ("filter:$b", {"b": {"title": "a"}}, NO_TITLE_FILTER, "BookFilter.title"),
        ("orderBy:[{field:PRICE}]", {}, NO_PRICE_ORDER, "BookOrderField.PRICE"),
        ("orderBy:[{field:TITLE},{field:$e}]", {"e": "PRICE"}, NO_PRICE_ORDER, "BookOrderField.PRICE"),
        ("orderBy:$o", {"o": [{"field": "TITLE"}, {"field": "PRICE"}]}, NO_PRICE_ORDER, "BookOrderField.PRICE"),
        ('before:"x"', {}, NO_BEFORE, "Query.books(before:)"),
        ("before:$t", {"t": "x"}, NO_BEFORE, "Query.books(before:)"),
    ],
)
def test_an_input_in_use_keeps_the_member_out_of_that_field_alone(
    arguments: str, variables: Mapping[str, Any], changes: Mapping[str, str], coordinate: str
) -> None:
    types = {"t": "String", "b": "BookFilter", "o": "[BookOrder!]", "e": "BookOrderField!"}
    declared = ",".join(f"${name}:{types[name]}" for name in variables)
    head = f"query({declared})" if declared else "query"
    found = fit(f"{head}{{books({arguments}){{totalCount}}rules}}", changes, **variables)
    assert text(found) == "{rules}"
    assert found.left_out == {(None, "books"): (coordinate,)}
    assert found.call is not None and found.call.variables == {}


@pytest.mark.parametrize(
    ("arguments", "changes", "rest"),
    [
        ("filter:{title:$t}", NO_TITLE_FILTER, "filter:{}"),
        ("first:1,before:$t", NO_BEFORE, "first:1"),
    ],
)
def test_an_input_that_the_client_does_not_give_is_not_in_use(
    arguments: str, changes: Mapping[str, str], rest: str
) -> None:
    found = fit(f"query($t:String){{books({arguments}){{totalCount}}}}", changes)
    assert text(found) == f"{{books({rest}){{totalCount}}}}"
    assert found.lacks == ()


def test_nothing_is_left_to_ask() -> None:
    found = fit('{books(filter:{title:"a"}){totalCount}}', NO_TITLE_FILTER)
    assert found.call is None
    assert found.lacks_for((None, "books")) == ("BookFilter.title",)


def test_a_type_that_it_does_not_know_leaves_its_entities_out() -> None:
    operation = "query($r:[_Any!]!){_entities(representations:$r){...on Shelf{books{totalCount}}...on Book{title}}}"
    found = fit(operation, NO_SHELF, r=[])
    assert text(found) == "query($r:[_Any!]!){_entities(representations:$r){...on Book{title}}}"
    assert found.left_out == {("Shelf", "books"): ("Shelf",)}


def test_a_member_that_does_not_fit_is_not_asked_at_all() -> None:
    found = fit("{ rules }", {"price: Decimal\n": "price: Int\n"})
    assert found.call is None
    assert found.lacks_for((None, "rules")) == ("Book.price",)


# Whole answers


async def asked(city: Gateway, query: str, variables: Mapping[str, Any] | None = None) -> Any:
    return await city.ask(query, variables)


async def test_rows_of_an_older_member_come_with_null_and_are_named() -> None:
    async with gateway() as city:
        age(city.library, "w", NO_PAGES)
        answered = await city.ask("{ books { totalCount totalIsExact nodes { id pages } } }")
        books = answered.data["books"]
        assert (books["totalCount"], books["totalIsExact"]) == (8, True)
        assert books["nodes"][-1] == {"id": "book:w:1", "pages": None}
        assert books["nodes"][0] == {"id": "book:e:1", "pages": 300}
        [error] = answered.errors
        assert (error.code, error.path) == ("PARTITION_OUTDATED", ("books",))
        assert error.extensions["lacks"] == ["Book.pages"]
        assert error.extensions["region"] == "w"
        reports = {one["region"]: one for one in answered.extensions["partitions"]}
        assert (reports["w"]["status"], reports["w"]["lacks"]) == ("OK", ["Book.pages"])
        assert "lacks" not in reports["e"]


@pytest.mark.parametrize(
    ("changes", "query", "variables"),
    [
        (NO_TITLE_FILTER, '{ books(filter: {title: "Anna"}) { SHOWN } }', {}),
        (NO_TITLE_FILTER, "query($f: BookFilter) { books(filter: $f) { SHOWN } }", {"f": {"title": "Anna"}}),
        (NO_PRICE_ORDER, "query($o: [BookOrder!]) { books(orderBy: $o) { SHOWN } }", {"o": [{"field": "PRICE"}]}),
    ],
)
async def test_a_filter_or_order_that_it_does_not_know_keeps_it_out_and_it_is_not_asked(
    changes: Mapping[str, str], query: str, variables: Mapping[str, Any]
) -> None:
    shown = "totalCount totalIsExact nodes { id } sources { region status }"
    async with gateway() as city:
        age(city.library, "n", changes)
        answered = await city.ask(query.replace("SHOWN", shown), variables)
        books = answered.data["books"]
        assert not any(node["id"].startswith("book:n") for node in books["nodes"])
        assert books["nodes"]
        assert books["totalIsExact"] is False
        assert {"region": "n", "status": "OUTDATED"} in books["sources"]
        assert codes(answered) == ["PARTITION_OUTDATED"]
        assert city.library.asked("n") == []
        state = next(one.state for one in city.library.group.now.all if one.region == "n")
        assert (state.status, state.failures_in_a_row) == ("UNKNOWN", 0)


async def test_what_it_can_answer_beside_is_asked() -> None:
    async with gateway() as city:
        age(city.library, "n", NO_TITLE_FILTER)
        answered = await city.ask('{ anna: books(filter: {title: "Anna"}) { totalCount } all: books { totalCount } }')
        assert (answered.data["anna"]["totalCount"], answered.data["all"]["totalCount"]) == (1, 8)
        [error] = answered.errors
        assert (error.code, error.path) == ("PARTITION_OUTDATED", ("anna",))


async def test_a_total_that_lacks_an_older_members_share_is_not_exact() -> None:
    async with gateway() as city:
        age(city.library, "e", NO_WORTHS)
        answered = await city.ask("{ stock { books cheapest isExact } }")
        assert answered.data["stock"] == {"books": 8, "cheapest": "0.10", "isExact": False}
        assert (await city.data("{ stock { books isExact } }"))["stock"] == {"books": 8, "isExact": True}


async def test_groups_without_what_tells_them_apart_are_not_merged() -> None:
    async with gateway() as city:
        age(city.library, "n", NO_FACET_TITLE)
        answered = await city.ask("{ stock { books byTitle { title count } } }")
        assert {"title": None, "count": 3} not in answered.data["stock"]["byTitle"]
        assert answered.data["stock"]["books"] == 5
        assert codes(answered) == ["PARTITION_OUTDATED"]


async def test_an_older_members_entities() -> None:
    async with gateway() as city:
        age(city.library, "e", NO_PAGES)
        answered = await city.ask("{ reviews { book { id title pages } } }")
        assert [one["book"]["pages"] for one in answered.data["reviews"]] == [None, None, 900]
        assert [one["book"]["title"] for one in answered.data["reviews"]] == ["Dream", "Anna", "Journey"]
        [error] = answered.errors
        assert (error.code, error.path) == ("PARTITION_OUTDATED", ("reviews",))
        only = await city.ask("{ reviews { book { id pages } } }")
        assert [one["book"]["pages"] for one in only.data["reviews"]] == [None, None, 900]
        assert codes(only) == ["PARTITION_OUTDATED"]


async def test_a_gathered_entity_that_it_does_not_know() -> None:
    async with gateway() as city:
        age(city.library, "n", NO_SHELF)
        answered = await city.ask('{ shelf(id: "n+s") { label books { totalCount totalIsExact } } }')
        assert answered.data["shelf"] == {"label": "shelf n+s", "books": {"totalCount": 2, "totalIsExact": False}}
        assert codes(answered) == ["PARTITION_OUTDATED"]
        assert city.library.asked("n") == []


async def test_any_healthy_member_is_one_that_knows_the_field() -> None:
    async with gateway() as city:
        age(city.library, "e", {"  rules: String @gather(as: ONE)\n": ""})
        answered = await city.ask("{ rules }")
        assert answered.data == {"rules": "as n says"}


async def test_a_change_with_an_input_that_it_does_not_know_is_not_sent() -> None:
    async with gateway() as city:
        age(
            city.library,
            "n",
            {"bookId: ID! idempotencyKey: ID": "bookId: ID!", ', idempotencyKey: "input.idempotencyKey")': ")"},
        )
        query = "mutation($i: LendInput!) { lend(input: $i) { ok } }"
        answered = await city.ask(query, {"i": {"bookId": "book:n:1", "idempotencyKey": "k"}})
        assert answered.data == {"lend": None}
        assert codes(answered) == ["PARTITION_OUTDATED"]
        assert city.library.asked("n") == []
        assert await city.data(query, {"i": {"bookId": "book:n:1"}}) == {"lend": {"ok": True}}


async def test_a_member_that_does_not_fit_is_named_in_each_answer_and_never_asked() -> None:
    async with gateway() as city:
        age(city.library, "w", {"  price: Decimal\n": "  price: Float\n"})
        answered = await city.ask('{ books { totalCount totalIsExact } book(id: "book:w:1") { id } }')
        assert answered.data == {"books": {"totalCount": 7, "totalIsExact": False}, "book": None}
        assert codes(answered) == ["PARTITION_OUTDATED", "PARTITION_OUTDATED"]
        assert "Book.price" in answered.errors[0].message
        assert city.library.asked("w") == []
