"""The overlay behind a real HTTP server, with its folder of files in sight."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from contract.identity import Identity
from overlay.paperwork import PaperworkOptions
from tests.overlay.city import CLERK, City, ManualClock, days
from tests.overlay.conftest import Api, overlay_app
from tests.subgraphs.kit.library import serving

__all__ = ["Got", "Office", "opened_office"]

APPLY = "mutation A($input: ApplyLoanInput!) { applyLoan(input: $input) { order { id } problems { code } } }"
REQUEST = """mutation R($input: RequestUploadInput!) {
  requestUpload(input: $input) { upload { id url method expiresAt } problems { code path } } }"""
ATTACH = """mutation A($input: AttachFileInput!) {
  attachFile(input: $input) { order { id attachments { id name } } problems { code path } } }"""
ATTACHMENTS = """query Q($id: ID!) { order(id: $id) { attachments {
  id name type size digest url urlExpiresAt uploadedBy at } } }"""


@dataclass(frozen=True, slots=True)
class Got:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Office:
    api: Api
    folder: Path
    base: str
    http: aiohttp.ClientSession
    keys: int = 0

    async def order(self, asset: str, by: Identity = CLERK) -> str:
        body = {"idempotencyKey": self.key(), "range": days(1, 7), "purpose": "会议", "lines": [{"assetId": asset}]}
        payload = (await self.api.data(APPLY, by, input=body))["applyLoan"]
        assert payload["problems"] == []
        return str(payload["order"]["id"])

    async def request(
        self, order_id: str, content: bytes, type_: str, name: str = "清单.txt", by: Identity = CLERK, **more: Any
    ) -> Any:
        wish = {"idempotencyKey": self.key(), "orderId": order_id, "name": name, "size": len(content), "type": type_}
        return (await self.api.data(REQUEST, by, input=wish | more))["requestUpload"]

    async def put(self, url: str, content: bytes, **headers: str) -> Got:
        return await self._got("PUT", url, content, headers)

    async def get(self, url: str, **headers: str) -> Got:
        return await self._got("GET", url, None, headers)

    async def _got(self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]) -> Got:
        async with self.http.request(method, self.base + url, data=content, headers=headers) as answer:
            return Got(answer.status, answer.headers, await answer.read())

    async def attach(self, upload_id: str, by: Identity = CLERK, **more: Any) -> Any:
        body = {"idempotencyKey": self.key(), "uploadId": upload_id} | more
        return (await self.api.data(ATTACH, by, input=body))["attachFile"]

    async def attached(self, order_id: str, content: bytes, type_: str, name: str, by: Identity = CLERK) -> str:
        """The whole way of one file. Its id."""
        upload = (await self.request(order_id, content, type_, name, by))["upload"]
        assert (await self.put(upload["url"], content)).status == 200
        assert (await self.attach(upload["id"], by))["problems"] == []
        return str(upload["id"])

    async def attachments(self, order_id: str, by: Identity = CLERK) -> Any:
        order = (await self.api.data(ATTACHMENTS, by, id=order_id))["order"]
        return None if order is None else order["attachments"]

    def stored(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]

    def key(self) -> str:
        self.keys += 1
        return f"k-{self.keys}"


@asynccontextmanager
async def opened_office(url: str, city: City, clock: ManualClock, folder: Path) -> AsyncIterator[Office]:
    app = overlay_app(url, city, clock, paperwork=PaperworkOptions(files_dir=folder))
    async with serving(app) as base, aiohttp.ClientSession() as http:
        yield Office(Api(app), folder, base, http)
