"""From where to take what is wanted, with the fewest trips.

A clerk wants "30 desks", not ids. Offers lie at places, and each place that is gone to is a trip, however much is
fetched there. The plan covers as much of the wants as the offers allow, and of all plans that do, takes the one with

1. the fewest places,
2. then the most of them in the applicant's own region,
3. then the fewest asset cards, then the first ids.

Finding the fewest places is the set cover problem. A greedy choice (always the place that fills the most) bounds the
answer from above; then every smaller number of places is tried, largest contributors first, and given up as soon as
what is left cannot fill the wants. `SEARCH_MAX` bounds the trying: beyond it the greedy plan stands, which
`is_fewest` says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, islice

__all__ = ["Offer", "Place", "Plan", "Take", "find_plan"]

SEARCH_MAX = 10_000
"""Choices of a place that are tried."""
COMPARED_MAX = 100
"""Of plans with equally few places."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where goods are fetched: one warehouse, or one owner's own rooms."""

    region: str
    id: str


@dataclass(frozen=True, slots=True)
class Offer:
    """An asset that meets a want. An asset that meets two is offered to each; it is given out once, to the want that
    comes first, so that the fewest places are proved only where no asset meets two."""

    want: int
    asset_id: str
    place: Place
    free: Decimal
    """How much of it can be had throughout the range; more than 0."""


@dataclass(frozen=True, slots=True)
class Take:
    want: int
    asset_id: str
    place: Place
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Plan:
    takes: tuple[Take, ...]
    missing: tuple[Decimal, ...]
    """By want: how much no offer covers."""
    is_fewest: bool
    """Whether no plan with fewer places covers as much; else the search was given up."""

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple(dict.fromkeys(take.place for take in self.takes))


def find_plan(wants: Sequence[Decimal], offers: Iterable[Offer], home: str) -> Plan:
    """`wants`: the quantity of each want; `home`: the applicant's region."""
    table = _Table(wants, list(offers), home)
    best, is_fewest = _Search(table).fewest()
    takes = table.allot(best)
    given = [Decimal(0)] * len(wants)
    for take in takes:
        given[take.want] += take.quantity
    return Plan(tuple(takes), tuple(want - got for want, got in zip(wants, given, strict=True)), is_fewest)


class _Table:
    """The offers by place. `supply[place][want]` is what a place has for a want, never more than is wanted; counted in
    whole units of the smallest decimal that occurs, for thousands of sums are made of it."""

    def __init__(self, wants: Sequence[Decimal], offers: Sequence[Offer], home: str) -> None:
        self.wants = list(wants)
        self._home = home
        self._offers: dict[Place, list[Offer]] = defaultdict(list)
        asked = Counter(offer.asset_id for offer in offers)
        for offer in offers:
            self._offers[offer.place].append(offer)
        # what only one want can use goes first, so that a shared asset is left for who has no other
        for place in self._offers.values():
            place.sort(key=lambda offer: (asked[offer.asset_id], -offer.free, offer.asset_id, offer.want))
        self.places = sorted(self._offers, key=self.rank)
        self._unit = min([Decimal(1), *(Decimal(1).scaleb(int(one.as_tuple().exponent)) for one in self._numbers())])
        self.wanted = [int(want / self._unit) for want in wants]
        self.supply = {place: self._supply(place) for place in self.places}

    def rank(self, place: Place) -> tuple[bool, Place]:
        return (place.region != self._home, place)

    def _numbers(self) -> Iterator[Decimal]:
        yield from self.wants
        yield from (offer.free for offers in self._offers.values() for offer in offers)

    def _supply(self, place: Place) -> list[int]:
        found = [0] * len(self.wants)
        for take in self.allot([place]):
            found[take.want] += int(take.quantity / self._unit)
        return found

    def allot(self, places: Iterable[Place]) -> list[Take]:
        """What these places give: place by place, the largest offers first."""
        left = list(self.wants)
        given: dict[str, Decimal] = {}
        takes: list[Take] = []
        for place in places:
            for offer in self._offers[place]:
                free = offer.free - given.get(offer.asset_id, Decimal(0))
                quantity = min(free, left[offer.want])
                if quantity > 0:
                    left[offer.want] -= quantity
                    given[offer.asset_id] = given.get(offer.asset_id, Decimal(0)) + quantity
                    takes.append(Take(offer.want, offer.asset_id, place, quantity))
        return takes

    def covered(self, places: Sequence[Place]) -> int:
        """How much these places give. An asset stands at one place, so sharing never reaches beyond a place's own."""
        return self.capped([sum(column) for column in zip(*(self.supply[place] for place in places), strict=True)])

    def capped(self, sums: Sequence[int]) -> int:
        return sum(map(min, self.wanted, sums))

    def worth(self, places: Sequence[Place]) -> tuple[int, int, tuple[Place, ...]]:
        """Of equally many places: the fewest abroad, then the fewest cards, then the first."""
        abroad = sum(place.region != self._home for place in places)
        return (abroad, len(self.allot(places)), tuple(sorted(places)))


