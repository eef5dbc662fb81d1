"""A broken subgraph costs its own fields, in time, by a coded error; for root, entity and scatter fetches alike.

Faults stand at the transport: in front of a real in-process application, or on a real socket.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from contract.cursors import decode_cursor, encode_cursor
from gateway.execution.asgi import AsgiClient
from gateway.execution.clients import HttpClient, HttpPool
from gateway.execution.members import Member
from gateway.supergraph.model import Wish
from tests.gateway.support.gateway import Gateway, codes, gateway
from tests.gateway.support.library import NAMES, Library
from tests.gateway.support.serving import Fault, Faulty, alters, crash, cut, delay, errors, half_json, hang, says

DEADLINE_S = 0.5
LATENESS_S = 5.0
"""What a busy machine may add; the point is that nobody waits for a hung subgraph."""

FAULTS: dict[str, Fault] = {
    "slow": delay(5),
    "hang": hang,
    "crash": crash,
    "cut": cut,
    "half json": half_json,
    "500": says(500, b"<html>oops</html>"),
    "503 with graphql": says(503, b'{"data": {"anything": "x"}}'),
    "404": says(404, b"not found"),
    "empty": says(200, b""),
    "no json": says(200, b"<html>hello</html>"),
    "a list": says(200, b"[]"),
    "neither data nor errors": says(200, b"{}"),
    "data is text": says(200, b'{"data": "all"}'),
    "errors is text": says(200, b'{"data": null, "errors": "all"}'),
    "null": says(200, b'{"data": null}'),
}


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest) -> Fault:
    return FAULTS[request.param]


async def in_time(asked: Awaitable[Any]) -> Any:
    started = time.monotonic()
    answered = await asked
    assert time.monotonic() - started < DEADLINE_S + LATENESS_S
    return answered


async def test_root_fetch(fault: Fault) -> None:
    async with gateway() as city:
        city.library.reviews.fault = fault
        answered = await in_time(city.ask("{ anything books(first: 2) { nodes { id } } }", deadline_s=DEADLINE_S))
        assert answered.data == {"anything": None, "books": {"nodes": [{"id": "book:e:1"}, {"id": "book:e:2"}]}}
        [error] = answered.errors
        assert error.code in ("SUBGRAPH_UNAVAILABLE", "SUBGRAPH_TIMEOUT", "SUBGRAPH_BAD_RESPONSE")
        assert error.path == ("anything",)
        assert error.extensions["service"] == "reviews"
        assert error.locations[0].line == 1


async def test_root_fetch_of_a_field_that_must_not_be_null(fault: Fault) -> None:
    async with gateway() as city:
        city.library.reviews.fault = fault
        answered = await in_time(city.ask("{ mustHave { text } }", deadline_s=DEADLINE_S))
        assert answered.data is None
        assert len(answered.errors) == 1


async def test_entity_fetch(fault: Fault) -> None:
    async with gateway() as city:
        city.library.reviews.fault = fault
        query = "{ books(first: 2) { nodes { id rating reviews { text } } } }"
        answered = await in_time(city.ask(query, deadline_s=DEADLINE_S))
        nodes = [{"id": f"book:e:{key}", "rating": None, "reviews": None} for key in (1, 2)]
        assert answered.data == {"books": {"nodes": nodes}}
        [error] = answered.errors
        assert error.path == ("books", "nodes")


SCATTER = "{ books(first: 50) { nodes { id } totalCount totalIsExact sources { region status latencyMs } } }"


async def test_scatter_root_fetch(fault: Fault) -> None:
    async with gateway() as city:
        city.library.members["n"].fault = fault
        answered = await in_time(city.ask(SCATTER, deadline_s=DEADLINE_S))
        books = answered.data["books"]
        assert [node["id"] for node in books["nodes"]] == [
            "book:e:1",
            "book:e:2",
            "book:s:1",
            "book:s:2",
            "book:w:1",
        ]
        assert books["totalCount"] == 5
        assert books["totalIsExact"] is False
        status = {one["region"]: one["status"] for one in books["sources"]}
        assert status == {"e": "OK", "n": "UNAVAILABLE", "s": "OK", "w": "OK"}
        [error] = answered.errors
        assert error.code == "PARTITION_UNAVAILABLE"
        assert error.extensions["region"] == "n"
        assert error.extensions["cause"].startswith("SUBGRAPH_")
        states = {one["region"]: one["status"] for one in answered.extensions["partitions"]}
        assert states == {"e": "OK", "n": "UNAVAILABLE", "s": "OK", "w": "OK"}


async def test_scatter_entity_fetch(fault: Fault) -> None:
    async with gateway() as city:
        city.library.members["n"].fault = fault
        query = '{ shelf(id: "n+s") { label books(first: 9) { nodes { id } totalIsExact } stock { books isExact } } }'
        answered = await in_time(city.ask(query, deadline_s=DEADLINE_S))
        assert answered.data["shelf"] == {
            "label": "shelf n+s",
            "books": {"nodes": [{"id": "book:s:1"}, {"id": "book:s:2"}], "totalIsExact": False},
            "stock": {"books": 2, "isExact": False},
        }
        assert set(codes(answered)) == {"PARTITION_UNAVAILABLE"}
        assert {error.path for error in answered.errors} == {("shelf", "books"), ("shelf", "stock")}


async def test_entities_of_a_partitioned_type(fault: Fault) -> None:
    async with gateway() as city:
        city.library.members["e"].fault = fault
        answered = await in_time(city.ask("{ reviews { book { id title } } }", deadline_s=DEADLINE_S))
        assert answered.data["reviews"] == [
            {"book": {"id": "book:e:1", "title": None}},
            {"book": {"id": "book:e:2", "title": None}},
            {"book": {"id": "book:n:1", "title": "Journey"}},
        ]
        [error] = answered.errors
        assert (error.code, error.extensions["region"]) == ("PARTITION_UNAVAILABLE", "e")


async def test_all_or_nothing(fault: Fault) -> None:
    async with gateway() as city:
        city.library.members["n"].fault = fault
        answered = await in_time(city.ask(SCATTER, deadline_s=DEADLINE_S, wish=Wish.ALL))
        assert answered.data == {"books": None}
        assert codes(answered) == ["PARTITION_UNAVAILABLE"]


async def test_a_required_member_that_is_missing_makes_the_field_null() -> None:
    async with gateway(Library(required=["n"])) as city:
        city.library.members["n"].fault = crash
        assert (await city.ask(SCATTER)).data == {"books": None}
        city.library.members["n"].fault = None
        city.library.members["e"].fault = crash
        assert len((await city.ask(SCATTER)).data["books"]["nodes"]) == 6


async def test_no_member_answers_and_the_connection_is_built_all_the_same() -> None:
    async with gateway() as city:
        for member in city.library.members.values():
            member.fault = crash
        books = (await city.ask("{ books(first: 2) { nodes { id } totalCount totalIsExact sources { status } } }")).data
        sources = [{"status": "UNAVAILABLE"}] * 4
        assert books == {"books": {"nodes": [], "totalCount": 0, "totalIsExact": False, "sources": sources}}


async def test_a_change_goes_to_one_member_once_and_its_lost_answer_is_an_unknown_outcome(fault: Fault) -> None:
    change = 'mutation { lend(input: { bookId: "book:n:1" }) { ok } }'
    async with gateway() as city:
        city.library.members["n"].fault = fault
        answered = await in_time(city.ask(change, deadline_s=DEADLINE_S))
        assert answered.data == {"lend": None}
        if fault is not FAULTS["errors is text"]:
            assert codes(answered) == ["OUTCOME_UNKNOWN"]
        assert answered.errors[0].extensions["region"] == "n"
        assert all(not city.library.asked(branch) for branch in "esw")
        assert len(city.library.asked("n")) <= 1


async def test_a_plain_change_whose_answer_is_lost_is_an_unknown_outcome() -> None:
    async with gateway() as city:
        city.library.reviews.fault = cut
        answered = await city.ask('mutation { review(bookId: "book:n:1", text: "x") { text } }', deadline_s=DEADLINE_S)
        assert answered.data == {"review": None}
        assert codes(answered) == ["OUTCOME_UNKNOWN"]
        assert len(city.library.reviews.app.requests) == 1  # type: ignore[attr-defined]


# Members that answer, wrongly


def reverse(answer: dict[str, Any]) -> dict[str, Any]:
    for rows in answer["data"]["books"].values():
        if isinstance(rows, list):
            rows.reverse()
    return answer


def repeat(answer: dict[str, Any]) -> dict[str, Any]:
    for rows in answer["data"]["books"].values():
        if isinstance(rows, list):
            rows.append(rows[-1])
    return answer


def lose_a_node(answer: dict[str, Any]) -> dict[str, Any]:
    answer["data"]["books"]["nodes"].pop()
    return answer


def garble_a_cursor(answer: dict[str, Any]) -> dict[str, Any]:
    answer["data"]["books"]["_gedges"][0]["cursor"] = "@@@"
    return answer


def recoded(**changed: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A member of one row, whose cursor is well written and holds what does not compare with others'."""

    def change(answer: dict[str, Any]) -> dict[str, Any]:
        books = answer["data"]["books"]
        for key in ("nodes", "_gedges"):
            books[key] = books[key][:1]
        cursor = decode_cursor(books["_gedges"][0]["cursor"])
        books["_gedges"][0]["cursor"] = encode_cursor(replace(cursor, **changed))
        return answer

    return change


