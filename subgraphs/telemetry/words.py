"""What an alarm says to a reader, in Chinese or English."""

from __future__ import annotations

from subgraphs.kit.caller import Language
from subgraphs.telemetry.model import Alarm, AlarmKind, SensorKind

__all__ = ["alarm_message"]

_QUANTITY = {
    SensorKind.TEMPERATURE: {"zh": "温度", "en": "temperature"},
    SensorKind.HUMIDITY: {"zh": "相对湿度", "en": "relative humidity"},
}
_TEXTS = {
    AlarmKind.HIGH: {
        "zh": "{quantity}最高 {worst}，高于上限 {limit}",
        "en": "{quantity} up to {worst}, above the limit of {limit}",
    },
    AlarmKind.LOW: {
        "zh": "{quantity}最低 {worst}，低于下限 {limit}",
        "en": "{quantity} down to {worst}, below the limit of {limit}",
    },
    AlarmKind.DRIFT: {
        "zh": "{quantity} 24 小时波动 {worst}，超过允许的 {limit}",
        "en": "{quantity} moved {worst} within 24 hours, more than the allowed {limit}",
    },
    AlarmKind.SILENT: {"zh": "传感器失联", "en": "the sensor is silent"},
}
_REMOVED = {"zh": "数值", "en": "value"}


def alarm_message(alarm: Alarm, kind: SensorKind | None, language: Language) -> str:
    """`kind` is None when the sensor has been removed."""
    unit = "" if kind is None else f" {kind.unit}"
    text = _TEXTS[alarm.kind][language].format(
        quantity=_REMOVED[language] if kind is None else _QUANTITY[kind][language],
        worst=_figure(alarm.worst_value, unit),
        limit=_figure(alarm.limit, unit),
    )
    return text[:1].upper() + text[1:]


def _figure(value: float | None, unit: str) -> str:
    return "?" if value is None else f"{value:.4g}{unit}"
