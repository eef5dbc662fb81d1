"""Watching one sensor: from readings and the passing of time to alarms. Pure: no clock, no I/O.

Four troubles, each with at most one active alarm:

    HIGH, LOW   the value has been beyond a limit, in every reading, for `raise_after`
                clears when a reading is back inside the limit by the hysteresis
    DRIFT       the hourly means of the last 24 full hours span more than the allowed drift (±d allows 2d);
                means, so that a door that stands open for a minute is no drift
                clears when the span is back inside by the hysteresis
    SILENT      nothing was heard for `silent_after`
                clears with the next reading

Two times matter. A reading's own time `at` decides how long a value was out of range; the time it was received decides
silence. A reading older than one already seen (a device that sends what it had stored) is kept in the history, ends a
silence, and judges nothing else: the present is known better already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from contract.ids import format_id
from subgraphs.telemetry.model import Alarm, AlarmChange, AlarmEventKind, AlarmKind, Reading, SensorSpec, to_ms
from subgraphs.telemetry.profiles import ClimateProfile

__all__ = ["HourMean", "Outcome", "Watch"]

HOUR_MS = 3_600_000
DRIFT_HOURS = 24
DRIFT_HOURS_MIN = 2


@dataclass(slots=True)
class HourMean:
    """The mean of one hour's readings, as a sum and a count."""

    hour: int
    """Hours since 1970-01-01 UTC."""
    total: float = 0.0
    count: int = 0

    @property
    def mean(self) -> float:
        return self.total / self.count


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one reading brought about."""

    reading: Reading
    live: bool
    """Newer than all before it: worth showing to those who watch."""
    changes: tuple[AlarmChange, ...] = ()
    worsened: tuple[Alarm, ...] = ()
    """Active alarms whose worst value this reading is."""


@dataclass(slots=True)
class _Collected:
    changes: list[AlarmChange] = field(default_factory=list)
    worsened: list[Alarm] = field(default_factory=list)


class Watch:
    def __init__(self, sensor: SensorSpec, profile: ClimateProfile, started: datetime) -> None:
        self.sensor = sensor
        self.profile = profile
        self._limits = profile.ranges.get(sensor.kind)
        self._heard = started
        """When the sensor was last heard; before that, when we began to listen."""
        self._last: Reading | None = None
        self._open: dict[AlarmKind, Alarm] = {}
        self._breach: dict[AlarmKind, datetime] = {}
        self._hours: dict[int, HourMean] = {}

    def restore(
        self,
        last: Reading | None,
        open_alarms: Iterable[Alarm],
        hours: Iterable[HourMean],
        recent: Iterable[Reading],
    ) -> None:
        """Take up where an earlier process ended. `recent`: readings of about `raise_after`, in order of time.

        Silence counts from now: while nobody listened, nobody can say that the sensor was silent.
        """
        self._last = last
        self._open = {alarm.kind: alarm for alarm in open_alarms}
        self._hours = {each.hour: each for each in hours}
        for reading in recent:
            self._note_breach(reading)

    @property
    def last(self) -> Reading | None:
        return self._last

    @property
    def open_alarms(self) -> Mapping[AlarmKind, Alarm]:
        return self._open

    def observe(self, at: datetime, received_at: datetime, value: float) -> Outcome | None:
        """None: the same reading again (MQTT may deliver twice)."""
        in_range = self._limits is None or self._limits.contains(value)
        reading = Reading(self.sensor.id, at, received_at, value, in_range)
        if self._last is not None and at == self._last.at:
            return None
        found = _Collected()
        self._end_silence(received_at, found)
        live = self._last is None or at > self._last.at
        if live:
            self._last = reading
            self._note_breach(reading)
            self._judge_limits(reading, found)
            self._judge_drift(reading, found)
        return Outcome(reading, live, tuple(found.changes), tuple(found.worsened))

    def tick(self, now: datetime) -> tuple[AlarmChange, ...]:
        """Time has passed: is the sensor silent?"""
        if AlarmKind.SILENT in self._open or now - self._heard <= self.profile.silent_after:
            return ()
        found = _Collected()
        self._raise(AlarmKind.SILENT, self._heard, now, None, None, found)
        return tuple(found.changes)

    # --- silence -----------------------------------------------------------------------------------------------------

    def _end_silence(self, received_at: datetime, found: _Collected) -> None:
        self._heard = max(self._heard, received_at)
        self._clear(AlarmKind.SILENT, received_at, found)

    # --- limits ------------------------------------------------------------------------------------------------------

    def _beyond(self, value: float) -> AlarmKind | None:
        if self._limits is None or self._limits.contains(value):
            return None
        return AlarmKind.HIGH if self._limits.max is not None and value > self._limits.max else AlarmKind.LOW

    def _note_breach(self, reading: Reading) -> None:
        beyond = self._beyond(reading.value)
        for kind in (AlarmKind.HIGH, AlarmKind.LOW):
            if kind is beyond:
                self._breach.setdefault(kind, reading.at)
            else:
                self._breach.pop(kind, None)

    def _judge_limits(self, reading: Reading, found: _Collected) -> None:
        for kind in (AlarmKind.HIGH, AlarmKind.LOW):
            since = self._breach.get(kind)
            if kind in self._open:
                if since is not None:
                    self._worsen(kind, reading.value, found)
                elif self._well_inside(kind, reading.value):
                    self._clear(kind, reading.at, found)
            elif since is not None and reading.at - since >= self.profile.raise_after:
                self._raise(kind, since, reading.at, reading.value, self._limit(kind), found)

    def _limit(self, kind: AlarmKind) -> float | None:
        if self._limits is None:
            return None
        return self._limits.max if kind is AlarmKind.HIGH else self._limits.min

    def _well_inside(self, kind: AlarmKind, value: float) -> bool:
        limit = self._limit(kind)
        if self._limits is None or limit is None:
            return True  # the profile has changed and no longer has this limit
        if kind is AlarmKind.HIGH:
            return value <= limit - self._limits.hysteresis
        return value >= limit + self._limits.hysteresis

    # --- drift -------------------------------------------------------------------------------------------------------

    def _judge_drift(self, reading: Reading, found: _Collected) -> None:
        hour = to_ms(reading.at) // HOUR_MS
        new_hour = hour not in self._hours
        if new_hour and self._hours:
            self._hours = {each: mean for each, mean in self._hours.items() if each >= hour - DRIFT_HOURS}
            self._judge_full_hours(reading.at, found)
        slot = self._hours.setdefault(hour, HourMean(hour))
        slot.total += reading.value
        slot.count += 1

    def _judge_full_hours(self, at: datetime, found: _Collected) -> None:
        drift = None if self._limits is None else self._limits.daily_drift_max
        if self._limits is None or drift is None:
            self._clear(AlarmKind.DRIFT, at, found)
            return
        means = [each.mean for each in self._hours.values()]
        span = max(means) - min(means) if len(means) >= DRIFT_HOURS_MIN else 0.0
        allowed = 2 * drift
        if AlarmKind.DRIFT in self._open:
            if span <= allowed - min(self._limits.hysteresis, allowed):
                self._clear(AlarmKind.DRIFT, at, found)
            else:
                self._worsen(AlarmKind.DRIFT, span, found)
        elif span > allowed:
            self._raise(AlarmKind.DRIFT, at - timedelta(hours=DRIFT_HOURS), at, span, allowed, found)

    # --- alarms ------------------------------------------------------------------------------------------------------

    def _raise(
        self,
        kind: AlarmKind,
        since: datetime,
        at: datetime,
        worst: float | None,
        limit: float | None,
        found: _Collected,
    ) -> None:
        alarm = Alarm(
            id=format_id("alarm", self.sensor.region, f"{self.sensor.key}-{kind}-{to_ms(since)}"),
            kind=kind,
            sensor_id=self.sensor.id,
            warehouse_id=self.sensor.warehouse_id,
            since=since,
            raised_at=at,
            worst_value=worst,
            limit=limit,
        )
        self._open[kind] = alarm
        found.changes.append(AlarmChange(AlarmEventKind.RAISED, at, alarm))

    def _worsen(self, kind: AlarmKind, value: float, found: _Collected) -> None:
        alarm = self._open[kind]
        worst = alarm.worst_value
        worse = worst is None or (value < worst if kind is AlarmKind.LOW else value > worst)
        if worse:
            self._open[kind] = replace(alarm, worst_value=value)
            found.worsened.append(self._open[kind])

    def _clear(self, kind: AlarmKind, at: datetime, found: _Collected) -> None:
        alarm = self._open.pop(kind, None)
        if alarm is not None:
            found.changes.append(AlarmChange(AlarmEventKind.CLEARED, at, replace(alarm, cleared_at=at)))