NOT_A_NUMBER, NO_NUMBER, NO_REGION = recoded(native=("NaN",)), recoded(native=([],)), recoded(region=["n"])


@pytest.mark.parametrize("change", [reverse, repeat, lose_a_node, garble_a_cursor, NOT_A_NUMBER, NO_NUMBER, NO_REGION])
async def test_a_member_that_breaks_the_order_is_cut_out(change: Callable[[Any], Any]) -> None:
    async with gateway() as city:
        city.library.members["n"].fault = alters(change)
        answered = await city.ask("{ books(first: 50) { nodes { id } totalCount totalIsExact } }")
        books = answered.data["books"]
        assert [node["id"][5] for node in books["nodes"]] == ["e", "e", "s", "s", "w"]
        assert (books["totalCount"], books["totalIsExact"]) == (5, False)
        [error] = answered.errors
        assert (error.code, error.extensions["region"]) == ("PARTITION_ORDER_VIOLATION", "n")


async def test_a_type_name_that_is_no_text_costs_its_object() -> None:
    def untyped(answer: dict[str, Any]) -> dict[str, Any]:
        for entity in answer["data"]["_entities"]:
            entity["notes"][0]["__typename"] = []
        return answer

    async with gateway() as city:
        city.library.reviews.fault = alters(untyped)
        answered = await city.ask("{ books(first: 1) { nodes { id notes { id } } } }")
        assert answered.data == {"books": {"nodes": [{"id": "book:e:1", "notes": None}]}}
        assert codes(answered) == ["SUBGRAPH_BAD_RESPONSE"]


