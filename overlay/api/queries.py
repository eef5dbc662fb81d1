"""The contract's queries, and how its entities are found again by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, or_, select
from strawberry import UNSET

from contract.ids import InvalidId, parse_id
from overlay.api.approvals import ApprovalQuery
from overlay.api.audit import AuditQuery
from overlay.api.bodies import BodyQuery
from overlay.api.context import Context
from overlay.api.inputs import OrderFilter, to_plain
from overlay.api.ledger import LedgerQuery
from overlay.api.notices import NoticeQuery
from overlay.api.paging import connection, page_size, read_cursor
from overlay.api.rows import order_row, view_row, warehouse_row
from overlay.api.sourcing import SourcingQuery
from overlay.api.types import (
    CirculationOrder,
    Info,
    Node,
    OrderConnection,
    VirtualWarehouseConnection,
    VirtualWarehouseView,
    read_window,
    signed_in,
)
from overlay.orders import repository
from overlay.orders.model import Order
from overlay.orders.rights import inbox_condition, lent_inbox
from overlay.orders.shortages import short_orders
from overlay.store import tables
from overlay.warehouses.views import InvalidView, ViewId, parse_view_id
from subgraphs.kit.assets import DateRangeInput
from subgraphs.kit.entities import Representation
from subgraphs.kit.selection import Selection

__all__ = ["ENTITIES", "Query"]

PAGE_MAX = 100
_STUBS = {"asset": "Asset", "unit": "Unit", "warehouse": "Warehouse"}
"""Types of other subgraphs by the prefix of their ids: a stub with the id is all the overlay knows of them."""


@strawberry.type
class Query(ApprovalQuery, AuditQuery, BodyQuery, LedgerQuery, NoticeQuery, SourcingQuery):
    @strawberry.field
    async def virtual_warehouses(
        self, info: Info, first: int = 50, after: str | None = UNSET
    ) -> VirtualWarehouseConnection | None:
        context = info.context
        size, place = page_size(first, PAGE_MAX), read_cursor("vw", after or None)
        found = await context.services.warehouses.page(context.identity, size, place or 0)
        return connection(  # type: ignore[return-value]
            "vw", found, size, place is not None, lambda w: w.seq, lambda w: warehouse_row(context, w)
        )

    @strawberry.field
    async def virtual_warehouse(
        self, info: Info, id: strawberry.ID, window: DateRangeInput | None = UNSET
    ) -> VirtualWarehouseView | None:
        shown: VirtualWarehouseView | None = await _view(info.context, ViewId(id, read_window(window)))
        return shown

    @strawberry.field
    async def orders(
        self, info: Info, filter: OrderFilter | None = UNSET, first: int = 20, after: str | None = UNSET
    ) -> OrderConnection | None:
        context = signed_in(info)
        conditions = _conditions(context, to_plain(filter) if filter else {})
        page: OrderConnection = await _order_page(context, "order", conditions, first, after, newest_first=True)
        return page

    @strawberry.field
    async def order(self, info: Info, id: strawberry.ID) -> CirculationOrder | None:
        found = await info.context.orders.load(id)
        return None if found is None else order_row(info.context, found)  # type: ignore[return-value]

    @strawberry.field
    async def inbox(self, info: Info, first: int = 20, after: str | None = UNSET) -> OrderConnection | None:
        context = signed_in(info)
        async with context.services.database.read() as database:
            short = await short_orders(database, context.identity, context.today)
        waiting = [inbox_condition(context.identity), *map(lent_inbox, await context.lent())]
        conditions = [or_(*waiting, tables.orders.c.id.in_(short))]
        page: OrderConnection = await _order_page(context, "inbox", conditions, first, after, newest_first=False)
        return page

    @strawberry.field
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        shown: Node | None = await _node(info.context, id)
        return shown


async def _node(context: Context, id_: str) -> Any:
    """A stub by the id's prefix for what others own; for our own only what the asker may see. Else null."""
    prefix = id_.partition(":")[0]
    if prefix in _STUBS:
        try:
            parse_id(id_)
        except InvalidId:
            return None
        return {"__typename": _STUBS[prefix], "id": id_}
    if prefix == "vw":
        found = (await context.services.warehouses.by_ids(context.identity, [id_])).get(id_)
        return None if found is None else warehouse_row(context, found)
    if prefix == "view":
        try:
            return await _view(context, parse_view_id(id_))
        except InvalidView:
            return None
    if prefix == "order":
        order = await context.orders.load(id_)
        return None if order is None else order_row(context, order)
    return None


