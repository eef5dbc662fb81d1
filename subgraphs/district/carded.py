"""A region's assets as one store: the legacy store's rows and the custody book's few cards, as if the store had them.

The book's part is small (what moved between regions, not what is held), so it is merged in memory:

    legacy store without the keys that the book covers ─┐
                                                        ├─▶ merged by the canonical order ─▶ cut to the page
    the book's cards, and rows that are worth less now ─┘

*Covered* are rows that a successor has the place of, which are listed nowhere, and rows of which a part has left for
good that the store still shows: these are read from it and shown as they are now. The oracle of it all is one store in
memory that holds the same rows (tests/subgraphs/district/test_carded.py).

A card's native key is ordered behind every key of the legacy store, whatever kinds that has: its first order value
stands above all that a store can give, so cursors have the store's own kinds and stay what they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any

from adapters.evaluate import groups_of, order_kinds, order_value, position_key, predicate, row_key
from adapters.mapping.issues import counted
from adapters.mapping.numbers import plus
from adapters.model import (
    And,
    Explanation,
    Filter,
    GroupRow,
    KeyIn,
    Not,
    Page,
    PageRequest,
    Position,
    QualityReport,
    QuarantinedRow,
    Row,
    Store,
    StoreHealth,
)
from contract.ids import is_successor_key
from contract.order import Kind, SortValue, sort_keys
from subgraphs.district.custody.book import CustodyBook
from subgraphs.district.custody.cards import Cards, after_departures, card_row

__all__ = ["CardedStore", "card_place"]

_ABOVE_TEXT = "\U0010ffff"
"""The last of all code points, which is no character and begins no key."""
_ABOVE_NUMBERS = 10**64
"""Above every key that is a number; as text, for a cursor's JSON has no such integers."""
_FILLER: Mapping[Kind, SortValue] = {Kind.TEXT: "", Kind.NUMBER: "0", Kind.RANK: 0}

Keyed = tuple[Row, tuple[SortValue, ...]]


def card_place(native: str, kinds: Sequence[Kind]) -> tuple[SortValue, ...]:
    """A card's order values among a store's native keys: unique, and behind them all."""
    digits = int(native.rpartition("-")[2], 16)
    first: SortValue = f"{_ABOVE_TEXT}{native}" if kinds[0] is Kind.TEXT else str(_ABOVE_NUMBERS + digits)
    return (first, *(_FILLER[kind] for kind in kinds[1:]))


def _is_card_place(native: Sequence[SortValue], kinds: Sequence[Kind]) -> bool:
    if kinds[0] is Kind.TEXT:
        return isinstance(native[0], str) and native[0].startswith(_ABOVE_TEXT)
    return isinstance(native[0], str) and len(native[0]) > len(str(_ABOVE_NUMBERS)) - 1 and native[0].isdecimal()


@dataclass(frozen=True, slots=True)
class _Book:
    """What the book has to say to one request."""

    cards: Cards
    covered: tuple[str, ...]
    """Keys of the legacy store that are not to be taken from it."""
    extra: Sequence[Keyed]
    """What is listed beside."""

    def beside(self, filter_: Filter | None) -> Filter | None:
        """The condition for the legacy store's own rows."""
        if not self.covered:
            return filter_
        rest = Not(KeyIn(self.covered))
        return rest if filter_ is None else And((filter_, rest))

    def listed(self, filter_: Filter | None) -> list[Keyed]:
        keep = predicate(filter_)
        return [pair for pair in self.extra if keep(pair[0])]


