"""Which connection a request goes over, who waits for one, and how long one is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.execution.wire.connection import Response
from gateway.execution.wire.errors import Broken, Unreachable, UnsentInTime, WireError
from gateway.execution.wire.pool import KEPT_FREE_S, Pool
from tests.gateway.execution.wire.peer import MESSAGE, OK, Asked, Peer, peer, pool_of, response


def ask(pool: Pool, name: bytes = b"{}") -> asyncio.Task[Response]:
    return asyncio.create_task(pool.ask(MESSAGE.replace(b"{}", name), None))


async def answered(there: Peer, content: bytes = OK) -> Asked:
    asked = await there.next()
    asked.say(content)
    return asked


async def test_the_connection_that_became_free_last_is_taken_first() -> None:
    async with peer() as there, pool_of(there) as pool:
        asking = [ask(pool), ask(pool)]
        first, second = await there.next(), await there.next()
        second.say(OK)
        first.say(OK)
        await asyncio.gather(*asking)
        for _ in range(3):
            again = ask(pool)
            assert (await answered(there)).connection == first.connection
            await again
        assert len(pool) == 2


async def test_who_finds_no_place_waits_in_line() -> None:
    async with peer() as there, pool_of(there, connections_max=1) as pool:
        asking = [ask(pool, name) for name in (b"11", b"22", b"33")]
        assert [(await answered(there)).body for _ in asking] == [b"11", b"22", b"33"]
        await asyncio.gather(*asking)
        assert there.opened == 1


async def test_who_stops_waiting_leaves_the_line() -> None:
    async with peer() as there, pool_of(there, connections_max=1) as pool:
        first, second, third = (ask(pool, name) for name in (b"11", b"22", b"33"))
        asked = await there.next()
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert pool.waiting == 1
        asked.say(OK)
        assert (await answered(there)).body == b"33"
        await asyncio.gather(first, third)


@pytest.mark.parametrize("content", [OK, b"no HTTP\r\n\r\n"], ids=["a connection", "a place"])
async def test_who_leaves_just_when_it_is_given_something_passes_it_on(content: bytes) -> None:
    async with peer() as there, pool_of(there, connections_max=1) as pool:
        first = ask(pool)
        asked = await there.next()
        leaver = pool.ask(MESSAGE, None)
        turn = leaver.send(None)
        asked.say(content)
        await asyncio.wait([first, turn])
        with pytest.raises(asyncio.CancelledError):
            leaver.throw(asyncio.CancelledError())
        last = ask(pool)
        await answered(there)
        assert (await last).body == b"ok"
        assert isinstance(first.exception(), WireError) == (content != OK)


async def test_who_is_just_leaving_is_given_nothing() -> None:
    async with peer() as there, pool_of(there, connections_max=1) as pool:
        first = ask(pool)
        asked = await there.next()
        leaver = pool.ask(MESSAGE, None)
        leaver.send(None).cancel()
        asked.say(b"no HTTP\r\n\r\n")
        await asyncio.wait([first])
        await asked.gone.wait()
        assert len(pool) == 0
        with pytest.raises(asyncio.CancelledError):
            leaver.throw(asyncio.CancelledError())
        assert isinstance(first.exception(), WireError)


async def test_who_is_given_a_connection_that_is_then_lost_opens_another() -> None:
    async with peer() as there, pool_of(there, connections_max=1) as pool:
        first = ask(pool)
        asked = await there.next()
        second = pool.ask(MESSAGE, None)
        turn = second.send(None)
        asked.say(OK)
        await asyncio.wait([first, turn])
        asked.writer.write_eof()
        await asked.gone.wait()
        asking = asyncio.create_task(second)
        assert (await answered(there)).connection == 1
        assert (await asking).body == b"ok"


async def test_the_time_to_wait_for_a_place_ends() -> None:
    async with peer() as there, pool_of(there, connections_max=1) as pool:
        first = ask(pool)
        asked = await there.next()
        for timeout_s in (0.02, 0.0, -1.0):
            with pytest.raises(UnsentInTime):
                await pool.ask(MESSAGE, timeout_s)
        asked.say(OK)
        await first
        assert there.asked.empty()


async def test_nothing_is_sent_when_the_time_is_over() -> None:
    async with peer() as there, pool_of(there) as pool:
        first = ask(pool)
        await answered(there)
        await first
        with pytest.raises(UnsentInTime):
            await pool.ask(MESSAGE, 0.0)
        last = ask(pool, b"33")
        assert (await answered(there)).body == b"33"
        await last
        assert there.opened == 1


async def test_a_connection_that_is_lost_gives_its_place_to_who_waits() -> None:
    async with peer() as there, pool_of(there, connections_max=1) as pool:
        first, second = ask(pool), ask(pool)
        (await there.next()).hang_up()
        with pytest.raises(Broken):
            await first
        await answered(there)
        assert (await second).body == b"ok"
        assert there.opened == 2


async def test_nobody_listens() -> None:
    async with peer() as there:
        pass
    async with pool_of(there, connections_max=1) as pool:
        for outcome in await asyncio.gather(*(ask(pool) for _ in range(3)), return_exceptions=True):
            assert isinstance(outcome, Unreachable)
        assert len(pool) == 0


class _Hasty(asyncio.SelectorEventLoop):
    """A loop whose connections are lost before anybody can use them."""

    async def create_connection(self, *given: Any, **named: Any) -> Any:
        transport, protocol = await super().create_connection(*given, **named)
        transport.abort()
        await asyncio.sleep(0)
        return transport, protocol


def test_a_server_that_closes_at_once() -> None:
    async def closed_at_once() -> None:
        async with peer() as there, pool_of(there) as pool:
            with pytest.raises(Unreachable):
                await pool.ask(MESSAGE, None)
            assert len(pool) == 0
            await there.is_met.wait()

    with asyncio.Runner(loop_factory=_Hasty) as runner:
        runner.run(closed_at_once())


async def test_a_kept_connection_that_breaks_under_a_request_breaks_it() -> None:
    """It may have been carried out: whoever asked decides whether it is asked again."""
    async with peer() as there, pool_of(there) as pool:
        first = ask(pool)
        await answered(there)
        await first
        second = ask(pool, b"22")
        asked = await there.next()
        assert (asked.connection, asked.body) == (0, b"22")
        asked.hang_up()
        with pytest.raises(Broken):
            await second
        assert there.asked.empty()
        assert there.opened == 1


async def test_a_kept_connection_that_its_server_closes_is_dropped() -> None:
    async with peer() as there, pool_of(there) as pool:
        first = ask(pool)
        asked = await answered(there)
        asked.writer.write_eof()
        await first
        await asked.gone.wait()
        assert len(pool) == 0
        second = ask(pool)
        assert (await answered(there)).connection == 1
        await second


async def test_connections_are_not_kept_for_ever() -> None:
    async with peer() as there, pool_of(there) as pool:
        asking = [ask(pool), ask(pool)]
        all_asked = [await answered(there), await answered(there)]
        await asyncio.gather(*asking)
        now = asyncio.get_running_loop().time()
        pool.expire(now)
        assert not any(asked.gone.is_set() for asked in all_asked)
        pool.expire(now + KEPT_FREE_S)
        for asked in all_asked:
            await asked.gone.wait()
        assert len(pool) == 0


class _Shifted(asyncio.SelectorEventLoop):
    """A loop whose clock can be set forward."""

    shift_s = 0.0

    def time(self) -> float:
        return super().time() + self.shift_s


def test_the_timer_closes_them_when_nobody_asks() -> None:
    async def kept_too_long() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, _Shifted)
        async with peer() as there, pool_of(there) as pool:
            for _ in range(2):
                asking = ask(pool)
                asked = await answered(there)
                await asking
                loop.shift_s += KEPT_FREE_S
                await asked.gone.wait()
            assert there.opened == 2

    with asyncio.Runner(loop_factory=_Shifted) as runner:
        runner.run(kept_too_long())


def test_a_connection_that_was_kept_too_long_is_not_taken_even_before_the_timer() -> None:
    async def taken_late() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, _Shifted)
        async with peer() as there, pool_of(there) as pool:
            first = ask(pool)
            await answered(there)
            await first
            loop.shift_s += KEPT_FREE_S
            second = pool.ask(MESSAGE, None)
            second.send(None)  # Before the loop can look at its timers.
            second.close()
            assert len(pool) == 1
            third = ask(pool)
            assert (await answered(there)).connection == 1
            await third

    with asyncio.Runner(loop_factory=_Shifted) as runner:
        runner.run(taken_late())


async def test_a_pool_that_is_closed_ends_what_is_in_flight_and_opens_again() -> None:
    async with peer() as there, pool_of(there) as pool:
        free, busy = ask(pool), ask(pool)
        await answered(there)
        await there.next()
        await asyncio.wait([free, busy], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(pool.close(), pool.close())
        assert len(pool) == 0
        outcomes = await asyncio.gather(free, busy, return_exceptions=True)
        assert sorted(type(one).__name__ for one in outcomes) == ["Broken", "Response"]
        again = ask(pool)
        await answered(there, response(b"again"))
        assert (await again).body == b"again"
