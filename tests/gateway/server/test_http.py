"""GraphQL over HTTP: media types, status codes, refusals, identity, deadlines, limits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contract.identity import INTERNAL, TokenVerifier
from tests.gateway.server.client import INTERNAL_PUBLIC, OFFICER, access_token, options, served
from tests.gateway.support.ages import age
from tests.gateway.support.serving import crash, delay, hang, says

OK = {"query": "{ anything }"}
GRAPHQL = "application/graphql-response+json"


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, application/json;q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0.1, application/json", "application/json"),
        (f"{GRAPHQL}, application/json", GRAPHQL),
        ("application/json;q=0, */*", GRAPHQL),
        (f"*/*;q=0.9, {GRAPHQL};q=0.5", "application/json"),
        ("image/png, application/*;q=0.1", "application/json"),
        ("application/json;q=nan, */*;q=0.1", GRAPHQL),
    ],
)
async def test_the_media_type_is_the_one_asked_for(accept: str | None, answered: str) -> None:
    async with served() as gateway:
        status, body, response = await gateway.post(OK, {"accept": accept} if accept else {})
        assert (status, body) == (200, {"data": {"anything": "a thing"}})
        assert response.headers["content-type"] == f"{answered}; charset=utf-8"


async def test_a_client_that_accepts_nothing_we_have_gets_406() -> None:
    async with served() as gateway:
        for accept in ("image/png", "application/json;q=0", "text/*", "*/*;q=0"):
            assert (await gateway.post(OK, {"accept": accept}))[0] == 406


@pytest.mark.parametrize(
    ("body", "with_json", "with_graphql", "code"),
    [
        ({"query": "{ nothing }"}, 200, 400, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{"}, 200, 400, "GRAPHQL_PARSE_FAILED"),
        ({"query": "query($n: Int!) { books(first: $n) { totalCount } }"}, 200, 400, "BAD_USER_INPUT"),
        ({"query": "query A { rules } query B { rules }"}, 200, 400, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "query A { rules }", "operationName": "B"}, 200, 400, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "{ books(first: $n) { totalCount } }"}, 200, 400, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": f"{{ {'... { ' * 70} rules {'} ' * 70} }}"}, 200, 400, "OPERATION_TOO_COMPLEX"),
        ({"query": "subscription { loans { at } }"}, 400, 400, "BAD_REQUEST"),
        (b"{", 400, 400, "BAD_REQUEST"),
        (b'"text"', 400, 400, "BAD_REQUEST"),
        ({}, 400, 400, "BAD_REQUEST"),
        ({"query": 5}, 400, 400, "BAD_REQUEST"),
        ({**OK, "variables": []}, 400, 400, "BAD_REQUEST"),
        ({**OK, "operationName": 5}, 400, 400, "BAD_REQUEST"),
        ({**OK, "extensions": 5}, 400, 400, "BAD_REQUEST"),
        (b'{"query": "{ anything }", "variables": ' + b'{"a":' * 2000 + b"1" + b"}" * 2001, 400, 400, "BAD_REQUEST"),
        ('{"query": "{ anyth\u00efng }"}'.encode("latin-1"), 400, 400, "BAD_REQUEST"),
        ([OK, OK], 400, 400, "BAD_REQUEST"),
    ],
)
async def test_refusals_and_their_status(body: Any, with_json: int, with_graphql: int, code: str) -> None:
    async with served() as gateway:
        for accept, expected in (("application/json", with_json), (GRAPHQL, with_graphql)):
            status, told, _ = await gateway.post(body, {"accept": accept})
            assert status == expected
            assert "data" not in told
            assert told["errors"][0]["extensions"]["code"] == code


async def test_an_executed_request_is_200_even_when_parts_failed() -> None:
    async with served() as gateway:
        gateway.library.reviews.fault = crash
        status, body, _ = await gateway.post(OK, {"accept": GRAPHQL})
        assert (status, body["data"]) == (200, {"anything": None})


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
async def test_what_a_foreign_page_may_send_without_asking_is_refused(content_type: str) -> None:
    async with served() as gateway:
        change = {"query": 'mutation { lend(input: { bookId: "book:n:1" }) { ok } }'}
        status, _, _ = await gateway.post(change, {"content-type": content_type})
        assert status == 415
        assert not gateway.library.asked("n")


async def test_get_serves_queries_and_no_changes() -> None:
    async with served() as gateway:
        query = "query Q($n: Int!) { books(first: $n) { totalCount } }"
        parameters = {"query": query, "variables": '{"n": 1}', "operationName": "Q"}
        status, body = await gateway.get(parameters)
        assert (status, body["data"]) == (200, {"books": {"totalCount": 8}})
        status, body = await gateway.get({"query": 'mutation { lend(input: { bookId: "book:n:1" }) { ok } }'})
        assert (status, body["errors"][0]["extensions"]["code"]) == (405, "BAD_REQUEST")
        assert not any("lend" in one["query"] for one in gateway.library.asked("n"))
        assert (await gateway.get({"query": query, "variables": "{"}))[0] == 400
        assert (await gateway.get({"query": "{ anything }", "variables": "null", "operationName": ""}))[0] == 200
        assert (await gateway.get({}))[0] == 400


async def test_other_methods_are_refused() -> None:
    async with served() as gateway, gateway.session.put(gateway.url, data=b"{}") as response:
        assert response.status == 405
        assert response.headers["allow"] == "GET, POST"


async def test_a_body_has_a_bounded_size_announced_or_not() -> None:
    async with served(chosen=options(body_bytes_max=1000)) as gateway:
        status, told, _ = await gateway.post({"query": "{ anything }" + " " * 2000})
        assert (status, told["errors"][0]["extensions"]["code"]) == (413, "REQUEST_TOO_LARGE")

        async def chunks() -> Any:
            for _ in range(50):
                yield b" " * 100

        headers = {"content-type": "application/json"}
        async with gateway.session.post(gateway.url, data=chunks(), headers=headers) as response:
            assert response.status == 413


# Identity


async def test_the_identity_is_verified_once_and_handed_on_signed() -> None:
    async with served() as gateway:
        headers = {"authorization": f"Bearer {access_token()}", "accept-language": "en-GB"}
        assert (await gateway.post(OK, headers))[0] == 200
        [seen] = gateway.library.reviews.app.headers  # type: ignore[attr-defined]
        assert TokenVerifier(INTERNAL_PUBLIC, INTERNAL).verify(seen["gwc-identity"]) == OFFICER
        assert seen["accept-language"] == "en-GB"
        assert "authorization" not in seen


async def test_nobody_is_anonymous_and_cannot_bring_an_identity_of_his_own() -> None:
    async with served() as gateway:
        assert (await gateway.post(OK, {"gwc-identity": "forged"}))[0] == 200
        [seen] = gateway.library.reviews.app.headers  # type: ignore[attr-defined]
        assert "gwc-identity" not in seen


@pytest.mark.parametrize("authorization", ["Bearer nonsense", "Bearer ", "Basic YTpi", "expired"])
async def test_a_token_that_is_not_valid_is_refused_and_not_taken_for_none(authorization: str) -> None:
    async with served() as gateway:
        sent = f"Bearer {access_token(life_s=-5)}" if authorization == "expired" else authorization
        status, told, _ = await gateway.post(OK, {"authorization": sent})
        assert (status, told["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
        assert not gateway.library.reviews.app.requests  # type: ignore[attr-defined]


# Wishes of the client


async def test_a_client_may_shorten_the_deadline_and_not_lengthen_it() -> None:
    async with served(chosen=options(deadline_s=0.4)) as gateway:
        gateway.library.members["n"].fault = hang
        loop = asyncio.get_running_loop()
        for asked, at_most in (("100", 0.35), ("60000", 0.65)):
            started = loop.time()
            _, body, _ = await gateway.post({"query": "{ books { totalCount } }"}, {"gwc-deadline-ms": asked})
            assert body["data"] == {"books": {"totalCount": 5}}
            assert loop.time() - started < at_most


@pytest.mark.parametrize("headers", [{"gwc-deadline-ms": "soon"}, {"gwc-deadline-ms": "0"}, {"gwc-partial": "maybe"}])
async def test_wishes_that_cannot_be_read_are_refused(headers: dict[str, str]) -> None:
    async with served() as gateway:
        status, told, _ = await gateway.post(OK, headers)
        assert (status, told["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


async def test_all_or_nothing_by_header() -> None:
    async with served() as gateway:
        gateway.library.members["n"].fault = crash
        query = {"query": "{ books { totalCount } }"}
        assert (await gateway.post(query))[1]["data"] == {"books": {"totalCount": 5}}
        assert (await gateway.post(query, {"gwc-partial": "none"}))[1]["data"] == {"books": None}


@pytest.mark.parametrize(("accepted", "name"), [("en", "East"), ("zh-CN,zh;q=0.9,en;q=0.8", "东馆"), ("fr", "东馆")])
async def test_names_in_the_language_of_the_reader(accepted: str, name: str) -> None:
    async with served() as gateway:
        query = {"query": '{ books(filter: { branch: { eq: "e" } }) { totalCount } }'}
        _, body, _ = await gateway.post(query, {"accept-language": accepted})
        assert body["extensions"]["partitions"][0]["name"] == name


async def test_a_client_that_leaves_ends_its_query_but_not_its_change() -> None:
    async with served() as gateway:
        gateway.library.members["n"].fault = delay(0.3)
        for query in ("{ books { totalCount } }", 'mutation { lend(input: { bookId: "book:n:1" }) { ok } }'):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.15):
                    await gateway.post({"query": query})
        async with asyncio.timeout(2):
            while not any("lend" in one["query"] for one in gateway.library.asked("n")):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


# Beside GraphQL


async def test_health_names_the_members_states() -> None:
    async with served() as gateway:
        url = gateway.url.replace("/graphql", "/health")

        async def health() -> Any:
            async with gateway.session.get(url) as response:
                assert response.status == 200
                return await response.json()

        first = await health()
        assert first["status"] == "ok"
        assert {one["status"] for one in first["groups"]["libraries"]} == {"UNKNOWN"}
        gateway.library.members["n"].fault = crash
        await gateway.post({"query": "{ books { totalCount } }"})
        second = await health()
        assert second["status"] == "degraded"
        states = {one["region"]: one["status"] for one in second["groups"]["libraries"]}
        assert states == {"e": "OK", "n": "SUBGRAPH_UNAVAILABLE", "s": "OK", "w": "OK"}


async def test_health_and_metrics_tell_of_breakers_and_further_attempts() -> None:
    async with served() as gateway:
        gateway.library.members["n"].fault = says(503, b"away")
        for _ in range(3):
            await gateway.post({"query": "{ books { totalCount } }"})
        async with gateway.session.get(gateway.url.replace("/graphql", "/health")) as response:
            members = {one["region"]: one for one in (await response.json())["groups"]["libraries"]}
        assert {region: one["breaker"] for region, one in members.items()} == {
            "e": "CLOSED",
            "n": "OPEN",
            "s": "CLOSED",
            "w": "CLOSED",
        }
        assert members["n"]["status"] == "SUBGRAPH_UNAVAILABLE"
        async with gateway.session.get(gateway.url.replace("/graphql", "/metrics")) as response:
            text = await response.text()
        assert 'gwc_gateway_member_breaker{graph="LIBRARIES",region="n"} 1.0' in text
        assert 'gwc_gateway_member_breaker{graph="LIBRARIES",region="e"} 0.0' in text
        assert 'gwc_gateway_member_up{graph="LIBRARIES",region="n"} 0.0' in text
        # Five failures open the breaker: three attempts, then two; the third request is not sent.
        assert 'gwc_gateway_member_attempts_total{graph="LIBRARIES",reason="RETRY",region="n"} 3.0' in text
        assert 'gwc_gateway_member_attempts_total{graph="LIBRARIES",reason="REJECTED",region="n"} 1.0' in text


async def test_health_tells_whose_schema_is_of_another_age_and_why_a_members_file_is_not_in_force() -> None:
    async with served() as gateway:
        url = gateway.url.replace("/graphql", "/health")

        async def health() -> Any:
            async with gateway.session.get(url) as response:
                return await response.json()

        age(gateway.library, "e", {"  pages: Int\n": ""})
        first = await health()
        assert (first["status"], first["problems"]) == ("ok", [])
        contracts = {one["region"]: one["contract"] for one in first["groups"]["libraries"]}
        assert contracts["n"] is None
        assert (contracts["e"]["lacks"], contracts["e"]["errors"]) == (["Book.pages"], [])
        age(gateway.library, "w", {"  price: Decimal\n": "  price: Int\n"})
        second = await health()
        assert second["status"] == "degraded"
        [error] = next(one["contract"]["errors"] for one in second["groups"]["libraries"] if one["region"] == "w")
        assert "Make Book.price Decimal in the member." in error
        gateway.library.group.problem = "members.toml: no"
        assert (await health())["problems"] == ["libraries: members.toml: no"]


async def test_metrics_count_requests_by_outcome() -> None:
    async with served() as gateway:
        await gateway.post(OK)
        await gateway.post({"query": "{ nothing }"})
        async with gateway.session.get(gateway.url.replace("/graphql", "/metrics")) as response:
            text = await response.text()
        assert 'gwc_gateway_requests_total{outcome="ok"} 1.0' in text
        assert 'gwc_gateway_requests_total{outcome="refused"} 1.0' in text
        assert 'gwc_gateway_request_seconds_bucket{le="+Inf"} 2.0' in text
        assert "gwc_gateway_request_seconds_count 2.0" in text
