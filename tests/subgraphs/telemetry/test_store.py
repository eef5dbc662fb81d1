"""What is kept, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from subgraphs.telemetry.model import Alarm, AlarmKind, Reading
from subgraphs.telemetry.store import AlarmQuery, Retention, TelemetryStore
from tests.subgraphs.telemetry.parts import ARCHIVE, FAR_THERMOMETER, NOON, STORE, THERMOMETER

RETENTION = Retention(readings=timedelta(hours=1), readings_per_sensor_max=5, cleared_alarms=timedelta(days=1))


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[TelemetryStore]:
    if request.param == "sqlite":
        url = None
    else:
        url = request.getfixturevalue("postgres_database").replace("postgresql://", "postgresql+asyncpg://")
    opened = TelemetryStore(url, RETENTION)
    await opened.open()
    yield opened
    await opened.close()


def _reading(minute: float, value: float = 20.0, sensor: str = THERMOMETER.id) -> Reading:
    at = NOON + timedelta(minutes=minute)
    return Reading(sensor, at, at + timedelta(seconds=1), value, True)


def _alarm(number: int, *, region: str = "330106", at: datetime = NOON) -> Alarm:
    near = region == "330106"
    return Alarm(
        id=f"alarm:{region}:{number}",
        kind=AlarmKind.HIGH,
        sensor_id=THERMOMETER.id if near else FAR_THERMOMETER.id,
        warehouse_id=ARCHIVE.id if near else STORE.id,
        since=at,
        raised_at=at,
        worst_value=25.5,
        limit=24.0,
    )


async def test_readings_come_back_as_they_were(store: TelemetryStore) -> None:
    readings = [_reading(n, 20 + n / 3) for n in range(4)]
    await store.record(readings)
    assert await store.readings(THERMOMETER.id, last=10) == readings
    assert await store.readings(THERMOMETER.id, last=2) == readings[2:]
    from_, to = NOON + timedelta(minutes=1), NOON + timedelta(minutes=3)
    assert await store.readings(THERMOMETER.id, from_=from_, to=to, last=10) == readings[1:3]
    assert await store.last_readings() == {THERMOMETER.id: readings[3]}


async def test_a_reading_that_is_kept_is_never_changed(store: TelemetryStore) -> None:
    await store.record([_reading(1, 20)])
    await store.record([_reading(1, 99), _reading(0, 19)])
    assert [each.value for each in await store.readings(THERMOMETER.id, last=10)] == [19, 20]
    assert (await store.last_readings())[THERMOMETER.id].value == 20


async def test_readings_are_bounded_by_count_and_age(store: TelemetryStore) -> None:
    await store.record([_reading(n) for n in range(8)] + [_reading(n, sensor=FAR_THERMOMETER.id) for n in range(3)])
    assert await store.prune(NOON + timedelta(minutes=8)) == 3
    assert [each.at for each in await store.readings(THERMOMETER.id, last=10)] == [_reading(n).at for n in range(3, 8)]
    assert len(await store.readings(FAR_THERMOMETER.id, last=10)) == 3
    await store.prune(NOON + timedelta(minutes=62))
    assert len(await store.readings(FAR_THERMOMETER.id, last=10)) == 1
    assert (await store.last_readings([FAR_THERMOMETER.id]))[FAR_THERMOMETER.id].at == _reading(2).at


async def test_hours_are_summed_in_the_store(store: TelemetryStore) -> None:
    await store.record([_reading(0, 10), _reading(30, 20), _reading(60, 7)])
    hours = sorted((await store.hour_means(NOON))[THERMOMETER.id], key=lambda each: each.hour)
    assert [(each.mean, each.count) for each in hours] == [(15, 2), (7, 1)]
    assert await store.hour_means(NOON + timedelta(hours=2)) == {}


async def test_an_alarm_is_acknowledged_once(store: TelemetryStore) -> None:
    await store.raise_alarm(_alarm(1))
    await store.raise_alarm(_alarm(1))
    first = await store.acknowledge("alarm:330106:1", "keeper-1", "看过", NOON + timedelta(minutes=1))
    second = await store.acknowledge("alarm:330106:1", "keeper-2", None, NOON + timedelta(minutes=2))
    assert first is not None
    assert second is not None
    assert (first[1], second[1]) == (True, False)
    assert second[0] == first[0]
    assert (first[0].acknowledged_by, first[0].note) == ("keeper-1", "看过")
    assert await store.acknowledge("alarm:330106:none", "keeper-1", None, NOON) is None


async def test_clearing_keeps_the_acknowledgement(store: TelemetryStore) -> None:
    await store.raise_alarm(_alarm(1))
    await store.acknowledge("alarm:330106:1", "keeper-1", None, NOON)
    cleared = await store.clear_alarm(replace(_alarm(1), cleared_at=NOON + timedelta(minutes=5), worst_value=30))
    assert (cleared.acknowledged_by, cleared.worst_value, cleared.active) == ("keeper-1", 30, False)
    assert await store.alarm("alarm:330106:1") == cleared


async def test_alarms_page_from_the_newest_without_gap_or_repetition(store: TelemetryStore) -> None:
    for number in range(10):
        await store.raise_alarm(_alarm(number, at=NOON + timedelta(minutes=number // 3)))
    seen: list[Alarm] = []
    while page := await store.alarms(
        AlarmQuery(), first=3, after=(int(seen[-1].raised_at.timestamp() * 1000), seen[-1].id) if seen else None
    ):
        seen += page
    assert [each.id for each in seen] == [f"alarm:330106:{n}" for n in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0)]


async def test_alarms_are_found_by_region_warehouse_sensor_and_state(store: TelemetryStore) -> None:
    await store.raise_alarm(_alarm(1))
    await store.raise_alarm(_alarm(2, region="330127"))
    await store.acknowledge("alarm:330127:2", "k", None, NOON)
    await store.clear_alarm(replace(_alarm(1), cleared_at=NOON))
    for query, expected in (
        (AlarmQuery(regions=["330106"]), {"alarm:330106:1"}),
        (AlarmQuery(warehouse_ids=[STORE.id]), {"alarm:330127:2"}),
        (AlarmQuery(sensor_ids=[THERMOMETER.id]), {"alarm:330106:1"}),
        (AlarmQuery(active=True), {"alarm:330127:2"}),
        (AlarmQuery(active=False), {"alarm:330106:1"}),
        (AlarmQuery(acknowledged=True), {"alarm:330127:2"}),
        (AlarmQuery(acknowledged=False), {"alarm:330106:1"}),
        (AlarmQuery(regions=[]), set()),
        (AlarmQuery(), {"alarm:330106:1", "alarm:330127:2"}),
    ):
        assert {each.id for each in await store.alarms(query, first=10)} == expected
        assert await store.count_alarms(query) == len(expected)
    assert await store.active_by_region() == {"330127": 1}


async def test_cleared_alarms_go_and_active_ones_stay(store: TelemetryStore) -> None:
    await store.raise_alarm(_alarm(1))
    await store.raise_alarm(_alarm(2))
    await store.clear_alarm(replace(_alarm(1), cleared_at=NOON))
    await store.prune(NOON + timedelta(days=2))
    assert [each.id for each in await store.alarms(AlarmQuery(), first=10)] == ["alarm:330106:2"]


async def test_a_store_without_a_url_leaves_nothing_behind() -> None:
    store = TelemetryStore()
    await store.open()
    folder = store._folder
    assert folder is not None
    assert Path(folder.name).exists()
    await store.close()
    assert not Path(folder.name).exists()


def test_a_store_of_another_kind_is_refused_before_anything_is_written() -> None:
    with pytest.raises(ValueError, match="postgresql"):
        TelemetryStore("mysql+asyncmy://root@127.0.0.1/telemetry")