class CardedStore:
    def __init__(self, legacy: Store, book: CustodyBook) -> None:
        self._legacy, self._book = legacy, book
        self.region = legacy.region
        self.capabilities = legacy.capabilities
        self.native_kinds = legacy.native_kinds
        self._seen: set[str] = set()
        """Keys that cards were entered under and that the legacy store has shown: it is asked until then."""

    async def open(self) -> None:
        await self._legacy.open()

    async def close(self) -> None:
        await self._legacy.close()

    # --- rows ---------------------------------------------------------------------------------------------------------

    async def page(self, request: PageRequest) -> Page:
        book = await self._told()
        if not book.covered and not book.extra:
            return await self._legacy.page(request)
        asked = replace(
            request,
            filter=book.beside(request.filter),
            after=self._known(request.after),
            before=self._known(request.before),
        )
        return self._merged(request, await self._legacy.page(asked), book.listed(request.filter))

    async def rows(self, natives: Iterable[str], columns: frozenset[str] | None = None) -> Mapping[str, Row]:
        """By any key that an asset has or had; a card that was entered is the row that stands for it."""
        wanted = list(natives)
        cards = await self._book.cards()
        homes = {native: cards.home(native) for native in wanted}
        asked = [home for home in dict.fromkeys(homes.values()) if home not in cards.cards]
        needed = None if columns is None else columns | _NEEDED if cards.departures else columns
        stored = await self._legacy.rows(asked, needed) if asked else {}
        found: dict[str, Row] = {}
        for native in wanted:
            card, row = cards.cards.get(native), stored.get(homes[native])
            if row is not None:
                row = after_departures(row, cards.departures.get(cards.name(native), ()))
                found[native] = row if card is None else {**row, "native": native}
            elif card is not None:
                found[native] = card_row(card)
        return found

    async def count(self, filter_: Filter | None) -> int:
        book = await self._told()
        return await self._legacy.count(book.beside(filter_)) + len(book.listed(filter_))

    async def groups(self, by: Sequence[str], filter_: Filter | None) -> Sequence[GroupRow]:
        book = await self._told()
        groups = await self._legacy.groups(by, book.beside(filter_))
        listed = book.listed(filter_)
        return _added(groups, groups_of((row for row, _ in listed), by)) if listed else groups

    def _merged(self, request: PageRequest, page: Page, extra: Sequence[Keyed]) -> Page:
        kinds, directions = order_kinds(request.order), [term.direction for term in request.order]
        ones = ["1"] * len(page.rows)
        stored = sort_keys(page.sort_values, kinds, directions, ones, page.native_values, self.native_kinds)
        fields = [term.field for term in request.order]
        entries = [
            *zip(stored, page.rows, page.sort_values, page.native_values, strict=True),
            *(
                (key, row, tuple(order_value(field, row) for field in fields), native)
                for key, row, native in self._within(request, extra)
            ),
        ]
        entries.sort(key=lambda entry: entry[0])
        cut = entries[-request.limit :] if request.backward and request.limit else entries[: request.limit]
        return Page(
            rows=[row for _, row, _, _ in cut],
            sort_values=[values for _, _, values, _ in cut],
            native_values=[native for _, _, _, native in cut],
            has_more=page.has_more or len(entries) > request.limit,
        )

    def _within(
        self, request: PageRequest, extra: Sequence[Keyed]
    ) -> Iterable[tuple[tuple[Any, ...], Row, tuple[SortValue, ...]]]:
        order, kinds = request.order, self.native_kinds
        after = None if request.after is None else position_key(request.after, order, kinds)
        before = None if request.before is None else position_key(request.before, order, kinds)
        for row, native in extra:
            key = row_key(row, native, order, kinds)
            if (after is None or after < key) and (before is None or key < before):
                yield key, row, native

    def _known(self, position: Position | None) -> Position | None:
        """A place as the legacy store can read it: a card's lies behind all its rows of the same values."""
        if position is None or position.native is None or not _is_card_place(position.native, self.native_kinds):
            return position
        return Position(position.values, None, inclusive=False)

    # --- what the book tells ------------------------------------------------------------------------------------------

    async def _told(self) -> _Book:
        cards = await self._book.cards()
        if not cards.cards and not cards.departures:
            return _Book(cards, (), ())
        shown = await self._shown(cards)
        retired = [cards.home(name) for name in cards.departures if cards.is_retired(name)]
        lessened = [cards.home(name) for name in cards.departures if not cards.is_retired(name)]
        changed = await self._changed(cards, [home for home in lessened if not is_successor_key(home)])
        covered = tuple(sorted({home for home in chain(retired, changed) if not is_successor_key(home)}))
        extra = [
            (card_row(card), card_place(native, self.native_kinds))
            for native, card in cards.cards.items()
            if native not in shown and not cards.is_retired(native)
        ]
        return _Book(cards, covered, [*extra, *changed.values()])

    async def _shown(self, cards: Cards) -> set[str]:
        """Cards that were entered, and that the legacy store shows."""
        open_ = [home for home in cards.entered if home not in self._seen]
        if open_:
            self._seen |= set(await self._legacy.rows(open_, frozenset(("status",))))
        return {card.native for home, card in cards.entered.items() if home in self._seen}

    async def _changed(self, cards: Cards, homes: Sequence[str]) -> dict[str, Keyed]:
        """Rows that the legacy store lists, as they are now."""
        if not homes:
            return {}
        page = await self._legacy.page(PageRequest(KeyIn(tuple(sorted(homes))), (), len(homes)))
        return {
            row["native"]: (after_departures(row, cards.departures[cards.name(row["native"])]), native)
            for row, native in zip(page.rows, page.native_values, strict=True)
        }

    # --- the whole ----------------------------------------------------------------------------------------------------

    async def quality(self) -> QualityReport:
        """A retired row is not counted, for its successor is; a card of the book has no issues."""
        book, report = await self._told(), await self._legacy.quality()
        retired = [name for name in book.cards.departures if book.cards.is_retired(name)]
        homes = [home for home in map(book.cards.home, retired) if not is_successor_key(home)]
        gone = (await self._legacy.rows(homes, frozenset(("issues",)))).values() if homes else ()
        own = sum(is_successor_key(row["native"]) for row, _ in book.extra)
        issues = dict(report.issues)
        for key in chain.from_iterable(counted(row["issues"], True) for row in gone):
            issues[key] -= 1
        kept = {key: count for key, count in issues.items() if count > 0}
        less = own - len(gone)
        return QualityReport(report.rows + less, report.listed + less, report.quarantined, kept)

    async def quarantine(self, limit: int, after: tuple[SortValue, ...] | None) -> Sequence[QuarantinedRow]:
        return await self._legacy.quarantine(limit, after)

    async def explain(self, request: PageRequest) -> Explanation:
        book = await self._told()
        return await self._legacy.explain(replace(request, filter=book.beside(request.filter)))

    async def health(self) -> StoreHealth:
        return await self._legacy.health()

    async def units(self) -> Sequence[Mapping[str, Any]]:
        return await self._legacy.units()

    async def warehouses(self) -> Sequence[Mapping[str, Any]]:
        return await self._legacy.warehouses()

    async def as_of(self) -> datetime:
        return await self._legacy.as_of()

    async def write_status(self, native: str, status: str, expected_version: str | None) -> bool:
        return await self._legacy.write_status(native, status, expected_version)


_NEEDED = frozenset(("quantity", "status", "originalValue", "accumulatedDepreciation", "netValue", "version"))
"""What departures change."""


def _added(first: Iterable[GroupRow], second: Iterable[GroupRow]) -> list[GroupRow]:
    """Groups of both, in the order of their keys."""
    sums: dict[tuple[str | None, ...], GroupRow] = {}
    for group in chain(first, second):
        one = sums.get(group.key)
        sums[group.key] = group if one is None else _sum(one, group)
    return sorted(sums.values(), key=lambda group: tuple((part is None, part or "") for part in group.key))


def _sum(one: GroupRow, other: GroupRow) -> GroupRow:
    return GroupRow(
        one.key,
        one.count + other.count,
        plus(one.quantity, other.quantity),
        plus(one.original_value, other.original_value),
        plus(one.net_value, other.net_value),
    )
