"""Prints by REST: `GET /files/prints/{kind}/{order}` by a signed URL, and `GET /files/prints/{code}` to check a paper.

Checking needs no signing in: whoever has the code holds the paper, and learns no more than stands on it.
"""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from overlay.clock import parse_instant, shanghai_time
from overlay.files.http import FileRefused, answering, as_download, read_ticket
from overlay.prints.service import PrintCheck, Prints, subject_of
from overlay.prints.sheet import Kind

__all__ = ["print_routes"]

_NAMES = {Kind.APPLICATION: "申请单", Kind.HANDOVER: "交接单", Kind.RETURN: "归还单"}


def print_routes(prints: Prints) -> list[BaseRoute]:
    return [
        Route("/files/prints/{kind}/{order}", answering(partial(_print, prints)), methods=["GET"]),
        Route("/files/prints/{code}", answering(partial(_check, prints)), methods=["GET"]),
    ]


async def _print(prints: Prints, request: Request) -> Response:
    order_id = request.path_params["order"]
    try:
        kind = Kind(request.path_params["kind"])
    except ValueError:
        raise FileRefused(404, "NO_SUCH_PRINT") from None
    ticket = read_ticket(prints.tickets, request, "PRINT", subject_of(kind, order_id))
    made = await prints.make(ticket.identity, order_id, kind)
    if made is None:
        raise FileRefused(404, "NO_SUCH_PRINT")
    return as_download(made.content, made.name, "application/pdf")


async def _check(prints: Prints, request: Request) -> Response:
    found = await prints.check(request.path_params["code"])
    if found is None:
        raise FileRefused(404, "UNKNOWN_PRINT")
    return PlainTextResponse(_said(found), headers={"cache-control": "no-store"})


def _said(found: PrintCheck) -> str:
    total = " ".join(cell for cell in found.summary["total"] if cell)
    lines = [
        "此件由公物仓系统打印。 This paper was printed by the system.",
        f"单号 Number: {found.number}",
        f"种类 Kind: {_NAMES[found.kind]} {found.kind}",
        f"打印时间 Printed: {shanghai_time(parse_instant(found.at))}",
        f"明细 Lines: {found.summary['lines']}" + (f"；{total}" if total else ""),
        "此后单据无变更。 The order has not changed since."
        if found.is_current
        else "此后单据已有变更，以系统为准。 The order has changed since; the system has its present state.",
    ]
    return "\n".join(lines) + "\n"
