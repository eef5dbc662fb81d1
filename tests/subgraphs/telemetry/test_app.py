"""The telemetry subgraph from outside: sensors publish over real MQTT, clients ask over HTTP and websocket."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiomqtt
import pytest

from contract.identity import Identity, Role
from subgraphs.telemetry.app import TelemetryOptions, served_schema
from subgraphs.telemetry.broker import start_embedded_broker
from subgraphs.telemetry.ingest import mqtt_client
from subgraphs.telemetry.model import SensorSpec
from subgraphs.telemetry.registry import sensors_for
from subgraphs.telemetry.topics import encode_payload, topic_of
from tests.services import Server
from tests.subgraphs.telemetry.parts import (
    ARCHIVE,
    FAR_THERMOMETER,
    HYGROMETER,
    SENSORS,
    THERMOMETER,
    HandClock,
    WarehouseRef,
)
from tests.subgraphs.telemetry.served import VERIFIER, Client, serving, until

READINGS = """subscription($regions: [ID!], $warehouseIds: [ID!], $kind: SensorKind) {
  readings(regions: $regions, warehouseIds: $warehouseIds, kind: $kind) {
    value unit inRange at sensor { id label kind region { code } warehouse { id } }
  }
}"""
ALARMS = "subscription { alarmEvents { kind at alarm { id kind active acknowledged worstValue limit message } } }"
KEEPER = Identity("keeper-1", region="330106", roles=frozenset({Role.KEEPER}))
STRANGER = Identity("keeper-2", region="330127", roles=frozenset({Role.KEEPER}))
APPLICANT = Identity("applicant-1", region="330106", roles=frozenset({Role.APPLICANT}))
CITY = Identity("city-1", region="330100", roles=frozenset({Role.CITY_OFFICER}))


@pytest.fixture(params=["embedded", "mosquitto"])
async def mqtt_url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    if request.param == "mosquitto":
        server: Server = request.getfixturevalue("mosquitto_server")
        yield server.url
        return
    async with await start_embedded_broker() as broker:
        yield broker.url


@pytest.fixture
async def embedded() -> AsyncIterator[str]:
    async with await start_embedded_broker() as broker:
        yield broker.url


class _Sensors:
    """Sensors that publish by the test's clock."""

    def __init__(self, client: aiomqtt.Client, clock: HandClock) -> None:
        self._client = client
        self._clock = clock

    async def say(self, value: float, sensor: SensorSpec = THERMOMETER, **later: float) -> None:
        self._clock.move(**later)
        await self._client.publish(topic_of(sensor), encode_payload(self._clock.now, value), qos=1)

    async def send(self, topic: str, payload: bytes) -> None:
        await self._client.publish(topic, payload, qos=1)


def _options(url: str, clock: HandClock, **more: Any) -> TelemetryOptions:
    return TelemetryOptions(sensors=SENSORS, mqtt_url=url, clock=clock, verifier=VERIFIER, **more)


def test_the_schema_serves_the_published_contract_exactly() -> None:
    assert served_schema().problems() == []


async def test_a_reading_reaches_a_subscription_with_the_keys_of_warehouse_and_region(mqtt_url: str) -> None:
    clock = HandClock()
    async with (
        serving(_options(mqtt_url, clock)) as client,
        mqtt_client(mqtt_url) as mqtt,
        client.subscribe(READINGS) as stream,
    ):
        await _Sensors(mqtt, clock).say(21.5)
        assert await stream.next() == {
            "readings": {
                "value": 21.5,
                "unit": "°C",
                "inRange": True,
                "at": "2022-07-01T04:00:00.000Z",
                "sensor": {
                    "id": "sensor:330106:A%2F1-T1",
                    "label": "温度 1",
                    "kind": "TEMPERATURE",
                    "region": {"code": "330106"},
                    "warehouse": {"id": "warehouse:330106:A%2F1"},
                },
            }
        }


