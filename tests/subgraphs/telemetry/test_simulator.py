"""Simulated days are plausible, the same for the same seed, and arrive over real MQTT."""

from __future__ import annotations

import asyncio
import statistics
from collections import Counter
from datetime import timedelta

from subgraphs.telemetry.broker import start_embedded_broker
from subgraphs.telemetry.ingest import mqtt_client
from subgraphs.telemetry.model import SensorKind, WarehouseRef
from subgraphs.telemetry.profiles import load_profiles
from subgraphs.telemetry.registry import profile_for, sensors_for
from subgraphs.telemetry.simulator import SimulatedSensor, run_simulator
from subgraphs.telemetry.topics import parse_payload, topic_of
from tests.subgraphs.telemetry.parts import NOON, SENSORS, HandClock

PROFILES = load_profiles()
MINUTE = timedelta(minutes=1)


def _day(sensor: SimulatedSensor) -> list[float | None]:
    return [sensor.value_at(NOON + MINUTE * n) for n in range(24 * 60)]


def _many(profile: str, count: int = 60) -> list[SimulatedSensor]:
    warehouses = [WarehouseRef(f"warehouse:330106:{n}", str(n), profile) for n in range(count)]
    return [SimulatedSensor(each, PROFILES[profile], 2022) for each in sensors_for(warehouses)]


def test_the_same_seed_tells_the_same_day_and_another_another() -> None:
    spec = SENSORS[0]
    first, again = (SimulatedSensor(spec, PROFILES[spec.profile], 1) for _ in range(2))
    assert _day(first) == _day(again)
    assert _day(first) != _day(SimulatedSensor(spec, PROFILES[spec.profile], 2))


def test_a_value_depends_on_its_time_alone() -> None:
    spec = SENSORS[0]
    forwards, backwards = (SimulatedSensor(spec, PROFILES[spec.profile], 1) for _ in range(2))
    times = [NOON + MINUTE * n for n in range(0, 2000, 7)]
    told = {at: forwards.value_at(at) for at in times}
    assert {at: backwards.value_at(at) for at in reversed(times)} == told


def test_most_readings_are_in_range_and_some_are_not() -> None:
    for profile in PROFILES:
        inside: Counter[bool] = Counter()
        for sensor in _many(profile):
            limits = PROFILES[profile].ranges[sensor.sensor.kind]
            inside.update(limits.contains(value) for value in _day(sensor)[::5] if value is not None)
        share = inside[True] / inside.total()
        assert 0.9 < share < 1.0, (profile, share)


def test_some_sensors_fail_for_a_while_and_come_back() -> None:
    silent_minutes = [sum(value is None for value in _day(sensor)) for sensor in _many("paper-archives")]
    failed = [minutes for minutes in silent_minutes if minutes]
    assert failed
    assert len(failed) < len(silent_minutes) / 4
    assert all(8 <= minutes <= 2 * 40 for minutes in failed)


def test_afternoons_are_warmer_and_humidity_keeps_its_bounds() -> None:
    sensors = [each for each in _many("paper-archives") if each.sensor.kind is SensorKind.TEMPERATURE]

    def mean(hour_in_hangzhou: int) -> float:
        at = NOON + timedelta(hours=hour_in_hangzhou - 12)
        return statistics.mean(v for each in sensors if (v := each.value_at(at)) is not None)

    assert mean(15) > mean(21) > mean(27) + 0.5
    for sensor in _many("general-goods", 10):
        if sensor.sensor.kind is SensorKind.HUMIDITY:
            assert all(1 <= value <= 99 for value in _day(sensor) if value is not None)


def test_sensors_follow_from_warehouses_alone() -> None:
    warehouses = [WarehouseRef("warehouse:330127:B", "b"), WarehouseRef("warehouse:330106:A%2F1", "a")]
    sensors = sensors_for(warehouses, pairs=2)
    assert sensors == sensors_for(list(reversed(warehouses)), pairs=2)
    assert len({each.id for each in sensors}) == len({topic_of(each) for each in sensors}) == 8
    assert [each.id for each in sensors[:4]] == [f"sensor:330106:A%2F1-{end}" for end in ("T1", "H1", "T2", "H2")]


def test_a_warehouses_name_suggests_its_profile() -> None:
    names = ("区档案馆库房", "光盘介质库", "西湖区公物仓")
    assert [profile_for(name) for name in names] == ["paper-archives", "optical-media", "general-goods"]


async def test_the_simulator_publishes_every_sensor_once_a_round() -> None:
    async with await start_embedded_broker() as broker, mqtt_client(broker.url) as listener:
        await listener.subscribe("gwc/v1/+/+/+/reading", qos=1)
        clock = HandClock()
        await run_simulator(broker.url, SENSORS, interval_s=0.05, rounds=1, clock=clock)
        seen = {}
        async with asyncio.timeout(5):
            async for message in listener.messages:
                seen[str(message.topic)] = parse_payload(message.payload)
                if len(seen) == len(SENSORS):
                    break
        assert set(seen) == {topic_of(each) for each in SENSORS}
        for each in SENSORS:
            simulated = SimulatedSensor(each, PROFILES[each.profile], 2022)
            assert seen[topic_of(each)].value == simulated.value_at(clock.now)


async def test_the_simulator_can_tell_the_past_first() -> None:
    async with await start_embedded_broker() as broker, mqtt_client(broker.url) as listener:
        await listener.subscribe("gwc/v1/+/+/+/reading", qos=1)
        clock = HandClock()
        await run_simulator(
            broker.url, SENSORS[:1], interval_s=0.01, rounds=0, clock=clock, backfill=timedelta(hours=1)
        )
        async with asyncio.timeout(5):
            times = [parse_payload((await anext(aiter(listener.messages))).payload).at for _ in range(6)]
        assert times == [NOON - timedelta(minutes=minutes) for minutes in (60, 50, 40, 30, 20, 10)]


async def test_the_simulator_waits_for_a_broker_that_is_away() -> None:
    broker = await start_embedded_broker()
    port = broker.port
    await broker.stop()
    running = asyncio.create_task(run_simulator(f"mqtt://127.0.0.1:{port}", SENSORS, interval_s=0.05, rounds=1))
    async with asyncio.timeout(10):
        await asyncio.sleep(0.05)
        async with await start_embedded_broker(port):
            await running
