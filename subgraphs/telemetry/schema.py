"""The Strawberry schema of `schema/telemetry.graphql`; descriptions come from that file.

A type holds what is there at once; only what has to be asked for (state, last reading, history, alarms) is resolved.
A warehouse and a region are known by their keys alone: the districts join their names.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Annotated, Any

import strawberry
from graphql import GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema, Undefined
from strawberry.types import Info

from contract.ids import InvalidId, parse_id
from contract.regions import REGIONS
from subgraphs.kit.bus import Event, Overflow
from subgraphs.kit.entities import EntityResolver
from subgraphs.kit.errors import BadInput, Forbidden, Unauthenticated
from subgraphs.kit.served import strawberry_config
from subgraphs.telemetry import model, profiles
from subgraphs.telemetry.events import (
    ALARMS_TOPIC,
    READINGS_TOPIC,
    alarm_change_from_event,
    reading_from_event,
)
from subgraphs.telemetry.model import AlarmEventKind, AlarmKind, SensorKind, SensorState
from subgraphs.telemetry.paging import Page, alarm_page, check_count, sensor_page
from subgraphs.telemetry.service import Request, may_acknowledge
from subgraphs.telemetry.store import AlarmQuery
from subgraphs.telemetry.words import alarm_message

__all__ = ["ENTITIES", "make_schema"]

NOTE_LENGTH_MAX = 500
LIST_LENGTH_MAX = 500
PAGE_MAX = 500
HISTORY_MAX = 2_000
READINGS_QUEUE = 1_000
ALARMS_QUEUE = 1_000

Context = Info[Request, Any]

for _enum in (SensorKind, SensorState, AlarmKind, AlarmEventKind):
    strawberry.enum(_enum)


@strawberry.interface
class Node:
    id: strawberry.ID


@strawberry.type
class Region:
    code: strawberry.ID

    @strawberry.field
    async def active_alarms(self, info: Context) -> int | None:
        return await info.context.active_alarms(self.code)


@strawberry.type
class Warehouse(Node):
    @strawberry.field
    def sensors(self, info: Context) -> list[Sensor] | None:
        registry = info.context.telemetry.registry
        return [_sensor(info.context, each) for each in registry.of_warehouse(self.id)]

    @strawberry.field
    async def alarms(self, info: Context, active: bool | None = None, first: int = 50) -> list[Alarm] | None:
        return await _alarms(info.context, AlarmQuery(warehouse_ids=[self.id], active=active), first)


@strawberry.type
class ClimateRange:
    kind: SensorKind
    min: float | None
    max: float | None
    hysteresis: float
    daily_drift_max: float | None
    unit: str


@strawberry.type
class ClimateProfile:
    code: strawberry.ID
    name: str
    name_en: str
    standard: str
    ranges: list[ClimateRange]
    raise_after_seconds: int
    silent_after_seconds: int


@strawberry.type
class Reading:
    sensor: Sensor
    at: datetime
    received_at: datetime
    value: float
    unit: str
    in_range: bool


@strawberry.type
class Sensor(Node):
    kind: SensorKind
    unit: str
    label: str
    region: Region
    warehouse: Warehouse
    profile: ClimateProfile
    spec: strawberry.Private[model.SensorSpec]

    @strawberry.field
    async def state(self, info: Context) -> SensorState:
        return await info.context.state_of(self.id)

    @strawberry.field
    async def last_reading(self, info: Context) -> Reading | None:
        last = await info.context.last_reading.load(self.id)
        return None if last is None else _reading(self, last)

    @strawberry.field
    async def readings(
        self,
        info: Context,
        from_: Annotated[datetime | None, strawberry.argument(name="from")] = None,
        to: datetime | None = None,
        last: int = 100,
    ) -> list[Reading]:
        check_count("last", last, HISTORY_MAX)
        return [_reading(self, each) for each in await info.context.history(self.id, from_, to, last)]

    @strawberry.field
    async def alarms(self, info: Context, active: bool | None = None, first: int = 50) -> list[Alarm]:
        return await _alarms(info.context, AlarmQuery(sensor_ids=[self.id], active=active), first)


@strawberry.type
class Alarm(Node):
    kind: AlarmKind
    sensor: Sensor | None
    region: Region
    warehouse: Warehouse
    active: bool
    since: datetime
    raised_at: datetime
    cleared_at: datetime | None
    acknowledged: bool
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None
    worst_value: float | None
    limit: float | None
    unit: str | None
    message: str


@strawberry.type
class AlarmEvent:
    kind: AlarmEventKind
    at: datetime
    alarm: Alarm


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class SensorConnection:
    nodes: list[Sensor]
    page_info: PageInfo
    total_count: int


@strawberry.type
class AlarmConnection:
    nodes: list[Alarm]
    page_info: PageInfo
    query: strawberry.Private[AlarmQuery]

    @strawberry.field
    async def total_count(self, info: Context) -> int:
        return await info.context.telemetry.store.count_alarms(self.query)


@strawberry.type
class Problem:
    code: str
    path: list[str] | None
    message: str
    remedy: str | None


@strawberry.input
class AcknowledgeAlarmInput:
    alarm_id: strawberry.ID
    note: str | None = None


@strawberry.type
class AcknowledgeAlarmPayload:
    alarm: Alarm | None
    problems: list[Problem]


# --- from the model --------------------------------------------------------------------------------------------------


def _profile(profile: profiles.ClimateProfile) -> ClimateProfile:
    ranges = [
        ClimateRange(
            kind=each.kind,
            min=each.min,
            max=each.max,
            hysteresis=each.hysteresis,
            daily_drift_max=each.daily_drift_max,
            unit=each.kind.unit,
        )
        for each in profile.ranges.values()
    ]
    return ClimateProfile(
        code=strawberry.ID(profile.code),
        name=profile.name,
        name_en=profile.name_en,
        standard=profile.standard,
        ranges=ranges,
        raise_after_seconds=int(profile.raise_after.total_seconds()),
        silent_after_seconds=int(profile.silent_after.total_seconds()),
    )


def _sensor(request: Request, spec: model.SensorSpec) -> Sensor:
    return Sensor(
        id=strawberry.ID(spec.id),
        kind=spec.kind,
        unit=spec.kind.unit,
        label=spec.label,
        region=Region(code=strawberry.ID(spec.region)),
        warehouse=Warehouse(id=strawberry.ID(spec.warehouse_id)),
        profile=_profile(request.telemetry.registry.profile_of(spec)),
        spec=spec,
    )


def _reading(sensor: Sensor, reading: model.Reading) -> Reading:
    return Reading(
        sensor=sensor,
        at=reading.at,
        received_at=reading.received_at,
        value=reading.value,
        unit=sensor.unit,
        in_range=reading.in_range,
    )


def _alarm(request: Request, stored: model.Alarm) -> Alarm:
    alarm = request.shown(stored)
    spec = request.telemetry.registry.get(alarm.sensor_id)
    return Alarm(
        id=strawberry.ID(alarm.id),
        kind=alarm.kind,
        sensor=None if spec is None else _sensor(request, spec),
        region=Region(code=strawberry.ID(alarm.region)),
        warehouse=Warehouse(id=strawberry.ID(alarm.warehouse_id)),
        active=alarm.active,
        since=alarm.since,
        raised_at=alarm.raised_at,
        cleared_at=alarm.cleared_at,
        acknowledged=alarm.acknowledged_at is not None,
        acknowledged_at=alarm.acknowledged_at,
        acknowledged_by=alarm.acknowledged_by,
        note=alarm.note,
        worst_value=alarm.worst_value,
        limit=alarm.limit,
        unit=None if spec is None else spec.kind.unit,
        message=alarm_message(alarm, None if spec is None else spec.kind, request.caller.language),
    )


def _page_info(page: Page[Any]) -> PageInfo:
    return PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=page.start,
        end_cursor=page.end,
    )


async def _alarms(request: Request, query: AlarmQuery, first: int) -> list[Alarm]:
    check_count("first", first, PAGE_MAX)
    await request.telemetry.settle()
    return [_alarm(request, each) for each in await request.telemetry.store.alarms(query, first=first)]


# --- arguments -------------------------------------------------------------------------------------------------------


def _region_codes(regions: Sequence[str] | None) -> frozenset[str] | None:
    """A typo would make a subscription wait for ever, so an unknown code is refused."""
    if regions is None:
        return None
    for code in regions:
        if code not in REGIONS:
            raise BadInput(f"{code!r} is no region of this city; known are {', '.join(REGIONS)}")
    return frozenset(regions)


def _warehouse_ids(ids: Sequence[str] | None) -> frozenset[str] | None:
    if ids is None:
        return None
    if len(ids) > LIST_LENGTH_MAX:
        raise BadInput(f"at most {LIST_LENGTH_MAX} warehouse ids in one list")
    for each in ids:
        try:
            parse_id(each, "warehouse")
        except InvalidId as error:
            raise BadInput(f"`warehouseIds`: {error}") from None
    return frozenset(ids)


# --- roots -----------------------------------------------------------------------------------------------------------


@strawberry.type
class Query:
    @strawberry.field
    def sensors(
        self,
        info: Context,
        regions: list[strawberry.ID] | None = None,
        warehouse_ids: list[strawberry.ID] | None = None,
        kind: SensorKind | None = None,
        first: int = 100,
        after: str | None = None,
    ) -> SensorConnection | None:
        check_count("first", first, PAGE_MAX)
        codes, warehouses = _region_codes(regions), _warehouse_ids(warehouse_ids)
        matching = [
            each
            for each in info.context.telemetry.registry.all()
            if (codes is None or each.region in codes)
            and (warehouses is None or each.warehouse_id in warehouses)
            and (kind is None or each.kind is kind)
        ]
        page = sensor_page(matching, first, after)
        return SensorConnection(
            nodes=[_sensor(info.context, each) for each in page.nodes],
            page_info=_page_info(page),
            total_count=len(matching),
        )

    @strawberry.field
    def sensor(self, info: Context, id: strawberry.ID) -> Sensor | None:
        spec = info.context.telemetry.registry.get(id)
        return None if spec is None else _sensor(info.context, spec)

    @strawberry.field
    async def alarms(
        self,
        info: Context,
        regions: list[strawberry.ID] | None = None,
        warehouse_ids: list[strawberry.ID] | None = None,
        active: bool | None = None,
        acknowledged: bool | None = None,
        first: int = 50,
        after: str | None = None,
    ) -> AlarmConnection | None:
        check_count("first", first, PAGE_MAX)
        query = AlarmQuery(
            regions=_region_codes(regions),
            warehouse_ids=_warehouse_ids(warehouse_ids),
            active=active,
            acknowledged=acknowledged,
        )
        await info.context.telemetry.settle()
        page = await alarm_page(info.context.telemetry.store, query, first, after)
        return AlarmConnection(
            nodes=[_alarm(info.context, each) for each in page.nodes],
            page_info=_page_info(page),
            query=query,
        )

    @strawberry.field
    async def alarm(self, info: Context, id: strawberry.ID) -> Alarm | None:
        found = await info.context.telemetry.store.alarm(id)
        return None if found is None else _alarm(info.context, found)

    @strawberry.field
    def climate_profiles(self, info: Context) -> list[ClimateProfile] | None:
        return [_profile(each) for each in info.context.telemetry.registry.profiles.values()]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def acknowledge_alarm(self, info: Context, input: AcknowledgeAlarmInput) -> AcknowledgeAlarmPayload | None:
        request = info.context
        person = request.caller.identity.person
        if person is None:
            raise Unauthenticated("sign in to acknowledge an alarm")
        if input.note is not None and len(input.note) > NOTE_LENGTH_MAX:
            return _refused(request, "NOTE_TOO_LONG", "note")
        alarm = await request.telemetry.store.alarm(input.alarm_id)
        if alarm is None:
            return _refused(request, "ALARM_NOT_FOUND", "alarmId")
        if not may_acknowledge(request.caller.identity, alarm.region):
            raise Forbidden("an alarm is acknowledged by a keeper or officer of its region, or by a city officer")
        done = await request.telemetry.acknowledge(alarm.id, person, input.note)
        if done is None:
            return _refused(request, "ALARM_NOT_FOUND", "alarmId")
        return AcknowledgeAlarmPayload(alarm=_alarm(request, done), problems=[])


_PROBLEMS = {
    "NOTE_TOO_LONG": {
        "zh": (f"说明超过 {NOTE_LENGTH_MAX} 字。", "请缩短说明。"),
        "en": (f"The note has more than {NOTE_LENGTH_MAX} characters.", "Make it shorter."),
    },
    "ALARM_NOT_FOUND": {
        "zh": ("没有这条预警。", "请核对标识；早已解除的预警不再保留。"),
        "en": ("There is no such alarm.", "Check the id; alarms cleared long ago are not kept."),
    },
}


def _refused(request: Request, code: str, field: str) -> AcknowledgeAlarmPayload:
    message, remedy = _PROBLEMS[code][request.caller.language]
    problem = Problem(code=code, path=["input", field], message=message, remedy=remedy)
    return AcknowledgeAlarmPayload(alarm=None, problems=[problem])


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def readings(
        self,
        info: Context,
        regions: list[strawberry.ID] | None = None,
        warehouse_ids: list[strawberry.ID] | None = None,
        kind: SensorKind | None = None,
    ) -> AsyncGenerator[Reading, None]:
        codes, warehouses, request = _region_codes(regions), _warehouse_ids(warehouse_ids), info.context

        def wanted(event: Event) -> bool:
            return (
                (codes is None or event.get("region") in codes)
                and (warehouses is None or event.get("warehouse") in warehouses)
                and (kind is None or event.get("kind") == kind.value)
            )

        watching = request.telemetry.bus.subscribe(
            [READINGS_TOPIC], capacity=READINGS_QUEUE, overflow=Overflow.DROP_OLDEST, where=wanted
        )
        async with watching as events:
            async for event in events:
                reading = reading_from_event(event)
                spec = request.telemetry.registry.get(reading.sensor_id)
                if spec is not None:
                    yield _reading(_sensor(request, spec), reading)

    @strawberry.subscription
    async def alarm_events(
        self, info: Context, regions: list[strawberry.ID] | None = None
    ) -> AsyncGenerator[AlarmEvent, None]:
        codes, request = _region_codes(regions), info.context
        watching = request.telemetry.bus.subscribe(
            [ALARMS_TOPIC],
            capacity=ALARMS_QUEUE,
            overflow=Overflow.FAIL,
            where=lambda event: codes is None or event.get("region") in codes,
        )
        async with watching as events:
            async for event in events:
                change = alarm_change_from_event(event)
                yield AlarmEvent(kind=change.kind, at=change.at, alarm=_alarm(request, change.alarm))


# --- entities --------------------------------------------------------------------------------------------------------


async def _find_regions(_: Request, wanted: Sequence[Any], __: Any) -> list[Region]:
    return [Region(code=strawberry.ID(each["code"])) for each in wanted]


async def _find_warehouses(_: Request, wanted: Sequence[Any], __: Any) -> list[Warehouse]:
    return [Warehouse(id=strawberry.ID(each["id"])) for each in wanted]


async def _find_sensors(request: Request, wanted: Sequence[Any], _: Any) -> list[Sensor | None]:
    specs = [request.telemetry.registry.get(each["id"]) for each in wanted]
    return [None if spec is None else _sensor(request, spec) for spec in specs]


async def _find_alarms(request: Request, wanted: Sequence[Any], _: Any) -> list[Alarm | None]:
    found = await request.telemetry.store.alarms_by_id([each["id"] for each in wanted])
    alarms = [found.get(each["id"]) for each in wanted]
    return [None if alarm is None else _alarm(request, alarm) for alarm in alarms]


ENTITIES: dict[str, EntityResolver] = {
    "Region": _find_regions,
    "Warehouse": _find_warehouses,
    "Sensor": _find_sensors,
    "Alarm": _find_alarms,
}


def _write_time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_time(text: object) -> datetime:
    if not isinstance(text, str):
        raise ValueError("a DateTime is a text such as 2022-07-01T08:00:00Z")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no DateTime such as 2022-07-01T08:00:00Z") from None
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: end it with Z or +08:00")
    return at


def make_schema() -> strawberry.Schema:
    config = strawberry_config()
    config.scalar_map = {datetime: strawberry.scalar(name="DateTime", serialize=_write_time, parse_value=_read_time)}
    schema = strawberry.Schema(Query, Mutation, Subscription, config=config)
    _without_null_defaults(schema._schema)
    return schema


def _without_null_defaults(schema: GraphQLSchema) -> None:
    """Strawberry publishes `= null` for what may be left out; the contract simply lets it be left out."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            inputs: list[Any] = list(type_.fields.values())
        elif isinstance(type_, GraphQLObjectType):
            inputs = [argument for field in type_.fields.values() for argument in field.args.values()]
        else:
            continue
        for each in inputs:
            if each.default_value is None:
                each.default_value = Undefined
