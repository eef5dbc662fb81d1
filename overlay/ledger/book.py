"""One lineage's accounts in memory, while a movement is carried out on them. Pure, no I/O.

Before a movement takes goods from the owner's store, the book sees to it that the ledger knows of them: a card may have
been changed outside of the ledger since its goods last moved. Goods that the ledger still has under a former owner, and
goods that came to the card, are adjusted by pairs of their own; then the movement is held against what is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from contract.decimals import format_decimal
from overlay.ledger.model import (
    PLACES,
    Account,
    Balance,
    Custody,
    Movement,
    NegativeBalance,
    Opening,
    Place,
    Transfer,
)

__all__ = ["Book", "Key", "Side"]

_NOTHING = Balance(Decimal(0), None)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Key:
    """One account of a lineage: on one card."""

    asset_id: str
    account: Account


@dataclass(frozen=True, slots=True)
class Side:
    """One entry of a pair, and what its account holds after it."""

    key: Key
    movement: Movement
    quantity: Decimal
    value: Decimal | None
    after: Balance


class Book:
    def __init__(self, rows: Iterable[Any]) -> None:
        """`rows` of the table of balances."""
        self.before = {_key(row): _balance(row) for row in rows}
        self._now = dict(self.before)

    def carry_out(
        self, asset_id: str, opening: Opening, transfer: Transfer, *, is_new: bool
    ) -> list[tuple[Side, Side]]:
        """The pairs to write, in order. Raises `NegativeBalance`."""
        pairs = [self._move(asset_id, opening.transfer())] if is_new else []
        pairs += [self._move(asset_id, one) for one in self._adjustments(asset_id, opening, transfer)]
        return [*pairs, self._move(asset_id, transfer)]

    def changed(self) -> Iterator[tuple[Key, Balance]]:
        for key, balance in self._now.items():
            if balance != self.before.get(key):
                yield key, balance

    def _move(self, asset_id: str, transfer: Transfer) -> tuple[Side, Side]:
        source, target = Key(asset_id, transfer.source), Key(transfer.target_asset or asset_id, transfer.target)
        value = self._worth(source, transfer)
        given = self._add(source, transfer.movement, -transfer.quantity, None if value is None else -value)
        return given, self._add(target, transfer.movement, transfer.quantity, value)

    def _worth(self, source: Key, transfer: Transfer) -> Decimal | None:
        if source.account.custody is Custody.OPENING:
            return transfer.value
        held = self._now.get(source, _NOTHING)
        if transfer.quantity <= 0 or transfer.quantity > held.quantity:
            raise NegativeBalance(
                f"{format_decimal(transfer.quantity)} cannot leave {source.account.custody} of {source.asset_id} "
                f"({source.account.region} {source.account.unit}): {format_decimal(held.quantity)} are there"
            )
        if held.value is None or transfer.quantity == held.quantity:
            return held.value
        thought = transfer.value
        if thought is None:
            thought = (held.value * transfer.quantity / held.quantity).quantize(_CENT, rounding=ROUND_HALF_EVEN)
        return min(max(thought, Decimal(0)), max(held.value, Decimal(0)))

    def _add(self, key: Key, movement: Movement, quantity: Decimal, value: Decimal | None) -> Side:
        after = self._now.get(key, _NOTHING).plus(quantity, value)
        self._now[key] = after
        return Side(key, movement, quantity, value, after)

    def _adjustments(self, asset_id: str, opening: Opening, transfer: Transfer) -> Iterator[Transfer]:
        store = Key(asset_id, opening.account)
        if transfer.source != opening.account:
            return
        if transfer.quantity > self._now.get(store, _NOTHING).quantity:
            for key, held in list(self._now.items()):
                is_former = key.asset_id == asset_id and key != store and key.account.custody is Custody.IN_STORE
                if is_former and held.quantity > 0:
                    yield Transfer(Movement.ADJUST, key.account, opening.account, held.quantity, held.value)
        if transfer.quantity > self._now.get(store, _NOTHING).quantity:
            goods = self._goods(asset_id)
            if opening.quantity > goods.quantity:
                more = opening.quantity - goods.quantity
                yield Transfer(Movement.ADJUST, opening.outside, opening.account, more, _growth(opening, goods))

    def _goods(self, asset_id: str) -> Balance:
        """All that the ledger has on the card, wherever it is."""
        total = _NOTHING
        for key, held in self._now.items():
            if key.asset_id == asset_id and PLACES[key.account.custody] is not Place.OUTSIDE:
                total = total.plus(held.quantity, held.value)
        return total


def _growth(opening: Opening, goods: Balance) -> Decimal | None:
    if opening.value is None:
        return None
    return max(opening.value - (goods.value or Decimal(0)), Decimal(0))


def _key(row: Any) -> Key:
    return Key(row.asset_id, Account(row.region, row.unit or None, Custody(row.custody)))


def _balance(row: Any) -> Balance:
    return Balance(Decimal(row.quantity), None if row.value is None else Decimal(row.value))
