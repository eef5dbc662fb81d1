"""The way of a reading, with a clock moved by hand and no broker."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from subgraphs.telemetry.ingest import mqtt_client
from subgraphs.telemetry.model import AlarmEventKind, AlarmKind, SensorSpec
from subgraphs.telemetry.profiles import load_profiles
from subgraphs.telemetry.registry import SensorRegistry
from subgraphs.telemetry.topics import encode_payload, topic_of
from tests.subgraphs.telemetry.parts import (
    ARCHIVE,
    FAR_THERMOMETER,
    NOON,
    SENSORS,
    THERMOMETER,
    Bench,
    HandClock,
    bench,
)
from tests.subgraphs.telemetry.served import until

RAISED, CLEARED = AlarmEventKind.RAISED, AlarmEventKind.CLEARED


async def _fall_silent(at: Bench) -> None:
    at.clock.move(seconds=181)
    await at.ingest.tick()


async def test_an_alarm_is_stored_before_it_is_told() -> None:
    async with bench() as at:
        await at.report(25)
        await at.report(26, seconds=120)
        change = await at.next_change()
        assert (change.kind, change.alarm.kind, change.alarm.sensor_id) == (RAISED, AlarmKind.HIGH, THERMOMETER.id)
        assert await at.store.alarm(change.alarm.id) == change.alarm


async def test_every_silent_sensor_is_an_alarm_and_clears_when_it_speaks() -> None:
    async with bench() as at:
        await at.report(20)
        await _fall_silent(at)
        raised = [await at.next_change() for _ in SENSORS]
        assert {change.alarm.sensor_id for change in raised} == {each.id for each in SENSORS}
        await at.report(20, seconds=5)
        cleared = await at.next_change()
        assert (cleared.kind, cleared.alarm.kind, cleared.alarm.sensor_id) == (
            CLEARED,
            AlarmKind.SILENT,
            THERMOMETER.id,
        )
        assert len(await at.store.open_alarms()) == len(SENSORS) - 1


async def test_a_restart_takes_up_open_alarms_and_raises_none_twice(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/t.sqlite"
    clock = HandClock()
    async with bench(clock, url) as at:
        await at.report(25)
        await at.report(26, seconds=120)
        raised = await at.next_change()
    clock.move(hours=1)
    async with bench(clock, url) as at:
        await at.report(27)
        await at.ingest.flush()
        assert [each.id for each in await at.store.open_alarms()] == [raised.alarm.id]
        await at.report(20, seconds=60)
        cleared = await at.next_change()
        assert (cleared.kind, cleared.alarm.id, cleared.alarm.worst_value) == (CLEARED, raised.alarm.id, 27)


async def test_a_restart_continues_the_time_out_of_range(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/t.sqlite"
    clock = HandClock()
    async with bench(clock, url) as at:
        await at.report(25)
    async with bench(clock, url) as at:
        await at.report(25, seconds=120)
        change = await at.next_change()
        assert (change.kind, change.alarm.since) == (RAISED, NOON)


async def test_a_device_that_sends_what_it_had_stored_fills_the_history_and_nothing_else() -> None:
    async with bench() as at:
        await at.report(20, minutes=10)
        late = NOON + timedelta(minutes=1)
        await at.ingest.handle(topic_of(THERMOMETER), encode_payload(late, 99))
        await at.report(21, seconds=60)
        assert [(await at.next_reading()).value for _ in range(2)] == [20, 21]
        assert at.ingest.stats.late == 1
        await at.ingest.flush()
        assert [each.value for each in await at.store.readings(THERMOMETER.id, last=10)] == [99, 20, 21]
        assert (await at.store.last_readings())[THERMOMETER.id].value == 21


async def test_the_same_message_twice_is_one_reading() -> None:
    async with bench() as at:
        message = (topic_of(THERMOMETER), encode_payload(at.clock.now, 20))
        await at.ingest.handle(*message)
        await at.ingest.handle(*message)
        await at.ingest.flush()
        assert at.ingest.stats.repeated == 1
        assert len(await at.store.readings(THERMOMETER.id, last=10)) == 1


async def test_without_a_time_the_arrival_counts() -> None:
    async with bench() as at:
        await at.ingest.handle(topic_of(THERMOMETER), b'{"value": 20}')
        assert (await at.next_reading()).at == NOON


async def test_a_sensor_added_while_serving_is_taken_up() -> None:
    sensors = SensorRegistry([THERMOMETER], load_profiles())
    async with bench(make_registry=lambda: sensors) as at:
        await at.report(20, FAR_THERMOMETER)
        assert at.ingest.stats.dropped == {"UNKNOWN_SENSOR": 1}
        sensors.add([FAR_THERMOMETER])
        await at.report(21, FAR_THERMOMETER, seconds=1)
        assert (await at.next_reading()).sensor_id == FAR_THERMOMETER.id


async def test_while_the_store_is_away_alarms_are_told_and_nothing_is_lost(tmp_path: Path) -> None:
    """The store's tables are taken away and come back."""
    import aiosqlite

    file = tmp_path / "t.sqlite"
    async with bench(url=f"sqlite+aiosqlite:///{file}") as at:
        async with aiosqlite.connect(file) as other:
            await other.execute("ALTER TABLE telemetry_reading RENAME TO elsewhere")
            await other.execute("ALTER TABLE telemetry_alarm RENAME TO elsewhere_too")
            await other.commit()
            await at.report(25)
            await at.report(26, seconds=120)
            await at.ingest.flush()
            raised = await at.next_change()
            assert (raised.kind, raised.alarm.kind) == (RAISED, AlarmKind.HIGH)
            await other.execute("ALTER TABLE elsewhere RENAME TO telemetry_reading")
            await other.execute("ALTER TABLE elsewhere_too RENAME TO telemetry_alarm")
            await other.commit()
        await at.ingest.tick()
        await at.ingest.flush()
        assert await at.store.alarm(raised.alarm.id) == raised.alarm
        assert [each.value for each in await at.store.readings(THERMOMETER.id, last=10)] == [25, 26]
        await at.report(20, seconds=60)
        assert (await at.next_change()).kind is CLEARED, "the raising is not told twice"


async def test_history_is_bounded_by_age_while_running() -> None:
    async with bench() as at:
        await at.report(20)
        await at.ingest.flush()
        at.clock.move(hours=73)
        await at.report(21)
        await at.ingest.flush()
        await at.ingest.tick()
        assert [each.value for each in await at.store.readings(THERMOMETER.id, last=10)] == [21]


async def test_readings_reach_the_store_without_being_asked_for() -> None:
    async with bench() as at:
        await at.report(20)
        await at.next_reading()
        await until(lambda: not at.ingest._readings)
        assert len(await at.store.readings(THERMOMETER.id, last=10)) == 1


@pytest.mark.parametrize("url", ["http://broker", "mqtt://", "broker:1883"])
async def test_a_broker_url_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="mqtt://host:port"):
        mqtt_client(url)


def test_a_sensor_and_its_warehouse_lie_in_one_region() -> None:
    with pytest.raises(ValueError, match="different regions"):
        SensorSpec("sensor:330105:x", THERMOMETER.kind, "温度", ARCHIVE.id, "paper-archives")


def test_a_sensor_with_an_unknown_profile_is_refused() -> None:
    from dataclasses import replace

    with pytest.raises(ValueError, match=r"wine-cellar.*known are"):
        SensorRegistry([replace(THERMOMETER, profile="wine-cellar")], load_profiles())
