"""Topics and payloads: what sensors may say, and what is refused with which code."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.ids import format_id
from subgraphs.telemetry.model import SensorKind, SensorSpec
from subgraphs.telemetry.topics import Refused, encode_payload, parse_payload, parse_topic, topic_of
from tests.subgraphs.telemetry.parts import THERMOMETER

_KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def test_a_topic_names_region_warehouse_and_sensor() -> None:
    assert topic_of(THERMOMETER) == "gwc/v1/330106/A%2F1/A%2F1-T1/reading"
    assert parse_topic("gwc/v1/330106/A%2F1/A%2F1-T1/reading") == ("sensor:330106:A%2F1-T1", "warehouse:330106:A%2F1")


@given(_KEYS, _KEYS)
def test_any_legacy_key_travels_in_a_topic(warehouse: str, key: str) -> None:
    sensor = SensorSpec(
        format_id("sensor", "330106", key),
        SensorKind.HUMIDITY,
        "湿度",
        format_id("warehouse", "330106", warehouse),
        "general-goods",
    )
    topic = topic_of(sensor)
    assert not set(topic) & set("+#")
    assert parse_topic(topic) == (sensor.id, sensor.warehouse_id)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "gwc/v1/330106/A/T1",
        "gwc/v2/330106/A/T1/reading",
        "gwc/v1/330106/A/T1/reading/more",
        "gwc/v1/330106//T1/reading",
        "gwc/v1/330106/A/a:b/reading",
        "gwc/v1/330106/A/%ff/reading",
        "gwc/v1/330106/A/" + "x" * 600 + "/reading",
    ],
)
def test_another_topic_is_refused(topic: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_topic(topic)
    assert refused.value.code == "BAD_TOPIC"


def test_a_payload_is_time_and_value() -> None:
    at = datetime(2022, 7, 1, 8, 0, 0, 500_000, tzinfo=UTC)
    report = parse_payload(encode_payload(at, 21.5))
    assert (report.at, report.value) == (at, 21.5)


def test_a_time_with_another_offset_is_the_same_moment() -> None:
    assert parse_payload(b'{"at": "2022-07-01T08:00:00+08:00", "value": 1}').at == datetime(2022, 7, 1, tzinfo=UTC)


def test_without_a_time_the_arrival_counts() -> None:
    assert parse_payload(b'{"value": 21}').at is None


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "BAD_PAYLOAD"),
        (b"\xff\xfe", "BAD_PAYLOAD"),
        (b"21.5", "BAD_PAYLOAD"),
        (b"[]", "BAD_PAYLOAD"),
        (None, "BAD_PAYLOAD"),
        (b'{"value": 1}' + b" " * 2000, "PAYLOAD_TOO_LARGE"),
        (b"{}", "BAD_VALUE"),
        (b'{"value": "21"}', "BAD_VALUE"),
        (b'{"value": true}', "BAD_VALUE"),
        (b'{"value": null}', "BAD_VALUE"),
        (b'{"value": 1e300}', "BAD_VALUE"),
        (b'{"value": 1' + b"0" * 400 + b"}", "BAD_PAYLOAD"),
        (b'{"at": 5, "value": 1}', "BAD_TIME"),
        (b'{"at": "yesterday", "value": 1}', "BAD_TIME"),
        (b'{"at": "2022-07-01T08:00:00", "value": 1}', "BAD_TIME"),
        (b'{"at": "0001-01-01T00:00:00+14:00", "value": 1}', "BAD_TIME"),
    ],
)
def test_what_is_no_reading_is_refused_with_its_code(payload: object, code: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_payload(payload)
    assert refused.value.code == code


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(payload: bytes) -> None:
    with contextlib.suppress(Refused):
        parse_payload(payload)
