"""Temporary bodies in the contract."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import strawberry
from strawberry import UNSET

from overlay.api.context import Context
from overlay.api.inputs import to_plain
from overlay.api.paging import connection, page_size, read_cursor
from overlay.api.rows import problem_rows
from overlay.api.types import Info, PageInfo, Problem
from overlay.bodies.model import TemporaryBody as Body
from overlay.store.once import Answer
from subgraphs.kit.errors import Unauthenticated
from subgraphs.kit.scalars import Date, DateTime

__all__ = ["BodyMutation", "BodyQuery"]

PAGE_MAX = 100


@strawberry.input
class RegisterTemporaryBodyInput:
    idempotency_key: str
    name: str
    document: str
    last_day: Date


@strawberry.input
class EndTemporaryBodyInput:
    idempotency_key: str
    id: strawberry.ID
    last_day: Date


@strawberry.type
class TemporaryBody:
    id: strawberry.ID
    unit: str
    region_code: strawberry.ID
    name: str
    document: str
    last_day: Date
    created_at: DateTime


@strawberry.type
class TemporaryBodyEdge:
    cursor: str
    node: TemporaryBody


@strawberry.type
class TemporaryBodyConnection:
    nodes: list[TemporaryBody]
    edges: list[TemporaryBodyEdge]
    page_info: PageInfo


@strawberry.type
class TemporaryBodyPayload:
    temporary_body: TemporaryBody | None
    problems: list[Problem]


@strawberry.type
class BodyQuery:
    @strawberry.field
    async def temporary_bodies(
        self, info: Info, first: int = 50, after: str | None = UNSET
    ) -> TemporaryBodyConnection | None:
        context = info.context
        if context.identity.is_anonymous:
            raise Unauthenticated("temporary bodies are for people who have signed in; send an access token")
        size, place = page_size(first, PAGE_MAX), read_cursor("body", after or None)
        found = await context.services.bodies.of(context.identity, size, place or 0)
        return connection("body", found, size, place is not None, lambda one: one.seq, _row)  # type: ignore[return-value]


@strawberry.type
class BodyMutation:
    @strawberry.mutation
    async def register_temporary_body(self, info: Info, input: RegisterTemporaryBodyInput) -> TemporaryBodyPayload:
        context, body = info.context, to_plain(input)
        key = body.pop("idempotencyKey")
        return await _payload(context, await context.services.bodies.register(context.identity, key, body))

    @strawberry.mutation
    async def end_temporary_body(self, info: Info, input: EndTemporaryBodyInput) -> TemporaryBodyPayload:
        context, body = info.context, to_plain(input)
        key = body.pop("idempotencyKey")
        return await _payload(context, await context.services.bodies.end(context.identity, key, body))


async def _payload(context: Context, answer: Answer) -> TemporaryBodyPayload:
    found = None if answer.id is None else await context.services.bodies.by_id(context.identity, answer.id)
    return {  # type: ignore[return-value]
        "temporary_body": None if found is None else _row(found),
        "problems": problem_rows(context, answer.problems),
    }


def _row(body: Body) -> dict[str, Any]:
    return {
        "id": body.id,
        "unit": body.unit,
        "region_code": body.region,
        "name": body.name,
        "document": body.document,
        "last_day": (body.end_day - timedelta(days=1)).isoformat(),
        "created_at": body.created_at,
    }
