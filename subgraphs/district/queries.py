"""The root of queries, and the types whose fields have resolvers: thin, what they do stands in the modules beside."""

# mypy: disable-error-code="misc"
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import strawberry
from aiodataloader import DataLoader
from strawberry import UNSET

from contract.decimals import format_decimal
from contract.ids import parse_id
from contract.occupancy import Period
from subgraphs.district.connections import facets, read_connection, read_summary, reading
from subgraphs.district.custody.commands import command_status
from subgraphs.district.inputs import AssetOrder, plain
from subgraphs.district.lookups import find_assets, find_unit, find_warehouse
from subgraphs.district.member import DistrictContext
from subgraphs.district.paging import PageArguments
from subgraphs.district.quality import read_quality, read_quarantine
from subgraphs.district.types import (
    ID,
    AssetClass,
    AssetFacet,
    AssetFacetField,
    AssetSummary,
    BusyPeriod,
    CommandStatus,
    DataIssue,
    IssueCount,
    Node,
    PageInfo,
    PartialAnswers,
    PartitionSource,
    QuarantineConnection,
    Region,
    SummaryDimension,
    Unit,
    Warehouse,
)
from subgraphs.district.views import reading_of_view
from subgraphs.kit.arguments import plain_arguments_field
from subgraphs.kit.assets import (
    Acquisition,
    AssetCondition,
    AssetFilter,
    AssetSource,
    AssetStatus,
    DateRangeInput,
    ValueType,
)
from subgraphs.kit.errors import BadInput
from subgraphs.kit.scalars import AssetRule, Date, DateTime, Decimal
from subgraphs.kit.selection import selection_of

Info = strawberry.Info[DistrictContext, None]
Row = Mapping[str, Any]
"""What stands for a type's instance at run time: a plain dict with the contract's names as keys."""


@strawberry.type
class Asset(Node):
    region: Region
    code: str | None
    name: str | None
    class_: AssetClass | None = strawberry.field(name="class")
    legacyClass: AssetClass | None
    specification: str | None
    brand: str | None
    model: str | None
    serialNumber: str | None
    quantity: Decimal | None
    unitOfMeasure: str | None
    acquiredOn: Date | None
    acquisition: Acquisition | None
    originalValue: Decimal | None
    accumulatedDepreciation: Decimal | None
    netValue: Decimal | None
    valueType: ValueType | None
    usefulLifeMonths: int | None
    owner: Unit | None
    keeper: str | None
    user: str | None
    warehouse: Warehouse | None
    location: str | None
    source: AssetSource | None
    condition: AssetCondition | None
    status: AssetStatus | None
    shareable: bool
    shareableUntil: Date | None
    massKg: Decimal | None
    version: str
    updatedAt: DateTime | None
    observedAt: DateTime
    issues: list[DataIssue]
    lineageId: ID
    successorId: ID | None
    predecessorId: ID | None

    @strawberry.field
    async def busy(self, info: Info, range: DateRangeInput) -> list[BusyPeriod]:
        if range.to <= range.from_:
            raise BadInput("the range must end after it begins")
        native = parse_id(cast(Row, self)["id"]).native
        periods = await _busy_loader(info.context, range.from_, range.to).load(native)
        return cast(
            "list[BusyPeriod]",
            [{"from_": p.from_day, "to": p.to_day, "quantity": format_decimal(p.quantity)} for p in periods],
        )


def _busy_loader(context: DistrictContext, from_day: str, to_day: str) -> DataLoader[str, list[Period[str]]]:
    """One question to the book for all assets of an answer."""
    member = context.member

    async def load(natives: list[str]) -> list[list[Period[str]]]:
        found = await member.book.busy(natives, from_day, to_day, member.today())
        return [list(found.get(native, ())) for native in natives]

    name = f"busy {from_day} {to_day}"
    return cast(
        "DataLoader[str, list[Period[str]]]", context.caller.once(name, lambda: DataLoader(load, max_batch_size=500))
    )


@strawberry.type
class AssetEdge:
    cursor: str
    node: Asset


@strawberry.type
class AssetConnection:
    nodes: list[Asset]
    edges: list[AssetEdge]
    pageInfo: PageInfo
    totalCount: int
    totalIsExact: bool
    sources: list[PartitionSource]

    @strawberry.field
    async def facets(self, info: Info, fields: list[AssetFacetField]) -> list[AssetFacet]:
        condition = cast(Row, self)["condition"]
        return cast("list[AssetFacet]", await facets(info.context.member, condition, [field.value for field in fields]))