async def test_an_alarm_is_raised_acknowledged_and_cleared_before_the_subscribers_eyes(mqtt_url: str) -> None:
    clock = HandClock()
    async with serving(_options(mqtt_url, clock)) as client, mqtt_client(mqtt_url) as mqtt:
        sensors = _Sensors(mqtt, clock)
        async with client.subscribe(ALARMS) as stream:
            await sensors.say(25)
            await sensors.say(26, seconds=120)
            raised = (await stream.next())["alarmEvents"]
            assert raised["kind"] == "RAISED"
            assert raised["alarm"]["message"] == "温度最高 26 °C，高于上限 24 °C"
            alarm_id = raised["alarm"]["id"]
            answer = await client.data(_ACKNOWLEDGE, KEEPER, id=alarm_id, note="空调已报修")
            assert answer["acknowledgeAlarm"]["problems"] == []
            acknowledged = (await stream.next())["alarmEvents"]
            assert (acknowledged["kind"], acknowledged["alarm"]["acknowledged"]) == ("ACKNOWLEDGED", True)
            await sensors.say(23, seconds=60)
            cleared = (await stream.next())["alarmEvents"]
            assert (cleared["kind"], cleared["alarm"]["id"]) == ("CLEARED", alarm_id)
            assert cleared["alarm"]["acknowledged"], "the clearing does not forget who acknowledged"
            assert not cleared["alarm"]["active"]


_ACKNOWLEDGE = """mutation($id: ID!, $note: String) {
  acknowledgeAlarm(input: { alarmId: $id, note: $note }) {
    alarm { id acknowledged acknowledgedBy note acknowledgedAt } problems { code path message remedy }
  }
}"""


async def _raised(client: Client, sensors: _Sensors) -> str:
    await sensors.say(25)
    await sensors.say(26, seconds=120)
    ingest = client.telemetry.ingest
    assert ingest is not None
    await until(lambda: ingest.stats.accepted == 2)
    data = await client.data("{ alarms(active: true) { nodes { id } } }")
    return str(data["alarms"]["nodes"][0]["id"])


async def test_who_may_acknowledge(embedded: str) -> None:
    clock = HandClock()
    async with serving(_options(embedded, clock)) as client, mqtt_client(embedded) as mqtt:
        alarm_id = await _raised(client, _Sensors(mqtt, clock))
        for identity, code in ((None, "UNAUTHENTICATED"), (STRANGER, "FORBIDDEN"), (APPLICANT, "FORBIDDEN")):
            answer = await client.ask(_ACKNOWLEDGE, identity, id=alarm_id)
            assert answer["errors"][0]["extensions"]["code"] == code
        assert (await client.data("{ alarms { nodes { acknowledged } } }"))["alarms"]["nodes"] == [
            {"acknowledged": False}
        ]
        first = await client.data(_ACKNOWLEDGE, KEEPER, id=alarm_id, note="空调已报修")
        again = await client.data(_ACKNOWLEDGE, CITY, id=alarm_id, note="another note")
        assert first == again, "acknowledging again changes nothing"
        assert first["acknowledgeAlarm"]["alarm"]["acknowledgedBy"] == "keeper-1"


async def test_who_acknowledged_is_for_the_region_alone(embedded: str) -> None:
    clock = HandClock()
    async with serving(_options(embedded, clock)) as client, mqtt_client(embedded) as mqtt:
        alarm_id = await _raised(client, _Sensors(mqtt, clock))
        await client.data(_ACKNOWLEDGE, KEEPER, id=alarm_id, note="空调已报修")
        query = "query($id: ID!) { alarm(id: $id) { acknowledged acknowledgedBy note } }"
        hidden = {"acknowledged": True, "acknowledgedBy": None, "note": None}
        shown = {"acknowledged": True, "acknowledgedBy": "keeper-1", "note": "空调已报修"}
        for identity, expected in ((None, hidden), (STRANGER, hidden), (APPLICANT, shown), (CITY, shown)):
            assert (await client.data(query, identity, id=alarm_id))["alarm"] == expected


