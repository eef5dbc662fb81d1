"""What the book decides, from facts alone: no I/O, so that every rule can be read and tested by itself.

Each function gives the refusals (none: it may be done); `move` gives what changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from contract.decimals import format_decimal
from subgraphs.district.custody.claims import Claim, claim_of, peak
from subgraphs.district.custody.model import AssetFacts, PlaceHold, RecordMovement, RenewHold
from subgraphs.district.custody.words import Refusal

__all__ = ["Entry", "Moved", "move", "place", "release", "renew"]

RANGE_DAYS_MAX = 1_100
"""Three years; loans are far shorter, their policy is the overlay's."""
LIFE_S_MAX = 366 * 86_400
_GONE = frozenset(("DISPOSED", "LOST"))


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

    @property
    def out(self) -> Decimal:
        return self.dispatched - self.returned

    @property
    def claimed(self) -> Decimal:
        """What nobody else can have: all that is held, without what is back."""
        return self.quantity - self.returned

    def has_lapsed(self, now: str) -> bool:
        return self.state == "ACTIVE" and self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Moved:
    changes: Mapping[str, Any]
    """Of the hold's row."""
    status: str | None
    """What the legacy store should show; None where a part of a batch moved, which no single status tells."""


def place(command: PlaceHold, facts: AssetFacts | None, claims: Iterable[Claim], today: date) -> list[Refusal]:
    if facts is None:
        return [Refusal("UNKNOWN_ASSET", ("assetId",))]
    refusals = [*_range(command, today), *_life(command.life_s)]
    if command.quantity <= 0:
        refusals.append(Refusal("INVALID_QUANTITY", ("quantity",)))
    elif command.quantity > facts.quantity:
        refusals.append(_exceeded(facts.quantity))
    if not facts.shareable or (facts.shareable_until is not None and facts.shareable_until < command.to_day):
        refusals.append(Refusal("NOT_SHAREABLE", ("assetId",)))
    if facts.status in _GONE:
        refusals.append(Refusal("NOT_AVAILABLE", ("assetId",)))
    if command.expected_version is not None and command.expected_version != facts.version:
        refusals.append(Refusal("VERSION_CHANGED", ("expectedVersion",), {"version": facts.version}))
    if refusals:
        return refusals
    free = facts.quantity - peak(claims, command.from_day, command.to_day)
    if command.quantity > free:
        return [Refusal("ASSET_BUSY", ("range",), {"free": format_decimal(max(free, Decimal(0)))})]
    return []


def _range(command: PlaceHold, today: date) -> list[Refusal]:
    days = (date.fromisoformat(command.to_day) - date.fromisoformat(command.from_day)).days
    if 0 < days <= RANGE_DAYS_MAX and command.from_day >= today.isoformat():
        return []
    return [Refusal("INVALID_RANGE", ("range",), {"today": today.isoformat(), "days": str(RANGE_DAYS_MAX)})]


def _life(seconds: int) -> list[Refusal]:
    if 0 < seconds <= LIFE_S_MAX:
        return []
    return [Refusal("INVALID_LIFE", ("lifeSeconds",), {"seconds": str(LIFE_S_MAX)})]


def renew(command: RenewHold, entry: Entry | None, now: str) -> list[Refusal]:
    """A hold on which goods have left does not lapse; renewing it changes nothing and is no fault."""
    if entry is None:
        return [_unknown()]
    if entry.has_lapsed(now):
        return [Refusal("HOLD_EXPIRED", ("holdId",))]
    if entry.state == "RELEASED":
        return [Refusal("HOLD_RELEASED", ("holdId",))]
    return _life(command.life_s)


def release(entry: Entry | None) -> list[Refusal]:
    """What is released or has lapsed already may be released again."""
    if entry is None:
        return [_unknown()]
    if entry.out > 0:
        return [Refusal("HOLD_DISPATCHED", ("holdId",), {"out": format_decimal(entry.out)})]
    return []


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
    if command.kind == "DISPATCH":
        return _dispatch(command, entry, facts, others, now, today)
    if entry.state != "DISPATCHED":
        return Refusal("NOT_DISPATCHED", ("holdId",))
    is_whole = facts is not None and entry.dispatched == facts.quantity
    if command.kind == "RECEIVE":
        received = entry.received + command.quantity
        if received > entry.dispatched:
            return _exceeded(entry.dispatched - entry.received)
        whole = is_whole and received == entry.dispatched
        return Moved({"received": format_decimal(received)}, "LENT" if whole else None)
    returned = entry.returned + command.quantity
    if returned > entry.dispatched:
        return _exceeded(entry.out)
    changes: dict[str, Any] = {"returned": format_decimal(returned)}
    if returned == entry.quantity:
        changes["state"] = "RELEASED"
    whole = is_whole and returned == entry.dispatched
    return Moved(changes, (entry.status_before or "IN_STORE") if whole else None)


def _dispatch(
    command: RecordMovement,
    entry: Entry,
    facts: AssetFacts | None,
    others: Iterable[Claim],
    now: str,
    today: date,
) -> Moved | Refusal:
    """Goods that leave early claim days that the hold did not, and goods that others hold may be overdue: what is
    still out, or promised to others until then, cannot leave, whatever days the hold has."""
    if facts is None:
        return Refusal("UNKNOWN_ASSET", ("assetId",))
    if entry.has_lapsed(now):
        return Refusal("HOLD_EXPIRED", ("holdId",))
    dispatched = entry.dispatched + command.quantity
    if dispatched > entry.quantity:
        return _exceeded(entry.quantity - entry.dispatched)
    claim = claim_of(entry.from_day, entry.to_day, entry.claimed, True, today)
    free = facts.quantity - peak(others, claim.from_day, claim.to_day)
    if claim.quantity > free:
        return Refusal("ASSET_BUSY", ("quantity",), {"free": format_decimal(max(free, Decimal(0)))})
    changes: dict[str, Any] = {"dispatched": format_decimal(dispatched), "state": "DISPATCHED", "expires_at": None}
    if entry.state == "ACTIVE":
        changes["status_before"] = facts.status
    return Moved(changes, "IN_TRANSIT" if dispatched == facts.quantity else None)


def _unknown() -> Refusal:
    return Refusal("UNKNOWN_HOLD", ("holdId",))


def _exceeded(most: Decimal) -> Refusal:
    return Refusal("QUANTITY_EXCEEDED", ("quantity",), {"most": format_decimal(most)})
