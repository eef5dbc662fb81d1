"""Request → answer: variables, introspection, choice of operation, errors with paths and locations, changes shielded."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from graphql import DocumentNode, build_client_schema, get_introspection_query, print_schema

from gateway.pipeline.answer import Caller, GraphQLRequest, Pipeline, PipelineOptions
from gateway.plan.nodes import QueryPlan
from tests.gateway.support.gateway import Gateway, codes, gateway
from tests.gateway.support.library import Library
from tests.gateway.support.serving import alters, cut, delay


async def test_introspection_gives_the_api_schema_without_a_fetch() -> None:
    async with gateway() as city:
        data = await city.data(get_introspection_query())
        told = print_schema(build_client_schema(data))
        assert "type BookConnection" in told
        for hidden in ("ShelfRule", "SECRET", "_entities", "join__"):
            assert hidden not in told
        assert not city.library.reviews.app.requests  # type: ignore[attr-defined]


async def test_introspection_beside_data_with_variables_and_aliases() -> None:
    query = "query($n: String!) { t: __type(name: $n) { name } kind: __typename anything }"
    async with gateway() as city:
        data = await city.data(query, {"n": "Book"})
        assert data == {"t": {"name": "Book"}, "kind": "Query", "anything": "a thing"}


async def test_introspection_may_be_switched_off() -> None:
    async with gateway(options=PipelineOptions(introspection=False)) as city:
        assert codes(await city.ask("{ __schema { queryType { name } } }")) == ["FORBIDDEN"]
        assert await city.data("{ __typename }") == {"__typename": "Query"}


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "$first"),
        ({"first": "x"}, "Int cannot represent"),
        ({"first": 1, "order": [{"field": "COLOUR"}]}, "COLOUR"),
        ({"first": 1, "order": [{"colour": 1}]}, "colour"),
    ],
)
async def test_bad_variables_are_refused_before_any_fetch(variables: dict[str, Any], said: str) -> None:
    query = "query($first: Int!, $order: [BookOrder!]) { books(first: $first, orderBy: $order) { nodes { id } } }"
    async with gateway() as city:
        answered = await city.ask(query, variables)
        assert codes(answered)[0] == "BAD_USER_INPUT"
        assert said in answered.errors[0].message
        assert not answered.executed
        assert not city.library.asked("n")


async def test_defaults_of_variables_and_of_input_fields_are_filled_in() -> None:
    query = "query($o: [BookOrder!] = [{field: PAGES}], $n: Int = 1) { books(orderBy: $o, first: $n) { nodes { id } } }"
    async with gateway() as city:
        assert await city.data(query) == {"books": {"nodes": [{"id": "book:n:3"}]}}


async def test_the_operation_is_chosen_by_name() -> None:
    document = "query A { anything } query B { rules }"
    async with gateway() as city:

        async def ask(name: str | None) -> Any:
            return await city.pipeline.answer(GraphQLRequest(document, name), Caller())

        assert (await ask("B")).data == {"rules": "as e says"}
        assert codes(await ask(None)) == codes(await ask("C")) == ["OPERATION_RESOLUTION_FAILURE"]


async def test_subgraph_errors_are_carried_over_with_path_location_and_service() -> None:
    query = '{\n  shelf(id: "n") {\n    mine: books(first: 1) { nodes { key: secret } }\n  }\n}'
    async with gateway() as city:
        [error] = (await city.ask(query)).errors
        assert error.to_json() == {
            "message": "not for you",
            "path": ["shelf", "mine", "nodes", 0, "key"],
            "locations": [{"line": 3, "column": 37}],
            "extensions": {"code": "FORBIDDEN", "service": "libraries", "region": "n"},
        }


async def test_errors_of_entities_stand_where_the_entity_stands_and_carry_no_internals() -> None:
    def fail(answer: dict[str, Any]) -> dict[str, Any]:
        answer["data"]["_entities"][1] = None
        extensions = {"code": "BROKEN", "stacktrace": ["secret"], "hint": "x"}
        error = {"message": "bad", "path": ["_entities", 1, "stars"], "extensions": extensions}
        return {**answer, "errors": [error]}

    async with gateway() as city:
        city.library.reviews.fault = alters(fail)
        answered = await city.ask("{ books(first: 3) { nodes { stars: rating } } }")
        assert [node["stars"] for node in answered.data["books"]["nodes"]] == [4.5, None, 4.5]
        [error] = answered.errors
        assert error.path == ("books", "nodes", 1, "stars")
        assert error.extensions == {"service": "reviews", "hint": "x"}


async def test_an_inaccessible_enum_value_is_not_leaked() -> None:
    async with gateway() as city:
        answered = await city.ask('{ book(id: "book:n:1") { mood } again: book(id: "book:n:2") { mood } }')
        assert answered.data == {"book": {"mood": None}, "again": {"mood": "GLAD"}}
        assert "SECRET" not in str(answered.to_json())


async def test_an_inaccessible_field_cannot_be_asked_for() -> None:
    async with gateway() as city:
        assert codes(await city.ask('{ shelf(id: "n") { rule } }')) == ["GRAPHQL_VALIDATION_FAILED"]


async def test_interfaces_and_type_conditions() -> None:
    query = """{ book(id: "book:n:2") { notes { __typename id ... on Praise { stars } ... on Blame { reason } } } }"""
    async with gateway() as city:
        notes = (await city.data(query))["book"]["notes"]
        assert notes == [{"__typename": "Praise", "id": "p", "stars": 5}]


async def test_a_cursor_that_cannot_be_read_is_the_clients_fault() -> None:
    async with gateway() as city:
        answered = await city.ask('{ books(after: "xx") { nodes { id } } }')
        assert answered.data == {"books": None}
        assert codes(answered) == ["BAD_USER_INPUT"]


async def test_a_change_goes_on_when_its_client_leaves() -> None:
    async with gateway() as city:
        city.library.members["n"].fault = delay(0.1)
        asking = asyncio.create_task(city.ask('mutation { lend(input: { bookId: "book:n:1" }) { ok } }'))
        await asyncio.sleep(0.05)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await city.pipeline.drain()
        assert len(city.library.asked("n")) == 1


async def test_a_query_ends_when_its_client_leaves() -> None:
    async with gateway() as city:
        for member in city.library.members.values():
            member.fault = delay(5)
        asking = asyncio.create_task(city.ask("{ books { totalCount } }"))
        await asyncio.sleep(0.05)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert all(member.limiter.busy == 0 for member in city.library.group.now.all)


async def test_changes_run_in_series() -> None:
    query = (
        'mutation { a: lend(input: { bookId: "book:n:1" }) { ok } b: review(bookId: "book:n:1", text: "x") { text } }'
    )
    async with gateway() as city:
        assert await city.data(query) == {"a": {"ok": True}, "b": {"text": "x"}}
        city.library.members["n"].fault = cut
        assert codes(await city.ask(query)) == ["OUTCOME_UNKNOWN"]


async def test_a_broken_clients_deadline_is_still_answered() -> None:
    async with Library() as library:
        answered = await Gateway(library).ask("{ books { nodes { id } } anything }", deadline_s=0.001)
        assert answered.data == {"books": {"nodes": []}, "anything": None}
        assert {str(error.extensions.get("cause", error.code)) for error in answered.errors} == {"SUBGRAPH_TIMEOUT"}


async def test_a_condition_that_is_null_is_refused_for_it_decides_nothing() -> None:
    query = "query($x: Boolean = true) { anything @skip(if: $x) rules @include(if: $x) }"
    async with gateway() as city:
        assert await city.data(query) == {"rules": "as e says"}
        answered = await city.ask(query, {"x": None})
        assert codes(answered) == ["BAD_USER_INPUT"]
        assert not answered.executed


class BrokenPlanner:
    def plan(self, document: DocumentNode, operation_name: str | None) -> QueryPlan:
        raise RuntimeError("a bug")


async def test_a_fault_of_ours_while_planning_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with Library() as library:
        pipeline = Pipeline(library.supergraph, library.clients, BrokenPlanner())
        answered = await pipeline.answer(GraphQLRequest("{ anything }"), Caller())
        assert codes(answered) == ["INTERNAL_SERVER_ERROR"]
        assert "a bug" not in answered.errors[0].message
        assert "a bug" in caplog.text


async def test_one_gathered_field_under_several_aliases_with_arguments_of_their_own() -> None:
    query = """{
      north: books(filter: { branch: { eq: "n" } }, first: 1) { nodes { id } totalCount }
      two: books(filter: { branch: { in: ["s", "n"] } }, first: 2) { nodes { id: title key: id } totalCount }
      books(last: 1) { nodes { id } }
      books(last: 1) { edges { node { ...Place } } }
    }
    fragment Place on Book { id branch { ... on Branch { code } } reviews { text } }"""
    async with gateway() as city:
        data = await city.data(query)
    assert data["north"] == {"nodes": [{"id": "book:n:1"}], "totalCount": 3}
    assert data["two"]["totalCount"] == 5
    assert [one["key"] for one in data["two"]["nodes"]] == ["book:n:1", "book:n:2"]
    last = data["books"]["nodes"][0]["id"]
    [edge] = data["books"]["edges"]
    assert edge["node"] == {"id": last, "branch": {"code": last.split(":")[1]}, "reviews": [{"text": f"of {last}"}]}


async def test_equal_queries_in_flight_run_once_where_sharing_is_chosen() -> None:
    async with gateway(options=PipelineOptions(share=True)) as city:
        first, second, other = await asyncio.gather(
            city.ask("{ rules }", who="a"), city.ask("{ rules }", who="a"), city.ask("{ rules }", who="b")
        )
        assert first is second
        assert other is not first
        assert first.data == other.data == {"rules": "as e says"}
        assert (await city.ask("{ rules }", who="a")) is not first


async def test_equal_queries_run_each_by_itself_unless_sharing_is_chosen() -> None:
    async with gateway() as city:
        first, second = await asyncio.gather(city.ask("{ rules }"), city.ask("{ rules }"))
        assert first is not second
        assert len(city.library.asked("e")) == 2


async def test_equal_changes_in_flight_are_each_carried_out() -> None:
    change = 'mutation { lend(input: { bookId: "book:n:1" }) { ok } }'
    async with gateway(options=PipelineOptions(share=True)) as city:
        await asyncio.gather(city.ask(change), city.ask(change))
        assert len(city.library.asked("n")) == 2
