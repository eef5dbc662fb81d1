"""A page that passes over some keys: a few rows more are read, and those of the keys are dropped.

The keys of what is held in a window are many, and few of them are among the rows of one page. Naming them all in every
statement costs a store more than all the rest of it; reading past them costs a row each. Where a page is not full with
what was read, or nothing yet says whether more follow, it is read on from the last row: what is lacking, by the share of the
rows that were kept so far, and twice as many as before where none was.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from math import ceil

from adapters.model import Page, PageRequest, Position, Store

__all__ = ["page_passing"]

SPARE_SHARE = 4
"""One row in so many is read beside: a fifth of the rows may be taken, and the page is still read in one go."""
SPARE_MIN = 4
"""The same for small pages, where chance weighs more."""


async def page_passing(store: Store, request: PageRequest, passed: Collection[str]) -> Page:
    """The page of the rows whose native keys are not among `passed`."""
    if not passed:
        return await store.page(request)
    wanted = request.limit + 1
    batch = _with_spare(wanted)
    found = Page((), (), (), has_more=False)
    asked = request
    while True:
        read = await store.page(replace(asked, limit=batch))
        kept = _without(read, passed)
        found = _joined(found, kept, request.backward)
        lacking = wanted - len(found.rows)
        if lacking <= 0 or not read.has_more:
            return _cut(found, request)
        asked = _going_on(asked, read)
        batch = _with_spare(ceil(lacking * len(read.rows) / len(kept.rows))) if kept.rows else 2 * batch


def _with_spare(rows: int) -> int:
    return rows + max(SPARE_MIN, rows // SPARE_SHARE)


def _without(page: Page, passed: Collection[str]) -> Page:
    kept = [at for at, row in enumerate(page.rows) if row["native"] not in passed]
    return Page(
        [page.rows[at] for at in kept],
        [page.sort_values[at] for at in kept],
        [page.native_values[at] for at in kept],
        page.has_more,
    )


def _joined(found: Page, more: Page, backward: bool) -> Page:
    first, second = (more, found) if backward else (found, more)
    return Page(
        [*first.rows, *second.rows],
        [*first.sort_values, *second.sort_values],
        [*first.native_values, *second.native_values],
        more.has_more,
    )


def _cut(found: Page, request: PageRequest) -> Page:
    """To the page's size; what is cut off is what follows."""
    excess = len(found.rows) - request.limit
    if excess <= 0:
        return replace(found, has_more=False)
    part = slice(excess, None) if request.backward else slice(request.limit)
    return Page(found.rows[part], found.sort_values[part], found.native_values[part], has_more=True)


def _going_on(asked: PageRequest, read: Page) -> PageRequest:
    at = 0 if asked.backward else -1
    place = Position(read.sort_values[at], read.native_values[at], inclusive=False)
    return replace(asked, before=place) if asked.backward else replace(asked, after=place)
