"""Virtual warehouses' part of the contract: commands on them, and the subscription that tells of new matches."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import strawberry
from strawberry import UNSET

from overlay.api.context import Context
from overlay.api.enums import WarehouseScope
from overlay.api.inputs import CreateVirtualWarehouseInput, to_plain
from overlay.api.rows import problem_rows, warehouse_row
from overlay.api.types import Asset, Info, VirtualWarehousePayload, read_window
from overlay.warehouses.matches import MatchBatch
from overlay.warehouses.model import WarehouseAnswer
from overlay.warehouses.views import ViewId
from subgraphs.kit.assets import AssetFilter, DateRangeInput
from subgraphs.kit.errors import Unauthenticated
from subgraphs.kit.scalars import DateTime

__all__ = ["Subscription", "WarehouseMutations"]


@strawberry.input
class UpdateVirtualWarehouseInput:
    idempotency_key: str
    id: strawberry.ID
    expected_version: int
    name: str | None = UNSET
    name_en: str | None = UNSET
    description: str | None = UNSET
    scope: WarehouseScope | None = UNSET
    notify: bool | None = UNSET
    filter: AssetFilter | None = UNSET
    union_with: list[strawberry.ID] | None = UNSET
    intersect_with: list[strawberry.ID] | None = UNSET
    without: list[strawberry.ID] | None = UNSET


@strawberry.input
class RetireVirtualWarehouseInput:
    idempotency_key: str
    id: strawberry.ID
    expected_version: int


_CLEARED = frozenset({"nameEn", "description", "filter", "unionWith", "intersectWith", "without"})
"""What null clears; of other fields null is as if they were not given."""


@strawberry.type
class WarehouseMutations:
    @strawberry.mutation
    async def create_virtual_warehouse(self, info: Info, input: CreateVirtualWarehouseInput) -> VirtualWarehousePayload:
        context, body = info.context, to_plain(input)
        key = body.pop("idempotencyKey")
        return await _payload(context, await context.services.warehouse_commands.create(context.identity, key, body))

    @strawberry.mutation
    async def update_virtual_warehouse(self, info: Info, input: UpdateVirtualWarehouseInput) -> VirtualWarehousePayload:
        context, body = info.context, to_plain(input, _CLEARED)
        key, id_ = body.pop("idempotencyKey"), body.pop("id")
        commands = context.services.warehouse_commands
        return await _payload(context, await commands.change(context.identity, key, id_, body))

    @strawberry.mutation
    async def retire_virtual_warehouse(self, info: Info, input: RetireVirtualWarehouseInput) -> VirtualWarehousePayload:
        context, body = info.context, to_plain(input)
        key, id_ = body.pop("idempotencyKey"), body.pop("id")
        commands = context.services.warehouse_commands
        return await _payload(context, await commands.retire(context.identity, key, id_, body))


async def _payload(context: Context, answer: WarehouseAnswer) -> VirtualWarehousePayload:
    ids = [] if answer.warehouse_id is None else [answer.warehouse_id]
    found = await context.services.warehouses.by_ids(context.identity, ids)
    return {  # type: ignore[return-value]
        "virtual_warehouse": next((warehouse_row(context, one) for one in found.values()), None),
        "problems": problem_rows(context, answer.problems),
    }


@strawberry.type
class VirtualWarehouseMatch:
    asset_id: strawberry.ID
    asset: Asset | None
    at: DateTime


@strawberry.type
class VirtualWarehouseMatches:
    cursor: str
    gap: bool
    silent_regions: list[strawberry.ID]
    matches: list[VirtualWarehouseMatch]


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def virtual_warehouse_matches(
        self,
        info: Info,
        id: strawberry.ID,
        window: DateRangeInput | None = UNSET,
        after: str | None = UNSET,
    ) -> AsyncGenerator[VirtualWarehouseMatches, None]:
        context = info.context
        if context.identity.is_anonymous:
            raise Unauthenticated("standing queries are for people who have signed in; send an access token")
        view = ViewId(id, read_window(window))
        async for batch in context.services.watching.follow(context.identity, view, after or None):
            yield _batch(batch)


def _batch(batch: MatchBatch) -> Any:
    return {
        "cursor": batch.cursor,
        "gap": batch.gap,
        "silent_regions": batch.silent,
        "matches": [{"asset_id": one.asset_id, "asset": {"id": one.asset_id}, "at": one.at} for one in batch.matches],
    }
