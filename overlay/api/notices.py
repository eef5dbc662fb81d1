"""Webhooks and dead letters in the contract: for the city officer."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import UNSET

from overlay.api.context import Context
from overlay.api.enums import WebhookState
from overlay.api.inputs import to_plain
from overlay.api.paging import connection, page_size, read_cursor
from overlay.api.rows import problem_rows
from overlay.api.types import Info, PageInfo, Problem
from overlay.notices import webhooks
from overlay.notices.courier import DEAD
from overlay.notices.routing import PENDING
from overlay.notices.webhooks import may_configure
from subgraphs.kit.errors import Forbidden
from subgraphs.kit.scalars import DateTime

__all__ = ["NoticeMutation", "NoticeQuery"]

LETTERS_PAGE_MAX = 100


@strawberry.type
class Webhook:
    id: strawberry.ID
    url: str
    topics: list[str]
    region_code: strawberry.ID | None
    state: WebhookState
    reason: str | None
    pending: int
    dead: int
    created_at: DateTime


@strawberry.type
class DeadLetter:
    id: strawberry.ID
    webhook_id: strawberry.ID
    topic: str
    subject: strawberry.ID
    at: DateTime
    attempts: int
    last_status: int | None
    last_error: str | None


@strawberry.type
class DeadLetterConnection:
    nodes: list[DeadLetter]
    edges: list[DeadLetterEdge]
    page_info: PageInfo


@strawberry.type
class DeadLetterEdge:
    cursor: str
    node: DeadLetter


@strawberry.input
class CreateWebhookInput:
    idempotency_key: str
    url: str
    topics: list[str] | None = UNSET
    region: strawberry.ID | None = UNSET
    secret_name: str | None = UNSET


@strawberry.input
class ChangeWebhookInput:
    idempotency_key: str
    webhook_id: strawberry.ID
    enabled: bool


@strawberry.input
class ResendLettersInput:
    idempotency_key: str
    ids: list[strawberry.ID]


@strawberry.type
class WebhookPayload:
    webhook: Webhook | None
    secret: str | None
    problems: list[Problem]


@strawberry.type
class ResendPayload:
    resent: int
    problems: list[Problem]


@strawberry.type
class NoticeQuery:
    @strawberry.field
    async def webhooks(self, info: Info) -> list[Webhook] | None:
        context = _officer(info)
        found = await context.services.paperwork.webhooks.all()
        return [_webhook_row(one) for one in found]  # type: ignore[misc]

    @strawberry.field
    async def dead_letters(self, info: Info, first: int = 50, after: str | None = UNSET) -> DeadLetterConnection | None:
        context = _officer(info)
        size, place = page_size(first, LETTERS_PAGE_MAX), read_cursor("letter", after or None)
        found = await context.services.paperwork.webhooks.dead_letters(size, place or 0)
        return connection("letter", found, size, place is not None, lambda one: one.seq, _letter_row)  # type: ignore[return-value]


@strawberry.type
class NoticeMutation:
    @strawberry.mutation
    async def create_webhook(self, info: Info, input: CreateWebhookInput) -> WebhookPayload:
        context, body = info.context, to_plain(input)
        hooks = context.services.paperwork.webhooks
        answer, secret = await hooks.create(context.identity, body.pop("idempotencyKey"), body)
        shown = await _shown(context, answer.id)
        problems = problem_rows(context, answer.problems)
        return {"webhook": shown, "secret": secret, "problems": problems}  # type: ignore[return-value]

    @strawberry.mutation
    async def change_webhook(self, info: Info, input: ChangeWebhookInput) -> WebhookPayload:
        context, body = info.context, to_plain(input)
        hooks = context.services.paperwork.webhooks
        answer = await hooks.change(context.identity, body.pop("idempotencyKey"), body)
        shown = await _shown(context, answer.id)
        problems = problem_rows(context, answer.problems)
        return {"webhook": shown, "secret": None, "problems": problems}  # type: ignore[return-value]

    @strawberry.mutation
    async def resend_letters(self, info: Info, input: ResendLettersInput) -> ResendPayload:
        context, body = info.context, to_plain(input)
        hooks = context.services.paperwork.webhooks
        answer = await hooks.resend(context.identity, body.pop("idempotencyKey"), body)
        problems = problem_rows(context, answer.problems)
        return {"resent": int(answer.id or 0), "problems": problems}  # type: ignore[return-value]


def _officer(info: Info) -> Context:
    if not may_configure(info.context.identity):
        raise Forbidden("webhooks and dead letters are for the city officer")
    return info.context


async def _shown(context: Context, id_: str | None) -> dict[str, Any] | None:
    if id_ is None or not may_configure(context.identity):
        return None
    return next((_webhook_row(one) for one in await context.services.paperwork.webhooks.all() if one.id == id_), None)


def _webhook_row(one: webhooks.Webhook) -> dict[str, Any]:
    return {
        **{name: getattr(one, name) for name in ("id", "url", "topics", "state", "reason", "created_at")},
        "region_code": one.region,
        "pending": one.counts.get(PENDING, 0),
        "dead": one.counts.get(DEAD, 0),
    }


def _letter_row(one: webhooks.DeadLetter) -> dict[str, Any]:
    names = ("id", "webhook_id", "topic", "subject", "at", "attempts", "last_status", "last_error")
    return {name: getattr(one, name) for name in names}
