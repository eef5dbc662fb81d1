"""A paged list read until nothing moves: pages give what there is now, and rows come and go between two of them.

A row deleted from a page that has been read moves one row from the next page into it, unseen; an inserted one moves a
row into the next page, which gives it a second time. No page by itself shows either. So every page is asked for twice:

    forward   read all pages, each kept on disk with its keys
    again     from the first to the end. All as they were (rows added at the very end aside)? Then it is whole.
    back      from the first page that is another now, page by page, to one that is as it was: a safe point
    again     … from there, a few times at most; a list that never rests is not believed

Between two equal looks at a page, what lay before it has neither grown nor shrunk, so nothing was jumped over. Keys that
stand there twice are looked at once more: a row that came and went can double another, the store itself may have two. No
total is needed; where the interface gives one it must agree, and spares the question for the page after the last.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from yarl import URL

from adapters.documents.paths import at_path, path_reader
from adapters.mapping.rest import RestPaging
from adapters.model import SourceRefused, StoreUnavailable
from adapters.rest.client import ANSWER_UNREADABLE, Patience, RestClient

__all__ = ["PAGE_DRIFT", "Item", "PagedList"]

PAGE_DRIFT: Final = "PAGE_DRIFT"
_ROUNDS_MAX = 5
"""How often a list that moves is looked at again before it is given up for now."""
_PAGES_MAX = 100_000
_KEY_BYTES = 8
"""Of a key's digest: what is held in memory of a row."""
_MALFORMED_CHARACTERS_MAX = 2_000

Item = tuple[Any, ...] | str
"""A row's columns, or the text of what is no row."""


@dataclass(frozen=True, slots=True)
class _Page:
    keys: bytes
    """Digests of the keys in order, one after the other."""
    count: int
    next: str | None
    total: int | None

    def goes_on(self, newer: _Page, is_last: bool) -> bool:
        """Whether the newer look shows the same rows; of the last page, also more behind them."""
        return newer.keys.startswith(self.keys) if is_last else newer.keys == self.keys


