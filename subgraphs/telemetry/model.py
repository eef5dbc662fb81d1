"""What telemetry speaks of: sensors in warehouses, their readings, the alarms that come of them.

Plain frozen values; times are UTC datetimes. A warehouse is known here by its global id alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from contract.ids import format_id, parse_id

__all__ = [
    "Alarm",
    "AlarmChange",
    "AlarmEventKind",
    "AlarmKind",
    "Clock",
    "Reading",
    "SensorKind",
    "SensorSpec",
    "SensorState",
    "WarehouseRef",
    "from_ms",
    "sensor_id",
    "to_ms",
    "utc_now",
]

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def to_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


class SensorKind(StrEnum):
    TEMPERATURE = "TEMPERATURE"
    HUMIDITY = "HUMIDITY"

    @property
    def unit(self) -> str:
        return "°C" if self is SensorKind.TEMPERATURE else "%RH"


class SensorState(StrEnum):
    NO_DATA = "NO_DATA"
    IN_RANGE = "IN_RANGE"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    SILENT = "SILENT"


class AlarmKind(StrEnum):
    HIGH = "HIGH"
    LOW = "LOW"
    DRIFT = "DRIFT"
    SILENT = "SILENT"


class AlarmEventKind(StrEnum):
    RAISED = "RAISED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    CLEARED = "CLEARED"


@dataclass(frozen=True, slots=True)
class WarehouseRef:
    """A warehouse as the districts tell it, and the profile its goods need."""

    id: str
    name: str
    profile: str = "general-goods"


@dataclass(frozen=True, slots=True)
class SensorSpec:
    id: str
    """`sensor:<region>:<key>`"""
    kind: SensorKind
    label: str
    warehouse_id: str
    profile: str
    """The code of a climate profile."""

    def __post_init__(self) -> None:
        if parse_id(self.id, "sensor").region != parse_id(self.warehouse_id, "warehouse").region:
            raise ValueError(f"{self.id} and {self.warehouse_id} lie in different regions")

    @property
    def region(self) -> str:
        return parse_id(self.id).region

    @property
    def key(self) -> str:
        return parse_id(self.id).native


def sensor_id(region: str, key: str) -> str:
    return format_id("sensor", region, key)


@dataclass(frozen=True, slots=True)
class Reading:
    sensor_id: str
    at: datetime
    received_at: datetime
    value: float
    in_range: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    id: str
    """`alarm:<region>:<sensor key>-<kind>-<since in ms>`: the same trouble always makes the same alarm."""
    kind: AlarmKind
    sensor_id: str
    warehouse_id: str
    since: datetime
    raised_at: datetime
    worst_value: float | None = None
    limit: float | None = None
    cleared_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    note: str | None = None

    @property
    def region(self) -> str:
        return parse_id(self.id).region

    @property
    def active(self) -> bool:
        return self.cleared_at is None


@dataclass(frozen=True, slots=True)
class AlarmChange:
    kind: AlarmEventKind
    at: datetime
    alarm: Alarm
