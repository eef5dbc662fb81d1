"""From the broker to store and bus: the way of a reading.

    MQTT message → topic and payload read → sensor known, time plausible → `Watch` judges → history, alarms, events

What cannot be read is counted by its code and dropped; nothing that arrives ends the ingest. Broker, store and bus may
each be away for a while: the connection is tried again with growing pauses, alarms and readings wait (bounded) until
the store takes them, and events that the bus refuses are counted, for its subscribers were told of the interruption.

Alarms are stored before they are told, so that who hears of one can also read it; only while the store is away they
are told first, for a room that gets too warm cannot wait. Readings are told at once and stored in batches; `flush`
writes what waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import aiomqtt
import structlog
from sqlalchemy.exc import SQLAlchemyError

from subgraphs.kit.bus import BusUnavailable, Event, EventBus
from subgraphs.kit.tasks import end_tasks
from subgraphs.telemetry.events import ALARMS_TOPIC, READINGS_TOPIC, alarm_change_to_event, reading_to_event
from subgraphs.telemetry.model import Alarm, AlarmChange, AlarmEventKind, Clock, Reading, SensorSpec, utc_now
from subgraphs.telemetry.registry import SensorRegistry
from subgraphs.telemetry.store import TelemetryStore
from subgraphs.telemetry.topics import Refused, parse_payload, parse_topic, subscription_filter
from subgraphs.telemetry.watch import DRIFT_HOURS, Watch

__all__ = ["Ingest", "IngestStats", "mqtt_client"]

TICK_S = 1.0
PRUNE_EVERY = timedelta(minutes=1)
FLUSH_S = 0.5
FLUSH_READINGS = 500
AHEAD_MAX = timedelta(seconds=60)
"""How far a sensor's clock may be ahead of ours."""
QUEUED_MESSAGES_MAX = 20_000
WAITING_READINGS_MAX = 50_000
WAITING_EVENTS_MAX = 20_000
WAITING_CHANGES_MAX = 20_000
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
SAME_WARNING_EVERY_S = 10.0

_log = structlog.get_logger("telemetry.ingest")


@dataclass(slots=True)
class IngestStats:
    """What came of all messages since the start."""

    received: int = 0
    accepted: int = 0
    late: int = 0
    repeated: int = 0
    connections: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """By code."""

    def as_dict(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in ("received", "accepted", "late", "repeated", "connections")}
        return {**plain, "dropped": dict(self.dropped)}