@strawberry.type
class DataQuality:
    rows: int
    listed: int
    quarantined: int
    issues: list[IssueCount]
    sources: list[PartitionSource]

    @strawberry.field
    async def quarantine(self, info: Info, first: int = 20, after: str | None = UNSET) -> QuarantineConnection | None:
        return cast(
            QuarantineConnection,
            await read_quarantine(info.context, cast(Row, self)["is_asked"], first, after or None),
        )


@strawberry.type
class VirtualWarehouseView:
    id: ID
    rule: AssetRule

    @plain_arguments_field
    async def assets(
        self,
        info: Info,
        filter: AssetFilter | None = UNSET,
        orderBy: list[AssetOrder] | None = UNSET,
        first: int | None = UNSET,
        after: str | None = UNSET,
        last: int | None = UNSET,
        before: str | None = UNSET,
    ) -> AssetConnection | None:
        what = await reading_of_view(info.context, cast(Row, self)["rule"], filter or None)
        arguments = _page_arguments(first, after, last, before)
        found = await read_connection(info.context, what, _order(orderBy), arguments, selection_of(info))
        return cast(AssetConnection, found)

    @strawberry.field
    async def summary(self, info: Info, by: list[SummaryDimension]) -> AssetSummary | None:
        what = await reading_of_view(info.context, cast(Row, self)["rule"], None)
        return cast(AssetSummary, await read_summary(info.context, what, [one.value for one in by], selection_of(info)))


@strawberry.type
class Query:
    @plain_arguments_field
    async def assets(
        self,
        info: Info,
        filter: AssetFilter | None = UNSET,
        orderBy: list[AssetOrder] | None = UNSET,
        first: int | None = UNSET,
        after: str | None = UNSET,
        last: int | None = UNSET,
        before: str | None = UNSET,
        partial: PartialAnswers | None = UNSET,
    ) -> AssetConnection | None:
        what = await reading(info.context, filter or None)
        arguments = _page_arguments(first, after, last, before)
        found = await read_connection(info.context, what, _order(orderBy), arguments, selection_of(info))
        return cast(AssetConnection, found)

    @strawberry.field
    async def asset(self, info: Info, id: ID) -> Asset | None:
        (found,) = await find_assets(info.context, [id], selection_of(info))
        if isinstance(found, BadInput):
            raise found
        return cast("Asset | None", found)

    @strawberry.field
    async def warehouses(self, info: Info, regions: list[ID] | None = UNSET) -> list[Warehouse] | None:
        member = info.context.member
        return cast("list[Warehouse]", await member.warehouses.listed() if _is_asked(member.region, regions) else [])

    @strawberry.field
    async def warehouse(self, info: Info, id: ID) -> Warehouse | None:
        return cast("Warehouse | None", await find_warehouse(info.context.member, id))

    @strawberry.field
    async def units(self, info: Info, regions: list[ID] | None = UNSET) -> list[Unit] | None:
        member = info.context.member
        return cast("list[Unit]", await member.units.listed() if _is_asked(member.region, regions) else [])

    @strawberry.field
    async def unit(self, info: Info, id: ID) -> Unit | None:
        return cast("Unit | None", await find_unit(info.context.member, id))

    @strawberry.field
    async def regions(self, info: Info) -> list[Region] | None:
        return cast("list[Region]", [info.context.member.region_row])

    @strawberry.field
    async def summary(
        self, info: Info, by: list[SummaryDimension], filter: AssetFilter | None = UNSET
    ) -> AssetSummary | None:
        what = await reading(info.context, plain(filter))
        return cast(AssetSummary, await read_summary(info.context, what, [one.value for one in by], selection_of(info)))

    @strawberry.field
    async def dataQuality(self, info: Info, regions: list[ID] | None = UNSET) -> DataQuality | None:
        is_asked = _is_asked(info.context.member.region, regions)
        return cast(DataQuality, await read_quality(info.context, is_asked, selection_of(info)))

    @strawberry.field
    async def commandStatus(self, info: Info, assetId: ID, idempotencyKey: str) -> CommandStatus | None:
        return cast(CommandStatus, await command_status(info.context, assetId, idempotencyKey))


def _is_asked(region: str, regions: list[ID] | None) -> bool:
    """Whether a field with the argument `regions` concerns this region."""
    return regions is UNSET or regions is None or region in regions


def _page_arguments(first: int | None, after: str | None, last: int | None, before: str | None) -> PageArguments:
    values = (None if value is UNSET else value for value in (first, after, last, before))
    return PageArguments(*values)  # type: ignore[arg-type]


def _order(order: Any) -> list[tuple[str, str]]:
    """Of an argument as plain JSON."""
    return [(one["field"], one["direction"]) for one in order or ()]