async def test_a_member_that_gives_anothers_rows_is_cut_out() -> None:
    async with gateway() as city:
        city.library.members["n"].app = city.library.members["s"].app
        answered = await city.ask("{ books(first: 50) { nodes { id } totalCount } }")
        assert [node["id"][5] for node in answered.data["books"]["nodes"]] == ["e", "e", "s", "s", "w"]
        assert codes(answered) == ["PARTITION_FOREIGN_ROW"]


async def test_a_member_that_ignores_the_cursor_is_cut_out() -> None:
    async with gateway() as city:
        first = await city.data("{ books(first: 3) { pageInfo { endCursor } } }")
        after = first["books"]["pageInfo"]["endCursor"]

        def unmoved(answer: dict[str, Any]) -> dict[str, Any]:
            return kept[0]

        kept: list[dict[str, Any]] = []

        def keep(answer: dict[str, Any]) -> dict[str, Any]:
            kept.append(answer)
            return answer

        query = "query($after: String) { books(first: 3, after: $after) { nodes { id } } }"
        city.library.members["n"].fault = alters(keep)
        await city.data(query)
        city.library.members["n"].fault = alters(unmoved)
        answered = await city.ask(query, {"after": after})
        assert [node["id"] for node in answered.data["books"]["nodes"]] == ["book:s:1", "book:s:2", "book:w:1"]
        assert codes(answered) == ["PARTITION_ORDER_VIOLATION"]


async def test_an_old_member_that_does_not_know_a_field_is_named_outdated() -> None:
    async with gateway() as city:
        city.library.members["w"].fault = errors("GRAPHQL_VALIDATION_FAILED")
        answered = await city.ask("{ books(first: 1) { sources { region status } } }")
        assert answered.data["books"]["sources"][-1] == {"region": "w", "status": "OUTDATED"}
        assert codes(answered) == ["PARTITION_OUTDATED"]


async def test_all_members_refuse_for_one_reason_and_it_is_told_once() -> None:
    async with gateway() as city:
        answered = await city.ask("{ books(first: 501) { nodes { id } } }")
        assert answered.data == {"books": None}
        [error] = answered.errors
        assert (error.code, error.message) == ("BAD_USER_INPUT", "first is at most 500")


async def test_an_error_of_one_row_follows_the_row_to_its_place() -> None:
    async with gateway() as city:
        answered = await city.ask("{ books(first: 3, orderBy: [{ field: PRICE }]) { nodes { id secret } } }")
        assert [node["id"] for node in answered.data["books"]["nodes"]] == ["book:n:3", "book:e:2", "book:w:1"]
        assert sorted(error.path for error in answered.errors) == [("books", "nodes", at, "secret") for at in range(3)]
        regions = {error.path[2]: error.extensions["region"] for error in answered.errors if error.path}
        assert regions == {0: "n", 1: "e", 2: "w"}


