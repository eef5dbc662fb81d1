"""The contract's custody fields over the book: ids and days in, holds and problems out. For the system itself only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import structlog

from adapters.model import StoreError, StoreUnavailable
from contract.decimals import format_decimal
from contract.ids import GlobalId, InvalidId, format_id, is_successor_key, parse_id
from subgraphs.district.custody.cards import facts_of
from subgraphs.district.custody.model import (
    AssetFacts,
    ExtendHold,
    Hold,
    HoldResult,
    Movement,
    PlaceHold,
    ReceiveCard,
    RecordMovement,
    ReduceHold,
    ReleaseHold,
    RenewHold,
    TransferOut,
)
from subgraphs.district.custody.words import Refusal, in_words
from subgraphs.district.member import DistrictContext, Member
from subgraphs.district.policy import require_service
from subgraphs.kit.errors import BadInput

__all__ = [
    "command_status",
    "extend_hold",
    "place_hold",
    "receive_card",
    "record_movement",
    "reduce_hold",
    "release_hold",
    "renew_hold",
    "transfer_out",
]

_log = structlog.get_logger(__name__)
Json = dict[str, Any]

ORDER_ID_LENGTH_MAX = 200
NOT_GRANTED = "NOT_GRANTED"
"""Why a store was not written whose mapping does not say how."""
_FACTS = frozenset(("quantity", "status", "shareable", "shareableUntil"))
_COMES_IN = frozenset(("RECEIVE", "RETURN", "STORE", "REPAIR_IN"))
"""Movements of goods that are out: they happen whether or not the legacy store answers today."""


async def place_hold(
    context: DistrictContext,
    *,
    key: str,
    asset_id: str,
    order_id: str,
    from_day: str,
    to_day: str,
    quantity: str,
    life_s: int,
    expected_version: str | None,
    buffer_days: int = 0,
    own_use: bool = False,
    for_good: bool = False,
) -> Json:
    native = _native(context, asset_id)
    if not 0 < len(order_id) <= ORDER_ID_LENGTH_MAX:
        raise BadInput(f"an order's id has 1 to {ORDER_ID_LENGTH_MAX} characters")
    member = context.member
    command = PlaceHold(
        key=key,
        asset=native,
        order_id=order_id,
        from_day=from_day,
        to_day=to_day,
        quantity=Decimal(quantity),
        life_s=life_s,
        expected_version=expected_version,
        buffer_days=buffer_days,
        own_use=own_use,
        for_good=for_good,
    )
    return _payload(context, await member.book.place(command, await _facts(member, native), member.today()))


async def extend_hold(
    context: DistrictContext, *, key: str, asset_id: str, hold_id: str, to_day: str, expected_version: str | None
) -> Json:
    native, member = _native(context, asset_id), context.member
    command = ExtendHold(key=key, asset=native, hold_id=hold_id, to_day=to_day, expected_version=expected_version)
    return _payload(context, await member.book.extend(command, await _facts(member, native), member.today()))


async def renew_hold(context: DistrictContext, *, key: str, asset_id: str, hold_id: str, life_s: int) -> Json:
    command = RenewHold(key=key, asset=_native(context, asset_id), hold_id=hold_id, life_s=life_s)
    return _payload(context, await context.member.book.renew(command))


async def reduce_hold(context: DistrictContext, *, key: str, asset_id: str, hold_id: str, quantity: str) -> Json:
    command = ReduceHold(key=key, asset=_native(context, asset_id), hold_id=hold_id, quantity=Decimal(quantity))
    return _payload(context, await context.member.book.reduce(command))


async def release_hold(context: DistrictContext, *, key: str, asset_id: str, hold_id: str) -> Json:
    command = ReleaseHold(key=key, asset=_native(context, asset_id), hold_id=hold_id)
    return _payload(context, await context.member.book.release(command))


async def record_movement(
    context: DistrictContext, *, key: str, asset_id: str, hold_id: str, kind: Movement, quantity: str
) -> Json:
    native = _native(context, asset_id)
    command = RecordMovement(key=key, asset=native, hold_id=hold_id, kind=kind, quantity=Decimal(quantity))
    return await _moved(context, command, kind in _COMES_IN)


async def transfer_out(
    context: DistrictContext,
    *,
    key: str,
    asset_id: str,
    hold_id: str,
    order_id: str,
    quantity: str,
    successor_id: str,
) -> Json:
    command = TransferOut(
        key=key,
        asset=_native(context, asset_id),
        hold_id=hold_id,
        order_id=order_id,
        quantity=Decimal(quantity),
        successor=successor_id,
    )
    return await _moved(context, command, False)


async def receive_card(
    context: DistrictContext,
    *,
    key: str,
    asset_id: str,
    predecessor_id: str,
    lineage_id: str,
    order_id: str,
    owner_id: str | None,
    owner_uscc: str | None,
    warehouse_id: str | None,
    fields: Mapping[str, Any],
) -> Json:
    """`fields`: the canonical fields that are taken over, but for owner and warehouse."""
    native, member = _native(context, asset_id), context.member
    if not is_successor_key(native):
        raise BadInput(f"{asset_id!r} is no id of a successor card")
    for id_ in (predecessor_id, lineage_id):
        _parsed(id_, "asset")
    warehouse = None if warehouse_id is None else _parsed(warehouse_id, "warehouse")
    warehouses = {} if warehouse is None else await member.warehouses.all()
    command = ReceiveCard(
        key=key,
        asset=native,
        predecessor=predecessor_id,
        lineage=lineage_id,
        order_id=order_id,
        owner=await _unit(member, owner_id, owner_uscc),
        warehouse=None if warehouse is None else warehouse.native,
        knows_warehouse=warehouse is None or (warehouse.region == member.region and warehouse.native in warehouses),
        fields=fields,
    )
    is_in_store = native in await member.legacy.rows([native], frozenset(("quantity",)))
    result = await member.book.receive(command, is_in_store)
    card = None if result.card is None else format_id("asset", member.region, result.card)
    return {"assetId": card, "problems": _problems(context, result.refusals)}


async def command_status(context: DistrictContext, asset_id: str, key: str) -> Json:
    known = await context.member.book.status(_native(context, asset_id), key)
    hold = None if known.hold is None else _hold(context.member, known.hold)
    return {"idempotencyKey": key, "known": known.known, "hold": hold}


async def _moved(context: DistrictContext, command: RecordMovement | TransferOut, comes_in: bool) -> Json:
    member = context.member
    home = await member.book.home(command.asset)
    try:
        facts = await _facts(member, command.asset)
    except StoreUnavailable:
        if not comes_in:
            raise
        facts = None
    result = await member.book.move(command, facts, _writer(member, home, facts), member.today())
    return {"writtenBack": result.written_back, "problems": _problems(context, result.refusals)}


def _writer(member: Member, home: str, facts: AssetFacts | None) -> Callable[[str], Awaitable[str | None]]:
    async def write_status(status: str) -> str | None:
        """What goes wrong here leaves an open instruction; the movement itself has happened."""
        try:
            written = await member.legacy.write_status(home, status, None if facts is None else facts.version)
        except StoreError as error:
            _log.warning("the legacy store was not written", region=member.region, status=status, code=error.code)
            return error.code
        return None if written else NOT_GRANTED

    return write_status


def _native(context: DistrictContext, asset_id: str) -> str:
    """The asset's native key, for the system itself only. Raises `Forbidden` or `BadInput`."""
    require_service(context.caller.identity)
    found = _parsed(asset_id, "asset")
    if found.region != context.member.region:
        raise BadInput(f"{asset_id!r} is an asset of region {found.region}; this is {context.member.region}")
    return found.native