async def test_a_refusal_is_data_in_the_readers_language(embedded: str) -> None:
    async with serving(_options(embedded, HandClock())) as client:
        answer = await client.data(_ACKNOWLEDGE, KEEPER, id="alarm:330106:none")
        (problem,) = answer["acknowledgeAlarm"]["problems"]
        assert problem["code"] == "ALARM_NOT_FOUND"
        assert problem["path"] == ["input", "alarmId"]
        assert problem["message"] == "There is no such alarm."
        answer = await client.ask(_ACKNOWLEDGE, KEEPER, language="zh-CN", id="alarm:330106:none")
        assert answer["data"]["acknowledgeAlarm"]["problems"][0]["message"] == "没有这条预警。"
        answer = await client.data(_ACKNOWLEDGE, KEEPER, id="alarm:330106:none", note="x" * 501)
        assert answer["acknowledgeAlarm"]["problems"][0]["code"] == "NOTE_TOO_LONG"


async def test_a_subscription_gets_only_what_it_asked_for(embedded: str) -> None:
    clock = HandClock()
    async with serving(_options(embedded, clock)) as client, mqtt_client(embedded) as mqtt:
        sensors = _Sensors(mqtt, clock)
        async with (
            client.subscribe(READINGS, regions=["330127"]) as far,
            client.subscribe(READINGS, warehouseIds=[ARCHIVE.id], kind="HUMIDITY") as humid,
        ):
            await sensors.say(20)
            await sensors.say(50, HYGROMETER)
            await sensors.say(22, FAR_THERMOMETER)
            assert (await far.next())["readings"]["sensor"]["id"] == FAR_THERMOMETER.id
            assert (await humid.next())["readings"]["value"] == 50


async def test_an_unknown_region_or_a_bad_id_is_refused(embedded: str) -> None:
    async with serving(_options(embedded, HandClock())) as client:
        for query in (
            '{ sensors(regions: ["330199"]) { totalCount } }',
            '{ alarms(warehouseIds: ["A/1"]) { totalCount } }',
            "{ sensors(first: 501) { totalCount } }",
            "{ sensors(first: -1) { totalCount } }",
            '{ alarms(after: "nonsense") { totalCount } }',
        ):
            answer = await client.ask(query)
            assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT", query
        socket = await client.http.ws_connect(f"{client.url}/graphql", protocols=["graphql-transport-ws"])
        async with socket:
            await socket.send_json({"type": "connection_init"})
            await socket.receive_json()
            query = 'subscription { readings(regions: ["330199"]) { value } }'
            await socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": query}})
            message = await socket.receive_json(timeout=5)
            assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "BAD_USER_INPUT")


async def test_bad_messages_are_counted_and_harm_nothing(mqtt_url: str) -> None:
    clock = HandClock()
    async with serving(_options(mqtt_url, clock)) as client, mqtt_client(mqtt_url) as mqtt:
        sensors = _Sensors(mqtt, clock)
        async with client.subscribe(READINGS) as stream:
            topic = topic_of(THERMOMETER)
            await sensors.send(topic, b"\xff\xfe")
            await sensors.send(topic, b"{}")
            await sensors.send(topic, b'{"value": 1, "at": "2030-01-01T00:00:00Z"}')
            await sensors.send(topic, b'{"value": 1, "at": "1999-01-01T00:00:00Z"}')
            await sensors.send(topic, b'{"value": 1}' + b" " * 5000)
            await sensors.send("gwc/v1/330106/A%2F1/unknown/reading", b'{"value": 1}')
            await sensors.send("gwc/v1/330106/B/A%2F1-T1/reading", b'{"value": 1}')
            await sensors.say(20)
            assert (await stream.next())["readings"]["value"] == 20
        async with client.http.get(f"{client.url}/health") as answer:
            health = await answer.json()
        assert health["mqtt"] == "connected"
        assert health["ingest"]["accepted"] == 1
        assert health["ingest"]["dropped"] == {
            "BAD_PAYLOAD": 1,
            "BAD_VALUE": 1,
            "CLOCK_AHEAD": 1,
            "TOO_OLD": 1,
            "PAYLOAD_TOO_LARGE": 1,
            "UNKNOWN_SENSOR": 1,
            "WRONG_WAREHOUSE": 1,
        }


