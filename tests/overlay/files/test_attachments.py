"""Attachments from asking to fetching, as a browser does it: GraphQL for the links, plain HTTP for the bytes."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from starlette.applications import Starlette

from contract.identity import Role
from overlay.files import policy
from overlay.files.blobs import Blobs
from overlay.files.http import file_routes
from overlay.files.service import Attachments
from overlay.files.sniff import DOCX, JPEG, PDF, TEXT
from overlay.files.tickets import Ticket, TicketOffice
from overlay.store.database import Database
from tests.overlay.city import (
    AUDITOR,
    BORROWING,
    CLERK,
    HEAD,
    INTERNAL,
    KEEPER,
    LENDING,
    OWNER,
    RIVAL,
    City,
    ManualClock,
    someone,
)
from tests.overlay.files import samples
from tests.overlay.files.office import Office, opened_office
from tests.subgraphs.kit.library import serving

NOTE = samples.text()
REMOVE = """mutation R($input: RemoveAttachmentInput!) {
  removeAttachment(input: $input) { order { attachments { id } } problems { code } } }"""


@pytest.fixture
async def office(url: str, city: City, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Office]:
    async with opened_office(url, city, clock, tmp_path / "files") as opened:
        yield opened


def code_of(body: bytes) -> str:
    return str(orjson.loads(body)["code"])


def codes(payload: Any) -> list[str]:
    return [one["code"] for one in payload["problems"]]


async def test_a_file_is_asked_for_sent_attached_and_fetched(office: Office, city: City) -> None:
    order = await office.order(city.add_asset("p1"))
    asked = await office.request(order, NOTE, TEXT, "../../交接 清单“一”.txt")
    assert (asked["problems"], asked["upload"]["method"]) == ([], "PUT")
    assert await office.attachments(order) == []
    sent = await office.put(asked["upload"]["url"], NOTE)
    digest = hashlib.sha256(NOTE).hexdigest()
    assert orjson.loads(sent.body) == {"id": asked["upload"]["id"], "digest": digest, "size": len(NOTE)}
    assert await office.attachments(order) == []
    payload = await office.attach(asked["upload"]["id"])
    assert payload["order"]["attachments"] == [{"id": asked["upload"]["id"], "name": "交接 清单“一”.txt"}]
    (shown,) = await office.attachments(order)
    assert (shown["type"], shown["size"], shown["digest"], shown["uploadedBy"]) == (TEXT, len(NOTE), digest, "clerk")
    got = await office.get(shown["url"])
    assert (got.status, got.body) == (200, NOTE)
    assert got.headers["content-disposition"].endswith(
        "filename*=UTF-8''%E4%BA%A4%E6%8E%A5%20%E6%B8%85%E5%8D%95%E2%80%9C%E4%B8%80%E2%80%9D.txt"
    )
    assert got.headers["content-disposition"].startswith('attachment; filename="')
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in got.headers["content-security-policy"]


async def test_a_photo_is_kept_without_its_place(office: Office, city: City) -> None:
    order, photo = await office.order(city.add_asset("p1")), samples.jpeg_photo()
    await office.attached(order, photo, JPEG, "现场.jpg")
    (shown,) = await office.attachments(order)
    kept = (await office.get(shown["url"])).body
    assert samples.GPS_MARK in photo and samples.GPS_MARK not in kept
    assert shown["size"] == len(kept) < len(photo)


async def test_equal_content_is_kept_once_while_any_row_names_it(office: Office, city: City) -> None:
    order = await office.order(city.add_asset("p1"))
    first = await office.attached(order, NOTE, TEXT, "a.txt")
    await office.attached(order, NOTE, TEXT, "b.txt")
    assert len(office.stored()) == 1
    body = {"idempotencyKey": "r", "attachmentId": first}
    assert (await office.api.data(REMOVE, CLERK, input=body))["removeAttachment"]["problems"] == []
    (left,) = await office.attachments(order)
    assert (left["name"], (await office.get(left["url"])).body) == ("b.txt", NOTE)


async def test_who_may_not_see_the_order_is_told_nothing(office: Office, city: City) -> None:
    order = await office.order(city.add_asset("p1"))
    id_ = await office.attached(order, NOTE, TEXT, "a.txt")
    assert await office.attachments(order, RIVAL) is None
    assert codes(await office.request(order, NOTE, TEXT, by=RIVAL)) == ["NOT_FOUND"]
    assert codes(await office.request("order:none", NOTE, TEXT)) == ["NOT_FOUND"]
    body = {"idempotencyKey": "r", "attachmentId": id_}
    assert codes((await office.api.data(REMOVE, RIVAL, input=body))["removeAttachment"]) == ["UNKNOWN_FILE"]


async def test_both_sides_attach_and_who_only_looks_does_not(office: Office, city: City) -> None:
    order = await office.order(city.add_asset("p1"))
    owner = someone("owner", Role.UNIT_OFFICER, unit=OWNER, region="330106")
    for person in (CLERK, HEAD, LENDING, BORROWING, KEEPER, owner):
        assert codes(await office.request(order, NOTE, TEXT, by=person)) == [], person
    assert codes(await office.request(order, NOTE, TEXT, by=AUDITOR)) == ["MAY_NOT_ATTACH"]
    assert codes(await office.request(order, NOTE, TEXT, by=someone("nobody"))) == ["NOT_FOUND"]


async def test_the_uploader_is_named_to_their_own_unit_and_region(office: Office, city: City) -> None:
    order = await office.order(city.add_asset("p1"))
    await office.attached(order, NOTE, TEXT, "a.txt")
    named = {person.person: (await office.attachments(order, person))[0]["uploadedBy"] for person in (HEAD, KEEPER)}
    assert named == {"head": "clerk", "keeper": None}


async def test_one_cannot_attach_what_another_uploaded(office: Office, city: City) -> None:
    order = await office.order(city.add_asset("p1"))
    upload = (await office.request(order, NOTE, TEXT))["upload"]
    assert codes(await office.attach(upload["id"])) == ["UPLOAD_MISSING"]
    await office.put(upload["url"], NOTE)
    assert codes(await office.attach(upload["id"], HEAD)) == ["UNKNOWN_FILE"]
    assert codes(await office.attach("none")) == ["UNKNOWN_FILE"]


async def test_only_the_uploader_removes_and_only_once(office: Office, city: City) -> None:
    order = await office.order(city.add_asset("p1"))
    id_ = await office.attached(order, NOTE, TEXT, "a.txt")

    async def remove(by: Any, key: str) -> list[str]:
        body = {"idempotencyKey": key, "attachmentId": id_}
        return codes((await office.api.data(REMOVE, by, input=body))["removeAttachment"])

    (shown,) = await office.attachments(order)
    assert await remove(HEAD, "r1") == ["MAY_NOT_REMOVE_FILE"]
    assert await remove(CLERK, "r2") == []
    assert await remove(CLERK, "r2") == []
    assert await remove(CLERK, "r3") == ["UNKNOWN_FILE"]
    assert await office.attachments(order) == []
    assert code_of((await office.get(shown["url"])).body) == "UNKNOWN_FILE"


async def test_a_repeated_command_answers_the_first_result(office: Office, city: City) -> None:
    order = await office.order(city.add_asset("p1"))
    first = await office.request(order, NOTE, TEXT, idempotencyKey="same")
    again = await office.request(order, NOTE, TEXT, idempotencyKey="same")
    assert first["upload"]["id"] == again["upload"]["id"]
    assert codes(await office.request(order, NOTE, PDF, idempotencyKey="same")) == ["IDEMPOTENCY_KEY_REUSED"]
    sent = [await office.put(first["upload"]["url"], NOTE) for _ in range(2)]
    assert sent[0].body == sent[1].body and sent[1].status == 200


WISHES = [
    ({"type": "text/html"}, "FILE_TYPE_REFUSED"),
    ({"type": "image/svg+xml"}, "FILE_TYPE_REFUSED"),
    ({"size": 0}, "FILE_TOO_LARGE"),
    ({"size": policy.FILE_BYTES_MAX + 1}, "FILE_TOO_LARGE"),
    ({"name": "a/.."}, "INVALID_TEXT"),
    ({"name": "x" * (policy.NAME_LENGTH_MAX + 1)}, "INVALID_TEXT"),
]


@pytest.mark.parametrize(("wish", "code"), WISHES)
async def test_what_cannot_be_taken_is_refused_before_it_is_sent(
    office: Office, city: City, wish: dict[str, Any], code: str
) -> None:
    order = await office.order(city.add_asset("p1"))
    refused = await office.request(order, NOTE, TEXT, **wish)
    assert (refused["upload"], codes(refused)) == (None, [code])


async def test_an_order_has_room_for_so_many_files(office: Office, city: City) -> None:
    order = await office.order(city.add_asset("p1"))
    whole = policy.ORDER_BYTES_MAX // policy.FILE_BYTES_MAX
    for _ in range(whole):
        assert codes(await office.request(order, NOTE, TEXT, size=policy.FILE_BYTES_MAX)) == []
    assert codes(await office.request(order, NOTE, TEXT, size=1)) == ["ORDER_FILES_FULL"]
    other = await office.order(city.add_asset("p2"))
    for _ in range(policy.FILES_OF_ORDER_MAX):
        assert codes(await office.request(other, NOTE, TEXT, size=1)) == []
    assert codes(await office.request(other, NOTE, TEXT, size=1)) == ["ORDER_FILES_FULL"]


UPLOADS = [
    ("more than announced", TEXT, NOTE, NOTE + b"x", "FILE_SIZE_DIFFERS"),
    ("less than announced", TEXT, NOTE, NOTE[:-1], "FILE_SIZE_DIFFERS"),
    ("markup as text", TEXT, b"<html></html>", b"<html></html>", "FILE_IS_NOT_ITS_TYPE"),
    ("text as PDF", PDF, NOTE, NOTE, "FILE_IS_NOT_ITS_TYPE"),
    ("a zip as docx", DOCX, samples.zipped(a=b"x"), samples.zipped(a=b"x"), "FILE_IS_NOT_ITS_TYPE"),
    ("half a photo", JPEG, samples.jpeg_photo()[:600], samples.jpeg_photo()[:600], "FILE_IS_NOT_ITS_TYPE"),
]


@pytest.mark.parametrize(("_name", "type_", "announced", "sent", "code"), UPLOADS)
async def test_an_upload_that_is_not_what_it_was_to_be_leaves_nothing(
    office: Office, city: City, _name: str, type_: str, announced: bytes, sent: bytes, code: str
) -> None:
    upload = (await office.request(await office.order(city.add_asset("p1")), announced, type_))["upload"]
    got = await office.put(upload["url"], sent)
    assert (got.status // 100, code_of(got.body)) == (4, code)
    assert office.stored() == []
    assert codes(await office.attach(upload["id"])) == ["UPLOAD_MISSING"]


async def test_an_upload_of_unknown_length_is_cut_off_at_its_bound(office: Office, city: City) -> None:
    upload = (await office.request(await office.order(city.add_asset("p1")), NOTE, TEXT))["upload"]
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 64 << 20:
            yield b"x" * 65536
            sent += 65536

    async with office.http.put(office.base + upload["url"], data=endless()) as answer:
        assert answer.status == 413
    assert sent < 64 << 20
    assert office.stored() == []


async def test_a_client_that_hangs_up_leaves_nothing_and_may_come_again(office: Office, city: City) -> None:
    upload = (await office.request(await office.order(city.add_asset("p1")), NOTE, TEXT))["upload"]
    address = urlsplit(office.base)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"PUT {upload['url']} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(NOTE)}\r\n\r\n".encode()
    writer.write(head + NOTE[:5])
    await writer.drain()
    while not office.stored():  # noqa: ASYNC110 - a file tells nobody
        await asyncio.sleep(0)
    writer.close()
    assert await reader.read() == b""
    while office.stored():  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert (await office.put(upload["url"], NOTE)).status == 200


async def test_links_are_for_one_file_one_method_and_some_minutes(
    office: Office, city: City, clock: ManualClock
) -> None:
    order = await office.order(city.add_asset("p1"))
    await office.attached(order, NOTE, TEXT, "a.txt")
    (shown,) = await office.attachments(order)
    other = (await office.request(order, NOTE, TEXT))["upload"]
    path, _, query = shown["url"].partition("?")
    wrong = [
        office.put(shown["url"], NOTE),
        office.get(other["url"]),
        office.get(path),
        office.get(f"/files/{other['id']}?{query}"),
    ]
    for got in [await one for one in wrong]:
        assert (got.status, code_of(got.body)) == (403, "LINK_INVALID")
    clock.advance(minutes=6)
    assert (await office.get(shown["url"])).status == 403
    assert (await office.get((await office.attachments(order))[0]["url"])).status == 200


async def test_rights_are_checked_again_when_a_link_is_used(office: Office, city: City, clock: ManualClock) -> None:
    """A link that was signed for somebody who may not see the order opens nothing, however it came to be."""
    order = await office.order(city.add_asset("p1"))
    id_ = await office.attached(order, NOTE, TEXT, "a.txt")
    tickets = TicketOffice(*INTERNAL, clock)
    links = {who: tickets.link(id_, Ticket("GET", id_, who), policy.DOWNLOAD_LIFE).url for who in (RIVAL, HEAD)}
    got = {who.person: (await office.get(url)).status for who, url in links.items()}
    assert got == {"rival": 404, "head": 200}


async def test_refusals_speak_the_askers_language(office: Office) -> None:
    chinese, english = [
        orjson.loads((await office.get("/files/x", **{"accept-language": one})).body) for one in ("zh", "en")
    ]
    assert "链接" in chinese["message"] and "link" in english["message"]


async def test_content_that_was_damaged_on_the_disk_is_not_given(office: Office, city: City) -> None:
    order = await office.order(city.add_asset("p1"))
    await office.attached(order, NOTE, TEXT, "a.txt")
    (shown,) = await office.attachments(order)
    office.stored()[0].write_bytes(b"something else")
    got = await office.get(shown["url"])
    assert (got.status, code_of(got.body)) == (500, "FILE_LOST")


async def test_a_full_disk_refuses_with_a_code_and_keeps_nothing(
    url: str, city: City, clock: ManualClock, tmp_path: Path, office: Office
) -> None:
    """The same store behind a folder whose disk has no room to spare."""
    upload = (await office.request(await office.order(city.add_asset("p1")), NOTE, TEXT))["upload"]
    database = Database(url)
    full = Blobs(tmp_path / "full", spare_bytes_min=1 << 60)
    files = Attachments(database, full, TicketOffice(*INTERNAL, clock), clock)
    await files.open()
    async with (
        serving(Starlette(routes=file_routes(files))) as base,
        office.http.put(base + upload["url"], data=NOTE) as got,
    ):
        assert (got.status, (await got.json())["code"]) == (507, "STORAGE_FULL")
    assert [path for path in (tmp_path / "full").rglob("*") if path.is_file()] == []
    await database.close()
    assert codes(await office.attach(upload["id"])) == ["UPLOAD_MISSING"]


async def test_a_sweep_takes_what_was_never_attached_or_was_removed_and_nothing_else(
    url: str, city: City, clock: ManualClock, tmp_path: Path, office: Office
) -> None:
    order = await office.order(city.add_asset("p1"))
    await office.attached(order, NOTE, TEXT, "kept.txt")
    removed = await office.attached(order, b"removed", TEXT, "removed.txt")
    body = {"idempotencyKey": "r", "attachmentId": removed}
    await office.api.data(REMOVE, CLERK, input=body)
    unattached = (await office.request(order, b"unattached", TEXT))["upload"]
    await office.put(unattached["url"], b"unattached")
    await office.request(order, b"never sent", TEXT)
    database = Database(url)
    blobs = Blobs(office.folder, 0)
    files = Attachments(database, blobs, TicketOffice(*INTERNAL, clock), clock)
    assert await files.sweep() == 0
    clock.advance(hours=25)
    for path in office.stored():
        os.utime(path, (1_000_000_000, 1_000_000_000))
    assert await files.sweep() == 2
    assert [path.name for path in office.stored()] == [hashlib.sha256(NOTE).hexdigest()]
    (shown,) = await office.attachments(order)
    assert (await office.get(shown["url"])).body == NOTE
    assert codes(await office.attach(unattached["id"])) == ["UNKNOWN_FILE"]
    await database.close()
