"""What the book decides, from facts alone: no I/O, so that every rule can be read and tested by itself.

Each function gives the refusals (none: it may be done); `move`, `transfer_out` and `reduce` give what changes. Which status the
legacy store should show after a movement of the whole card:

    DISPATCH     IN_TRANSIT                       REPAIR_OUT   IN_REPAIR
    RECEIVE      LENT                             REPAIR_IN    as before; IN_STORE where it was under repair then
    RETURN       as before the goods left         WRITE_OFF    DISPOSED, and the goods are gone for good
    STORE        IN_STORE                         transfer     DISPOSED, and a card of the receiver's has its place

Goods that are gone for good claim no day any more, and the card's quantity is so much less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from contract.decimals import format_decimal
from contract.ids import is_successor
from contract.occupancy import peak
from subgraphs.district.custody.claims import FOREVER, Claim, claim_of, days_later, spaced
from subgraphs.district.custody.model import (
    AssetFacts,
    ExtendHold,
    PlaceHold,
    ReceiveCard,
    RecordMovement,
    ReduceHold,
    RenewHold,
    TransferOut,
)
from subgraphs.district.custody.words import Refusal

__all__ = [
    "Entry",
    "Moved",
    "claim_in_force",
    "extend",
    "move",
    "place",
    "receive",
    "reduce",
    "release",
    "renew",
    "transfer_out",
]

RANGE_DAYS_MAX = 1_100
"""Three years; loans are far shorter, their policy is the overlay's."""
LIFE_S_MAX = 366 * 86_400
BUFFER_DAYS_MAX = 90
_GONE = frozenset(("DISPOSED", "LOST"))
_OVER: Mapping[str, Any] = MappingProxyType({"state": "RELEASED", "expires_at": None})
"""What a hold says of itself once nothing of it is claimed any more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A hold as the book has it."""

    id: str
    asset: str
    order_id: str
    from_day: str
    to_day: str
    quantity: Decimal
    dispatched: Decimal
    received: Decimal
    returned: Decimal
    state: str
    expires_at: str | None
    status_before: str | None
    gone: Decimal = Decimal(0)
    """Left for good."""
    buffer_days: int = 0
    for_good: bool = False
    placed_at: str = ""

    @property
    def last_day(self) -> str:
        """The day after the last one that it claims."""
        return FOREVER if self.for_good else self.to_day

    @property
    def out(self) -> Decimal:
        return self.dispatched - self.returned - self.gone

    @property
    def claimed(self) -> Decimal:
        """What nobody else can have: all that is held, without what is back or gone."""
        return self.quantity - self.returned - self.gone

    def has_lapsed(self, now: str) -> bool:
        return self.state == "ACTIVE" and self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Moved:
    changes: Mapping[str, Any]
    """Of the hold's row."""
    status: str | None
    """What the legacy store should show; None where a part of a batch moved, which no single status tells."""
    left: Decimal | None = None
    """Where goods went for good: how much of the card is left."""


def claim_in_force(entry: Entry, today: date) -> Claim:
    is_out = entry.state == "DISPATCHED"
    claim = claim_of(entry.from_day, entry.last_day, entry.claimed, is_out, today, entry.buffer_days)
    return claim if is_out else replace(claim, waits_since=entry.placed_at)


# --- holds ------------------------------------------------------------------------------------------------------------


def place(command: PlaceHold, facts: AssetFacts | None, claims: Iterable[Claim], today: date) -> list[Refusal]:
    if facts is None:
        return [Refusal("UNKNOWN_ASSET", ("assetId",))]
    refusals = [*_range(command.from_day, command.to_day, today), *_life(command.life_s)]
    if not 0 <= command.buffer_days <= BUFFER_DAYS_MAX:
        refusals.append(Refusal("INVALID_BUFFER", ("bufferDays",), {"days": str(BUFFER_DAYS_MAX)}))
    if command.quantity <= 0:
        refusals.append(Refusal("INVALID_QUANTITY", ("quantity",)))
    elif command.quantity > facts.quantity:
        refusals.append(_exceeded(facts.quantity))
    refusals += _available(facts, command.to_day, command.own_use, command.expected_version)
    if refusals:
        return refusals
    to_day = FOREVER if command.for_good else days_later(command.to_day, command.buffer_days)
    free = facts.quantity - peak(spaced(claims, command.buffer_days), command.from_day, to_day)
    return [_busy(free, "range")] if command.quantity > free else []


