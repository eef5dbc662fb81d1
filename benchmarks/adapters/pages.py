"""A walk of pages: each page by the adapter, and the same statement with the same values by the bare driver.

Page after page is asked once by each, so every row is new to the adapter; the first pages do not count. A walk by the
driver alone comes first, so that neither finds the store's files colder than the other. What the adapter sends is
taken down where it hands it to its driver, and must be what `explain` says. A third column is the same page by a
statement written by hand: what the store could do, whatever the adapter asks of it. It has a walk of its own, the last:
where the store can only scan for it, the others would find everything else gone from the caches.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Protocol

import asyncpg

from adapters import open_store
from adapters.mapping.model import Mapping
from adapters.model import Compare, Explanation, Filter, OrderTerm, PageRequest, Position, StoreError, TextMatch
from adapters.sql import SqlStore
from contract.order import Direction

__all__ = [
    "CASES",
    "GOAL_CASES",
    "PAGES",
    "PAGE_SIZE",
    "WARM_UP",
    "Driver",
    "Walked",
    "driver_of",
    "recording",
    "timed",
    "walk",
    "written_by_hand",
]

PAGE_SIZE = 50
PAGES, WARM_UP = 60, 5
SCANNED_PAGES = 2
"""Of a walk that the adapter answers by reading everything."""
IDLE = Compare("status", "eq", "IDLE")


@dataclass(frozen=True)
class Case:
    name: str
    filter: Filter | None
    order: tuple[OrderTerm, ...] = ()
    column: str | None = None
    """The native column of the order term, for the statement written by hand."""


GOAL_CASES = (
    Case("idle, by key", IDLE),
    Case("idle, by code", IDLE, (OrderTerm("code"),), "code"),
    Case("idle, by value from the highest", IDLE, (OrderTerm("originalValue", Direction.DESC),), "original_value"),
)
"""Over columns whose mapping can be inverted."""
CASES = (
    *GOAL_CASES,
    Case("idle, by name (trimmed, cleaned)", IDLE, (OrderTerm("name"),)),
    Case("by class (translated)", None, (OrderTerm("classCode"),)),
    Case("text search", TextMatch((("联想",), ("打印机",)))),
)


@dataclass(frozen=True)
class Sent:
    """A statement as the driver gets it."""

    sql: str
    values: Any


class Driver(Protocol):
    async def rows(self, sent: Sent) -> list[dict[str, Any]]:
        """Run it and build plain dicts."""

    async def close(self) -> None: ...


class SqliteDriver:
    def __init__(self, store: SqlStore) -> None:
        self._db = sqlite3.connect(f"file:{store.mapping.store.url}?mode=ro", uri=True)
        store._prepare(self._db)  # the statement may call functions of ours

    async def rows(self, sent: Sent) -> list[dict[str, Any]]:
        cursor = self._db.execute(sent.sql, sent.values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    async def close(self) -> None:
        self._db.close()


class PostgresDriver:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._prepared: dict[str, Any] = {}

    async def rows(self, sent: Sent) -> list[dict[str, Any]]:
        return [dict(record) for record in await self._connection.fetch(sent.sql, *sent.values)]

    async def close(self) -> None:
        await self._connection.close()


async def driver_of(store: SqlStore) -> Driver:
    if store.mapping.store.engine == "sqlite":
        return SqliteDriver(store)
    return PostgresDriver(await asyncpg.connect(store.mapping.store.url))


def recording(store: SqlStore) -> list[Sent]:
    """Take down from now on what the store sends to read rows."""
    found: list[Sent] = []
    reader: Any = store._reader

    def recorded(send: Callable[..., Any]) -> Callable[..., Any]:
        async def run(statement: Any, values: Any) -> Any:
            found.append(Sent(statement.sql, statement.bound(values)))
            return await send(statement, values)

        return run

    reader.fetch, reader.fetch_with_token = recorded(reader.fetch), recorded(reader.fetch_with_token)
    return found


@dataclass(frozen=True)
class Walked:
    """Medians in milliseconds."""

    adapter_ms: float
    again_ms: float
    """Of pages whose rows the adapter has seen a moment ago."""
    driver_ms: float | None
    """The same statement by the bare driver; None: this request is not left to the store."""
    by_hand_ms: float | None

    @property
    def ratio(self) -> float:
        return float("inf") if self.driver_ms is None else self.adapter_ms / self.driver_ms


async def walk(mapping: Mapping, case: Case) -> Walked | str:
    """The walk's medians, or why this store cannot do it."""
    try:
        sent = await _statements(mapping, case)
    except StoreError as error:
        return str(error)
    store = SqlStore(mapping)
    await store.open()
    driver = await driver_of(store)
    try:
        for one in sent:
            await (_nothing() if one is None else driver.rows(one))
        return await _walked(store, driver, case, sent)
    finally:
        await driver.close()
        await store.close()


