"""Files by REST: `PUT /files/{id}` takes an upload, `GET /files/{id}` gives an attachment, each by a signed URL.

An upload is bounded while it arrives, judged when it is whole, and part of the store only then: whoever hangs up leaves
nothing behind. A download is never shown inside the city's own origin: it is saved as a file, its kind is not guessed,
and a sandbox keeps it from running anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from urllib.parse import quote

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from overlay.files.blobs import Incoming, StorageFull
from overlay.files.clean import BrokenPicture, clean
from overlay.files.service import Attachment, Attachments
from overlay.files.sniff import sniff
from overlay.files.tickets import InvalidTicket, Method, Ticket, TicketOffice
from overlay.messages import problem, render
from subgraphs.kit.caller import preferred_language

__all__ = ["FileRefused", "answering", "as_download", "file_routes", "read_ticket"]

_log = structlog.get_logger(__name__)
_PART_BYTES = 256 << 10
"""Arriving bytes are handed to the disk in parts of this size: a thread for every packet costs more than the write."""
_UPLOADS_TOGETHER_MAX = 16
"""Each holds up to one file in memory while it is judged."""
_SAFE = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cache-control": "private, no-store",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


class FileRefused(Exception):
    """Answered as JSON of code, message and remedy."""

    def __init__(self, status: int, code: str, **params: str) -> None:
        super().__init__(code)
        self.status, self.problem = status, problem(code, **params)


Handler = Callable[[Request], Awaitable[Response]]


def file_routes(attachments: Attachments) -> list[BaseRoute]:
    gate = asyncio.Semaphore(_UPLOADS_TOGETHER_MAX)
    return [
        Route("/files/{id}", answering(partial(_upload, attachments, gate)), methods=["PUT"]),
        Route("/files/{id}", answering(partial(_download, attachments)), methods=["GET"]),
    ]


def answering(handler: Handler) -> Handler:
    """The handler, its refusals put into the asker's words."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except FileRefused as refusal:
            said = render(refusal.problem, preferred_language(request.headers.get("accept-language")))
            body = {"code": said.code, "message": said.message, "remedy": said.remedy}
            return Response(orjson.dumps(body), refusal.status, _SAFE, media_type="application/json")
        except ClientDisconnect:
            return Response(status_code=499)

    return answer


def read_ticket(tickets: TicketOffice, request: Request, method: Method, subject: str) -> Ticket:
    try:
        return tickets.read(request.query_params.get("ticket", ""), method, subject)
    except InvalidTicket:
        raise FileRefused(403, "LINK_INVALID") from None


def as_download(content: bytes, name: str, media_type: str) -> Response:
    """RFC 6266 with the name as RFC 8187 has it, and a plain one for clients that know neither."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(content, headers={**_SAFE, "content-disposition": disposition}, media_type=media_type)


async def _upload(attachments: Attachments, gate: asyncio.Semaphore, request: Request) -> Response:
    id_ = request.path_params["id"]
    read_ticket(attachments.tickets, request, "PUT", id_)
    wanted = await attachments.awaited(id_)
    if wanted is None:
        raise FileRefused(404, "UNKNOWN_FILE")
    if wanted.digest is not None:  # a repeated upload, whose first answer was lost
        return _taken(id_, wanted.digest, wanted.size)
    _check_announced(request.headers, wanted)
    async with gate:
        digest, size = await _take(attachments, wanted, request)
    if not await attachments.received(id_, digest, size):
        raise FileRefused(409, "UPLOAD_TAKEN")
    return _taken(id_, digest, size)


def _taken(id_: str, digest: str, size: int) -> Response:
    answer = {"id": id_, "digest": digest, "size": size}
    return Response(orjson.dumps(answer), 200, _SAFE, media_type="application/json")


def _check_announced(headers: Mapping[str, str], wanted: Attachment) -> None:
    announced = headers.get("content-length")
    if announced is not None and announced != str(wanted.size):
        raise FileRefused(400, "FILE_SIZE_DIFFERS", size=str(wanted.size))


async def _take(attachments: Attachments, wanted: Attachment, request: Request) -> tuple[str, int]:
    """Receive, judge and keep the content. Gives its digest and size."""
    try:
        incoming = await asyncio.to_thread(attachments.blobs.receive, wanted.size)
        try:
            await _receive(incoming, wanted.size, request)
            return await asyncio.to_thread(_judge_and_keep, attachments, incoming, wanted)
        finally:
            await asyncio.shield(asyncio.to_thread(incoming.discard))
    except StorageFull:
        _log.error("storage_full", upload=wanted.id, size=wanted.size)
        raise FileRefused(507, "STORAGE_FULL") from None


async def _receive(incoming: Incoming, size: int, request: Request) -> None:
    waiting = bytearray()
    async for chunk in request.stream():
        waiting += chunk
        if incoming.size + len(waiting) > size:
            raise FileRefused(413, "FILE_SIZE_DIFFERS", size=str(size))
        if len(waiting) >= _PART_BYTES:
            await asyncio.to_thread(incoming.write, bytes(waiting))
            waiting.clear()
    await asyncio.to_thread(incoming.write, bytes(waiting))
    if incoming.size != size:
        raise FileRefused(400, "FILE_SIZE_DIFFERS", size=str(size))


def _judge_and_keep(attachments: Attachments, incoming: Incoming, wanted: Attachment) -> tuple[str, int]:
    content = incoming.content()
    if sniff(content) != wanted.type:
        raise FileRefused(415, "FILE_IS_NOT_ITS_TYPE", type=wanted.type)
    try:
        kept = clean(wanted.type, content)
    except BrokenPicture:
        raise FileRefused(415, "FILE_IS_NOT_ITS_TYPE", type=wanted.type) from None
    return attachments.blobs.keep(incoming, kept), len(kept)


async def _download(attachments: Attachments, request: Request) -> Response:
    id_ = request.path_params["id"]
    ticket = read_ticket(attachments.tickets, request, "GET", id_)
    found = await attachments.readable(ticket.identity, id_)
    if found is None or found.digest is None:
        raise FileRefused(404, "UNKNOWN_FILE")
    content = await asyncio.to_thread(attachments.blobs.read, found.digest)
    if content is None:
        _log.error("content_missing", attachment=id_, digest=found.digest)
        raise FileRefused(500, "FILE_LOST")
    return as_download(content, found.name, found.type)