def extend(
    command: ExtendHold, entry: Entry | None, facts: AssetFacts | None, others: Iterable[Claim], now: str, today: date
) -> list[Refusal]:
    """Of a hold whose goods have left, too: the days it has stay its own, the new ones must be free."""
    if entry is None:
        return [_unknown()]
    if facts is None:
        return [Refusal("UNKNOWN_ASSET", ("assetId",))]
    if (ended := _ended(entry, now)) is not None:
        return [ended]
    refusals = _range(entry.from_day, command.to_day, min(today, date.fromisoformat(entry.from_day)))
    if command.to_day <= entry.to_day:
        refusals = [Refusal("NOT_LATER", ("to",), {"to": entry.to_day})]
    refusals += _available(facts, command.to_day, False, command.expected_version)
    if refusals:
        return refusals
    until = days_later(command.to_day, entry.buffer_days)
    free = facts.quantity - peak(spaced(others, entry.buffer_days), entry.to_day, until)
    return [_busy(free, "to")] if entry.claimed > free else []


def renew(command: RenewHold, entry: Entry | None, now: str) -> list[Refusal]:
    """A hold on which goods have left does not lapse; renewing it changes nothing and is no fault."""
    if entry is None:
        return [_unknown()]
    if (ended := _ended(entry, now)) is not None:
        return [ended]
    return _life(command.life_s)


def reduce(command: ReduceHold, entry: Entry | None, now: str) -> Mapping[str, Any] | Refusal:
    """What has not left is given up, or a part of it. A hold that lapsed or was released claims nothing: then there is
    nothing to change, and no fault in it."""
    if entry is None:
        return _unknown()
    if command.quantity <= 0:
        return Refusal("INVALID_QUANTITY", ("quantity",))
    if _ended(entry, now) is not None:
        return {}
    if command.quantity > entry.quantity - entry.dispatched:
        return _exceeded(entry.quantity - entry.dispatched)
    changes: dict[str, Any] = {"quantity": format_decimal(entry.quantity - command.quantity)}
    if command.quantity == entry.claimed:
        changes.update(_OVER)
    return changes


def release(entry: Entry | None) -> list[Refusal]:
    """What is released or has lapsed already may be released again."""
    if entry is None:
        return [_unknown()]
    if entry.out > 0:
        return [Refusal("HOLD_DISPATCHED", ("holdId",), {"out": format_decimal(entry.out)})]
    return []


def _range(from_day: str, to_day: str, first: date) -> list[Refusal]:
    days = (date.fromisoformat(to_day) - date.fromisoformat(from_day)).days
    if 0 < days <= RANGE_DAYS_MAX and from_day >= first.isoformat():
        return []
    return [Refusal("INVALID_RANGE", ("range",), {"today": first.isoformat(), "days": str(RANGE_DAYS_MAX)})]


def _life(seconds: int) -> list[Refusal]:
    if 0 < seconds <= LIFE_S_MAX:
        return []
    return [Refusal("INVALID_LIFE", ("lifeSeconds",), {"seconds": str(LIFE_S_MAX)})]


def _available(facts: AssetFacts, to_day: str, own_use: bool, expected_version: str | None) -> list[Refusal]:
    refusals = []
    ends = facts.shareable_until is not None and facts.shareable_until < to_day
    if not facts.holdable or (not own_use and (not facts.shareable or ends)):
        refusals.append(Refusal("NOT_SHAREABLE", ("assetId",)))
    if facts.status in _GONE:
        refusals.append(Refusal("NOT_AVAILABLE", ("assetId",)))
    if expected_version is not None and expected_version != facts.version:
        refusals.append(Refusal("VERSION_CHANGED", ("expectedVersion",), {"version": facts.version}))
    return refusals