async def test_a_screen_of_sensors_with_state_last_reading_and_alarms(embedded: str) -> None:
    clock = HandClock()
    async with serving(_options(embedded, clock)) as client, mqtt_client(embedded) as mqtt:
        await _raised(client, _Sensors(mqtt, clock))
        data = await client.data(
            """{ sensors(regions: ["330106"]) { totalCount pageInfo { hasNextPage }
                 nodes { id state lastReading { value inRange } readings(last: 1) { value }
                         profile { code standard ranges { kind min max unit } } alarms(active: true) { kind } } } }"""
        )
        connection = data["sensors"]
        assert (connection["totalCount"], connection["pageInfo"]["hasNextPage"]) == (2, False)
        humid, warm = connection["nodes"]
        assert (humid["state"], humid["lastReading"], humid["readings"]) == ("NO_DATA", None, [])
        assert (warm["state"], warm["lastReading"]) == ("OUT_OF_RANGE", {"value": 26, "inRange": False})
        assert warm["readings"] == [{"value": 26}]
        assert warm["alarms"] == [{"kind": "HIGH"}]
        assert warm["profile"]["standard"] == "JGJ 25-2010"
        assert warm["profile"]["ranges"][0] == {"kind": "TEMPERATURE", "min": 14, "max": 24, "unit": "°C"}


async def test_entities_are_found_by_their_keys(embedded: str) -> None:
    clock = HandClock()
    async with serving(_options(embedded, clock)) as client, mqtt_client(embedded) as mqtt:
        alarm_id = await _raised(client, _Sensors(mqtt, clock))
        data = await client.data(
            """query($r: [_Any!]!) { _entities(representations: $r) {
                 ... on Region { code activeAlarms }
                 ... on Warehouse { id sensors { id } alarms(active: true) { id } }
                 ... on Sensor { id label }
                 ... on Alarm { id kind } } }""",
            r=[
                {"__typename": "Region", "code": "330106"},
                {"__typename": "Region", "code": "330127"},
                {"__typename": "Warehouse", "id": ARCHIVE.id},
                {"__typename": "Warehouse", "id": "warehouse:330105:without-sensors"},
                {"__typename": "Sensor", "id": THERMOMETER.id},
                {"__typename": "Sensor", "id": "sensor:330106:unknown"},
                {"__typename": "Alarm", "id": alarm_id},
                {"__typename": "Alarm", "id": "alarm:330106:unknown"},
            ],
        )
        assert data["_entities"] == [
            {"code": "330106", "activeAlarms": 1},
            {"code": "330127", "activeAlarms": 0},
            {
                "id": ARCHIVE.id,
                "sensors": [{"id": HYGROMETER.id}, {"id": THERMOMETER.id}],
                "alarms": [{"id": alarm_id}],
            },
            {"id": "warehouse:330105:without-sensors", "sensors": [], "alarms": []},
            {"id": THERMOMETER.id, "label": "温度 1"},
            None,
            {"id": alarm_id, "kind": "HIGH"},
            None,
        ]


