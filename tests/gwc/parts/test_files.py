"""`/files` at the gateway: passed on as it came, with nothing that says who asks."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from yarl import URL

from gwc.parts.files import FilesProxy, files_proxy
from gwc.settings import Settings
from tests.subgraphs.kit.library import serving


class Overlay:
    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes, dict[str, str], int]] = []
        self.app = Starlette(routes=[Route("/files/{path:path}", self._answer, methods=["GET", "PUT", "POST"])])

    async def _answer(self, request: Request) -> Response:
        raw = request.scope["raw_path"] + b"?" + request.scope["query_string"]
        self.seen.append((request.method, raw, dict(request.headers), len(await request.body())))
        headers = {"content-disposition": "attachment", "set-cookie": "a=b", "x-content-type-options": "nosniff"}
        return Response(b"x" * 300_000, 415, headers, media_type="application/pdf")


@asynccontextmanager
async def proxied(base_of: str | None = None) -> AsyncIterator[tuple[Overlay, str]]:
    overlay = Overlay()
    async with serving(overlay.app) as base:
        proxy = FilesProxy(base_of or base)
        async with serving(Starlette(routes=[proxy.route])) as public:
            yield overlay, public
        await proxy.close()


async def test_an_upload_goes_through_as_it_came_without_who_asks() -> None:
    headers = {"authorization": "Bearer x", "gwc-identity": "forged", "cookie": "a=b", "accept-language": "en"}
    async with proxied() as (overlay, public), aiohttp.ClientSession() as http:
        url = URL(f"{public}/files/a%2Fb%20c?ticket=x.y&z=%20", encoded=True)
        async with http.put(url, data=io.BytesIO(b"y" * 5_000_000), headers=headers) as answer:
            assert answer.status == 415
    ((method, raw, seen, length),) = overlay.seen
    assert (method, raw, length) == ("PUT", b"/files/a%2Fb%20c?ticket=x.y&z=%20", 5_000_000)
    assert seen["accept-language"] == "en"
    assert seen["content-length"] == "5000000"
    assert not {"authorization", "gwc-identity", "cookie"} & set(seen)


async def test_a_download_comes_back_with_the_headers_that_make_it_safe() -> None:
    async with proxied() as (_, public), aiohttp.ClientSession() as http, http.get(f"{public}/files/a") as answer:
        assert (answer.status, len(await answer.read())) == (415, 300_000)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-type"].startswith("application/pdf")
        assert "set-cookie" not in answer.headers


async def test_other_methods_are_refused() -> None:
    async with (
        proxied() as (overlay, public),
        aiohttp.ClientSession() as http,
        http.post(f"{public}/files/a") as answer,
    ):
        assert answer.status == 405
    assert overlay.seen == []


async def test_an_overlay_that_is_down_is_told_with_a_code() -> None:
    async with serving(Starlette()) as nobody:
        pass
    async with proxied(nobody) as (_, public), aiohttp.ClientSession() as http, http.get(f"{public}/files/a") as answer:
        assert (answer.status, (await answer.json())["code"]) == (502, "FILES_UNAVAILABLE")


@pytest.mark.parametrize(
    ("set_to", "graphs", "there"),
    [
        (None, {"overlay": "http://127.0.0.1:8101/graphql"}, True),
        (None, {"overlay": ""}, False),
        (None, {"products": "http://127.0.0.1:8101/graphql"}, False),
        ("http://files:1", {}, True),
    ],
)
def test_where_files_are(set_to: str | None, graphs: dict[str, str], there: bool, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, files_url=set_to)
    assert (files_proxy(settings, graphs) is not None) is there


def test_networks_are_read_from_one_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GWC_WEBHOOK_NETWORKS", "10.0.0.0/8, 127.0.0.0/8")
    assert Settings().webhook_networks == ["10.0.0.0/8", "127.0.0.0/8"]
