"""A reading sent to the broker reaches a subscription with what the districts know of its warehouse, within a second."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import aiomqtt
import orjson

from tests.system.client import Client
from tests.system.conftest import City

SENSORS = '{ sensors(regions: ["330106"], kind: TEMPERATURE, first: 1) { nodes { id label warehouse { id name region { name } } } } }'
READINGS = """
subscription Readings { readings(regions: ["330106"], kind: TEMPERATURE) {
  value inRange sensor { id warehouse { id name region { code name } } } } }
"""


async def test_from_mqtt_to_the_screen(city: City, anonymous: Client) -> None:
    sensor = (await anonymous(SENSORS)).data["sensors"]["nodes"][0]
    assert sensor["warehouse"]["name"]
    broker = city.process.wait_for(r"mqtt://127\.0\.0\.1:(\d+)").group(1)
    async with (
        anonymous.subscribe(READINGS) as events,
        aiomqtt.Client("127.0.0.1", int(broker)) as mqtt,
    ):
        topic = city_topic(sensor["id"], sensor["warehouse"]["id"])
        # The subscription is at work once a first reading has come through; the second one is timed.
        first = asyncio.create_task(anext(events))  # type: ignore[arg-type]
        while not first.done():
            await mqtt.publish(topic, reading(20.5), qos=1)
            await asyncio.wait([first], timeout=0.2)
        started = time.monotonic()
        await mqtt.publish(topic, reading(21.25), qos=1)
        while (event := (await anext(events))["readings"])["value"] != 21.25:
            pass
        elapsed = time.monotonic() - started
    assert event["sensor"]["id"] == sensor["id"]
    assert event["sensor"]["warehouse"] == {**sensor["warehouse"], "region": {"code": "330106", "name": "西湖区"}}
    assert elapsed < 1


def reading(value: float) -> bytes:
    return orjson.dumps({"at": datetime.now(UTC).isoformat(), "value": value})


def city_topic(sensor: str, warehouse: str) -> str:
    """The documented topic: gwc/v1/<region>/<warehouse key>/<sensor key>/reading."""
    _, region, sensor_key = sensor.split(":")
    return f"gwc/v1/{region}/{warehouse.split(':')[2]}/{sensor_key}/reading"
