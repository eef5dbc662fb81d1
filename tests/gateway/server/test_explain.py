"""Explain, as a client gets it: who may ask, and what is told of the plan, of each fetch and of each member."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gwc.schemas import print_operation_plan
from tests.gateway.server.client import Served, options, served
from tests.gateway.support.library import supergraph_sdl
from tests.gateway.support.serving import alters, crash, errors

QUERY = "{ books(first: 2) { nodes { rating } } anything }"
ASKED = {"gwc-explain": "1"}


def explaining() -> Any:
    return served(chosen=options(explain=True))


async def explained(gateway: Served, query: str, variables: Mapping[str, Any] | None = None) -> Any:
    _, body, _ = await gateway.post({"query": query, "variables": variables or {}}, ASKED)
    return body["extensions"]["explain"]


async def scattered(gateway: Served, query: str) -> Any:
    """The one scattered fetch of a query."""
    [one] = [one for one in (await explained(gateway, query))["fetches"] if "members" in one]
    return one


def states(fetch: Any) -> dict[str, str]:
    return {one["region"]: one["state"] for one in fetch["members"]}


# Who may ask


async def test_where_it_is_not_allowed_the_answer_is_as_if_nobody_had_asked() -> None:
    async with served() as gateway:
        plain = (await gateway.post({"query": "{ anything }"}))[:2]
        assert plain == (200, {"data": {"anything": "a thing"}})
        assert (await gateway.post({"query": "{ anything }"}, ASKED))[:2] == plain
        assert (await gateway.post({"query": "{ anything }"}, parameters={"explain": "1"}))[:2] == plain
        assert await gateway.get({"query": "{ anything }", "explain": "1"}) == plain


async def test_it_is_asked_for_by_header_or_parameter() -> None:
    async with explaining() as gateway:
        body = {"query": "{ anything }"}
        for _, told, *_ in (
            await gateway.post(body, ASKED),
            await gateway.post(body, parameters={"explain": "1"}),
            await gateway.get({**body, "explain": "1"}),
            await gateway.get(body, ASKED),
        ):
            assert "plan" in told["extensions"]["explain"]


@pytest.mark.parametrize(
    ("headers", "parameters"),
    [({}, {}), ({"gwc-explain": "0"}, {"explain": "0"}), ({}, {"explain": ""}), ({}, {"x": "ä"})],
)
async def test_who_does_not_ask_is_told_nothing(headers: dict[str, str], parameters: dict[str, str]) -> None:
    async with explaining() as gateway:
        _, body, _ = await gateway.post({"query": "{ anything }"}, headers, parameters)
        assert body == {"data": {"anything": "a thing"}}


# What is told


async def test_the_plan_is_printed_as_gwc_plan_prints_it(tmp_path: Path) -> None:
    file = tmp_path / "supergraph.graphql"
    file.write_text(supergraph_sdl(), encoding="utf-8")
    printed: list[str] = []
    print_operation_plan(QUERY, file, None, False, printed.append)
    async with explaining() as gateway:
        assert [(await explained(gateway, QUERY))["plan"]] == printed


async def test_each_fetch_is_told_with_service_path_and_time_and_joins_begin_after_what_they_join() -> None:
    async with explaining() as gateway:
        told = await explained(gateway, QUERY)
    at_root, beside, join = sorted(told["fetches"], key=lambda one: (one.get("paths", []), one["service"]))
    assert (at_root["service"], beside["service"], join["service"]) == ("libraries", "reviews", "reviews")
    assert "paths" not in at_root
    assert join["paths"] == ["books.nodes.@"]
    assert (beside["state"], join["state"]) == ("OK", "OK")
    assert join["startMs"] >= at_root["startMs"] + at_root["ms"] > 0
    assert told["prepareMs"] > 0
    assert told["ms"] >= told["prepareMs"] + join["startMs"] + join["ms"]


async def test_a_fetch_of_several_paths_names_them() -> None:
    query = '{ books(first: 1) { nodes { rating } } book(id: "book:n:1") { rating } }'
    async with explaining() as gateway:
        told = await explained(gateway, query)
    [batch] = [one for one in told["fetches"] if one["service"] == "reviews"]
    assert sorted(batch["paths"]) == ["book", "books.nodes.@"]
    assert 'BatchFetch(service: "reviews")' in told["plan"]


async def test_a_fetch_that_fails_says_why() -> None:
    async with explaining() as gateway:
        gateway.library.reviews.fault = crash
        [fetch] = (await explained(gateway, "{ anything }"))["fetches"]
        assert fetch["state"] == "SUBGRAPH_UNAVAILABLE"


async def test_what_no_subgraph_is_asked_for_has_a_plan_and_no_fetches() -> None:
    async with explaining() as gateway:
        told = await explained(gateway, "{ __typename }")
        assert (told["plan"], told["fetches"]) == ("QueryPlan {}", [])


# Members


async def test_each_member_is_told_with_what_it_was_asked_and_what_it_sent() -> None:
    query = """{
      books(first: 2, filter: { branch: { in: ["n", "s"] } }) { nodes { title } totalCount }
      book(id: "book:n:1") { title }
    }"""
    async with explaining() as gateway:
        fetch = await scattered(gateway, query)
        members = {one["region"]: one for one in fetch["members"]}
        assert {region: one["operation"] for region, one in members.items()} == {
            region: gateway.library.asked(region)[0]["query"] for region in ("n", "s")
        }
    assert "book(id" in members["n"]["operation"]
    assert "book(id" not in members["s"]["operation"]
    assert {region: one["rows"] for region, one in members.items()} == {"n": 3, "s": 2}
    assert (members["n"]["name"], members["n"]["state"]) == ("北馆", "OK")
    assert all(0 < one["ms"] <= fetch["ms"] for one in members.values())
    assert fetch["pruned"] == ["e", "w"]


async def test_a_member_that_gives_no_answer_says_why() -> None:
    async with explaining() as gateway:
        gateway.library.members["w"].fault = crash
        gateway.library.members["s"].fault = errors("GRAPHQL_VALIDATION_FAILED")
        fetch = await scattered(gateway, "{ books { nodes { id } } }")
    assert states(fetch) == {"e": "OK", "n": "OK", "s": "OUTDATED", "w": "UNAVAILABLE"}
    assert {one["region"]: one["cause"] for one in fetch["members"] if "cause" in one} == {
        "s": "GRAPHQL_VALIDATION_FAILED",
        "w": "SUBGRAPH_UNAVAILABLE",
    }
    assert {one["region"]: one["rows"] for one in fetch["members"]} == {"e": 2, "n": 3, "s": 0, "w": 0}


async def test_a_member_that_is_cut_out_says_so_beside_the_rows_that_it_sent() -> None:
    def upside_down(answer: dict[str, Any]) -> dict[str, Any]:
        for key in ("nodes", "_gedges"):
            answer["data"]["books"][key].reverse()
        return answer

    async with explaining() as gateway:
        gateway.library.members["n"].fault = alters(upside_down)
        fetch = await scattered(gateway, "{ books { nodes { id } } }")
    [member] = [one for one in fetch["members"] if one["region"] == "n"]
    assert (member["state"], member["cause"], member["rows"]) == ("UNAVAILABLE", "PARTITION_ORDER_VIOLATION", 3)


async def test_entities_of_members_are_told_by_their_path() -> None:
    async with explaining() as gateway:
        told = await explained(gateway, "{ reviews { book { title } } }")
    [_, fetch] = told["fetches"]
    assert (fetch["service"], fetch["paths"]) == ("libraries", ["reviews.@.book"])
    assert {one["region"]: one["rows"] for one in fetch["members"]} == {"e": 2, "n": 1}
    assert fetch["pruned"] == ["s", "w"]


async def test_rows_that_are_gathered_for_an_entity_are_counted() -> None:
    async with explaining() as gateway:
        fetch = await scattered(gateway, '{ shelf(id: "n+s") { books(first: 2) { nodes { id } } } }')
    assert {one["region"]: one["rows"] for one in fetch["members"]} == {"n": 2, "s": 2}
    assert fetch["pruned"] == ["e", "w"]


async def test_where_any_member_will_do_none_is_pruned_and_the_next_one_asked_is_told() -> None:
    async with explaining() as gateway:
        gateway.library.members["e"].fault = crash
        fetch = await scattered(gateway, "{ rules }")
    assert states(fetch) == {"e": "UNAVAILABLE", "n": "OK"}
    assert fetch["pruned"] == []


async def test_where_all_members_are_pruned_none_is_asked() -> None:
    async with explaining() as gateway:
        fetch = await scattered(gateway, "{ books(filter: { branch: { in: [] } }) { totalCount } }")
    assert (fetch["members"], fetch["pruned"]) == ([], ["e", "n", "s", "w"])


async def test_the_one_member_of_a_change_is_told() -> None:
    async with explaining() as gateway:
        fetch = await scattered(gateway, 'mutation { lend(input: { bookId: "book:s:1" }) { ok } }')
    assert states(fetch) == {"s": "OK"}
    assert fetch["pruned"] == ["e", "n", "w"]
