"""Plausible days for sensors: what warehouses that nobody has instrumented yet might report.

A sensor's value is a pure function of seed, sensor and time, so that a day can be told again:

    the middle of the profile's range, and an offset of the sensor's own
    + a daily curve (warmest at 15:00 in Hangzhou, most humid before dawn)
    + what a door does that stands open in working hours: a jump that decays
    + now and then an incident of the day: an excursion beyond a limit, a slow drift, a sensor that falls silent
    + noise

`run_simulator` publishes them over MQTT at a chosen pace, spread evenly over the interval.
"""

from __future__ import annotations

import asyncio
import math
import random
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import aiomqtt
import structlog

from subgraphs.telemetry.ingest import mqtt_client
from subgraphs.telemetry.model import Clock, SensorKind, SensorSpec, to_ms, utc_now
from subgraphs.telemetry.profiles import ClimateProfile, ClimateRange, load_profiles
from subgraphs.telemetry.topics import encode_payload, topic_of

__all__ = ["SimulatedSensor", "run_simulator"]

HANGZHOU = ZoneInfo("Asia/Shanghai")
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
BACKFILL_STEP = timedelta(minutes=10)
DAYS_REMEMBERED = 4096

_log = structlog.get_logger("telemetry.simulator")


class IncidentKind(StrEnum):
    EXCURSION = "EXCURSION"
    DRIFT = "DRIFT"
    SILENCE = "SILENCE"


@dataclass(frozen=True, slots=True)
class _Habits:
    """How a quantity behaves in a store room."""

    offset: float
    daily: float
    warmest_hour: float
    door: float
    noise: float
    ambient: float
    """The middle of the day where the profile has only one limit."""


HABITS = {
    SensorKind.TEMPERATURE: _Habits(offset=0.8, daily=0.9, warmest_hour=15.0, door=1.2, noise=0.08, ambient=19.0),
    SensorKind.HUMIDITY: _Habits(offset=1.5, daily=2.0, warmest_hour=4.0, door=4.0, noise=0.3, ambient=55.0),
}
CHANCE_A_DAY = {IncidentKind.EXCURSION: 0.10, IncidentKind.DRIFT: 0.04, IncidentKind.SILENCE: 0.05}
DURATION_MIN = {IncidentKind.EXCURSION: (25, 120), IncidentKind.DRIFT: (360, 720), IncidentKind.SILENCE: (8, 40)}
DOOR_DECAY_S = 300.0
DOORS_A_DAY = (2, 7)
DOOR_HOURS = (8.0, 18.0)


@dataclass(frozen=True, slots=True)
class _Incident:
    kind: IncidentKind
    start: datetime
    end: datetime
    strength: float


@dataclass(frozen=True, slots=True)
class _Day:
    doors: tuple[datetime, ...]
    incidents: tuple[_Incident, ...]


@lru_cache(maxsize=DAYS_REMEMBERED)
def _day(seed: int, sensor_id: str, day: date) -> _Day:
    chance = random.Random(f"{seed}/{sensor_id}/{day.isoformat()}")
    midnight = datetime(day.year, day.month, day.day, tzinfo=HANGZHOU)
    doors = tuple(
        sorted(midnight + timedelta(hours=chance.uniform(*DOOR_HOURS)) for _ in range(chance.randint(*DOORS_A_DAY)))
    )
    incidents = []
    for kind, share in CHANCE_A_DAY.items():
        start = midnight + timedelta(hours=chance.uniform(0, 24))
        length = timedelta(minutes=chance.uniform(*DURATION_MIN[kind]))
        strength = chance.uniform(0.6, 1.4) * chance.choice((-1, 1))
        if chance.random() < share:
            incidents.append(_Incident(kind, start, start + length, strength))
    return _Day(doors, tuple(incidents))


