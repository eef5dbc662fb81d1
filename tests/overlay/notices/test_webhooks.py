"""The city officer's webhooks over GraphQL, with a real endpoint behind them: from an order's change to the dead letter
that is sent again."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract.identity import Identity
from overlay.paperwork import PaperworkOptions
from tests.overlay.city import AUDITOR, CITY, CLERK, LENDING, City, ManualClock
from tests.overlay.conftest import Api, overlay_app
from tests.overlay.test_api import APPLY, application
from tests.subgraphs.kit.library import serving

SECRET_NAME, SECRET = "OFFICE", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOOK = "webhook { id url topics regionCode state reason pending dead } secret problems { code path }"
CREATE = f"mutation C($input: CreateWebhookInput!) {{ createWebhook(input: $input) {{ {HOOK} }} }}"
CHANGE = f"mutation C($input: ChangeWebhookInput!) {{ changeWebhook(input: $input) {{ {HOOK} }} }}"
RESEND = "mutation R($input: ResendLettersInput!) { resendLetters(input: $input) { resent problems { code } } }"
LETTERS = """query L($after: String) { deadLetters(first: 1, after: $after) {
  nodes { id topic subject attempts lastStatus lastError } pageInfo { hasNextPage endCursor } } }"""


class Endpoint:
    """Answers with its status; `arrived` is set when it is asked."""

    def __init__(self) -> None:
        self.status = 204
        self.arrived = asyncio.Event()
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.app = Starlette(routes=[Route("/hook", self._hook, methods=["POST"])])
        self.url = ""

    async def _hook(self, request: Request) -> Response:
        self.seen.append((dict(request.headers), await request.body()))
        self.arrived.set()
        return Response(status_code=self.status)

    async def next(self) -> tuple[dict[str, str], bytes]:
        await self.arrived.wait()
        self.arrived.clear()
        return self.seen[-1]


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    made = Endpoint()
    async with serving(made.app) as base:
        made.url = f"{base}/hook"
        yield made


@pytest.fixture
async def api(url: str, city: City, clock: ManualClock) -> AsyncIterator[Api]:
    app = overlay_app(url, city, clock, paperwork=PaperworkOptions(webhook_networks=["127.0.0.0/8"]))
    async with app.router.lifespan_context(app):
        yield Api(app)


async def create(api: Api, url: str, by: Identity = CITY, key: str = "c", **more: Any) -> Any:
    body = {"idempotencyKey": key, "url": url, "topics": ["order.changed"], **more}
    return (await api.data(CREATE, by, input=body))["createWebhook"]


async def hooks(api: Api) -> Any:
    return (await api.data("{ webhooks { id state reason pending dead } }", CITY))["webhooks"]


async def until_dead(api: Api, count: int) -> None:
    while sum(one["dead"] for one in await hooks(api)) < count:  # noqa: ASYNC110 - only the store knows
        await asyncio.sleep(0)


async def test_an_orders_change_arrives_signed_by_the_secret_that_was_told_once(
    api: Api, city: City, endpoint: Endpoint
) -> None:
    made = await create(api, endpoint.url)
    assert made["problems"] == [] and made["webhook"]["state"] == "ENABLED"
    repeated = await create(api, endpoint.url)
    assert (repeated["webhook"]["id"], repeated["secret"]) == (made["webhook"]["id"], None)
    order = (await api.data(APPLY, CLERK, input=application(city.add_asset("p1"))))["applyLoan"]["order"]
    headers, body = await endpoint.next()
    key = base64.b64decode(made["secret"].removeprefix("whsec_"))
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert order["id"] in body.decode() and '"to":"IN_APPROVAL"' in body.decode()


async def test_a_secret_from_the_environment_is_never_told(
    api: Api, city: City, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (SECRET_NAME, "lower", "../PATH"):
        refused = await create(api, endpoint.url, key=f"c-{name}", secretName=name)
        assert refused["problems"] == [{"code": "SECRET_NOT_SET", "path": ["secretName"]}]
    monkeypatch.setenv(f"GWC_WEBHOOK_SECRET_{SECRET_NAME}", SECRET)
    made = await create(api, endpoint.url, secretName=SECRET_NAME)
    assert (made["problems"], made["secret"]) == ([], None)
    await api.data(APPLY, CLERK, input=application(city.add_asset("p1")))
    assert (await endpoint.next())[0]["webhook-signature"].startswith("v1,")


async def test_webhooks_are_the_city_officers(api: Api, endpoint: Endpoint) -> None:
    for person in (CLERK, LENDING, AUDITOR):
        refused = await create(api, endpoint.url, person, key="x")
        assert [one["code"] for one in refused["problems"]] == ["FORBIDDEN"]
        assert (refused["webhook"], refused["secret"]) == (None, None)
        for query in ("{ webhooks { id } }", "{ deadLetters { nodes { id } } }"):
            assert (await api(query, person))["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert await hooks(api) == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"url": "http://hooks.example/"}, "WEBHOOK_URL_INSECURE"),
        ({"url": "nonsense"}, "WEBHOOK_URL_INVALID"),
        ({"url": "https://10.0.0.1/"}, "WEBHOOK_ADDRESS_REFUSED"),
        ({"topics": ["order.chnaged"]}, "UNKNOWN_TOPIC"),
        ({"region": "990000"}, "UNKNOWN_REGION"),
    ],
)
async def test_what_makes_no_webhook(api: Api, given: dict[str, Any], code: str) -> None:
    refused = await create(api, **{"url": "https://hooks.example/", **given})
    assert [one["code"] for one in refused["problems"]] == [code]
    assert await hooks(api) == []


async def test_a_dead_letter_is_looked_at_and_sent_again(api: Api, city: City, endpoint: Endpoint) -> None:
    hook = (await create(api, endpoint.url))["webhook"]["id"]
    endpoint.status = 410
    order = (await api.data(APPLY, CLERK, input=application(city.add_asset("p1"))))["applyLoan"]["order"]["id"]
    await endpoint.next()
    await until_dead(api, 1)
    (shown,) = await hooks(api)
    assert (shown["state"], shown["reason"]) == ("DISABLED", "GONE")
    letters = (await api.data(LETTERS, CITY))["deadLetters"]
    (letter,) = letters["nodes"]
    assert {name: letter[name] for name in ("topic", "subject", "attempts", "lastStatus")} == {
        "topic": "order.changed", "subject": order, "attempts": 1, "lastStatus": 410,
    }  # fmt: skip
    resend = {"idempotencyKey": "r1", "ids": [letter["id"]]}
    assert (await api.data(RESEND, CITY, input=resend))["resendLetters"]["resent"] == 0
    enable = {"idempotencyKey": "e", "webhookId": hook, "enabled": True}
    assert (await api.data(CHANGE, CITY, input=enable))["changeWebhook"]["webhook"]["state"] == "ENABLED"
    endpoint.status = 204
    first_id = endpoint.seen[-1][0]["webhook-id"]
    resend["idempotencyKey"] = "r2"
    assert (await api.data(RESEND, CITY, input=resend))["resendLetters"] == {"resent": 1, "problems": []}
    assert (await endpoint.next())[0]["webhook-id"] == first_id
    while any(one["pending"] for one in await hooks(api)):  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert (await api.data(LETTERS, CITY))["deadLetters"]["nodes"] == []


async def test_a_disabled_webhook_is_told_nothing(api: Api, city: City, endpoint: Endpoint) -> None:
    quiet = (await create(api, endpoint.url, key="a"))["webhook"]["id"]
    disable = {"idempotencyKey": "d", "webhookId": quiet, "enabled": False}
    await api.data(CHANGE, CITY, input=disable)
    await create(api, endpoint.url, key="b")
    await api.data(APPLY, CLERK, input=application(city.add_asset("p1")))
    await endpoint.next()
    assert len(endpoint.seen) == 1
    first = (await hooks(api))[0]
    assert (first["state"], first["pending"]) == ("DISABLED", 0)


async def test_unknown_webhooks_and_too_many_letters(api: Api) -> None:
    change = {"idempotencyKey": "d", "webhookId": "none", "enabled": False}
    assert (await api.data(CHANGE, CITY, input=change))["changeWebhook"]["problems"][0]["code"] == "UNKNOWN_WEBHOOK"
    for number, ids in enumerate(([], ["x"] * 101)):
        body = {"idempotencyKey": f"r{number}", "ids": ids}
        answer = (await api.data(RESEND, CITY, input=body))["resendLetters"]
        assert [one["code"] for one in answer["problems"]] == ["TOO_MANY_LETTERS"]
