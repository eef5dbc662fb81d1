"""Single things by id: assets, units, warehouses, the region itself. What may not be seen answers as unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.evaluate import predicate
from contract.ids import InvalidId, parse_id
from subgraphs.district.member import DistrictContext, Listed, Member
from subgraphs.district.rows import asset_view
from subgraphs.kit.entities import Representation, Selected
from subgraphs.kit.errors import BadInput
from subgraphs.kit.selection import Selection

__all__ = ["ENTITIES", "find_assets", "find_unit", "find_warehouse", "native_of"]

_RIGHTS_COLUMNS = frozenset(("shareable", "shareableUntil", "owner"))
"""What `Viewer.rows` judges by."""


def native_of(member: Member, id_: Any, kind: str) -> str | None:
    """The native key of an id of this region; None for another region's. Raises `BadInput`."""
    try:
        found = parse_id(id_ if isinstance(id_, str) else "", kind)
    except InvalidId as error:
        raise BadInput(str(error)) from None
    return found.native if found.region == member.region else None


async def find_assets(context: DistrictContext, ids: Sequence[Any], selected: Selection) -> list[Any]:
    """Per id the asset, None, or a `BadInput` where it is no id. One question to the store for all."""
    member = context.member
    natives: list[str | BadInput | None] = []
    for id_ in ids:
        try:
            natives.append(native_of(member, id_, "asset"))
        except BadInput as error:
            natives.append(error)
    wanted = [native for native in natives if isinstance(native, str)]
    if not wanted:
        return natives
    viewer = await context.viewer()
    view = await asset_view(member, viewer, context.caller.language, selected.names)
    rows = await member.store.rows(dict.fromkeys(wanted), view.columns | _RIGHTS_COLUMNS)
    is_seen = predicate(viewer.rows(member.today()))
    found = {native: view.show(row) for native, row in rows.items() if is_seen(row)}
    return [found.get(native) if isinstance(native, str) else native for native in natives]


async def find_unit(member: Member, id_: Any) -> Listed | None:
    native = native_of(member, id_, "unit")
    return None if native is None else (await member.units.all()).get(native)


async def find_warehouse(member: Member, id_: Any) -> Listed | None:
    native = native_of(member, id_, "warehouse")
    return None if native is None else (await member.warehouses.all()).get(native)


# --- entities: (context, representations, what is selected) → per representation a value, None or an error ---------------


async def _assets(context: DistrictContext, wanted: Sequence[Representation], selected: Selected) -> Sequence[Any]:
    return await find_assets(context, [one.get("id") for one in wanted], selected)


async def _units(context: DistrictContext, wanted: Sequence[Representation], _: Selected) -> Sequence[Any]:
    return [await _or_error(find_unit(context.member, one.get("id"))) for one in wanted]


async def _warehouses(context: DistrictContext, wanted: Sequence[Representation], _: Selected) -> Sequence[Any]:
    return [await _or_error(find_warehouse(context.member, one.get("id"))) for one in wanted]


async def _regions(context: DistrictContext, wanted: Sequence[Representation], _: Selected) -> Sequence[Any]:
    member = context.member
    return [member.region_row if one.get("code") == member.region else None for one in wanted]


async def _views(_context: DistrictContext, wanted: Sequence[Representation], _: Selected) -> Sequence[Any]:
    return [
        {"id": one["id"], "rule": one.get("rule")} if isinstance(one.get("id"), str) else BadInput("a view has an id")
        for one in wanted
    ]


async def _or_error(found: Any) -> Any:
    try:
        return await found
    except BadInput as error:
        return error


ENTITIES = {
    "Region": _regions,
    "Unit": _units,
    "Warehouse": _warehouses,
    "Asset": _assets,
    "VirtualWarehouseView": _views,
}