async def _walked(store: SqlStore, driver: Driver, case: Case, sent: Sequence[Sent | None]) -> Walked:
    times: list[list[float]] = [[], [], [], []]
    walked: list[tuple[Position | None, list[Any]]] = []
    after: Position | None = None
    for statement in sent:
        request = PageRequest(case.filter, case.order, PAGE_SIZE, after=after)
        page, took_ms = await timed(partial(store.page, request))
        times[0].append(took_ms)
        times[1].append((await timed(partial(store.page, request)))[1])
        if statement is not None:
            rows, took_ms = await timed(partial(driver.rows, statement))
            assert len(rows) == len(page.rows) + page.has_more
            times[2].append(took_ms)
        walked.append((after, [row["native"] for row in page.rows]))
        if not page.has_more:
            break
        after = Position(page.sort_values[-1], page.native_values[-1], False)
    for after, natives in walked if case in GOAL_CASES else ():
        rows, took_ms = await timed(partial(driver.rows, written_by_hand(store.mapping, case, after)))
        assert [row["asset_id"] for row in rows[:PAGE_SIZE]] == natives
        times[3].append(took_ms)
    adapter, again, bare, by_hand_times = times
    return Walked(
        _median(adapter),
        _median(again),
        _median(bare) if bare else None,
        _median(by_hand_times) if by_hand_times else None,
    )


def _median(times: Sequence[float]) -> float:
    return statistics.median(times[WARM_UP:] or times[1:])


async def _statements(mapping: Mapping, case: Case) -> list[Sent | None]:
    """What each page of the walk sends, by a store of its own; None where the request is not left to the store."""
    store = open_store(mapping)
    assert isinstance(store, SqlStore)
    await store.open()
    try:
        sent = recording(store)
        found: list[Sent | None] = []
        after: Position | None = None
        for _ in range(PAGES + WARM_UP):
            request = PageRequest(case.filter, case.order, PAGE_SIZE, after=after)
            page = await store.page(request)
            last = sent[-1]
            pushed = _pushed(await store.explain(request))
            assert pushed in (None, last.sql), "explain says something else than what is sent"
            found.append(None if pushed is None else last)
            if not page.has_more or (pushed is None and len(found) == SCANNED_PAGES):
                break
            after = Position(page.sort_values[-1], page.native_values[-1], False)
        return found
    finally:
        await store.close()


def _pushed(explained: Explanation) -> str | None:
    return explained.statement if explained.limit == "store" else None


def written_by_hand(mapping: Mapping, case: Case, after: Position | None, more: str = "") -> Sent:
    """The page as one who knows the store would ask for it."""
    postgres = mapping.store.engine == "postgresql"
    values: list[Any] = []

    def bound(value: Any) -> str:
        values.append(value)
        return f"${len(values)}" if postgres else "?"

    where = f"secrecy IN ('NONE', 'INTERNAL') AND status = 'IDLE'{more}"
    collated = ' COLLATE "C"' if postgres else ""
    beyond, order = "", f"asset_id{collated}"
    if case.column is None:
        if after is not None and after.native is not None:
            beyond = f" AND asset_id{collated} > {bound(after.native[0])}"
    else:
        money = case.column == "original_value"
        column = case.column if money else f"{case.column}{collated}"
        order = f"{column}{' DESC' if money else ''}, {order}"
        if after is not None and after.native is not None:
            value: Any = after.values[0]
            value = (Decimal(value) if postgres else float(value)) if money else value
            sign = "<" if money else ">"
            beyond = (
                f" AND {column} {sign}= {bound(value)}"
                f" AND ({column} {sign} {bound(value)} OR asset_id{collated} > {bound(after.native[0])})"
            )
    columns = ", ".join(mapping.columns)
    return Sent(f"SELECT {columns} FROM asset WHERE {where}{beyond} ORDER BY {order} LIMIT {PAGE_SIZE + 1}", values)


async def _nothing() -> None: ...


async def timed(work: Callable[[], Awaitable[Any]]) -> tuple[Any, float]:
    await asyncio.sleep(0)
    started = time.perf_counter()
    found = await work()
    return found, (time.perf_counter() - started) * 1000