def _ended(entry: Entry, now: str) -> Refusal | None:
    if entry.has_lapsed(now):
        return Refusal("HOLD_EXPIRED", ("holdId",))
    return Refusal("HOLD_RELEASED", ("holdId",)) if entry.state == "RELEASED" else None


# --- movements --------------------------------------------------------------------------------------------------------


def move(
    command: RecordMovement,
    entry: Entry | None,
    facts: AssetFacts | None,
    others: Iterable[Claim],
    now: str,
    today: date,
) -> Moved | Refusal:
    """`others`: what is claimed of the asset beside this hold."""
    if entry is None:
        return _unknown()
    if command.quantity <= 0:
        return Refusal("INVALID_QUANTITY", ("quantity",))
    if entry.state == "RELEASED":
        return Refusal("HOLD_RELEASED", ("holdId",))
    match command.kind:
        case "DISPATCH":
            return _leave(command.quantity, entry, facts, others, now, today, "IN_TRANSIT")
        case "REPAIR_OUT":
            return _leave(command.quantity, entry, facts, others, now, today, "IN_REPAIR")
        case "WRITE_OFF":
            return _write_off(command.quantity, entry, facts, others, now, today)
    if entry.state != "DISPATCHED":
        return Refusal("NOT_DISPATCHED", ("holdId",))
    if command.kind == "RECEIVE":
        received = entry.received + command.quantity
        if received > entry.dispatched:
            return _exceeded(entry.dispatched - entry.received)
        whole = _is_whole(entry, facts) and received == entry.dispatched
        return Moved({"received": format_decimal(received)}, "LENT" if whole else None)
    if command.quantity > entry.out:
        return _exceeded(entry.out)
    whole = _is_whole(entry, facts) and command.quantity == entry.out
    return Moved(_ends(entry, returned=command.quantity), _back_as(command.kind, entry) if whole else None)


def transfer_out(command: TransferOut, entry: Entry | None, facts: AssetFacts | None) -> Moved | Refusal:
    """The goods have come to the receiver: the owner's book lets them go for good."""
    if entry is None or entry.order_id != command.order_id:
        return _unknown()
    if not is_successor(command.successor):
        return Refusal("INVALID_CARD", ("successorId",))
    if command.quantity <= 0:
        return Refusal("INVALID_QUANTITY", ("quantity",))
    if entry.state != "DISPATCHED":
        return Refusal("NOT_DISPATCHED", ("holdId",))
    return _gone(command.quantity, entry, facts)


def receive(command: ReceiveCard, is_taken: bool) -> list[Refusal]:
    """`is_taken`: the legacy store or the book has something of that key already."""
    refusals = []
    if is_taken:
        refusals.append(Refusal("CARD_EXISTS", ("assetId",)))
    if command.owner is None:
        refusals.append(Refusal("UNKNOWN_UNIT", ("ownerId",)))
    if not command.knows_warehouse:
        refusals.append(Refusal("UNKNOWN_WAREHOUSE", ("warehouseId",)))
    if Decimal(command.fields["quantity"]) <= 0:
        refusals.append(Refusal("INVALID_QUANTITY", ("quantity",)))
    return refusals


def _leave(
    quantity: Decimal,
    entry: Entry,
    facts: AssetFacts | None,
    others: Iterable[Claim],
    now: str,
    today: date,
    status: str,
) -> Moved | Refusal:
    """Goods that leave early claim days that the hold did not, and goods that others hold may be overdue: what is
    still out, or promised to others until then, cannot leave, whatever days the hold has. Where there is not enough for
    all, because some was lost, whoever held first goes first. Buffers are for planning: what can be handed over is not
    refused for them."""
    if (refusal := _unavailable(entry, facts, now)) is not None or facts is None:
        return refusal or Refusal("UNKNOWN_ASSET", ("assetId",))
    dispatched = entry.dispatched + quantity
    if dispatched > entry.quantity:
        return _exceeded(entry.quantity - entry.dispatched)
    claim = claim_of(entry.from_day, entry.last_day, entry.claimed, True, today)
    free = facts.quantity - peak(_going_before(others, entry), claim.from_day, claim.to_day)
    if claim.quantity > free:
        return _busy(free, "quantity")
    changes: dict[str, Any] = {"dispatched": format_decimal(dispatched), "state": "DISPATCHED", "expires_at": None}
    if entry.state == "ACTIVE":
        changes["status_before"] = facts.status
    return Moved(changes, status if entry.out + quantity == facts.quantity else None)


