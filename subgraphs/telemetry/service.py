"""What resolvers work with: one `Telemetry` for the process, one `Request` for each operation.

A request loads in batches and remembers what it loaded, so that a screen of two hundred sensors costs three queries.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from aiodataloader import DataLoader

from contract.identity import Identity, Role
from subgraphs.kit.bus import BusUnavailable, EventBus
from subgraphs.kit.caller import Caller
from subgraphs.kit.errors import BadInput
from subgraphs.telemetry.events import ALARMS_TOPIC, alarm_change_to_event
from subgraphs.telemetry.ingest import Ingest
from subgraphs.telemetry.model import Alarm, AlarmChange, AlarmEventKind, AlarmKind, Clock, Reading, SensorState
from subgraphs.telemetry.registry import SensorRegistry
from subgraphs.telemetry.store import TelemetryStore

__all__ = ["Request", "Telemetry", "may_acknowledge", "may_read_acknowledgement"]

READINGS_A_REQUEST_MAX = 50_000
PARALLEL_HISTORIES_MAX = 4


class Telemetry:
    def __init__(
        self, registry: SensorRegistry, store: TelemetryStore, bus: EventBus, ingest: Ingest | None, clock: Clock
    ) -> None:
        self.registry = registry
        self.store = store
        self.bus = bus
        self.ingest = ingest
        self.clock = clock

    async def settle(self) -> None:
        """Store what this process has received, so that a query sees it. Another process's is there within a second."""
        if self.ingest is not None:
            await self.ingest.flush()

    async def acknowledge(self, alarm_id: str, person: str, note: str | None) -> Alarm | None:
        now = self.clock()
        found = await self.store.acknowledge(alarm_id, person, note, now)
        if found is None:
            return None
        alarm, done_now = found
        if done_now:
            event = alarm_change_to_event(AlarmChange(AlarmEventKind.ACKNOWLEDGED, now, alarm))
            # Without the bus it is stored all the same; who watches was told of the interruption and reads again.
            with contextlib.suppress(BusUnavailable):
                await self.bus.publish(ALARMS_TOPIC, event)
        return alarm


class Request:
    """One operation's context."""

    def __init__(self, telemetry: Telemetry, caller: Caller) -> None:
        self.telemetry = telemetry
        self.caller = caller
        self._active_by_region: asyncio.Task[Mapping[str, int]] | None = None
        self._readings_left = READINGS_A_REQUEST_MAX
        self._histories = asyncio.Semaphore(PARALLEL_HISTORIES_MAX)

    @cached_property
    def last_reading(self) -> DataLoader[str, Reading | None]:
        return DataLoader(self._load_last, max_batch_size=500)

    @cached_property
    def open_alarms(self) -> DataLoader[str, tuple[Alarm, ...]]:
        return DataLoader(self._load_open, max_batch_size=500)

    async def _load_last(self, sensor_ids: list[str]) -> list[Reading | None]:
        await self.telemetry.settle()
        found = await self.telemetry.store.last_readings(sensor_ids)
        return [found.get(each) for each in sensor_ids]

    async def _load_open(self, sensor_ids: list[str]) -> list[tuple[Alarm, ...]]:
        by_sensor: dict[str, list[Alarm]] = {}
        for alarm in await self.telemetry.store.open_alarms(sensor_ids):
            by_sensor.setdefault(alarm.sensor_id, []).append(alarm)
        return [tuple(by_sensor.get(each, ())) for each in sensor_ids]

    async def state_of(self, sensor_id: str) -> SensorState:
        last, alarms = await asyncio.gather(self.last_reading.load(sensor_id), self.open_alarms.load(sensor_id))
        if any(alarm.kind is AlarmKind.SILENT for alarm in alarms):
            return SensorState.SILENT
        if last is None:
            return SensorState.NO_DATA
        return SensorState.IN_RANGE if last.in_range else SensorState.OUT_OF_RANGE

    async def active_alarms(self, region: str) -> int:
        if self._active_by_region is None:
            self._active_by_region = asyncio.ensure_future(self.telemetry.store.active_by_region())
        return (await self._active_by_region).get(region, 0)

    async def history(
        self, sensor_id: str, from_: datetime | None, to: datetime | None, last: int
    ) -> Collection[Reading]:
        """Bounded over the whole request: many sensors with long histories are asked for one after another."""
        if last > self._readings_left:
            raise BadInput(
                f"at most {READINGS_A_REQUEST_MAX} readings in one request: ask for fewer sensors or a smaller `last`",
                code="TOO_MANY_READINGS",
            )
        self._readings_left -= last
        async with self._histories:
            await self.telemetry.settle()
            return await self.telemetry.store.readings(sensor_id, from_=from_, to=to, last=last)

    def shown(self, alarm: Alarm) -> Alarm:
        """The alarm without what this caller may not read."""
        if may_read_acknowledgement(self.caller.identity, alarm.region):
            return alarm
        return replace(alarm, acknowledged_by=None, note=None)


def may_read_acknowledgement(identity: Identity, region: str) -> bool:
    return identity.has(Role.CITY_OFFICER) or (not identity.is_anonymous and identity.region == region)


def may_acknowledge(identity: Identity, region: str) -> bool:
    if identity.has(Role.CITY_OFFICER):
        return True
    return identity.region == region and identity.has(Role.KEEPER, Role.REGION_OFFICER)
