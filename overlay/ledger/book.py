"""One lineage's accounts in memory, while a movement is carried out on them. Pure, no I/O.

Before a movement takes goods from the owner's store, the book sees to it that the ledger knows of them: a card may have
been changed outside of the ledger since its goods last moved. Goods that the ledger still has under a former owner, and
goods that came to the card, are adjusted by pairs of their own. Whether goods came from outside is for the caller to
know: what an owner's book has, and the ledger not yet, looks the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from contract.decimals import format_decimal
from contract.ids import is_successor
from overlay.ledger.model import (
    HERE,
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
        self, asset_id: str, opening: Opening, transfer: Transfer, *, is_new: bool, learns: bool = False
    ) -> list[tuple[Side, Side]]:
        """The pairs to write, in order. `learns`: what the owner's store lacks has come to it from outside. Raises
        `NegativeBalance`."""
        pairs = [self._move(asset_id, opening.transfer())] if is_new else []
        pairs += [self._move(asset_id, one) for one in self._of_former_owners(asset_id, opening, transfer)]
        if learns and transfer.source == opening.account:
            pairs += [self._move(card, one) for card, one in self._of_former_names(asset_id, opening, transfer)]
            if (missing := self._missing(asset_id, transfer)) > 0:
                more = Transfer(Movement.ADJUST, opening.outside, opening.account, missing, _share(opening, missing))
                pairs.append(self._move(asset_id, more))
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
                source.asset_id,
                f"{format_decimal(transfer.quantity)} cannot leave {source.account.custody} of "
                f"{source.account.region} {source.account.unit}: {format_decimal(held.quantity)} are there",
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

    def _of_former_owners(self, asset_id: str, opening: Opening, transfer: Transfer) -> list[Transfer]:
        """What lies at the owner under the name of who had the card before, where it is asked for."""
        source = transfer.source
        is_owners = (source.region, source.unit) == (opening.account.region, opening.account.unit)
        if not is_owners or source.custody not in HERE or self._missing(asset_id, transfer) <= 0:
            return []
        return [
            Transfer(Movement.ADJUST, key.account, source, held.quantity, held.value)
            for key, held in self._now.items()
            if key.asset_id == asset_id and key.account.custody is source.custody and key.account != source
            if held.quantity > 0
        ]

    def _of_former_names(self, asset_id: str, opening: Opening, transfer: Transfer) -> Iterator[tuple[str, Transfer]]:
        """What the owner has under the keys that custody books gave its goods when they came, once its district has
        entered them under a key of its own: from which card, and what."""
        if is_successor(asset_id):
            return
        owner, missing = (opening.account.region, opening.account.unit), self._missing(asset_id, transfer)
        for key, held in sorted(self._now.items(), key=lambda one: one[0].account.custody is not Custody.IN_STORE):
            is_there = (key.account.region, key.account.unit) == owner and key.account.custody in HERE
            if (part := min(held.quantity, missing)) > 0 and is_there and is_successor(key.asset_id):
                yield key.asset_id, Transfer(Movement.ADJUST, key.account, opening.account, part, None, asset_id)
                missing -= part

    def _missing(self, asset_id: str, transfer: Transfer) -> Decimal:
        return transfer.quantity - self._now.get(Key(asset_id, transfer.source), _NOTHING).quantity


def _share(opening: Opening, quantity: Decimal) -> Decimal | None:
    if opening.value is None:
        return None
    return (opening.value * quantity / opening.quantity).quantize(_CENT, rounding=ROUND_HALF_EVEN)


def _key(row: Any) -> Key:
    return Key(row.asset_id, Account(row.region, row.unit or None, Custody(row.custody)))


def _balance(row: Any) -> Balance:
    return Balance(Decimal(row.quantity), None if row.value is None else Decimal(row.value))
