from __future__ import annotations

import asyncio

import pytest

from gateway.execution.flights import Flights


class Wire:
    def __init__(self) -> None:
        self.sent = 0
        self.torn = 0
        self.answer = asyncio.Event()

    async def send(self) -> str:
        self.sent += 1
        try:
            await self.answer.wait()
        except asyncio.CancelledError:
            self.torn += 1
            raise
        return f"answer {self.sent}"


async def test_equal_requests_in_flight_are_sent_once_and_later_ones_again() -> None:
    flights: Flights[str] = Flights()
    wire = Wire()
    asked = [asyncio.create_task(flights.join("key", wire.send)) for _ in range(3)]
    await asyncio.sleep(0)
    wire.answer.set()
    assert await asyncio.gather(*asked) == ["answer 1"] * 3
    assert await flights.join("key", wire.send) == "answer 2"
    assert wire.sent == 2
    assert len(flights) == 0


async def test_other_requests_fly_by_themselves() -> None:
    flights: Flights[str] = Flights()
    wire = Wire()
    wire.answer.set()
    await asyncio.gather(flights.join("one", wire.send), flights.join("other", wire.send))
    assert wire.sent == 2


async def test_who_leaves_does_not_tear_the_flight_of_who_stays() -> None:
    flights: Flights[str] = Flights()
    wire = Wire()
    leaving, staying = (asyncio.create_task(flights.join("key", wire.send)) for _ in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    wire.answer.set()
    assert await staying == "answer 1"
    assert wire.torn == 0


async def test_a_flight_that_nobody_waits_for_is_torn() -> None:
    flights: Flights[str] = Flights()
    wire = Wire()
    only = asyncio.create_task(flights.join("key", wire.send))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    only.cancel()
    await asyncio.wait([only])
    await asyncio.sleep(0)
    assert (wire.torn, len(flights)) == (1, 0)


async def test_a_failure_reaches_all_who_wait() -> None:
    flights: Flights[str] = Flights()

    async def fail() -> str:
        await asyncio.sleep(0)
        raise ConnectionError("gone")

    for outcome in await asyncio.gather(*(flights.join("key", fail) for _ in range(2)), return_exceptions=True):
        with pytest.raises(ConnectionError):
            raise outcome  # type: ignore[misc]