async def test_pages_hold_every_sensor_once_in_order(embedded: str) -> None:
    warehouses = [WarehouseRef(f"warehouse:330105:{n:03d}", str(n)) for n in range(20)]
    options = TelemetryOptions(sensors=sensors_for(warehouses), mqtt_url=embedded)
    async with serving(options) as client:
        seen: list[str] = []
        after = None
        while True:
            page = (
                await client.data(
                    """query($after: String) { sensors(first: 7, after: $after) {
                         nodes { id } totalCount pageInfo { hasNextPage endCursor } } }""",
                    after=after,
                )
            )["sensors"]
            assert page["totalCount"] == 40
            seen += [node["id"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert seen == sorted(each.id for each in options.sensors)


async def test_too_long_histories_are_refused_as_a_whole(embedded: str) -> None:
    warehouses = [WarehouseRef(f"warehouse:330105:{n:03d}", str(n)) for n in range(20)]
    async with serving(TelemetryOptions(sensors=sensors_for(warehouses), mqtt_url=embedded)) as client:
        answer = await client.ask("{ sensors { nodes { readings(last: 2000) { value } } } }")
        assert answer["errors"][0]["extensions"]["code"] == "TOO_MANY_READINGS"


async def test_two_processes_serve_the_same_events_over_redis(
    embedded: str, redis_server: Server, postgres_database: str
) -> None:
    """One app takes readings, the other only serves; both share a PostgreSQL store and the Redis bus."""
    clock = HandClock()
    shared = TelemetryOptions(
        sensors=SENSORS,
        clock=clock,
        verifier=VERIFIER,
        bus_url=redis_server.url,
        bus_prefix=f"gwc-test-{uuid.uuid4().hex[:8]}",
        store_url=postgres_database.replace("postgresql://", "postgresql+asyncpg://"),
    )
    async with (
        serving(replace(shared, mqtt_url=embedded)) as taking,
        serving(shared) as serving_only,
        mqtt_client(embedded) as mqtt,
    ):
        sensors = _Sensors(mqtt, clock)
        async with serving_only.subscribe(READINGS) as readings, serving_only.subscribe(ALARMS) as alarms:
            await sensors.say(25)
            assert (await readings.next())["readings"]["value"] == 25
            await sensors.say(26, seconds=120)
            raised = (await alarms.next())["alarmEvents"]
            assert raised["kind"] == "RAISED"
            done = await serving_only.data(_ACKNOWLEDGE, KEEPER, id=raised["alarm"]["id"])
            assert done["acknowledgeAlarm"]["alarm"]["acknowledged"]
            assert (await alarms.next())["alarmEvents"]["kind"] == "ACKNOWLEDGED"
        seen = await taking.data("{ alarms { nodes { acknowledged } totalCount } }")
        assert seen["alarms"] == {"nodes": [{"acknowledged": True}], "totalCount": 1}


async def test_a_lost_broker_is_joined_again() -> None:
    clock = HandClock()
    broker = await start_embedded_broker()
    async with serving(_options(broker.url, clock)) as client, client.subscribe(READINGS) as stream:
        ingest = client.telemetry.ingest
        assert ingest is not None
        await broker.stop()
        await until(lambda: not ingest.connected.is_set())
        async with await start_embedded_broker(broker.port) as again, mqtt_client(again.url) as mqtt:
            async with asyncio.timeout(10):
                await ingest.connected.wait()
            await _Sensors(mqtt, clock).say(19)
            assert (await stream.next())["readings"]["value"] == 19


async def test_five_hundred_readings_a_second_are_kept_up_with(mosquitto_server: Server) -> None:
    """Three thousand readings of 250 sensors as fast as they come: all stored, all seen, in less than six seconds."""
    count = 3_000
    warehouses = [WarehouseRef(f"warehouse:330106:load-{n}", str(n)) for n in range(125)]
    sensors = sensors_for(warehouses)
    options = TelemetryOptions(sensors=sensors, mqtt_url=mosquitto_server.url)
    async with (
        serving(options) as client,
        mqtt_client(mosquitto_server.url) as mqtt,
        client.subscribe("subscription { readings { value } }") as stream,
    ):
        ingest = client.telemetry.ingest
        assert ingest is not None

        async def publish() -> None:
            for n in range(count):
                payload = encode_payload(client.telemetry.clock(), float(n))
                await mqtt.publish(topic_of(sensors[n % len(sensors)]), payload, qos=1)

        async def watch() -> list[float]:
            return [(await stream.next())["readings"]["value"] for _ in range(count)]

        began = time.monotonic()
        _, seen = await asyncio.gather(publish(), watch())
        assert time.monotonic() - began < count / 500
        assert seen == [float(n) for n in range(count)]
        assert ingest.stats.accepted == count
        await ingest.flush()
        newest = await client.telemetry.store.readings(sensors[0].id, last=100)
        assert len(newest) == count / len(sensors)
