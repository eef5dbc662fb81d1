"""Commands on attachments in the contract."""

from __future__ import annotations

from typing import Any

import strawberry

from overlay.api.context import Context
from overlay.api.inputs import to_plain
from overlay.api.papers import link_row
from overlay.api.rows import order_row, problem_rows
from overlay.api.types import CirculationOrder, Info, Problem
from overlay.store.once import Answer
from subgraphs.kit.scalars import DateTime

__all__ = ["PaperMutation"]


@strawberry.type
class UploadLink:
    id: strawberry.ID
    url: str
    method: str
    expires_at: DateTime


@strawberry.input
class RequestUploadInput:
    idempotency_key: str
    order_id: strawberry.ID
    name: str
    size: int
    type: str


@strawberry.input
class AttachFileInput:
    idempotency_key: str
    upload_id: strawberry.ID


@strawberry.input
class RemoveAttachmentInput:
    idempotency_key: str
    attachment_id: strawberry.ID


@strawberry.type
class UploadPayload:
    upload: UploadLink | None
    problems: list[Problem]


@strawberry.type
class AttachmentPayload:
    order: CirculationOrder | None
    problems: list[Problem]


@strawberry.type
class PaperMutation:
    @strawberry.mutation
    async def request_upload(self, info: Info, input: RequestUploadInput) -> UploadPayload:
        context, body = info.context, to_plain(input)
        files = context.services.paperwork.attachments
        answer = await files.request(context.identity, body.pop("idempotencyKey"), body)
        upload = None if answer.id is None else _upload_row(answer.id, context)
        return {"upload": upload, "problems": problem_rows(context, answer.problems)}  # type: ignore[return-value]

    @strawberry.mutation
    async def attach_file(self, info: Info, input: AttachFileInput) -> AttachmentPayload:
        context, body = info.context, to_plain(input)
        files = context.services.paperwork.attachments
        return await _payload(context, await files.attach(context.identity, body.pop("idempotencyKey"), body))

    @strawberry.mutation
    async def remove_attachment(self, info: Info, input: RemoveAttachmentInput) -> AttachmentPayload:
        context, body = info.context, to_plain(input)
        files = context.services.paperwork.attachments
        return await _payload(context, await files.remove(context.identity, body.pop("idempotencyKey"), body))


def _upload_row(id_: str, context: Context) -> dict[str, Any]:
    link = context.services.paperwork.attachments.upload_link(context.identity, id_)
    return {"id": id_, "method": "PUT", **link_row(link, "expires_at")}


async def _payload(context: Context, answer: Answer) -> AttachmentPayload:
    files = context.services.paperwork.attachments
    order_id = None if answer.id is None else await files.order_of(answer.id)
    order = None if order_id is None else await context.fresh_order(order_id)
    context.attachments.clear_all()  # what an earlier mutation of this request saw is stale
    return {  # type: ignore[return-value]
        "order": None if order is None else order_row(context, order),
        "problems": problem_rows(context, answer.problems),
    }