class _Search:
    def __init__(self, table: _Table) -> None:
        self._table = table
        self._goal = table.covered(table.places)
        size = {place: sum(supply) for place, supply in table.supply.items()}
        self._ranked = sorted(table.places, key=lambda place: (-size[place], table.rank(place)))
        self._sums = list(accumulate((size[place] for place in self._ranked), initial=0))
        self._looked = 0

    def fewest(self) -> tuple[list[Place], bool]:
        """The best set of the fewest places, and whether it is proved to be."""
        if self._goal == self._sums[-1]:  # nothing is offered twice over: every place that offers anything is needed
            return [place for place in self._table.places if any(self._table.supply[place])], True
        greedy = self._without_needless(self._greedy())
        for size in range(len(greedy)):
            found = list(islice(self._sets_of(size), COMPARED_MAX))
            if self._looked > SEARCH_MAX:
                return greedy, False
            if found:
                return min(found, key=self._table.worth), True
        # no smaller set does; of those as large, as many are compared as the search allows
        return min([greedy, *islice(self._sets_of(len(greedy)), COMPARED_MAX)], key=self._table.worth), True

    def _greedy(self) -> list[Place]:
        """Places that reach the goal, each the one that adds the most, the own region's first among equals."""
        table = self._table
        chosen: list[Place] = []
        sums = [0] * len(table.wants)
        while table.capped(sums) < self._goal:
            left = [place for place in table.places if place not in chosen]
            best = max(left, key=lambda place: table.capped(_plus(sums, table.supply[place])))
            chosen.append(best)
            sums = _plus(sums, table.supply[best])
        return chosen

    def _without_needless(self, chosen: list[Place]) -> list[Place]:
        for place in sorted(chosen, key=self._table.rank, reverse=True):
            rest = [one for one in chosen if one != place]
            if self._table.covered(rest) >= self._goal:
                chosen = rest
        return sorted(chosen, key=self._table.rank)

    def _sets_of(self, size: int) -> Iterator[list[Place]]:
        """Sets of so many places that reach the goal, until the search has looked at `SEARCH_MAX`."""
        nothing = [0] * len(self._table.wants)
        for chosen in self._extended([], 0, size, nothing):
            yield sorted(chosen, key=self._table.rank)

    def _extended(self, chosen: list[Place], start: int, left: int, sums: list[int]) -> Iterator[list[Place]]:
        if left == 0:
            if self._table.capped(sums) >= self._goal:
                yield chosen
            return
        reached = self._table.capped(sums)
        for index in range(start, len(self._ranked) - left + 1):
            self._looked += 1
            # what this place and the next largest can add at most
            if self._looked > SEARCH_MAX or reached + self._sums[index + left] - self._sums[index] < self._goal:
                return
            place = self._ranked[index]
            yield from self._extended([*chosen, place], index + 1, left - 1, _plus(sums, self._table.supply[place]))


def _plus(sums: Sequence[int], supply: Sequence[int]) -> list[int]:
    return [one + other for one, other in zip(sums, supply, strict=True)]