async def _view(context: Context, view: ViewId) -> Any:
    found = await context.services.warehouses.by_ids(context.identity, [view.warehouse_id])
    warehouse = found.get(view.warehouse_id)
    return None if warehouse is None else view_row(context, warehouse, view)


async def _order_page(
    context: Context,
    kind: str,
    conditions: Sequence[ColumnElement[bool]],
    first: int,
    after: str | None,
    *,
    newest_first: bool,
) -> Any:
    orders = tables.orders
    size, place = page_size(first, PAGE_MAX), read_cursor(kind, after or None)
    wanted = [await context.visible(), *conditions]
    query = repository.select_orders(*wanted)
    if place is not None:
        query = query.where(orders.c.seq < place if newest_first else orders.c.seq > place)
    query = query.order_by(orders.c.seq.desc() if newest_first else orders.c.seq).limit(size + 1)
    async with context.services.database.read() as database:
        found = await repository.load_orders(database, query)
        total = await repository.count_orders(database, *wanted)

    def show(order: Order) -> dict[str, Any]:
        return order_row(context, order)

    page = connection(kind, found, size, place is not None, lambda order: order.seq, show)
    return {**page, "total_count": total}


def _conditions(context: Context, wanted: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    orders, lines = tables.orders, tables.order_lines
    conditions: list[ColumnElement[bool]] = []
    if "flows" in wanted:
        conditions.append(orders.c.flow.in_(wanted["flows"]))
    if "states" in wanted:
        conditions.append(orders.c.state.in_(wanted["states"]))
    if "assetId" in wanted:
        conditions.append(orders.c.id.in_(select(lines.c.order_id).where(lines.c.asset_id == wanted["assetId"])))
    if "region" in wanted:
        lent = select(lines.c.order_id).where(lines.c.lending_region == wanted["region"])
        conditions.append(or_(orders.c.applicant_region == wanted["region"], orders.c.id.in_(lent)))
    if wanted.get("mine"):
        conditions.append(orders.c.applicant_person == context.identity.person)
    return conditions


async def _find_views(context: Context, keys: Sequence[Representation], _selection: Selection) -> Sequence[Any]:
    views: list[ViewId | None] = []
    for key in keys:
        try:
            views.append(parse_view_id(str(key["id"])))
        except InvalidView:
            views.append(None)
    ids = [view.warehouse_id for view in views if view is not None]
    found = await context.services.warehouses.by_ids(context.identity, ids)
    return [
        view_row(context, found[view.warehouse_id], view) if view is not None and view.warehouse_id in found else None
        for view in views
    ]


async def _find_warehouses(context: Context, keys: Sequence[Representation], _selection: Selection) -> Sequence[Any]:
    ids = [str(key["id"]) for key in keys]
    found = await context.services.warehouses.by_ids(context.identity, ids)
    return [warehouse_row(context, found[one]) if one in found else None for one in ids]


async def _find_orders(context: Context, keys: Sequence[Representation], _selection: Selection) -> Sequence[Any]:
    found = await context.orders.load_many([str(key["id"]) for key in keys])
    return [None if order is None else order_row(context, order) for order in found]


async def _find_assets(_context: Context, keys: Sequence[Representation], _selection: Selection) -> Sequence[Any]:
    """Any asset id is taken as it is: whether the asset exists is its region's to say."""
    links = ("successorId", "predecessorId")
    return [{"__typename": "Asset", "id": str(key["id"]), **{link: key.get(link) for link in links}} for key in keys]


ENTITIES = {
    "Asset": _find_assets,
    "VirtualWarehouse": _find_warehouses,
    "VirtualWarehouseView": _find_views,
    "CirculationOrder": _find_orders,
}
