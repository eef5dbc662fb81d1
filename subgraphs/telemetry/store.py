"""What telemetry keeps: readings for a limited while, each sensor's last reading, and alarms.

One SQLAlchemy Core schema for SQLite (a file, or memory) and PostgreSQL. Times are integers, milliseconds since 1970
UTC, so that every engine compares them alike. Alarms are written at once and are the authority for acknowledgement;
readings come in batches. Both are bounded: readings by age and by count per sensor, cleared alarms by age.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    and_,
    delete,
    event,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import create_async_engine

from contract.ids import parse_id
from subgraphs.telemetry.model import Alarm, AlarmKind, Reading, from_ms, to_ms
from subgraphs.telemetry.watch import HOUR_MS, HourMean

__all__ = ["AlarmQuery", "Retention", "TelemetryStore"]

_CREATE_LOCK = 330100_0002
"""Any number that no other program on the server uses."""

_metadata = MetaData()

_readings = Table(
    "telemetry_reading",
    _metadata,
    Column("sensor_id", String(512), primary_key=True),
    Column("at_ms", BigInteger, primary_key=True),
    Column("received_ms", BigInteger, nullable=False),
    Column("value", Float(53), nullable=False),
    Column("in_range", Integer, nullable=False),
    sqlite_with_rowid=False,
)
_last = Table(
    "telemetry_last_reading",
    _metadata,
    Column("sensor_id", String(512), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("value", Float(53), nullable=False),
    Column("in_range", Integer, nullable=False),
)
_alarms = Table(
    "telemetry_alarm",
    _metadata,
    Column("id", String(512), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("region", String(16), nullable=False),
    Column("sensor_id", String(512), nullable=False),
    Column("warehouse_id", String(512), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("raised_ms", BigInteger, nullable=False),
    Column("worst_value", Float(53)),
    Column("limit_value", Float(53)),
    Column("cleared_ms", BigInteger),
    Column("acknowledged_ms", BigInteger),
    Column("acknowledged_by", String(256)),
    Column("note", String(2000)),
    Index("telemetry_alarm_raised", "raised_ms", "id"),
    Index("telemetry_alarm_sensor", "sensor_id", "raised_ms"),
    Index("telemetry_alarm_warehouse", "warehouse_id", "raised_ms"),
)


@dataclass(frozen=True, slots=True)
class Retention:
    """How much is kept."""

    readings: timedelta = timedelta(hours=72)
    readings_per_sensor_max: int = 10_000
    cleared_alarms: timedelta = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class AlarmQuery:
    """Which alarms; a field that is None asks nothing."""

    regions: Collection[str] | None = None
    warehouse_ids: Collection[str] | None = None
    sensor_ids: Collection[str] | None = None
    active: bool | None = None
    acknowledged: bool | None = None


class TelemetryStore:
    """`url`: `sqlite+aiosqlite:///file`, `postgresql+asyncpg://…`; None: a file of its own that goes at the end.

    Not SQLite's `:memory:`: a query that is cancelled may cost its connection, and with it all that is kept.
    """

    def __init__(self, url: str | None = None, retention: Retention | None = None) -> None:
        self.retention = retention or Retention()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if url is None:
            self._folder = tempfile.TemporaryDirectory(prefix="gwc-telemetry-")
            url = f"sqlite+aiosqlite:///{self._folder.name}/telemetry.sqlite"
        self._engine = create_async_engine(url)
        if self._engine.dialect.name not in ("sqlite", "postgresql"):
            raise ValueError("telemetry's store is sqlite+aiosqlite:///… or postgresql+asyncpg://…")
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine.sync_engine, "connect", _prepare_sqlite)
        dialect = self._engine.dialect.name
        self._insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
        self._counts: dict[str, int] = {}
        """Readings per sensor since the last look; a cheap bound that spares counting rows."""

    async def open(self) -> None:
        async with self._engine.begin() as connection:
            if self._engine.dialect.name == "postgresql":  # processes that start together make the tables once
                await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_CREATE_LOCK})")
            await connection.run_sync(_metadata.create_all)
            rows = await connection.execute(select(_readings.c.sensor_id, func.count()).group_by(_readings.c.sensor_id))
            self._counts = {str(sensor): int(count) for sensor, count in rows}

    async def close(self) -> None:
        await self._engine.dispose()
        if self._folder is not None:
            self._folder.cleanup()

    # --- readings ----------------------------------------------------------------------------------------------------

    async def record(self, readings: Sequence[Reading], worsened: Iterable[Alarm] = ()) -> None:
        """Keep readings (one kept already is left as it is) and the worst values of active alarms."""
        newest: dict[str, Reading] = {}
        for reading in readings:
            known = newest.get(reading.sensor_id)
            if known is None or reading.at > known.at:
                newest[reading.sensor_id] = reading
            self._counts[reading.sensor_id] = self._counts.get(reading.sensor_id, 0) + 1
        async with self._engine.begin() as connection:
            if readings:
                statement = self._insert(_readings).on_conflict_do_nothing()
                await connection.execute(statement, [_reading_row(each) for each in readings])
                last = self._insert(_last)
                last = last.on_conflict_do_update(
                    index_elements=[_last.c.sensor_id],
                    set_={name: last.excluded[name] for name in ("at_ms", "received_ms", "value", "in_range")},
                    where=last.excluded.at_ms > _last.c.at_ms,
                )
                await connection.execute(last, [_reading_row(each) for each in newest.values()])
            for alarm in worsened:
                change = update(_alarms).where(_alarms.c.id == alarm.id, _alarms.c.cleared_ms.is_(None))
                await connection.execute(change.values(worst_value=alarm.worst_value))

    async def last_readings(self, sensor_ids: Collection[str] | None = None) -> dict[str, Reading]:
        query = select(_last)
        if sensor_ids is not None:
            query = query.where(_last.c.sensor_id.in_(sensor_ids))
        async with self._engine.connect() as connection:
            return {row.sensor_id: _reading(row) for row in await connection.execute(query)}

    async def readings(
        self, sensor_id: str, *, from_: datetime | None = None, to: datetime | None = None, last: int
    ) -> list[Reading]:
        """The last so many in [from, to), in order of time."""
        query = select(_readings).where(_readings.c.sensor_id == sensor_id)
        if from_ is not None:
            query = query.where(_readings.c.at_ms >= to_ms(from_))
        if to is not None:
            query = query.where(_readings.c.at_ms < to_ms(to))
        query = query.order_by(_readings.c.at_ms.desc()).limit(last)
        async with self._engine.connect() as connection:
            return [_reading(row) for row in reversed((await connection.execute(query)).all())]

    async def readings_since(self, since: datetime) -> dict[str, list[Reading]]:
        """By sensor, in order of time."""
        query = select(_readings).where(_readings.c.at_ms >= to_ms(since)).order_by(_readings.c.at_ms)
        found: dict[str, list[Reading]] = {}
        async with self._engine.connect() as connection:
            for row in await connection.execute(query):
                found.setdefault(row.sensor_id, []).append(_reading(row))
        return found

    async def hour_means(self, since: datetime) -> dict[str, list[HourMean]]:
        """By sensor, the sums of each hour from the one that holds `since`."""
        first = to_ms(since) // HOUR_MS
        hour = (_readings.c.at_ms - _readings.c.at_ms % HOUR_MS).label("hour_ms")
        query = (
            select(_readings.c.sensor_id, hour, func.sum(_readings.c.value), func.count())
            .where(_readings.c.at_ms >= first * HOUR_MS)
            .group_by(_readings.c.sensor_id, hour)
        )
        found: dict[str, list[HourMean]] = {}
        async with self._engine.connect() as connection:
            for sensor, hour_ms, total, count in await connection.execute(query):
                found.setdefault(sensor, []).append(HourMean(int(hour_ms) // HOUR_MS, float(total), int(count)))
        return found

    async def prune(self, now: datetime) -> int:
        """Forget what is older or more than the retention allows; how many readings went."""
        cutoff = to_ms(now - self.retention.readings)
        gone = 0
        async with self._engine.begin() as connection:
            gone += (await connection.execute(delete(_readings).where(_readings.c.at_ms < cutoff))).rowcount
            limit = self.retention.readings_per_sensor_max
            for sensor, count in list(self._counts.items()):
                if count <= limit:
                    continue
                mine = _readings.c.sensor_id == sensor
                oldest_kept = (
                    select(_readings.c.at_ms).where(mine).order_by(_readings.c.at_ms.desc()).offset(limit - 1).limit(1)
                )
                bound = (await connection.execute(oldest_kept)).scalar()
                if bound is not None:
                    gone += (
                        await connection.execute(delete(_readings).where(mine, _readings.c.at_ms < bound))
                    ).rowcount
                kept = await connection.execute(select(func.count()).where(mine).select_from(_readings))
                self._counts[sensor] = kept.scalar_one()
            forgotten = to_ms(now - self.retention.cleared_alarms)
            await connection.execute(delete(_alarms).where(_alarms.c.cleared_ms < forgotten))
        return gone

    # --- alarms ------------------------------------------------------------------------------------------------------

    async def raise_alarm(self, alarm: Alarm) -> None:
        """Idempotent: the same trouble has the same id."""
        async with self._engine.begin() as connection:
            await connection.execute(self._insert(_alarms).on_conflict_do_nothing(), [_alarm_row(alarm)])

    async def clear_alarm(self, alarm: Alarm) -> Alarm:
        """Write the clearing; the alarm as it is now, with an acknowledgement that came meanwhile."""
        async with self._engine.begin() as connection:
            cleared = None if alarm.cleared_at is None else to_ms(alarm.cleared_at)
            change = update(_alarms).where(_alarms.c.id == alarm.id, _alarms.c.cleared_ms.is_(None))
            await connection.execute(change.values(cleared_ms=cleared, worst_value=alarm.worst_value))
            row = (await connection.execute(select(_alarms).where(_alarms.c.id == alarm.id))).one_or_none()
        return alarm if row is None else _alarm(row)

    async def acknowledge(
        self, alarm_id: str, person: str, note: str | None, at: datetime
    ) -> tuple[Alarm, bool] | None:
        """The alarm, and whether this call acknowledged it (else it had been already); None: there is none."""
        async with self._engine.begin() as connection:
            change = update(_alarms).where(_alarms.c.id == alarm_id, _alarms.c.acknowledged_ms.is_(None))
            done = await connection.execute(change.values(acknowledged_ms=to_ms(at), acknowledged_by=person, note=note))
            row = (await connection.execute(select(_alarms).where(_alarms.c.id == alarm_id))).one_or_none()
        return None if row is None else (_alarm(row), done.rowcount == 1)

    async def alarm(self, alarm_id: str) -> Alarm | None:
        return (await self.alarms_by_id([alarm_id])).get(alarm_id)

    async def alarms_by_id(self, ids: Collection[str]) -> dict[str, Alarm]:
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(_alarms).where(_alarms.c.id.in_(ids)))
            return {row.id: _alarm(row) for row in rows}

    async def alarms(self, query: AlarmQuery, *, first: int, after: tuple[int, str] | None = None) -> list[Alarm]:
        """The newest first; `after` is (raised in ms, id) of the last one seen."""
        conditions = _conditions(query)
        if after is not None:
            raised, last_id = after
            older = _alarms.c.raised_ms < raised
            conditions.append(or_(older, and_(_alarms.c.raised_ms == raised, _alarms.c.id < last_id)))
        statement = select(_alarms).where(*conditions).order_by(_alarms.c.raised_ms.desc(), _alarms.c.id.desc())
        async with self._engine.connect() as connection:
            return [_alarm(row) for row in await connection.execute(statement.limit(first))]

    async def count_alarms(self, query: AlarmQuery) -> int:
        async with self._engine.connect() as connection:
            counted = await connection.execute(select(func.count()).select_from(_alarms).where(*_conditions(query)))
            return int(counted.scalar_one())

    async def active_by_region(self) -> Mapping[str, int]:
        statement = select(_alarms.c.region, func.count()).where(_alarms.c.cleared_ms.is_(None))
        async with self._engine.connect() as connection:
            rows = await connection.execute(statement.group_by(_alarms.c.region))
            return {str(region): int(count) for region, count in rows}

    async def open_alarms(self, sensor_ids: Collection[str] | None = None) -> list[Alarm]:
        statement = select(_alarms).where(_alarms.c.cleared_ms.is_(None))
        if sensor_ids is not None:
            statement = statement.where(_alarms.c.sensor_id.in_(sensor_ids))
        async with self._engine.connect() as connection:
            return [_alarm(row) for row in await connection.execute(statement)]


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Readers beside one writer; losing the last moments' readings in a power cut is no harm."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _conditions(query: AlarmQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for column, wanted in (
        (_alarms.c.region, query.regions),
        (_alarms.c.warehouse_id, query.warehouse_ids),
        (_alarms.c.sensor_id, query.sensor_ids),
    ):
        if wanted is not None:
            conditions.append(column.in_(wanted))
    for column, given in (
        (_alarms.c.cleared_ms, None if query.active is None else not query.active),
        (_alarms.c.acknowledged_ms, query.acknowledged),
    ):
        if given is not None:
            conditions.append(column.is_not(None) if given else column.is_(None))
    return conditions


def _reading_row(reading: Reading) -> dict[str, object]:
    return {
        "sensor_id": reading.sensor_id,
        "at_ms": to_ms(reading.at),
        "received_ms": to_ms(reading.received_at),
        "value": reading.value,
        "in_range": int(reading.in_range),
    }


def _reading(row: Row[Any]) -> Reading:
    return Reading(row.sensor_id, from_ms(row.at_ms), from_ms(row.received_ms), row.value, bool(row.in_range))


def _alarm_row(alarm: Alarm) -> dict[str, object]:
    return {
        "id": alarm.id,
        "kind": alarm.kind.value,
        "region": parse_id(alarm.id).region,
        "sensor_id": alarm.sensor_id,
        "warehouse_id": alarm.warehouse_id,
        "since_ms": to_ms(alarm.since),
        "raised_ms": to_ms(alarm.raised_at),
        "worst_value": alarm.worst_value,
        "limit_value": alarm.limit,
        "cleared_ms": _ms(alarm.cleared_at),
        "acknowledged_ms": _ms(alarm.acknowledged_at),
        "acknowledged_by": alarm.acknowledged_by,
        "note": alarm.note,
    }


def _alarm(row: Row[Any]) -> Alarm:
    return Alarm(
        id=row.id,
        kind=AlarmKind(row.kind),
        sensor_id=row.sensor_id,
        warehouse_id=row.warehouse_id,
        since=from_ms(row.since_ms),
        raised_at=from_ms(row.raised_ms),
        worst_value=row.worst_value,
        limit=row.limit_value,
        cleared_at=_moment(row.cleared_ms),
        acknowledged_at=_moment(row.acknowledged_ms),
        acknowledged_by=row.acknowledged_by,
        note=row.note,
    )


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)
