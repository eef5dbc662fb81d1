"""The MQTT topics and payloads of sensors, as docs/telemetry.md publishes them.

    gwc/v1/<region>/<warehouse key>/<sensor key>/reading     {"at": "2022-07-01T08:00:00Z", "value": 21.5}

Keys are percent-encoded as in global ids, so that `/`, `+`, `#` and 汉字 of legacy keys are safe. `at` is RFC 3339
with an offset, or left out: then the time of arrival counts. What does not fit is `Refused` with a code, never more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson

from contract.ids import GlobalId, InvalidId, parse_id
from subgraphs.telemetry.model import SensorSpec

__all__ = [
    "Refused",
    "SensorReport",
    "encode_payload",
    "parse_payload",
    "parse_topic",
    "subscription_filter",
    "topic_of",
]

ROOT = "gwc/v1"
PAYLOAD_BYTES_MAX = 1024
VALUE_MAX = 1e6
"""Beyond any climate: a larger value is a broken sensor."""


class Refused(ValueError):
    """A message that is dropped; `code` says why and is counted."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class SensorReport:
    """What a sensor said."""

    at: datetime | None
    value: float


def topic_of(sensor: SensorSpec) -> str:
    warehouse = parse_id(sensor.warehouse_id)
    return f"{ROOT}/{warehouse.region}/{quote(warehouse.native, safe='')}/{quote(sensor.key, safe='')}/reading"


def subscription_filter(region: str | None = None) -> str:
    return f"{ROOT}/{region or '+'}/+/+/reading"


def parse_topic(topic: str) -> tuple[str, str]:
    """The sensor's id and the warehouse's. Raises `Refused`."""
    parts = topic.split("/")
    if len(parts) != 6 or "/".join(parts[:2]) != ROOT or parts[5] != "reading":
        raise Refused("BAD_TOPIC", f"the topic is not {ROOT}/<region>/<warehouse>/<sensor>/reading")
    region, warehouse, sensor = parts[2:5]
    return _id("sensor", region, sensor), _id("warehouse", region, warehouse)


def _id(kind: str, region: str, escaped: str) -> str:
    text = f"{kind}:{region}:{escaped}"
    try:
        parsed: GlobalId = parse_id(text, kind)
    except InvalidId as error:
        raise Refused("BAD_TOPIC", str(error)) from None
    return str(parsed)


def encode_payload(at: datetime, value: float) -> bytes:
    return orjson.dumps({"at": at, "value": value}, option=orjson.OPT_UTC_Z)


def parse_payload(payload: Any) -> SensorReport:
    """Read a sensor's JSON. Raises `Refused`."""
    if not isinstance(payload, bytes | bytearray):
        raise Refused("BAD_PAYLOAD", "the payload is not bytes")
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise Refused("PAYLOAD_TOO_LARGE", f"a reading has at most {PAYLOAD_BYTES_MAX} bytes, this one {len(payload)}")
    try:
        record = orjson.loads(payload)
    except ValueError:
        raise Refused("BAD_PAYLOAD", "the payload is not JSON") from None
    if not isinstance(record, dict):
        raise Refused("BAD_PAYLOAD", 'the payload is not an object such as {"at": …, "value": 21.5}')
    return SensorReport(_time(record.get("at")), _value(record.get("value")))


def _value(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused("BAD_VALUE", "`value` is not a number")
    if not math.isfinite(value) or abs(value) > VALUE_MAX:
        raise Refused("BAD_VALUE", "`value` is beyond any climate")
    return float(value)


def _time(at: Any) -> datetime | None:
    if at is None:
        return None
    if not isinstance(at, str):
        raise Refused("BAD_TIME", "`at` is not a text such as 2022-07-01T08:00:00Z")
    try:
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise Refused("BAD_TIME", "`at` has no offset: end it with Z or +08:00")
        return moment.astimezone(UTC)
    except Refused:
        raise
    except (ValueError, OverflowError):
        raise Refused("BAD_TIME", "`at` is not a time such as 2022-07-01T08:00:00Z") from None
