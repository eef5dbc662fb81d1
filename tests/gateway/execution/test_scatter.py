"""Who is asked, and how members' answers fold: routing, pruning, every way to gather."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.decimals import format_money
from gateway.execution.folds import fold
from gateway.execution.scatter import idempotency_key
from gateway.execution.shapes import compile_shapes
from gateway.plan.nodes import GatherField
from gateway.supergraph.model import FoldKind, Route
from tests.gateway.support.gateway import Gateway, codes, gateway
from tests.gateway.support.serving import crash, hang


def asked(city: Gateway) -> str:
    """The branches that were asked anything."""
    return "".join(branch for branch in "ensw" if city.library.asked(branch))


@pytest.mark.parametrize(
    ("filter_", "branches"),
    [
        ('{ branch: { eq: "n" } }', "n"),
        ('{ branch: { in: ["n", "w"] } }', "nw"),
        ('{ id: { eq: "book:s:1" } }', "s"),
        ('{ id: { in: ["book:s:1", "book:e:1"] } }', "es"),
        ('{ branch: { in: ["n", "w"] }, id: { eq: "book:n:1" } }', "n"),
        ('{ branch: { eq: "n" }, id: { eq: "book:s:1" } }', ""),
        ("{ branch: { in: [] } }", ""),
        ('{ branch: { eq: null }, title: "Anna" }', "ensw"),
        ("null", "ensw"),
        ("$f", "n"),
        ("{ branch: { eq: $code } }", "n"),
        ("{ branch: { eq: $unset } }", "ensw"),
        ('{ branch: { eq: "old-n" } }', "n"),
    ],
)
async def test_members_are_pruned_by_arguments(filter_: str, branches: str) -> None:
    query = f"query($f: BookFilter, $code: ID, $unset: ID) {{ books(first: 9, filter: {filter_}) {{ nodes {{ id }} totalCount totalIsExact }} }}"
    query = query.replace("$f: BookFilter, ", "") if "$f" not in filter_ else query
    query = query.replace("$code: ID, ", "") if "$code" not in filter_ else query
    query = query.replace(" $unset: ID", "").replace("$unset: ID", "") if "$unset" not in filter_ else query
    query = query.replace("query()", "query").replace("query( )", "query").replace(", )", ")")
    async with gateway() as city:
        variables = {"f": {"branch": {"eq": "n"}}} if "$f" in filter_ else {"code": "n"} if "$code" in filter_ else {}
        books = (await city.data(query, variables))["books"]
        assert asked(city) == branches
        assert books["totalIsExact"] is True
        assert {node["id"].split(":")[1] for node in books["nodes"]} <= set(branches)


@pytest.mark.parametrize(
    "filter_", ['{ branch: { eq: "x" } }', '{ branch: { in: ["n", "x"] } }', '{ id: { eq: "nothing" } }']
)
async def test_an_unknown_region_is_an_error_and_no_broadcast(filter_: str) -> None:
    async with gateway() as city:
        answered = await city.ask(f"{{ books(filter: {filter_}) {{ nodes {{ id }} }} }}")
        assert answered.data == {"books": None}
        assert codes(answered) == ["UNKNOWN_REGION"]
        assert asked(city) == ""


@pytest.mark.parametrize("id_", ["book:x:1", "book", "", "a:b:c:d"])
async def test_an_id_of_no_known_region_is_an_error(id_: str) -> None:
    async with gateway() as city:
        answered = await city.ask("query($id: ID!) { book(id: $id) { title } }", {"id": id_})
        assert (answered.data, codes(answered)) == ({"book": None}, ["UNKNOWN_REGION"])
        assert asked(city) == ""


async def test_a_routed_field_asks_its_one_member_and_aliases_go_their_own_ways() -> None:
    query = '{ a: book(id: "book:n:1") { title } b: book(id: "book:s:1") { title } c: book(id: "book:n:99") { title } }'
    async with gateway() as city:
        assert await city.data(query) == {"a": {"title": "Journey"}, "b": {"title": "Margin"}, "c": None}
        assert asked(city) == "ns"
        [request] = city.library.asked("n")
        assert "book:s:1" not in request["query"]


async def test_each_member_is_asked_only_for_the_fields_that_concern_it() -> None:
    query = 'query($n: Int) { books(first: $n, filter: { branch: { eq: "n" } }) { totalCount } branches { name } }'
    async with gateway() as city:
        data = await city.data(query, {"n": 3})
        assert data["books"]["totalCount"] == 3
        assert [one["name"] for one in data["branches"]] == ["东馆", "北馆", "南馆", "西馆"]
        [request] = city.library.asked("s")
        assert "books" not in request["query"]
        assert request.get("variables", {}) == {}


async def test_one_asks_any_healthy_member() -> None:
    async with gateway() as city:
        assert await city.data("{ rules }") == {"rules": "as e says"}
        assert asked(city) == "e"
        city.library.members["e"].fault = crash
        city.library.members["n"].fault = crash
        assert await city.data("{ rules }") == {"rules": "as s says"}


async def test_one_fails_only_when_all_do() -> None:
    async with gateway() as city:
        for one in city.library.members.values():
            one.fault = crash
        answered = await city.ask("{ rules }")
        assert answered.data == {"rules": None}
        assert codes(answered) == ["PARTITION_UNAVAILABLE"]


async def test_folds_and_groups_and_a_nested_connection() -> None:
    query = """{ stock {
        books worth cheapest thickest anyLent isExact currency
        byTitle { title count } newest { nodes { id } pageInfo { hasNextPage } totalCount } sources { region name }
    } }"""
    async with gateway() as city:
        stock = (await city.data(query, language="en"))["stock"]
        groups = {one["title"]: one["count"] for one in stock.pop("byTitle")}
        assert groups == {"Dream": 2, "Anna": 2, "Journey": 1, "Margin": 1, "Outlaws": 1, None: 1}
        assert [one["region"] for one in stock.pop("sources")] == ["e", "n", "s", "w"]
        assert stock == {
            "books": 8,
            "worth": "147.89",
            "cheapest": "0.10",
            "thickest": 1200,
            "anyLent": True,
            "isExact": True,
            "currency": "CNY",
            "newest": {
                "nodes": [{"id": "book:e:1"}, {"id": "book:e:2"}],
                "pageInfo": {"hasNextPage": True},
                "totalCount": 8,
            },
        }


async def test_days_and_times_fold_too() -> None:
    async with gateway() as city:
        data = await city.data("{ stock { firstLentOn lastLentAt } }")
        assert data == {"stock": {"firstLentOn": "2025-02-09", "lastLentAt": "2026-01-01T00:00:00Z"}}


async def test_only_totals_are_asked_for_without_rows() -> None:
    async with gateway() as city:
        assert await city.data("{ books { totalCount } }") == {"books": {"totalCount": 8}}
        assert "nodes" not in city.library.asked("n")[0]["query"]


async def test_members_are_pruned_by_the_representation() -> None:
    async with gateway() as city:
        data = await city.data('{ shelf(id: "n+s") { books(first: 9) { nodes { id } } stock { books } } }')
        assert len(data["shelf"]["books"]["nodes"]) == data["shelf"]["stock"]["books"] == 5
        assert asked(city) == "ns"


async def test_entities_go_to_their_members_in_one_batch_each_and_come_back_in_place() -> None:
    async with gateway() as city:
        data = await city.data("{ reviews { book { title } } again: reviews { book { title } } }")
        titles = [one["book"]["title"] for one in data["reviews"]]
        assert titles == [one["book"]["title"] for one in data["again"]] == ["Dream", "Anna", "Journey"]
        assert asked(city) == "en"


async def test_conditions_inside_a_gathered_field() -> None:
    query = "query($x: Boolean!) { books(first: 1) { totalCount @include(if: $x) nodes { id } } stock @skip(if: $x) { books } }"
    async with gateway() as city:
        assert await city.data(query, {"x": True}) == {"books": {"totalCount": 8, "nodes": [{"id": "book:e:1"}]}}
        assert await city.data(query, {"x": False}) == {"books": {"nodes": [{"id": "book:e:1"}]}, "stock": {"books": 8}}


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        ("nodes @include(if: $no) { id } totalCount", {"totalCount": 8}),
        ("nodes { id } edges @include(if: $no) { cursor }", {"nodes": [{"id": "book:e:1"}]}),
        ("edges { node { id } cursor @skip(if: $yes) }", {"edges": [{"node": {"id": "book:e:1"}}]}),
        ("totalCount pageInfo @include(if: $no) { hasNextPage }", {"totalCount": 8}),
        ("totalCount @include(if: $yes) totalCount @include(if: $no)", {"totalCount": 8}),
        ("totalCount facets @include(if: $no) { count }", {"totalCount": 8}),
        ("nodes { id } nodes @include(if: $yes) { title }", {"nodes": [{"id": "book:e:1", "title": "Dream"}]}),
    ],
)
async def test_what_is_switched_off_is_not_missed(below: str, expected: Any) -> None:
    query = f"query($yes: Boolean = true, $no: Boolean = false) {{ books(first: 1) {{ {below} }} rules @include(if: $yes) stock @include(if: $no) {{ books }} }}"
    async with gateway() as city:
        assert (await city.data(query))["books"] == expected


@pytest.mark.parametrize(("a", "b"), [(True, True), (True, False), (False, True), (False, False)])
async def test_one_key_under_several_conditions_is_gathered_once(a: bool, b: bool) -> None:
    both = "stock @include(if: $a) { books } stock @include(if: $b) { worth }"
    query = f'query($a: Boolean!, $b: Boolean!) {{ {both} shelf(id: "n+s") {{ {both} }} }}'
    async with gateway() as city:
        data = await city.data(query, {"a": a, "b": b})
        whole = ({"books": 8} if a else {}) | ({"worth": "147.89"} if b else {})
        spanned = ({"books": 5} if a else {}) | ({"worth": "122.39"} if b else {})
        assert data.get("stock", {}) == whole
        assert (data["shelf"] or {}).get("stock", {}) == spanned


async def test_groups_keep_apart_when_an_alias_has_the_name_of_their_key() -> None:
    async with gateway() as city:
        data = await city.data("{ stock { byTitle { title: count } } }")
        assert sorted(one["title"] for one in data["stock"]["byTitle"]) == [1, 1, 1, 1, 2, 2]


async def test_an_entitys_field_that_its_one_member_refuses_is_named_by_its_own_path() -> None:
    async with gateway() as city:
        answered = await city.ask('{ shelf(id: "n") { books(first: 900) { totalCount } } }')
        [error] = answered.errors
        assert (error.code, error.path) == ("BAD_USER_INPUT", ("shelf", "books"))


async def test_the_deadline_leaves_time_for_the_rounds_that_follow() -> None:
    async with gateway() as city:
        city.library.members["n"].fault = hang
        answered = await city.ask("{ books(first: 9) { nodes { id rating } } }", deadline_s=0.6)
        assert [node["rating"] for node in answered.data["books"]["nodes"]] == [4.5] * 5
        assert codes(answered) == ["PARTITION_UNAVAILABLE"]


async def test_headers_and_the_deadline_are_handed_on() -> None:
    async with gateway() as city:
        await city.data("{ rules anything }", headers={"accept-language": "en", "gwc-identity": "t"}, deadline_s=2)
        # `rules` can be answered by any member: time is kept back for the next one.
        for app, time_ms in ((city.library.members["e"].app, 1000), (city.library.reviews.app, 2000)):
            [headers] = app.headers  # type: ignore[attr-defined]
            assert (headers["accept-language"], headers["gwc-identity"]) == ("en", "t")
            assert time_ms * 0.75 < int(headers["gwc-deadline-ms"]) < time_ms


@pytest.mark.parametrize(
    ("arguments", "variables", "key"),
    [
        ('{input: {id: "row:1:1", key: "k1"}}', {}, "k1"),
        ('{input: {id: "row:1:1", key: $key}}', {"key": "k2"}, "k2"),
        ("{input: $input}", {"input": {"id": "row:1:1", "key": "k3"}}, "k3"),
        ("{input: $input}", {"input": {"id": "row:1:1"}}, None),
        ('{input: {id: "row:1:1", key: ""}}', {}, None),
        ('{input: {id: "row:1:1", key: null}}', {}, None),
    ],
)
def test_the_key_of_a_change(arguments: str, variables: dict[str, Any], key: str | None) -> None:
    change = GatherField("a", "a", None, route=Route(("input", "id"), ("input", "key")), arguments=arguments)
    keyless = replace(change, route=Route(("input", "id")))
    assert idempotency_key(compile_shapes((change,), {}, None, ""), variables) == key
    assert idempotency_key(compile_shapes((keyless,), {}, None, ""), variables) is None
    assert idempotency_key(compile_shapes((change, replace(change, key="b")), {}, None, ""), variables) is None


MONEY = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**15), max_value=10**15)


@given(st.lists(MONEY, min_size=1))
def test_sums_of_money_are_exact(summands: list[Decimal]) -> None:
    written = [format_money(one) for one in summands]
    assert fold(FoldKind.SUM, written, True, complete=True) == format_money(sum(summands, Decimal(0)))


@pytest.mark.parametrize(
    ("kind", "values", "is_decimal", "expected"),
    [
        (FoldKind.SUM, [1, None, 2], False, 3),
        (FoldKind.SUM, [], False, 0),
        (FoldKind.SUM, ["1.5", "1.5"], True, "3"),
        (FoldKind.SUM, ["0.10", "0.20"], True, "0.30"),
        (FoldKind.SUM, ["1" * 50, "0.01"], True, "1" * 50 + ".01"),
        (FoldKind.MIN, ["9", "10", None], True, "9"),
        (FoldKind.MAX, ["9", "10"], True, "10"),
        (FoldKind.MIN, [], True, None),
        (FoldKind.ANY, [None, False, True], False, True),
        (FoldKind.ALL, [True, None], False, True),
        (FoldKind.ALL, [True, False], False, False),
        (FoldKind.FIRST, [None, "b"], False, "b"),
    ],
)
def test_folds(kind: FoldKind, values: list[Any], is_decimal: bool, expected: Any) -> None:
    assert fold(kind, values, is_decimal, complete=True) == expected


def test_nobody_can_say_all_while_a_member_is_missing() -> None:
    assert fold(FoldKind.ALL, [True], False, complete=False) is False
