"""Where notices may go, judged by the URL and again by the address that is connected to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from overlay.notices.sender import AddressGuard, HttpSender, Reply, SendFailed, url_fault
from tests.subgraphs.kit.library import serving

LOOPBACK = AddressGuard(["127.0.0.0/8", "::1/128"])
PUBLIC = AddressGuard()

PRIVATE = ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
           "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:10.0.0.1",
           "64:ff9b::10.0.0.1", "2002:7f00:1::"]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not PUBLIC.permits(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"])
def test_a_public_address_is_permitted(address: str) -> None:
    assert PUBLIC.permits(address)


def test_a_network_is_permitted_by_name() -> None:
    guard = AddressGuard(["10.0.0.0/8"])
    assert guard.permits("10.1.2.3") and guard.permits("::ffff:10.1.2.3")
    assert not guard.permits("192.168.1.1")
    with pytest.raises(ValueError):
        AddressGuard(["10.0.0.0/99"])


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://hooks.example/x?y=1", None),
        ("https://hooks.example:8443/", None),
        ("http://hooks.example/", "URL_INSECURE"),
        ("ftp://hooks.example/", "URL_INSECURE"),
        ("file:///etc/passwd", "URL_INVALID"),
        ("https://user:pass@hooks.example/", "URL_INVALID"),
        ("https://hooks.example/#part", "URL_INVALID"),
        ("https://hooks.example:99999/", "URL_INVALID"),
        ("https://hooks.example/a\nb", "URL_INVALID"),
        ("https://[::1/", "URL_INVALID"),
        ("https://127.1/", "URL_INVALID"),
        ("https://2130706433/", "URL_INVALID"),
        ("https://" + "a" * 1000, "URL_INVALID"),
        ("", "URL_INVALID"),
        ("https://10.0.0.1/", "ADDRESS_REFUSED"),
        ("https://[::ffff:127.0.0.1]/", "ADDRESS_REFUSED"),
        ("http://127.0.0.1/", "ADDRESS_REFUSED"),
    ],
)
def test_urls(url: str, fault: str | None) -> None:
    assert url_fault(url, PUBLIC) == fault


def test_this_machine_needs_no_tls_where_it_is_permitted() -> None:
    assert url_fault("http://127.0.0.1:9000/", LOOPBACK) is None
    assert url_fault("http://localhost:9000/", LOOPBACK) is None
    assert url_fault("http://10.0.0.1/", AddressGuard(["10.0.0.0/8"])) == "URL_INSECURE"


@asynccontextmanager
async def endpoint() -> AsyncIterator[tuple[str, list[Request]]]:
    seen: list[Request] = []

    async def hook(request: Request) -> Response:
        seen.append(request)
        await request.body()
        return Response("x" * 100, 503, {"retry-after": "7"})

    async def moved(_: Request) -> Response:
        return RedirectResponse("/hook")

    routes = [Route("/hook", hook, methods=["POST"]), Route("/moved", moved, methods=["POST"])]
    async with serving(Starlette(routes=routes)) as base:
        yield base, seen


async def test_what_is_sent_and_what_is_read_of_the_answer() -> None:
    sender = HttpSender(LOOPBACK)
    async with endpoint() as (base, seen):
        reply = await sender.send(f"{base}/hook", {"webhook-id": "1"}, b"{}")
        await sender.close()
    assert reply == Reply(503, 7.0)
    assert (await seen[0].body(), seen[0].headers["webhook-id"]) == (b"{}", "1")


async def test_redirects_are_not_followed() -> None:
    sender = HttpSender(LOOPBACK)
    async with endpoint() as (base, seen):
        assert (await sender.send(f"{base}/moved", {}, b"{}")).status == 307
        await sender.close()
    assert seen == []


@pytest.mark.parametrize("host", ["localhost", "0x7f000001"])
async def test_a_name_that_stands_for_this_machine_is_refused_when_it_is_connected_to(host: str) -> None:
    """`http` is only for loopback by name, so the rest goes by https; none of them reaches the socket."""
    sender = HttpSender(PUBLIC)
    async with endpoint() as (base, seen):
        port = base.rpartition(":")[2]
        with pytest.raises(SendFailed) as failed:
            await sender.send(f"https://{host}:{port}/hook", {}, b"{}")
        await sender.close()
    assert (failed.value.reason, seen) == ("ADDRESS_REFUSED", [])


async def test_nobody_there_is_unreachable() -> None:
    sender = HttpSender(LOOPBACK)
    async with endpoint() as (base, _):
        pass
    with pytest.raises(SendFailed, match="UNREACHABLE"):
        await sender.send(f"{base}/hook", {}, b"{}")
    await sender.close()
