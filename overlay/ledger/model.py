"""The ledger's words: movements, custody, accounts, and what a movement takes from one account and gives another.

An account is (card, region, unit, custody). A new custody state needs one row in `PLACES` and a word in the contract;
a new movement needs only the word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

__all__ = [
    "HERE",
    "OUTSIDE",
    "PLACES",
    "Account",
    "Balance",
    "Custody",
    "Movement",
    "NegativeBalance",
    "Opening",
    "Place",
    "Transfer",
]


class Movement(StrEnum):
    OPENING = "OPENING"
    ADJUST = "ADJUST"
    """The card was changed outside of the ledger: its owner, or how many there are."""
    DISPATCH = "DISPATCH"
    RECEIVE = "RECEIVE"
    RETURN = "RETURN"
    STORE = "STORE"
    DAMAGE = "DAMAGE"
    REFUSE = "REFUSE"
    LOSE = "LOSE"
    TRANSFER = "TRANSFER"
    SEND_BACK = "SEND_BACK"
    SURRENDER = "SURRENDER"
    REPAIR = "REPAIR"
    SCRAP = "SCRAP"
    EXECUTE = "EXECUTE"
    WRITE_OFF = "WRITE_OFF"


class Custody(StrEnum):
    OPENING = "OPENING"
    IN_STORE = "IN_STORE"
    IN_TRANSIT = "IN_TRANSIT"
    LENT = "LENT"
    RETURNING = "RETURNING"
    DAMAGED = "DAMAGED"
    LOST = "LOST"
    IN_REPAIR = "IN_REPAIR"
    TO_DISPOSE = "TO_DISPOSE"
    DISPOSING = "DISPOSING"
    DISPOSED = "DISPOSED"
    DONATED = "DONATED"


class Place(StrEnum):
    """Where goods in a custody state are, as the owner's custody book and store see it."""

    OUTSIDE = "OUTSIDE"
    """Not among the goods: the other side of an opening, or an end."""
    HERE = "HERE"
    AWAY = "AWAY"
    """Out of the owner's hands: the custody book claims as much."""


PLACES: Mapping[Custody, Place] = {
    Custody.OPENING: Place.OUTSIDE,
    Custody.IN_STORE: Place.HERE,
    Custody.IN_TRANSIT: Place.AWAY,
    Custody.LENT: Place.AWAY,
    Custody.RETURNING: Place.AWAY,
    Custody.DAMAGED: Place.HERE,
    Custody.LOST: Place.OUTSIDE,
    Custody.IN_REPAIR: Place.AWAY,
    Custody.TO_DISPOSE: Place.HERE,
    Custody.DISPOSING: Place.AWAY,
    Custody.DISPOSED: Place.OUTSIDE,
    Custody.DONATED: Place.OUTSIDE,
}

HERE = tuple(custody for custody, place in PLACES.items() if place is Place.HERE)
"""With their owner: fit ones first."""
OUTSIDE = tuple(custody for custody, place in PLACES.items() if place is Place.OUTSIDE)


class NegativeBalance(ValueError):
    """A movement would take more from an account of the card than is there. Nothing was written."""

    def __init__(self, asset_id: str, reason: str) -> None:
        super().__init__(f"{asset_id}: {reason}")
        self.asset_id = asset_id


@dataclass(frozen=True, slots=True)
class Account:
    region: str
    unit: str | None
    custody: Custody


@dataclass(frozen=True, slots=True)
class Balance:
    quantity: Decimal
    value: Decimal | None
    """None: of none of it a value is known."""

    def plus(self, quantity: Decimal, value: Decimal | None) -> Balance:
        known = self.value if value is None else (self.value or Decimal(0)) + value
        return Balance(self.quantity + quantity, known)


@dataclass(frozen=True, slots=True)
class Transfer:
    movement: Movement
    source: Account
    target: Account
    quantity: Decimal
    value: Decimal | None
    """What the movement is thought to be worth. What an account holds goes before: see `entries`."""
    target_asset: str | None = None
    """The card that the goods stand on afterwards, where it is another: a successor card."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What an asset's card says: the opening pair of an asset that moves for the first time."""

    account: Account
    quantity: Decimal
    value: Decimal | None
    asset_class: str | None = None
    """Code of the 2022 scheme; None where the card has none."""

    def transfer(self) -> Transfer:
        return Transfer(Movement.OPENING, self.outside, self.account, self.quantity, self.value)

    @property
    def outside(self) -> Account:
        return Account(self.account.region, self.account.unit, Custody.OPENING)
