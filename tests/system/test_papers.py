"""An order's papers at the city's one address: a file sent, attached and fetched, and the application as PDF."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import aiohttp
from pypdfium2 import PdfDocument

from tests.system.client import Client
from tests.system.conftest import PersonFactory
from tests.system.test_loan import BORROWABLE, UNITS, apply

LATER = {"from": "2027-06-01", "to": "2027-06-08"}
NOTE = "交接清单：投影仪 1 台。\n".encode()
REQUEST = """mutation R($input: RequestUploadInput!) {
  requestUpload(input: $input) { upload { id url } problems { code message } } }"""
ATTACH = "mutation A($input: AttachFileInput!) { attachFile(input: $input) { problems { code } } }"
PAPERS = "query P($id: ID!) { order(id: $id) { number attachments { name url } print(kind: APPLICATION) { url } } }"


async def test_the_papers_of_an_order(anonymous: Client, person: PersonFactory, session: aiohttp.ClientSession) -> None:
    asset = (await anonymous(BORROWABLE)).data["assets"]["nodes"][1]
    unit = next(u["uscc"] for u in (await anonymous(UNITS)).data["units"] if u["uscc"])
    clerk = person("APPLICANT", region="330106", unit=unit, name="clerk")
    order: Any = (await apply(clerk, "papers-1", asset, LATER))["order"]
    wish = {"idempotencyKey": "papers-2", "orderId": order["id"], "name": "清单.txt", "size": len(NOTE)}
    asked = (await clerk(REQUEST, {"input": {**wish, "type": "text/plain"}})).data["requestUpload"]
    assert asked["problems"] == []
    async with session.put(urljoin(anonymous.url, asked["upload"]["url"]), data=NOTE) as sent:
        assert sent.status == 200
    attach = {"idempotencyKey": "papers-3", "uploadId": asked["upload"]["id"]}
    assert (await clerk(ATTACH, {"input": attach})).data["attachFile"]["problems"] == []
    papers = (await clerk(PAPERS, {"id": order["id"]})).data["order"]
    (attached,) = papers["attachments"]
    async with session.get(urljoin(anonymous.url, attached["url"])) as got:
        assert (attached["name"], await got.read()) == ("清单.txt", NOTE)
    async with session.get(urljoin(anonymous.url, papers["print"]["url"])) as got:
        with PdfDocument(await got.read()) as document:
            text = document[0].get_textpage().get_text_bounded()
    assert "公物仓借用申请单" in text and papers["number"] in text