# The walk rule


async def test_a_member_that_misses_a_page_is_named_from_then_on_and_adds_only_rows_after_the_cursor() -> None:
    query = """query($after: String) { books(first: 3, after: $after, orderBy: [{ field: TITLE }]) {
        nodes { id title } edges { cursor } pageInfo { hasNextPage endCursor } } }"""
    async with gateway() as city:
        city.library.members["n"].fault = crash
        one = await city.ask(query)
        assert [node["title"] for node in one.data["books"]["nodes"]] == ["Anna", "Dream", "Dream"]
        city.library.members["n"].fault = None
        two = await city.ask(query, {"after": one.data["books"]["edges"][-1]["cursor"]})
        assert [node["title"] for node in two.data["books"]["nodes"]] == ["Journey", "Margin", "Outlaws"]
        assert codes(two) == ["PARTITION_MISSED_EARLIER"]
        assert two.errors[0].extensions["regions"] == ["n"]
        assert [one["region"] for one in two.extensions["partitions"] if one.get("missedEarlier")] == ["n"]
        three = await city.ask(query, {"after": two.data["books"]["pageInfo"]["endCursor"]})
        assert [node["title"] for node in three.data["books"]["nodes"]] == [None]
        assert three.data["books"]["pageInfo"]["hasNextPage"] is False
        assert codes(three) == ["PARTITION_MISSED_EARLIER"]


async def test_an_empty_partial_page_gives_the_cursor_back() -> None:
    query = (
        "query($after: String) { books(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }"
    )
    async with gateway() as city:
        one = await city.data(query)
        cursor = one["books"]["pageInfo"]["endCursor"]
        for member in city.library.members.values():
            member.fault = crash
        lost = (await city.ask(query, {"after": cursor})).data["books"]
        assert lost["nodes"] == []
        assert lost["pageInfo"]["hasNextPage"] is False
        for member in city.library.members.values():
            member.fault = None
        again = await city.ask(query, {"after": lost["pageInfo"]["endCursor"]})
        assert [node["id"] for node in again.data["books"]["nodes"]] == ["book:n:1", "book:n:2"]


# Real sockets


@asynccontextmanager
async def raw_server(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
    finally:
        server.close()


async def _reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()


async def _cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"data": {"books"')
    await writer.drain()
    writer.close()


async def _garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"\x00\x01\x02 this is no HTTP \r\n\r\n")
    await writer.drain()
    writer.close()


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    try:
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)
    except OSError:
        pass
    finally:
        writer.close()


async def _silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


@pytest.mark.parametrize("handle", [_reset, _cut, _garbage, _drip, _silence])
async def test_a_member_on_a_broken_socket(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> None:
    pool = HttpPool()
    async with raw_server(handle) as url, Library() as library:
        members = [Member("n", NAMES["n"][0], HttpClient(url, pool)), *library.group.now.all]
        library.group.replace(member for place, member in enumerate(members) if place == 0 or member.region != "n")
        answered = await in_time(Gateway(library).ask(SCATTER, deadline_s=DEADLINE_S))
        assert len(answered.data["books"]["nodes"]) == 5
        assert codes(answered) == ["PARTITION_UNAVAILABLE"]
        await pool.close()


async def test_a_member_that_refuses_the_connection_has_not_seen_the_change() -> None:
    pool = HttpPool()
    async with raw_server(_silence) as url:
        pass
    async with Library() as library:
        library.group.replace([Member("n", NAMES["n"][0], HttpClient(url, pool))])
        answered = await Gateway(library).ask('mutation { lend(input: { bookId: "book:n:1" }) { ok } }')
        assert codes(answered) == ["PARTITION_UNAVAILABLE"]
        await pool.close()


async def test_a_member_answers_at_its_first_url() -> None:
    async with Library() as library:
        first, second = (AsgiClient(library.members["n"]), AsgiClient(Faulty(library.members["n"], crash)))
        others = [one for one in library.group.now.all if one.region != "n"]
        library.group.replace([*others, Member("n", NAMES["n"][0], first, second)])
        assert await Gateway(library).data('{ book(id: "book:n:1") { title } }') == {"book": {"title": "Journey"}}


async def test_many_requests_to_a_hung_member_leave_the_others_alone() -> None:
    async with gateway() as city:
        city.library.members["n"].fault = hang
        asked = [city.ask(SCATTER, deadline_s=2) for _ in range(60)]
        for answered in await asyncio.gather(*asked):
            assert len(answered.data["books"]["nodes"]) == 5
        assert city.library.group.now.by_code("n")[0].limiter.busy == 0
