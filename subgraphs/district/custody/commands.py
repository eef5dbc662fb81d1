"""The contract's custody fields over the book: ids and days in, holds and problems out. For the system itself only."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import structlog

from adapters.model import StoreError, StoreUnavailable
from contract.decimals import format_decimal
from contract.ids import InvalidId, format_id, parse_id
from subgraphs.district.custody.model import (
    AssetFacts,
    Hold,
    HoldResult,
    Movement,
    PlaceHold,
    RecordMovement,
    ReleaseHold,
    RenewHold,
)
from subgraphs.district.custody.words import Refusal, in_words
from subgraphs.district.member import DistrictContext, Member
from subgraphs.district.policy import require_service
from subgraphs.kit.errors import BadInput

__all__ = ["command_status", "place_hold", "record_movement", "release_hold", "renew_hold"]

_log = structlog.get_logger(__name__)
Json = dict[str, Any]

ORDER_ID_LENGTH_MAX = 200
NOT_GRANTED = "NOT_GRANTED"
"""Why a store was not written whose mapping does not say how."""
_FACTS = frozenset(("quantity", "status", "shareable", "shareableUntil"))


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
    )
    return _payload(context, await member.book.place(command, await _facts(member, native), member.today()))


async def renew_hold(context: DistrictContext, *, key: str, asset_id: str, hold_id: str, life_s: int) -> Json:
    command = RenewHold(key=key, asset=_native(context, asset_id), hold_id=hold_id, life_s=life_s)
    return _payload(context, await context.member.book.renew(command))


async def release_hold(context: DistrictContext, *, key: str, asset_id: str, hold_id: str) -> Json:
    command = ReleaseHold(key=key, asset=_native(context, asset_id), hold_id=hold_id)
    return _payload(context, await context.member.book.release(command))


async def record_movement(
    context: DistrictContext, *, key: str, asset_id: str, hold_id: str, kind: Movement, quantity: str
) -> Json:
    native = _native(context, asset_id)
    member = context.member
    command = RecordMovement(key=key, asset=native, hold_id=hold_id, kind=kind, quantity=Decimal(quantity))
    facts = await _facts_for_movement(member, native, kind)

    async def write_status(status: str) -> str | None:
        """What goes wrong here leaves an open instruction; the movement itself has happened."""
        try:
            written = await member.store.write_status(native, status, None if facts is None else facts.version)
        except StoreError as error:
            _log.warning("the legacy store was not written", region=member.region, status=status, code=error.code)
            return error.code
        return None if written else NOT_GRANTED

    result = await member.book.move(command, facts, write_status, member.today())
    return {"writtenBack": result.written_back, "problems": _problems(context, result.refusals)}


async def command_status(context: DistrictContext, asset_id: str, key: str) -> Json:
    known = await context.member.book.status(_native(context, asset_id), key)
    hold = None if known.hold is None else _hold(context.member, known.hold)
    return {"idempotencyKey": key, "known": known.known, "hold": hold}


def _native(context: DistrictContext, asset_id: str) -> str:
    """The asset's native key, for the system itself only. Raises `Forbidden` or `BadInput`."""
    require_service(context.caller.identity)
    try:
        found = parse_id(asset_id, "asset")
    except InvalidId as error:
        raise BadInput(str(error)) from None
    if found.region != context.member.region:
        raise BadInput(f"{asset_id!r} is an asset of region {found.region}; this is {context.member.region}")
    return found.native


async def _facts(member: Member, native: str) -> AssetFacts | None:
    row = (await member.store.rows([native], _FACTS)).get(native)
    if row is None:
        return None
    return AssetFacts(
        quantity=Decimal(row["quantity"]) if row.get("quantity") is not None else Decimal(1),
        version=row["version"],
        status=row.get("status"),
        # What the mapping does not let the city hold is nobody's to share.
        shareable=member.store.capabilities.hold and bool(row.get("shareable")),
        shareable_until=row.get("shareableUntil"),
    )


async def _facts_for_movement(member: Member, native: str, kind: Movement) -> AssetFacts | None:
    """Goods that are out come in or back whether or not the legacy store answers today."""
    try:
        return await _facts(member, native)
    except StoreUnavailable:
        if kind == "DISPATCH":
            raise
        return None


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
