"""A subgraph over real HTTP: media types, codes, identity, deadline, bounds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from contract.identity import DEADLINE_HEADER, IDENTITY_HEADER, Identity, TokenIssuer, TokenVerifier, generate_key_pair
from subgraphs.kit.app import SubgraphOptions
from tests.subgraphs.kit.library import SDL, make_app, make_served, serving

PRIVATE, PUBLIC = generate_key_pair()
MODERN = {"accept": "application/graphql-response+json"}


class Client:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url

    async def ask(self, query: str, status: int = 200, headers: dict[str, str] | None = None, **body: Any) -> Any:
        async with self.session.post(f"{self.url}/graphql", json={"query": query, **body}, headers=headers) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json(content_type=None)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = make_app(SubgraphOptions(body_length_max=50_000), verifier=TokenVerifier(PUBLIC))
    async with serving(app) as url, aiohttp.ClientSession() as session:
        yield Client(session, url)


async def test_it_answers_rows_with_resolved_fields_beside_plain_ones(client: Client) -> None:
    answer = await client.ask("{ authors { __typename id books(first: 1) { title genre } naam: name } }")
    assert answer == {
        "data": {
            "authors": [
                {
                    "__typename": "Author",
                    "id": "libai",
                    "books": [{"title": "静夜思", "genre": "VERSE"}],
                    "naam": "李白",
                },
                {
                    "__typename": "Author",
                    "id": "dufu",
                    "books": [{"title": "静夜思", "genre": "VERSE"}],
                    "naam": "杜甫",
                },
            ]
        }
    }


async def test_service_answers_the_published_file(client: Client) -> None:
    assert (await client.ask("{ _service { sdl } }"))["data"]["_service"]["sdl"] == SDL


def test_the_schema_serves_the_published_file_exactly() -> None:
    assert make_served().problems() == []


async def test_entities_are_resolved_one_by_one(client: Client) -> None:
    answer = await client.ask(
        """query ($r: [_Any!]!) { _entities(representations: $r) {
             ... on Author { name } ... on Book { isbn title } } }""",
        variables={
            "r": [
                {"__typename": "Author", "id": "dufu"},
                {"__typename": "Author"},
                {"__typename": "Book", "isbn": "3"},
                {"__typename": "Dragon", "id": "1"},
                {"__typename": "Author", "id": "nobody"},
                {"__typename": "Author", "id": "libai"},
            ]
        },
    )
    entities = [{"name": "杜甫"}, None, {"isbn": "3", "title": "春望"}, None, None, {"name": "李白"}]
    assert answer["data"]["_entities"] == entities
    assert {tuple(e["path"]): e["extensions"]["code"] for e in answer["errors"]} == {
        ("_entities", 1): "BAD_USER_INPUT",
        ("_entities", 3): "BAD_USER_INPUT",
    }


async def test_a_failing_type_fails_its_own_entities_only(client: Client) -> None:
    answer = await client.ask(
        "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Author { name } ... on Book { isbn } } }",
        variables={"r": [{"__typename": "Book", "isbn": "fire"}, {"__typename": "Author", "id": "dufu"}]},
    )
    assert answer["data"]["_entities"] == [None, {"name": "杜甫"}]
    assert [(e["path"], e["extensions"]["code"]) for e in answer["errors"]] == [(["_entities", 0], "STORE_UNAVAILABLE")]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ authors { ", "GRAPHQL_PARSE_FAILED"),
        ("{ dragons }", "GRAPHQL_VALIDATION_FAILED"),
        ("fragment F on Author { name }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { whoami } query B { whoami }", "BAD_USER_INPUT"),
        ("{" + "a{" * 40 + "b" + "}" * 40 + "}", "QUERY_TOO_DEEP"),
        ("{ fails(how: " + "[" * 5000 + "]" * 5000 + ") }", "GRAPHQL_PARSE_FAILED"),
        ("{ " + "whoami " * 20_000 + "}", None),
        ("subscription { count(to: 1) }", "BAD_USER_INPUT"),
    ],
)
async def test_refused_documents_have_a_code(client: Client, query: str, code: str | None) -> None:
    if code is None:  # longer than the body may be
        answer = await client.ask(query, status=413)
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        return
    for headers, status in ((None, 200), (MODERN, 400)):
        answer = await client.ask(query, status=status, headers=headers)
        assert "data" not in answer
        assert {error["extensions"]["code"] for error in answer["errors"]} == {code}


async def test_bad_variables_are_bad_input(client: Client) -> None:
    answer = await client.ask("query ($n: Int!) { authors { books(first: $n) { isbn } } }", variables={"n": "two"})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert answer["data"] is None


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'"x"', b"{}", b'{"query": 1}', b'{"query": "{ whoami }", "variables": []}']
)
async def test_malformed_requests_are_refused(client: Client, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    async with client.session.post(f"{client.url}/graphql", data=body, headers=headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_methods_and_media_types(client: Client) -> None:
    async with client.session.get(f"{client.url}/graphql") as answer:
        assert answer.status == 405
    async with client.session.post(f"{client.url}/graphql", data="query={whoami}") as answer:
        assert answer.status == 415
    async with client.session.post(f"{client.url}/graphql", json={"query": "{ whoami }"}, headers=MODERN) as answer:
        assert answer.headers["content-type"] == "application/graphql-response+json; charset=utf-8"


@pytest.mark.parametrize(
    ("how", "code", "message"),
    [
        ("coded", "NO_PAPER", "no more paper"),
        ("forbidden", "FORBIDDEN", "not yours"),
        ("store", "STORE_UNAVAILABLE", "the store does not answer"),
        ("bug", "INTERNAL", None),
    ],
)
async def test_errors_have_codes_and_hide_their_detail(
    client: Client, how: str, code: str, message: str | None
) -> None:
    answer = await client.ask("query ($how: String!) { fails(how: $how) }", variables={"how": how})
    (error,) = answer["errors"]
    assert answer["data"] == {"fails": None}
    assert error["extensions"]["code"] == code and error["path"] == ["fails"]
    assert "secret" not in str(answer)
    assert message is None or error["message"] == message


async def test_identity_and_language_travel_by_headers(client: Client) -> None:
    token = TokenIssuer(PRIVATE).issue(Identity(person="王五"))
    answer = await client.ask("{ whoami }", headers={IDENTITY_HEADER: token, "accept-language": "fr, en;q=0.8"})
    assert answer["data"]["whoami"] == "王五 en"
    assert (await client.ask("{ whoami }"))["data"]["whoami"] == "None zh"
    forged = TokenIssuer(generate_key_pair()[0]).issue(Identity(person="王五"))
    answer = await client.ask("{ whoami }", status=401, headers={IDENTITY_HEADER: forged})
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_the_deadline_ends_an_operation(client: Client) -> None:
    answer = await client.ask("{ never }", headers={DEADLINE_HEADER: "30"})
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["code"] == "DEADLINE_EXCEEDED"
    answer = await client.ask("{ never }", status=400, headers={DEADLINE_HEADER: "soon"})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_health(client: Client) -> None:
    async with client.session.get(f"{client.url}/health") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok"})


async def test_a_sick_subgraph_says_so() -> None:
    async def sick() -> dict[str, Any]:
        raise RuntimeError("password=secret")

    async with (
        serving(make_app(health=sick)) as url,
        aiohttp.ClientSession() as session,
        session.get(f"{url}/health") as answer,
    ):
        assert (answer.status, await answer.json()) == (503, {"status": "unavailable"})