class SimulatedSensor:
    def __init__(self, sensor: SensorSpec, profile: ClimateProfile, seed: int) -> None:
        self.sensor = sensor
        self._limits = profile.ranges.get(sensor.kind)
        self._habits = HABITS[sensor.kind]
        self._seed = seed
        self._offset = random.Random(f"{seed}/{sensor.id}").uniform(-1, 1) * self._habits.offset

    def value_at(self, at: datetime) -> float | None:
        """The value at a time; None while the sensor is silent."""
        local = at.astimezone(HANGZHOU)
        incidents = self._incidents(local)
        if any(each.kind is IncidentKind.SILENCE for each in incidents):
            return None
        value = self._middle() + self._offset + self._daily(local) + self._door(local) + self._noise(at)
        for each in incidents:
            value += self._strength(each, local)
        if self.sensor.kind is SensorKind.HUMIDITY:
            value = min(max(value, 1.0), 99.0)
        return round(value, 1)

    def _incidents(self, local: datetime) -> list[_Incident]:
        # An incident may begin before midnight and go on after it.
        days = (local.date() - timedelta(days=1), local.date())
        each_day = (_day(self._seed, self.sensor.id, day) for day in days)
        return [each for day in each_day for each in day.incidents if each.start <= local < each.end]

    def _middle(self) -> float:
        limits = self._limits
        if limits is None or limits.min is None or limits.max is None:
            return self._habits.ambient
        return (limits.min + limits.max) / 2

    def _daily(self, local: datetime) -> float:
        hours = local.hour + local.minute / 60 + local.second / 3600
        return self._habits.daily * math.cos((hours - self._habits.warmest_hour) / 24 * 2 * math.pi)

    def _door(self, local: datetime) -> float:
        day = _day(self._seed, self.sensor.id, local.date())
        passed = ((local - opened).total_seconds() for opened in day.doors if opened <= local)
        return self._habits.door * sum(math.exp(-seconds / DOOR_DECAY_S) for seconds in passed)

    def _noise(self, at: datetime) -> float:
        # A hash, not a generator: the value at a time does not depend on what was asked before.
        mixed = zlib.crc32(f"{self._seed}/{self.sensor.id}/{to_ms(at) // 1000}".encode()) / 2**32
        return (mixed - 0.5) * 2 * self._habits.noise

    def _strength(self, incident: _Incident, local: datetime) -> float:
        """Excursions ramp up within a tenth of their time and go beyond the limit; drifts grow all along."""
        passed = (local - incident.start) / (incident.end - incident.start)
        if incident.kind is IncidentKind.EXCURSION:
            ramp = min(passed, 1 - passed, 0.1) * 10
            return ramp * incident.strength * _reach(self._limits, self._habits)
        return passed * incident.strength * 0.5 * _reach(self._limits, self._habits)


def _reach(limits: ClimateRange | None, habits: _Habits) -> float:
    """From the middle to beyond the limit, and somewhat more."""
    if limits is None or limits.min is None or limits.max is None:
        return 20 * habits.daily
    return (limits.max - limits.min) / 2 * 1.3


async def run_simulator(
    mqtt_url: str,
    sensors: Sequence[SensorSpec],
    *,
    seed: int = 2022,
    interval_s: float = 10.0,
    profiles: Mapping[str, ClimateProfile] | None = None,
    backfill: timedelta = timedelta(0),
    rounds: int | None = None,
    clock: Clock = utc_now,
) -> None:
    """Publish until cancelled (or for so many rounds); every sensor reports once in `interval_s`.

    `backfill`: first tell so much of the past, a reading every ten minutes. A lost broker is tried again.
    """
    known = load_profiles() if profiles is None else profiles
    simulated = [SimulatedSensor(sensor, known[sensor.profile], seed) for sensor in sensors]
    past = _times(clock() - backfill, clock(), BACKFILL_STEP) if backfill else []
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            async with mqtt_client(mqtt_url) as client:
                while past:
                    await _publish_all(client, simulated, past[0])
                    past.pop(0)
                while rounds is None or rounds > 0:
                    pause_s = FIRST_PAUSE_S
                    await _one_round(client, simulated, interval_s, clock)
                    rounds = None if rounds is None else rounds - 1
                return
        except aiomqtt.MqttError as error:
            _log.warning("simulator lost the broker", code="MQTT_UNAVAILABLE", reason=str(error), again_in_s=pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def _times(start: datetime, end: datetime, step: timedelta) -> list[datetime]:
    return [start + step * n for n in range(int((end - start) / step))]


async def _publish_all(client: aiomqtt.Client, simulated: Sequence[SimulatedSensor], at: datetime) -> None:
    for each in simulated:
        await _publish(client, each, at)


async def _one_round(
    client: aiomqtt.Client, simulated: Sequence[SimulatedSensor], interval_s: float, clock: Clock
) -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    for number, each in enumerate(simulated):
        due_in_s = start + interval_s * number / len(simulated) - loop.time()
        if due_in_s > 0:
            await asyncio.sleep(due_in_s)
        await _publish(client, each, clock())
    await asyncio.sleep(max(0.0, start + interval_s - loop.time()))


async def _publish(client: aiomqtt.Client, each: SimulatedSensor, at: datetime) -> None:
    value = each.value_at(at)
    if value is not None:
        await client.publish(topic_of(each.sensor), encode_payload(at, value), qos=1)
