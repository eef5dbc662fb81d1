"""What the ledger says of one card beside what its store and custody book say: the differences, by cause. Pure.

What is compared: how many there are; whether the custody book claims what the ledger has away; the status, where one
status can tell where the goods are (a card of one thing, or a batch of which nothing is away); the owner of what is in
store. A batch of which a part is away keeps its status, so it is not held against anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from contract.decimals import format_decimal
from overlay.group.custody import AssetState
from overlay.ledger.model import PLACES, Custody, Place

__all__ = ["Card", "Cause", "Difference", "Tally", "compare"]

_AWAY_STATUSES = frozenset(("IN_TRANSIT", "LENT"))


class Cause(StrEnum):
    STORE_NOT_WRITTEN = "STORE_NOT_WRITTEN"
    """未落库: the custody book could not write the last movement into the store; an instruction is open."""
    STATUS_DIFFERS = "STATUS_DIFFERS"
    HOLD_MISSING = "HOLD_MISSING"
    QUANTITY_DIFFERS = "QUANTITY_DIFFERS"
    OWNER_DIFFERS = "OWNER_DIFFERS"
    ASSET_GONE = "ASSET_GONE"
    REGION_UNAVAILABLE = "REGION_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Card:
    """A card with goods on it, by the ledger."""

    asset_id: str
    held: Mapping[tuple[str, Custody], Decimal]
    """Quantity by unit and custody."""

    @property
    def total(self) -> Decimal:
        return self._sum(Place.HERE) + self.away

    @property
    def away(self) -> Decimal:
        return self._sum(Place.AWAY)

    def owners(self) -> frozenset[str]:
        return frozenset(
            unit for (unit, custody), quantity in self.held.items() if quantity and PLACES[custody] is Place.HERE
        )

    def quantity(self, custody: Custody) -> Decimal:
        return sum((quantity for (_, one), quantity in self.held.items() if one is custody), Decimal(0))

    def _sum(self, place: Place) -> Decimal:
        return sum((quantity for (_, one), quantity in self.held.items() if PLACES[one] is place), Decimal(0))


@dataclass(frozen=True, slots=True)
class Difference:
    cause: Cause
    in_ledger: str | None
    in_store: str | None


@dataclass(slots=True)
class Tally:
    """The figures of one region: numerators, denominator, and whether its store is missing."""

    assets: int = 0
    compared: int = 0
    matched: int = 0
    under_way: int = 0
    """Cards that did not stand still for long enough to be compared."""
    is_missing: bool = False
    codes: Counter[str] = field(default_factory=Counter)

    def count(self, differences: Sequence[Difference]) -> None:
        self.compared += 1
        self.matched += not differences
        self.codes.update(one.cause.value for one in differences)

    def miss(self) -> None:
        self.is_missing = True
        self.codes[Cause.REGION_UNAVAILABLE.value] += 1

    def to_json(self) -> dict[str, Any]:
        return {
            "assets": self.assets,
            "compared": self.compared,
            "matched": self.matched,
            "underWay": self.under_way,
            "missing": self.is_missing,
            "codes": dict(self.codes),
        }


def compare(card: Card, state: AssetState | None, *, is_written: bool) -> list[Difference]:
    """`is_written`: whether the last movement reached the store."""
    if state is None:
        return [Difference(Cause.ASSET_GONE, format_decimal(card.total), None)]
    found: list[Difference] = []
    if state.quantity != card.total:
        found.append(_numbers(Cause.QUANTITY_DIFFERS, card.total, state.quantity))
    if state.claimed < card.away:
        found.append(_numbers(Cause.HOLD_MISSING, card.away, state.claimed))
    expected = _status(card)
    if expected is not None and state.status is not None and not _agrees(expected, state.status):
        cause = Cause.STATUS_DIFFERS if is_written else Cause.STORE_NOT_WRITTEN
        found.append(Difference(cause, expected, state.status))
    owners = card.owners() - {""}
    if owners and state.owner_unit is not None and owners != {state.owner_unit}:
        found.append(Difference(Cause.OWNER_DIFFERS, ", ".join(sorted(owners)), state.owner_unit))
    return found


def _status(card: Card) -> str | None:
    """What the store should show; IN_STORE stands for any status of goods that are at their owner."""
    if not card.away:
        return "IN_STORE"
    if card.total != 1 or card.away != 1:
        return None
    return "IN_TRANSIT" if card.quantity(Custody.IN_TRANSIT) else "LENT"


def _agrees(expected: str, shown: str) -> bool:
    return shown not in _AWAY_STATUSES if expected == "IN_STORE" else shown == expected


def _numbers(cause: Cause, in_ledger: Decimal, in_store: Decimal) -> Difference:
    return Difference(cause, format_decimal(in_ledger), format_decimal(in_store))
