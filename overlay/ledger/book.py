"""One lineage's accounts in memory, while a movement is carried out on them. Pure, no I/O.

Before a movement takes goods from the owner's store, the book sees to it that the ledger knows of them: a card may have
been changed outside of the ledger since its goods last moved. Goods that the ledger still has under a former owner, and
goods that came to the card, are adjusted by pairs of their own. That they did come from outside is for the caller to
know (`lacks`): what an owner's book has, and the ledger not yet, looks the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from contract.decimals import format_decimal
from overlay.ledger.model import (
    Account,
    Balance,
    Custody,
    Movement,
    NegativeBalance,
    Opening,
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
        """The pairs to write, in order. What the owner's store lacks has come to it from outside. Raises
        `NegativeBalance`."""
        pairs = [self._move(asset_id, opening.transfer())] if is_new else []
        pairs += [self._move(asset_id, one) for one in self._adjustments(asset_id, opening, transfer)]
        return [*pairs, self._move(asset_id, transfer)]

    def lacks(self, asset_id: str, opening: Opening, transfer: Transfer) -> bool:
        """Whether more is to leave the owner's store than the ledger has there."""
        store = Key(asset_id, opening.account)
        return transfer.source == opening.account and transfer.quantity > self._now.get(store, _NOTHING).quantity

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
        if not self.lacks(asset_id, opening, transfer):
            return
        for key, held in list(self._now.items()):
            is_former = key.asset_id == asset_id and key != store and key.account.custody is Custody.IN_STORE
            if is_former and held.quantity > 0:
                yield Transfer(Movement.ADJUST, key.account, opening.account, held.quantity, held.value)
        missing = transfer.quantity - self._now.get(store, _NOTHING).quantity
        if missing > 0:
            known = self._known()
            more = max(missing, opening.quantity - known.quantity)
            yield Transfer(Movement.ADJUST, opening.outside, opening.account, more, _growth(opening, known, more))

    def _known(self) -> Balance:
        """All that the lineage has ever had, wherever it is now: what has left its first card stands on others, or is
        gone for good. A card may say less than that, and has grown nevertheless; where it says more, it has grown."""
        total = _NOTHING
        for key, held in self._now.items():
            if key.account.custody is not Custody.OPENING:
                total = total.plus(held.quantity, held.value)
        return total


def _growth(opening: Opening, known: Balance, more: Decimal) -> Decimal | None:
    if opening.value is None:
        return None
    if known.quantity + more == opening.quantity:
        return max(opening.value - (known.value or Decimal(0)), Decimal(0))
    return (opening.value * more / opening.quantity).quantize(_CENT, rounding=ROUND_HALF_EVEN)


def _key(row: Any) -> Key:
    return Key(row.asset_id, Account(row.region, row.unit or None, Custody(row.custody)))


def _balance(row: Any) -> Balance:
    return Balance(Decimal(row.quantity), None if row.value is None else Decimal(row.value))
