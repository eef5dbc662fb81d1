"""Requests as a guest makes them: what the server says is waited for, what it must not see is not shown."""

from __future__ import annotations

import logging
import socket
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from adapters.mapping import MappingError
from adapters.mapping.model import Guest
from adapters.model import StoreUnavailable
from adapters.rest.client import Patience, RestClient
from adapters.status import HealthState
from tests.adapters.rest.interface import Interface, answering, opened, reply, served
from tests.adapters.support import ALL, mapping_of

TOKEN = "s3cret-of-the-test"
ROWS = [{"id": f"A{number}", "mc": "桌"} for number in range(5)]
QUEUED = 4
"""More than a queue of length 0 holds."""
WITH_TOKEN = {"token_header": "Authorization", "token_env": "TEST_API_TOKEN", "token_prefix": "Bearer "}


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_API_TOKEN", TOKEN)


async def test_a_429_is_waited_for_as_long_as_it_says(tmp_path: Path) -> None:
    interface = Interface(ROWS)
    interface.answers = {2: answering(429, **{"Retry-After": "7"})}
    async with served(interface), opened(tmp_path, interface) as found:
        assert len((await found.store.page(ALL)).rows) == 5
        assert sum(found.waits) == 7
        assert interface.pages[1:3] == ["2", "2"], "the same page again"


async def test_a_429_may_name_the_moment(tmp_path: Path) -> None:
    interface = Interface(ROWS)
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=30))
    interface.answers = {1: answering(429, **{"Retry-After": moment})}
    async with served(interface), opened(tmp_path, interface) as found:
        assert 25 < sum(found.waits) <= 30


async def test_faults_of_the_server_are_waited_out_ever_longer(tmp_path: Path) -> None:
    interface = Interface(ROWS)
    interface.answers = dict.fromkeys((1, 2, 3), answering(503))
    async with served(interface), opened(tmp_path, interface) as found:
        assert len((await found.store.page(ALL)).rows) == 5
        assert sum(found.waits) == 0.5 + 1 + 2


async def test_patience_ends_and_the_last_good_state_stays(tmp_path: Path) -> None:
    interface = Interface(ROWS)
    async with served(interface), opened(tmp_path, interface, rest={"patience_s": 10}) as found:
        found.waits.clear()
        interface.answers = dict.fromkeys(range(1, 1000), answering(429, **{"Retry-After": "4"}))
        await found.store.refresh()
        assert sum(found.waits) <= 10
        health = await found.store.health()
        assert health.state is HealthState.DEGRADED and health.fault is not None
        assert health.fault.code == "RATE_LIMITED"
        assert len((await found.store.page(ALL)).rows) == 5


async def test_again_at_once_is_not_asked_for_ever(tmp_path: Path) -> None:
    interface = Interface(ROWS)
    interface.answers = dict.fromkeys(range(1, 10_000), answering(429, **{"Retry-After": "0"}))
    async with served(interface):
        with pytest.raises(StoreUnavailable, match="429"):
            async with opened(tmp_path, interface, rest={"patience_s": 5}):
                pass
    assert len(interface.requests) <= 12


async def _half(request: web.Request) -> web.StreamResponse:
    """Begins to answer, and the line breaks."""
    answer = web.StreamResponse(headers={"Content-Length": "100000", "Content-Type": "application/json"})
    await answer.prepare(request)
    await answer.write(b'{"data": {"list": [{"id": "A0"')
    assert request.transport is not None
    request.transport.close()
    return answer


async def _no_json(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b'{"data": {"list": [{"id"', content_type="application/json")


@pytest.mark.parametrize("answer", [_half, _no_json, answering(500)], ids=["cut off", "half", "fault"])
async def test_half_an_answer_is_asked_for_again(tmp_path: Path, answer: Any) -> None:
    interface = Interface(ROWS)
    interface.answers = {2: answer}
    async with served(interface), opened(tmp_path, interface) as found:
        assert len((await found.store.page(ALL)).rows) == 5


async def test_a_line_that_is_gone_leaves_the_last_good_state(tmp_path: Path) -> None:
    interface = Interface(ROWS)
    async with served(interface):
        context = opened(tmp_path, interface, rest={"patience_s": 3})
        found = await context.__aenter__()
    try:
        await found.store.refresh()
        health = await found.store.health()
        assert health.state is HealthState.DEGRADED and health.fault is not None
        assert "cannot be reached" in health.fault.message
        assert len((await found.store.page(ALL)).rows) == 5
    finally:
        await context.__aexit__(None, None, None)


async def test_the_token_goes_in_its_header_and_nowhere_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    interface = Interface(ROWS)
    async with served(interface), opened(tmp_path, interface, rest=WITH_TOKEN) as found:
        assert {request.headers["Authorization"] for request in interface.requests} == {f"Bearer {TOKEN}"}
        interface.answers = {len(interface.requests) + 1: answering(401)}
        await found.store.refresh()
        health = await found.store.health()
        assert health.fault is not None and health.fault.code == "TOKEN_REFUSED"
        assert TOKEN not in health.fault.message
        assert TOKEN not in repr(found.store.mapping)
        assert TOKEN not in caplog.text
    for path in (tmp_path / "cache").iterdir():
        assert TOKEN.encode() not in path.read_bytes()