def mqtt_client(url: str, **options: Any) -> aiomqtt.Client:
    """A client for `mqtt://[user:password@]host[:port]` (or `mqtts://`)."""
    parts = urlsplit(url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise ValueError("the MQTT broker's URL is mqtt://host:port or mqtts://host:port")
    secure = parts.scheme == "mqtts"
    return aiomqtt.Client(
        parts.hostname,
        parts.port or (8883 if secure else 1883),
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        tls_params=aiomqtt.TLSParameters() if secure else None,
        logger=_client_log,
        **options,
    )


class _GivenUp(logging.Filter):
    """The broker may still answer a subscription that was given up because the process ends: no fault, nobody's news."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "on_subscribe" not in str(record.msg)


_client_log = logging.getLogger("telemetry.mqtt")
_client_log.addFilter(_GivenUp())


class _Warnings:
    """Says each kind of trouble at most once in a while, with how often it came meanwhile."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}
        self._unsaid: Counter[str] = Counter()

    def warn(self, text: str, code: str, **about: Any) -> None:
        now = time.monotonic()
        if now < self._next.get(code, 0.0):
            self._unsaid[code] += 1
            return
        self._next[code] = now + SAME_WARNING_EVERY_S
        _log.warning(text, code=code, unsaid=self._unsaid.pop(code, 0), **about)


class Ingest:
    def __init__(
        self,
        mqtt_url: str,
        registry: SensorRegistry,
        store: TelemetryStore,
        bus: EventBus,
        *,
        clock: Clock = utc_now,
        regions: Collection[str] | None = None,
    ) -> None:
        """`regions`: take only these; several processes may share the sensors so, each region in one of them."""
        self.stats = IngestStats()
        self.connected = asyncio.Event()
        """Set while the subscription at the broker stands."""
        self._mqtt_url = mqtt_url
        self._registry = registry
        self._store = store
        self._bus = bus
        self._clock = clock
        self._regions = None if regions is None else frozenset(regions)
        self._watches: dict[str, Watch] = {}
        self._changes: deque[AlarmChange] = deque(maxlen=WAITING_CHANGES_MAX)
        """Alarm changes not stored yet; the first `_told` of them have been told all the same."""
        self._told = 0
        self._readings: deque[Reading] = deque(maxlen=WAITING_READINGS_MAX)
        self._worsened: dict[str, Alarm] = {}
        self._events: deque[tuple[str, Event]] = deque(maxlen=WAITING_EVENTS_MAX)
        self._events_ready = asyncio.Event()
        self._flush_due = asyncio.Event()
        self._settling = asyncio.Lock()
        self._flushing = asyncio.Lock()
        self._adopting = asyncio.Lock()
        self._prune_at = clock() + PRUNE_EVERY
        self._tasks: list[asyncio.Task[None]] = []
        self._warnings = _Warnings()

    async def start(self) -> None:
        await self._adopt()
        loops: tuple[Callable[[], Awaitable[None]], ...] = (self._listen, self._tell, self._tick_on, self._flush_on)
        self._tasks = [asyncio.ensure_future(loop()) for loop in loops]

    async def stop(self) -> None:
        # Who holds these locks is alone with the store: so no loop is stopped in the middle of a transaction.
        async with self._adopting, self._settling, self._flushing:
            await end_tasks(*self._tasks)
        await self._settle()
        await self.flush()

    # --- one message -------------------------------------------------------------------------------------------------

    async def handle(self, topic: str, payload: Any) -> None:
        self.stats.received += 1
        try:
            sensor, at, received_at, value = self._read(topic, payload)
        except Refused as refused:
            self.stats.dropped[refused.code] += 1
            self._warnings.warn("reading dropped", refused.code, topic=topic[:200], reason=str(refused))
            return
        watch = self._watches.get(sensor.id)
        if watch is None:
            await self._adopt()
            watch = self._watches[sensor.id]
        outcome = watch.observe(at, received_at, value)
        if outcome is None:
            self.stats.repeated += 1
            return
        self.stats.accepted += 1
        self._keep(outcome.reading)
        for alarm in outcome.worsened:
            self._worsened[alarm.id] = alarm
        if outcome.live:
            self._queue_event(READINGS_TOPIC, reading_to_event(sensor, outcome.reading))
        else:
            self.stats.late += 1
        if outcome.changes:
            await self._take(outcome.changes)

    def _read(self, topic: str, payload: Any) -> tuple[SensorSpec, datetime, datetime, float]:
        sensor_id, warehouse_id = parse_topic(topic)
        sensor = self._registry.get(sensor_id)
        if sensor is None:
            raise Refused("UNKNOWN_SENSOR", f"{sensor_id} is not registered")
        if sensor.warehouse_id != warehouse_id:
            raise Refused("WRONG_WAREHOUSE", f"{sensor_id} belongs to {sensor.warehouse_id}")
        if self._regions is not None and sensor.region not in self._regions:
            raise Refused("OTHER_REGION", f"this process takes no readings of {sensor.region}")
        report = parse_payload(payload)
        now = self._clock()
        at = now if report.at is None else report.at
        if at > now + AHEAD_MAX:
            raise Refused(
                "CLOCK_AHEAD", f"the reading's time {at.isoformat()} lies in the future; set the sensor's clock"
            )
        if at < now - self._store.retention.readings:
            raise Refused("TOO_OLD", f"readings are kept for {self._store.retention.readings}, this one is older")
        # Milliseconds are what is kept; finer times would come back changed.
        return sensor, at.replace(microsecond=at.microsecond // 1000 * 1000), now, report.value

    def _keep(self, reading: Reading) -> None:
        if len(self._readings) == WAITING_READINGS_MAX:
            self.stats.dropped["STORE_BEHIND"] += 1
        self._readings.append(reading)
        if len(self._readings) >= FLUSH_READINGS:
            self._flush_due.set()

    # --- alarms ------------------------------------------------------------------------------------------------------

    async def tick(self) -> None:
        """Time has passed: find silent sensors, take up new ones, forget what is old."""
        now = self._clock()
        await self._adopt()
        changes = [change for watch in self._watches.values() for change in watch.tick(now)]
        await self._take(changes)
        if now >= self._prune_at:
            self._prune_at = now + PRUNE_EVERY
            async with self._flushing:
                await self._store.prune(now)

    async def _take(self, changes: Collection[AlarmChange]) -> None:
        self._changes.extend(changes)
        await self._settle()

    async def _settle(self) -> None:
        """Store the alarm changes that wait, in their order, and tell each once."""
        async with self._settling:
            while self._changes:
                change = self._changes[0]
                try:
                    stored = await self._store_change(change)
                except (SQLAlchemyError, OSError) as error:
                    self._warnings.warn("alarm not stored yet", "STORE_UNAVAILABLE", reason=str(error))
                    for untold in list(self._changes)[self._told :]:
                        self._queue_event(ALARMS_TOPIC, alarm_change_to_event(untold))
                    self._told = len(self._changes)
                    return
                self._changes.popleft()
                if self._told:
                    self._told -= 1
                else:
                    self._queue_event(ALARMS_TOPIC, alarm_change_to_event(replace(change, alarm=stored)))

    async def _store_change(self, change: AlarmChange) -> Alarm:
        if change.kind is AlarmEventKind.CLEARED:
            self._worsened.pop(change.alarm.id, None)
            return await self._store.clear_alarm(change.alarm)
        await self._store.raise_alarm(change.alarm)
        return change.alarm

    async def _adopt(self) -> None:
        """Watch sensors that are registered and not watched yet, taking up what is known of them."""
        async with self._adopting:
            new = [each for each in self._registry.all() if each.id not in self._watches and self._is_ours(each)]
            if not new:
                return
            now = self._clock()
            longest = max(self._registry.profile_of(each).raise_after for each in new)
            last = await self._store.last_readings()
            hours = await self._store.hour_means(now - timedelta(hours=DRIFT_HOURS))
            recent = await self._store.readings_since(now - 2 * longest - timedelta(minutes=1))
            open_alarms: dict[str, list[Alarm]] = {}
            for alarm in await self._store.open_alarms():
                open_alarms.setdefault(alarm.sensor_id, []).append(alarm)
            for sensor in new:
                key = sensor.id
                watch = Watch(sensor, self._registry.profile_of(sensor), now)
                watch.restore(last.get(key), open_alarms.get(key, ()), hours.get(key, ()), recent.get(key, ()))
                self._watches[key] = watch

    def _is_ours(self, sensor: SensorSpec) -> bool:
        return self._regions is None or sensor.region in self._regions

    # --- store and bus -----------------------------------------------------------------------------------------------

    async def flush(self) -> None:
        """Store the readings that wait."""
        async with self._flushing:
            if not self._readings and not self._worsened:
                return
            batch, worsened = list(self._readings), list(self._worsened.values())
            self._readings.clear()
            self._worsened.clear()
            try:
                await self._store.record(batch, worsened)
            except (SQLAlchemyError, OSError) as error:
                self._warnings.warn("readings not stored yet", "STORE_UNAVAILABLE", reason=str(error))
                self._readings = deque([*batch, *self._readings], maxlen=WAITING_READINGS_MAX)
                self._worsened = {each.id: each for each in worsened} | self._worsened

    def _queue_event(self, topic: str, event: Event) -> None:
        if len(self._events) == WAITING_EVENTS_MAX:
            self.stats.dropped["BUS_BEHIND"] += 1
        self._events.append((topic, event))
        self._events_ready.set()

    async def _tell(self) -> None:
        while True:
            await self._events_ready.wait()
            self._events_ready.clear()
            while self._events:
                topic, event = self._events.popleft()
                try:
                    await self._bus.publish(topic, event)
                except BusUnavailable as error:
                    self.stats.dropped[error.code] += 1
                    self._warnings.warn("event not published", error.code, reason=str(error))

    # --- loops -------------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                async with mqtt_client(self._mqtt_url, max_queued_incoming_messages=QUEUED_MESSAGES_MAX) as client:
                    for region in sorted(self._regions) if self._regions is not None else [None]:
                        await client.subscribe(subscription_filter(region), qos=1)
                    self.stats.connections += 1
                    self.connected.set()
                    pause_s = FIRST_PAUSE_S
                    async for message in client.messages:
                        await self._survive("message", self.handle(str(message.topic), message.payload))
            except aiomqtt.MqttError as error:
                self._warnings.warn("no connection to the broker", "MQTT_UNAVAILABLE", reason=str(error))
            finally:
                self.connected.clear()
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _tick_on(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            await self._survive("tick", self.tick())

    async def _flush_on(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    await self._flush_due.wait()
            self._flush_due.clear()
            await self._survive("flush", self.flush())

    async def _survive(self, what: str, work: Awaitable[None]) -> None:
        """One failure costs one message or one round, never the ingest."""
        try:
            await work
        except Exception:
            self.stats.dropped["INTERNAL"] += 1
            _log.exception("ingest failed once", code="INTERNAL", what=what)
