"""Telemetry's events as they travel on the bus: plain JSON, the same in one process and over Redis."""

from __future__ import annotations

from typing import Any

from subgraphs.kit.bus import Event
from subgraphs.telemetry.model import Alarm, AlarmChange, AlarmEventKind, AlarmKind, Reading, SensorSpec, from_ms, to_ms

__all__ = [
    "ALARMS_TOPIC",
    "READINGS_TOPIC",
    "alarm_change_from_event",
    "alarm_change_to_event",
    "reading_from_event",
    "reading_to_event",
]

READINGS_TOPIC = "telemetry.readings"
ALARMS_TOPIC = "telemetry.alarms"


def reading_to_event(sensor: SensorSpec, reading: Reading) -> Event:
    """Region, warehouse and kind ride along, so that a subscriber filters without looking anything up."""
    return {
        "sensor": reading.sensor_id,
        "region": sensor.region,
        "warehouse": sensor.warehouse_id,
        "kind": sensor.kind.value,
        "at": to_ms(reading.at),
        "received": to_ms(reading.received_at),
        "value": reading.value,
        "inRange": reading.in_range,
    }


def reading_from_event(event: Event) -> Reading:
    return Reading(
        event["sensor"], from_ms(event["at"]), from_ms(event["received"]), float(event["value"]), bool(event["inRange"])
    )


def alarm_change_to_event(change: AlarmChange) -> Event:
    alarm = change.alarm
    return {
        "change": change.kind.value,
        "at": to_ms(change.at),
        "region": alarm.region,
        "id": alarm.id,
        "kind": alarm.kind.value,
        "sensor": alarm.sensor_id,
        "warehouse": alarm.warehouse_id,
        "since": to_ms(alarm.since),
        "raised": to_ms(alarm.raised_at),
        "worst": alarm.worst_value,
        "limit": alarm.limit,
        "cleared": None if alarm.cleared_at is None else to_ms(alarm.cleared_at),
        "acknowledged": None if alarm.acknowledged_at is None else to_ms(alarm.acknowledged_at),
        "by": alarm.acknowledged_by,
        "note": alarm.note,
    }


def alarm_change_from_event(event: Event) -> AlarmChange:
    def moment(name: str) -> Any:
        return None if event[name] is None else from_ms(event[name])

    alarm = Alarm(
        id=event["id"],
        kind=AlarmKind(event["kind"]),
        sensor_id=event["sensor"],
        warehouse_id=event["warehouse"],
        since=from_ms(event["since"]),
        raised_at=from_ms(event["raised"]),
        worst_value=event["worst"],
        limit=event["limit"],
        cleared_at=moment("cleared"),
        acknowledged_at=moment("acknowledged"),
        acknowledged_by=event["by"],
        note=event["note"],
    )
    return AlarmChange(AlarmEventKind(event["change"]), from_ms(event["at"]), alarm)