async def test_a_redirect_and_a_link_elsewhere_are_not_followed(tmp_path: Path) -> None:
    """Whoever stands there would be handed the token."""
    elsewhere, interface = Interface(ROWS), Interface(ROWS)
    async with served(elsewhere), served(interface):
        interface.answers = {1: answering(302, Location=f"{elsewhere.url}/assets")}
        with pytest.raises(StoreUnavailable, match="answered 302"):
            async with opened(tmp_path, interface, rest=WITH_TOKEN):
                pass
        link = {"data": {"list": ROWS, "next": f"{elsewhere.url}/assets?page=2"}}
        interface.answers = dict.fromkeys(range(1, 9), answering(200, link))
        with pytest.raises(StoreUnavailable, match="links to another server"):
            async with opened(tmp_path, interface, rest={**WITH_TOKEN, "by": "link", "next_at": "data.next"}):
                pass
    assert elsewhere.requests == []


async def test_an_answer_is_bounded_as_unpacked(tmp_path: Path) -> None:
    interface = Interface(ROWS)

    async def large(_: web.Request) -> web.StreamResponse:
        answer = reply({"data": {"list": [{"id": "A", "mc": "x" * (2 << 20)}]}})
        answer.enable_compression()
        return answer

    interface.answers = dict.fromkeys(range(1, 9), large)
    async with served(interface):
        with pytest.raises(StoreUnavailable, match="more than 1 MiB"):
            async with opened(tmp_path, interface, rest={"answer_mib_max": 1}):
                pass


async def test_amounts_are_exact(tmp_path: Path) -> None:
    interface = Interface([])

    async def one(request: web.Request) -> web.StreamResponse:
        body = b'{"data": {"list": [{"id": "A", "mc": "x", "yz": 90071992547409.93}]}}'
        empty = b'{"data": {"list": []}}'
        return web.Response(body=body if request.query["page"] == "1" else empty, content_type="application/json")

    interface.answers = dict.fromkeys(range(1, 9), one)
    fields = {"originalValue": {"column": "yz", "unit": "元"}}
    async with served(interface), opened(tmp_path, interface, fields=fields) as found:
        assert (await found.store.page(ALL)).rows[0]["originalValue"] == "90071992547409.93"


async def test_a_change_that_the_interface_tells_brings_the_next_reading_forward(tmp_path: Path) -> None:
    interface = Interface([dict(row) for row in ROWS])
    quiet = {"reload_s": 86_400}
    async with served(interface), opened(tmp_path, interface, rest={"since_parameter": "since"}, store=quiet) as found:
        asked = len(interface.requests)
        await found.store.refresh()
        assert [request.query["since"] for request in interface.requests[asked:]] == ["2025-12-31T23:55:00Z"]
        interface.rows[0].update(mc="新桌", new=True)
        await found.store.refresh()
        assert {row["name"] for row in (await found.store.page(ALL)).rows} == {"桌", "新桌"}


async def test_closing_does_not_wait_for_a_patient_reading(tmp_path: Path) -> None:
    """Each slice of a wait asks whether anybody still wants the index."""
    interface = Interface(ROWS)
    async with served(interface), opened(tmp_path, interface, rest={"patience_s": 3600}) as found:
        store = found.store
        stopped = False

        def stop(number: int) -> None:
            nonlocal stopped
            if not stopped:
                stopped = True
                store._keeper._build.stop()  # type: ignore[union-attr]

        interface.before = stop
        interface.answers = dict.fromkeys(range(1, 1000), answering(429, **{"Retry-After": "3000"}))
        found.waits.clear()
        await store.refresh()
        assert sum(found.waits) <= 1


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ({"token_header": "X"}, "token_env"),
        ({"token_header": "X", "token_env": "NO_SUCH_TOKEN"}, "the environment has no NO_SUCH_TOKEN"),
        ({"by": "cursor"}, "next_at"),
        ({"by": "link", "next_at": "n", "parameter": "p"}, "parameter"),
    ],
)
async def test_a_mapping_that_says_too_little(tmp_path: Path, rest: dict[str, Any], message: str) -> None:
    interface = Interface(ROWS)
    async with served(interface):
        with pytest.raises(MappingError, match=message):
            async with opened(tmp_path, interface, rest=rest):
                pass


# --- the line -------------------------------------------------------------------------------------------------------


def client(folder: Path, url: str, **guest: Any) -> RestClient:
    mapping = mapping_of(folder, store={"engine": "rest", "url": url}, source={"table": "/assets"})
    assert mapping.rest is not None
    return RestClient(url, mapping.rest, Guest(**guest))


async def test_a_server_that_lets_nobody_in_is_not_waited_for_as_one_that_answers_slowly(tmp_path: Path) -> None:
    """Its queue is full, so that whoever connects now hears nothing at all."""
    with ExitStack() as queue:
        full = queue.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        place = full.getsockname()
        for _ in range(QUEUED):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(place)
        found = client(tmp_path, f"http://127.0.0.1:{place[1]}", connect_timeout_s=0.2, statement_timeout_s=600.0)
        await found.open()
        try:
            with pytest.raises(StoreUnavailable, match="did not answer in time"):
                await found.get(found.place("/assets"), {}, Patience(0))
        finally:
            await found.close()


async def test_an_answer_may_come_compressed(tmp_path: Path) -> None:
    interface = Interface(ROWS)
    async with served(interface), opened(tmp_path, interface):
        assert all("gzip" in request.headers["Accept-Encoding"] for request in interface.requests)


async def test_an_old_line_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = client(tmp_path, "https://10.1.2.3", tls="require", tls_version_min="1.0")
    await found.open()
    await found.close()
    assert "INSECURE LINE to 10.1.2.3: TLS 1.0" in caplog.text