class PagedList:
    """One table of an interface. `columns` are what is kept of a row, `key` those of them that tell rows apart.

    `kept`: what of an item may be written down; of one that it leaves out, its place and a digest of its key are known.
    """

    def __init__(
        self,
        client: RestClient,
        paging: RestPaging,
        table: str,
        columns: Sequence[str],
        key: Sequence[str],
        folder: Path,
        patience: Patience,
        kept: Callable[[Item], Item | None],
    ) -> None:
        self._client, self._paging, self._table, self._folder = client, paging, table, folder
        self._columns = [path_reader(paging.columns.get(column, (column,))) for column in columns]
        self._key_at = [list(columns).index(column) for column in key]
        self._place = client.place(table)
        self._patience, self._kept = patience, kept
        self._pages: list[_Page] = []

    # --- reading ----------------------------------------------------------------------------------------------------

    async def read(self) -> None:
        """All pages into the folder. Raises `SourceRefused` where the list does not rest."""
        await self._forward(0)
        start, doubled = 0, b""
        for _ in range(_ROUNDS_MAX):
            moved = await self._forward(start)
            if moved is not None:
                start = await self._back(moved)
            elif (again := self._doubled()) == doubled:
                self._check_total()
                return
            else:
                start, doubled = 0, again
        raise SourceRefused(
            f"{self._table or 'the list'}: rows came or went while its pages were read, {_ROUNDS_MAX} times: not whole",
            PAGE_DRIFT,
        )

    async def _forward(self, start: int) -> int | None:
        """Every page from `start` to the end; which is the first that is another than it was."""
        at, moved = start, None
        while (page := await self._get(at)) is not None:
            if at < len(self._pages) and not self._pages[at].goes_on(page, at == len(self._pages) - 1):
                moved = at if moved is None else moved
            self._keep(at, page)
            at += 1
        if at < len(self._pages):
            moved = at if moved is None else moved
            for gone in range(at, len(self._pages)):
                self._file(gone).unlink()
            del self._pages[at:]
        return moved

    async def _back(self, moved: int) -> int:
        """The page after the last one before `moved` that is as it was."""
        for at in range(min(moved, len(self._pages)) - 1, -1, -1):
            page = await self._get(at)
            if page is None:
                return 0
            agrees = self._pages[at].keys == page.keys
            self._keep(at, page)
            if agrees:
                return at + 1
        return 0

    def _keep(self, at: int, page: _Page) -> None:
        self._pages[at : at + 1] = [page]

    def _doubled(self) -> bytes:
        """Which keys stand there more than once. A row that came and went again can double another without a page that
        is another in the end; what the store itself has twice is there at the next look too."""
        each = sorted(
            page.keys[at : at + _KEY_BYTES] for page in self._pages for at in range(0, len(page.keys), _KEY_BYTES)
        )
        return b"".join(one for one, next_ in pairwise(each) if one == next_)

    def _check_total(self) -> None:
        total = self._pages[-1].total if self._pages else None
        count = sum(page.count for page in self._pages)
        if total is not None and total != count:
            raise SourceRefused(f"{self._table or 'the list'}: {total} rows are announced, {count} came", PAGE_DRIFT)

    # --- one page ---------------------------------------------------------------------------------------------------

    async def _get(self, at: int) -> _Page | None:
        """The page as it is now, written to its file; None where the list has ended before it."""
        where = self._where(at)
        if where is None:
            return None
        if at >= _PAGES_MAX:
            raise StoreUnavailable(f"more than {_PAGES_MAX} pages: the list does not end", ANSWER_UNREADABLE)
        answer = await self._client.get(*where, self._patience)
        rows = at_path(answer, self._paging.rows_at) if self._paging.rows_at else answer
        if not isinstance(rows, list):
            place = self._paging.rows_at or "the top"
            raise StoreUnavailable(f"an answer has no list at {place} (rest.rows_at)", ANSWER_UNREADABLE)
        keys = await asyncio.to_thread(self._write, at, rows)
        await self._client.took(len(rows))
        page = _Page(keys, len(rows), self._next(answer, at), self._total(answer))
        return None if self._is_end(at, page) else page

    def _where(self, at: int) -> tuple[URL, dict[str, str]] | None:
        """Where to ask for it; None where what lies before it says that there is no more."""
        paging, before = self._paging, self._pages[at - 1] if at else None
        asked = {paging.size_parameter: str(paging.page_size)} if paging.size_parameter else {}
        if paging.by in ("cursor", "link"):
            if before is None:
                return self._place, asked
            if before.next is None:
                return None
            if paging.by == "link":
                return self._client.joined(self._place, before.next), {}
            return self._place, {**asked, paging.parameter or "": before.next}
        read = sum(page.count for page in self._pages[:at])
        if before is not None and before.total is not None and read >= before.total:
            return None
        number = read if paging.by == "offset" else paging.first_page + at
        return self._place, {**asked, paging.parameter or "": str(number)}

    def _is_end(self, at: int, page: _Page) -> bool:
        """An empty page, or the last one once more, as some servers answer beyond the end.

        A short page is no end: servers give fewer rows than they were asked for.
        """
        if self._paging.by in ("cursor", "link"):
            if at and page.next is not None and page.next == self._pages[at - 1].next:
                raise StoreUnavailable("the interface leads to the same page again and again", ANSWER_UNREADABLE)
            return page.count == 0 and page.next is None
        if page.count == 0:
            return True
        if at == 0 or page.keys != self._pages[at - 1].keys:
            return False
        if at == 1 and page.count >= self._paging.page_size:
            raise StoreUnavailable(
                f"the second page is the first again: does {self._paging.parameter!r} count pages? (rest.parameter)",
                ANSWER_UNREADABLE,
            )
        return True

    def _next(self, answer: Any, at: int) -> str | None:
        if self._paging.next_at is None:
            return None
        found = at_path(answer, self._paging.next_at)
        if found is None or found == "":
            return None
        if isinstance(found, bool) or not isinstance(found, str | int):
            raise StoreUnavailable(f"{self._paging.next_at} is no cursor or link (rest.next_at)", ANSWER_UNREADABLE)
        return str(found)

    def _total(self, answer: Any) -> int | None:
        if self._paging.total_at is None:
            return None
        found = at_path(answer, self._paging.total_at)
        if isinstance(found, str) and found.isascii() and found.isdecimal():
            return int(found)
        if isinstance(found, bool) or not isinstance(found, int):
            raise StoreUnavailable(f"there is no number at {self._paging.total_at} (rest.total_at)", ANSWER_UNREADABLE)
        return found

    # --- on disk ----------------------------------------------------------------------------------------------------

    def _file(self, at: int) -> Path:
        return self._folder / f"{at:06}.json"

    def _write(self, at: int, rows: list[Any]) -> bytes:
        """Keep the columns of a page; the digests of its keys."""
        items: list[Any] = []
        keys = bytearray()
        for row in rows:
            item: Item
            told: Any
            if isinstance(row, dict):
                item = tuple(read(row) for read in self._columns)
                told = [item[place] for place in self._key_at]
            else:
                item = told = _text(row)[:_MALFORMED_CHARACTERS_MAX]
            items.append(self._kept(item))
            keys += hashlib.blake2b(_text(told).encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()
        self._file(at).write_text(_text(items), encoding="utf-8", errors="surrogatepass")
        return bytes(keys)

    def items(self) -> Iterator[tuple[int, Item]]:
        """What was kept, page by page from the disk, in the interface's order, with its place in it."""
        place = 0
        for at in range(len(self._pages)):
            for item in json.loads(self._file(at).read_text(encoding="utf-8", errors="surrogatepass")):
                place += 1
                if item is not None:
                    yield place, item if isinstance(item, str) else tuple(item)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_exact)


def _exact(value: Any) -> str:
    """Numbers with a fraction as their digits: readers of fields take either."""
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError
