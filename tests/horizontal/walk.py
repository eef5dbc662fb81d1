"""A walk over all pages of a connection, while rows and members change; and the rule that it must keep.

`Walk` asks page by page and judges each at once: it must be the very page that one store would give that holds, at
this moment, the rows of the depots that answered. What a walk as a whole owes to its reader is told apart from that,
in words and in code, by `keeps_the_rule`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.horizontal.checks import PAGE, PAGE_IN_ROOM, check_page, check_totals, windowed
from tests.horizontal.city import City, missed_earlier, missing_now
from tests.horizontal.rows import Filter, Order, Row
from tests.horizontal.store import Store, Window

__all__ = ["Walk", "keeps_the_rule"]


@dataclass
class Walk:
    city: City
    order: Order = ()
    filter: Filter | None = None
    backward: bool = False
    by_edges: bool = False
    """Go on from the cursor of the last edge in place of the one in `pageInfo`."""
    in_room: bool = False
    """Walk over the lots of the first room, an entity that another subgraph names; its rule is the filter."""
    may_belong_later: bool = False
    """Members join and leave during the walk."""
    rows: list[Row] = field(default_factory=list)
    """All rows so far, in the order of the walk; each as it was when it was read."""
    missed: set[str] = field(default_factory=set)
    """The depots that have missed a page of this walk."""
    cursor: str | None = None
    has_more: bool = True

    async def page(self, size: int, *, capped: Collection[str] = ()) -> None:
        """Read one more page. Depots that are `capped` may give fewer rows than asked for, so the page may be short."""
        read = self.rows[-1] if self.rows else None
        if self.backward:
            window, asked = Window(last=size, before=read), {"last": size, "before": self.cursor}
        else:
            window, asked = Window(first=size, after=read), {"first": size, "after": self.cursor}
        query = PAGE_IN_ROOM if self.in_room else PAGE
        answered = await self.city.ask(query, windowed(self.filter, self.order, **asked))
        up = [code for code in self._belonging() if not self.city.stubs[code].is_down]
        down = {code for code in self._belonging() if self.city.stubs[code].is_down and self._concerns(code)}
        found = (answered.data["room"] if self.in_room else answered.data)["lots"]
        whole = self._store().of(up).where(self.filter)
        if not capped:
            check_page(found, whole.page(self.order, window), backward=self.backward)
        check_totals(found, whole)
        assert found["totalIsExact"] is not bool(down)
        assert missing_now(answered) == down
        if not self.may_belong_later:
            assert missed_earlier(answered) == self.missed - down
        self._go_on(found, whole, down)

    def _go_on(self, found: Mapping[str, Any], whole: Store, down: set[str]) -> None:
        info = found["pageInfo"]
        read = [whole.by_id(node["id"]) for node in found["nodes"]]
        self.rows += [row for row in (reversed(read) if self.backward else read) if row is not None]
        self.has_more = info["hasPreviousPage" if self.backward else "hasNextPage"]
        assert read or not self.has_more, "an empty page cannot lead on"
        before = self.cursor
        self.cursor = info["startCursor" if self.backward else "endCursor"]
        if self.by_edges and found["edges"]:
            self.cursor = found["edges"][0 if self.backward else -1]["cursor"]
        assert before is None or self.cursor is not None, "a page without rows gives the cursor back"
        if self.cursor is not None:  # A walk that has not begun remembers nothing: its next page is again the first.
            self.missed |= down

    def _belonging(self) -> list[str]:
        return [one.region for one in self.city.members.now.all]

    def _concerns(self, code: str) -> bool:
        """Whether the filter lets a depot have rows: the others are not asked, so they cannot be missing."""
        wanted = self.filter or {}
        depot, ids = wanted.get("depot"), wanted.get("id")
        by_depot = depot is None or code in depot.get("in", [depot.get("eq")])
        return by_depot and (ids is None or code in {one.split(":")[1] for one in ids["in"]})

    def _store(self) -> Store:
        return Store(row for stub in self.city.stubs.values() for row in stub.server.rows)  # type: ignore[attr-defined]


def keeps_the_rule(walk: Walk, lasting: Collection[Row], steady: Collection[str]) -> None:
    """A walk gives every row whose order values did not change exactly once, for members that answered every page.

    - No row comes twice, unless its order values changed between.
    - The rows come in order: a row that is read later lies behind all that were read before.
    - Of depots that answered every page, each row that was there from the first page to the last comes.

    `lasting`: rows that were there, unchanged, from the first page to the last; `steady`: depots that answered each.
    A row with other values is another row here.
    """
    assert [one for one, times in Counter(walk.rows).items() if times > 1] == []
    forward = list(reversed(walk.rows)) if walk.backward else walk.rows
    assert Store(forward).sorted(walk.order) == forward
    assert set(Store(lasting).of(steady).where(walk.filter).rows) <= set(walk.rows)