def _going_before(others: Iterable[Claim], entry: Entry) -> Iterator[Claim]:
    """What others claim before this hold. Goods that wait for a later one do so on other days than the hold's."""
    for one in others:
        if one.waits_since is None or one.waits_since <= entry.placed_at:
            yield one
            continue
        yield replace(one, to_day=min(one.to_day, entry.from_day))
        yield replace(one, from_day=max(one.from_day, entry.last_day))


def _write_off(
    quantity: Decimal, entry: Entry, facts: AssetFacts | None, others: Iterable[Claim], now: str, today: date
) -> Moved | Refusal:
    """Of goods that left on the hold, or, where none did, of goods where they stand: then none that others hold."""
    if entry.state == "DISPATCHED":
        return _gone(quantity, entry, facts)
    if (refusal := _unavailable(entry, facts, now)) is not None or facts is None:
        return refusal or Refusal("UNKNOWN_ASSET", ("assetId",))
    if quantity > entry.claimed:
        return _exceeded(entry.claimed)
    free = facts.quantity - peak(others, today.isoformat(), FOREVER)
    if quantity > free:
        return _busy(free, "quantity")
    return _gone(quantity, entry, facts, in_place=True)


def _gone(quantity: Decimal, entry: Entry, facts: AssetFacts | None, in_place: bool = False) -> Moved | Refusal:
    if facts is None:
        return Refusal("UNKNOWN_ASSET", ("assetId",))
    if not in_place and quantity > entry.out:
        return _exceeded(entry.out)
    if quantity > facts.quantity:
        return _exceeded(facts.quantity)
    changes = _ends(entry, gone=quantity)
    if in_place:
        changes["dispatched"] = format_decimal(entry.dispatched + quantity)
    left = facts.quantity - quantity
    return Moved(changes, None if left else "DISPOSED", left)


def _unavailable(entry: Entry, facts: AssetFacts | None, now: str) -> Refusal | None:
    if facts is None:
        return Refusal("UNKNOWN_ASSET", ("assetId",))
    if entry.has_lapsed(now):
        return Refusal("HOLD_EXPIRED", ("holdId",))
    return Refusal("NOT_AVAILABLE", ("assetId",)) if facts.status in _GONE else None


def _ends(entry: Entry, returned: Decimal = Decimal(0), gone: Decimal = Decimal(0)) -> dict[str, Any]:
    """A hold is over when nothing of it is claimed any more."""
    changes: dict[str, Any] = {}
    if returned:
        changes["returned"] = format_decimal(entry.returned + returned)
    if gone:
        changes["gone"] = format_decimal(entry.gone + gone)
    if returned + gone == entry.claimed:
        changes.update(_OVER)
    return changes


def _is_whole(entry: Entry, facts: AssetFacts | None) -> bool:
    return facts is not None and entry.dispatched - entry.gone == facts.quantity


def _back_as(kind: str, entry: Entry) -> str:
    if kind == "STORE" or entry.status_before is None:
        return "IN_STORE"
    return "IN_STORE" if kind == "REPAIR_IN" and entry.status_before == "IN_REPAIR" else entry.status_before


def _unknown() -> Refusal:
    return Refusal("UNKNOWN_HOLD", ("holdId",))


def _exceeded(most: Decimal) -> Refusal:
    return Refusal("QUANTITY_EXCEEDED", ("quantity",), {"most": format_decimal(most)})


def _busy(free: Decimal, path: str) -> Refusal:
    return Refusal("ASSET_BUSY", (path,), {"free": format_decimal(max(free, Decimal(0)))})
