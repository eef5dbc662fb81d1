"""What the telemetry tests share: a clock that is moved by hand, two warehouses, their sensors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from subgraphs.kit.bus import EventBus, MemoryBus, Overflow, Subscription
from subgraphs.telemetry.events import ALARMS_TOPIC, READINGS_TOPIC, alarm_change_from_event, reading_from_event
from subgraphs.telemetry.ingest import Ingest
from subgraphs.telemetry.model import AlarmChange, Reading, SensorSpec, WarehouseRef
from subgraphs.telemetry.profiles import load_profiles
from subgraphs.telemetry.registry import SensorRegistry, sensors_for
from subgraphs.telemetry.store import TelemetryStore
from subgraphs.telemetry.topics import encode_payload, topic_of

NOON = datetime(2022, 7, 1, 4, 0, tzinfo=UTC)
ARCHIVE = WarehouseRef("warehouse:330106:A%2F1", "西湖档案库", "paper-archives")
STORE = WarehouseRef("warehouse:330127:B", "淳安仓", "general-goods")
SENSORS = sensors_for([ARCHIVE, STORE])
THERMOMETER = next(each for each in SENSORS if each.id == "sensor:330106:A%2F1-T1")
HYGROMETER = next(each for each in SENSORS if each.id == "sensor:330106:A%2F1-H1")
FAR_THERMOMETER = next(each for each in SENSORS if each.id == "sensor:330127:B-T1")


@dataclass
class HandClock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def move(self, **duration: float) -> None:
        self.now += timedelta(**duration)


def registry() -> SensorRegistry:
    return SensorRegistry(SENSORS, load_profiles())


@dataclass
class Bench:
    """An ingest without a broker: messages are handed to it, what it tells is seen on the bus."""

    clock: HandClock
    store: TelemetryStore
    bus: EventBus
    ingest: Ingest
    alarms: Subscription
    readings: Subscription
    told: list[AlarmChange] = field(default_factory=list)

    async def report(self, value: float, sensor: SensorSpec = THERMOMETER, **later: float) -> None:
        self.clock.move(**later)
        await self.ingest.handle(topic_of(sensor), encode_payload(self.clock.now, value))

    async def next_change(self) -> AlarmChange:
        async with asyncio.timeout(5):
            return alarm_change_from_event(await anext(self.alarms))

    async def next_reading(self) -> Reading:
        async with asyncio.timeout(5):
            return reading_from_event(await anext(self.readings))


@asynccontextmanager
async def bench(
    clock: HandClock | None = None,
    url: str | None = None,
    make_registry: Callable[[], SensorRegistry] = registry,
) -> AsyncIterator[Bench]:
    clock = clock or HandClock()
    store = TelemetryStore(url)
    await store.open()
    bus = MemoryBus()
    ingest = Ingest("mqtt://127.0.0.1:1", make_registry(), store, bus, clock=clock)
    try:
        async with (
            bus,
            bus.subscribe([ALARMS_TOPIC], capacity=100, overflow=Overflow.FAIL) as alarms,
            bus.subscribe([READINGS_TOPIC], capacity=100, overflow=Overflow.DROP_OLDEST) as readings,
        ):
            await ingest.start()
            try:
                yield Bench(clock, store, bus, ingest, alarms, readings)
            finally:
                await ingest.stop()
    finally:
        await store.close()
