"""Successor cards, and what a legacy store's rows are worth after goods have left for good. Pure, no I/O.

A thing that comes from another region for good gets a card in the book, under a key that only a book gives. The card is
an asset like any other until the district has entered it into its own system; then that row stands for it, and the
card's id is another name for it. What is held is held under one name all the while, the card's.

    card (the book's own) ──ticked off, "entered as K"──▶ row K of the legacy store; held under the card's name
          until the store shows K, the card itself is shown

What left for good is a *departure*. It holds against the legacy store's row until the store shows it: a part of a batch
makes quantity and values less; the whole makes the row DISPOSED, or, where a successor has its place, keeps it out of
every listing for good: the goods are listed where they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from adapters.canonical import CANONICAL_FIELDS
from adapters.model import Row
from contract.decimals import format_decimal, format_money, share_of
from contract.ids import format_id
from subgraphs.district.custody.model import AssetFacts

__all__ = [
    "Card",
    "Cards",
    "Departure",
    "after_departures",
    "card_row",
    "facts_after",
    "facts_of",
    "lessened_fields",
    "quantity_of",
]

_AMOUNTS = ("originalValue", "accumulatedDepreciation", "netValue")


@dataclass(frozen=True, slots=True)
class Card:
    native: str
    lineage: str
    """Global id."""
    predecessor: str
    """Global id."""
    order_id: str
    fields: Mapping[str, Any]
    version: int
    entered_as: str | None
    at: str


@dataclass(frozen=True, slots=True)
class Departure:
    asset: str
    """The name that it is held under."""
    left: Decimal
    successor: str | None
    is_shown: bool
    """Whether the legacy store shows it, as far as anybody said."""

    @property
    def retires(self) -> bool:
        """Whether a successor has the whole card's place."""
        return not self.left and self.successor is not None


@dataclass(frozen=True, slots=True)
class Cards:
    """All of one region's book, as it was at one moment. Few: what moved between regions, not what is held."""

    region: str
    number: int = -1
    """Goes up with every change."""
    cards: Mapping[str, Card] = field(default_factory=dict)
    departures: Mapping[str, Sequence[Departure]] = field(default_factory=dict)
    """By the name that is held; only those that still matter."""
    entered: Mapping[str, Card] = field(default_factory=dict)
    """By the key that the legacy store gave."""

    def name(self, native: str) -> str:
        """What the asset is held under."""
        card = self.entered.get(native)
        return native if card is None else card.native

    def home(self, native: str) -> str:
        """The key under which the legacy store has the asset, if it has it."""
        card = self.cards.get(native)
        return native if card is None or card.entered_as is None else card.entered_as

    def lineage(self, native: str) -> str:
        card = self.cards.get(self.name(native))
        return self._id(native) if card is None else card.lineage

    def predecessor(self, native: str) -> str | None:
        if (card := self.entered.get(native)) is not None:
            return self._id(card.native)
        return None if (found := self.cards.get(native)) is None else found.predecessor

    def successor(self, native: str) -> str | None:
        if (home := self.home(native)) != native:
            return self._id(home)
        gone = [one for one in self.departures.get(self.name(native), ()) if one.retires]
        return gone[-1].successor if gone else None

    def is_retired(self, native: str) -> bool:
        return any(one.retires for one in self.departures.get(self.name(native), ()))

    def _id(self, native: str) -> str:
        return format_id("asset", self.region, native)


def card_row(card: Card) -> Row:
    """As a store would have it."""
    row: Row = dict.fromkeys(CANONICAL_FIELDS)
    row |= card.fields
    row |= {"native": card.native, "version": str(card.version), "issues": []}
    return row


def after_departures(row: Row, departures: Iterable[Departure]) -> Row:
    """A legacy store's row without what has left and the store does not show; the row itself where there is nothing."""
    changed = row
    for one in departures:
        if not one.left and (one.retires or not one.is_shown):
            changed = {**changed, "status": "DISPOSED", "version": _marked(row, "0")}
        elif not one.is_shown and one.left < (quantity := quantity_of(changed)):
            changed = {**_lessened(changed, quantity - one.left, quantity), "version": _marked(row, str(one.left))}
    return changed


def lessened_fields(fields: Mapping[str, Any], left: Decimal) -> dict[str, Any]:
    """A card's own fields when only so much of it is left; nothing left: disposed of."""
    if not left:
        return {**fields, "status": "DISPOSED"}
    quantity = quantity_of(fields)
    return _lessened(fields, quantity - left, quantity) if left < quantity else dict(fields)


def facts_of(row: Mapping[str, Any], holdable: bool) -> AssetFacts:
    return AssetFacts(
        quantity=quantity_of(row),
        version=row["version"],
        status=row.get("status"),
        shareable=bool(row.get("shareable")),
        shareable_until=row.get("shareableUntil"),
        holdable=holdable,
    )


def facts_after(facts: AssetFacts, departures: Iterable[Departure]) -> AssetFacts:
    """What `after_departures` does to a row, of what the book has to know of one."""
    row = {
        "quantity": format_decimal(facts.quantity),
        "version": facts.version,
        "status": facts.status,
    }
    after = after_departures(row, departures)
    return replace(facts, quantity=quantity_of(after), version=after["version"], status=after["status"])


def quantity_of(row: Mapping[str, Any]) -> Decimal:
    """A card without a quantity is one thing."""
    return Decimal(row["quantity"]) if row.get("quantity") is not None else Decimal(1)


def _lessened(row: Mapping[str, Any], part: Decimal, whole: Decimal) -> dict[str, Any]:
    changed = {**row, "quantity": format_decimal(whole - part)}
    for name in _AMOUNTS:
        if (text := row.get(name)) is not None:
            amount = Decimal(text)
            changed[name] = format_money(amount - share_of(amount, part, whole))
    return changed


def _marked(row: Row, left: str) -> str:
    """A version of its own: the row is not what the store has under its version."""
    return f"{row['version']}~{left}"