def _parsed(id_: str, kind: str) -> GlobalId:
    try:
        return parse_id(id_, kind)
    except InvalidId as error:
        raise BadInput(str(error)) from None


async def _unit(member: Member, id_: str | None, uscc: str | None) -> str | None:
    """The native key of this region's unit; None where it has no such one."""
    if id_ is None and uscc is None:
        raise BadInput("give `ownerId` or `ownerUscc`")
    units = await member.units.all()
    if id_ is None:
        return next((native for native, unit in units.items() if unit["uscc"] == uscc), None)
    found = _parsed(id_, "unit")
    is_known = found.region == member.region and found.native in units
    return found.native if is_known and uscc in (None, units[found.native]["uscc"]) else None


async def _facts(member: Member, native: str) -> AssetFacts | None:
    """What the legacy store says of the asset, by whichever of its keys it is asked for."""
    home = await member.book.home(native)
    row = (await member.legacy.rows([home], _FACTS)).get(home)
    # What the mapping does not let the city hold is nobody's to share.
    return None if row is None else facts_of(row, member.legacy.capabilities.hold)


def _payload(context: DistrictContext, result: HoldResult) -> Json:
    hold = None if result.hold is None else _hold(context.member, result.hold)
    return {"hold": hold, "problems": _problems(context, result.refusals)}


def _problems(context: DistrictContext, refusals: Sequence[Refusal]) -> list[Json]:
    return [in_words(refusal, context.caller.language) for refusal in refusals]


def _hold(member: Member, hold: Hold) -> Json:
    return {
        "id": hold.id,
        "assetId": format_id("asset", member.region, hold.asset),
        "orderId": hold.order_id,
        "from_": hold.from_day,
        "to": hold.to_day,
        "quantity": format_decimal(hold.quantity),
        "state": hold.state,
        "expiresAt": hold.expires_at,
    }
