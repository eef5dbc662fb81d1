"""`/files` at the gateway's own address: passed on to the overlay, both ways in streams.

Signed URLs begin at the address that users know. What goes on is the path, the query and the few headers that files
need; no header that says who asks, since the URL itself does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit

import aiohttp
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from yarl import URL

from gwc.settings import Settings

__all__ = ["FilesProxy", "files_proxy"]

_OVERLAY = "overlay"
_ASKED = ("content-type", "content-length", "accept-language")
_ANSWERED = (
    "content-type",
    "content-length",
    "content-disposition",
    "content-security-policy",
    "x-content-type-options",
    "cache-control",
    "referrer-policy",
    "cross-origin-resource-policy",
)
_TIMEOUT = aiohttp.ClientTimeout(total=900, sock_connect=5, sock_read=60)
"""In all as long as a link for uploads lasts; a minute without a byte ends it sooner."""
_PART_BYTES = 64 << 10
_CONNECTIONS_MAX = 64


class FilesProxy:
    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        self.route = Route("/files/{path:path}", self._pass_on, methods=["GET", "PUT"])

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _pass_on(self, request: Request) -> Response:
        # The path as it came: decoded and encoded again it could be another.
        path = request.scope["raw_path"].decode("ascii")
        query = request.scope["query_string"].decode("ascii")
        headers = {name: value for name in _ASKED if (value := request.headers.get(name)) is not None}
        body = request.stream() if request.method == "PUT" else None
        url = self._base_url + path + (f"?{query}" if query else "")
        try:
            answer = await self._opened().request(request.method, URL(url, encoded=True), headers=headers, data=body)
        except ClientDisconnect:
            return Response(status_code=499)
        except (aiohttp.ClientError, TimeoutError):
            told = {
                "code": "FILES_UNAVAILABLE",
                "message": "The overlay does not answer.",
                "remedy": "Try again later.",
            }
            return JSONResponse(told, 502)
        return StreamingResponse(_parts(answer), answer.status, _kept(answer.headers))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=_CONNECTIONS_MAX)
            self._session = aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT, auto_decompress=False)
        return self._session


def files_proxy(settings: Settings, graphs: Mapping[str, str]) -> FilesProxy | None:
    """Where the settings say, else at the overlay among the supergraph's subgraphs; None when there is neither."""
    if settings.files_url is not None:
        return FilesProxy(settings.files_url)
    if _OVERLAY not in graphs:
        return None
    parts = urlsplit(graphs[_OVERLAY])
    return FilesProxy(f"{parts.scheme}://{parts.netloc}") if parts.netloc else None


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name in _ANSWERED if (value := headers.get(name)) is not None}


async def _parts(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for part in answer.content.iter_chunked(_PART_BYTES):
            yield part
    finally:
        answer.close()
