"""Short transactions: committed together, undone apart, and never told before they are durable."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import column, insert, table, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError, OperationalError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.kit.prepared import kept
from subgraphs.kit.short import ShortTransactions
from subgraphs.kit.sqlite import create_engine

TABLE = text("CREATE TABLE things (id INTEGER PRIMARY KEY, of INTEGER REFERENCES things DEFERRABLE INITIALLY DEFERRED)")
KEPT = kept(insert(table("things", column("id"))))
ADD = text("INSERT INTO things VALUES (:id, :of)")


class Store:
    def __init__(self, file: Path, *pragmas: str) -> None:
        url = make_url(f"sqlite:///{file}")
        self.file = file
        self.engine = create_engine(url)
        self.short = ShortTransactions(self.engine, url, "foreign_keys=ON", *pragmas)

    async def add(self, *ids: int, of: int | None = None) -> None:
        async with self.short.write() as connection:
            await self.put(connection, *ids, of=of)

    async def put(self, connection: AsyncConnection, *ids: int, of: int | None = None) -> None:
        for id_ in ids:
            await connection.execute(ADD, {"id": id_, "of": of})

    def ids(self) -> list[int]:
        """As another process sees them."""
        with sqlite3.connect(self.file) as other:
            return [id_ for (id_,) in other.execute("SELECT id FROM things ORDER BY id")]


@asynccontextmanager
async def opened(file: Path, *pragmas: str) -> AsyncIterator[Store]:
    store = Store(file, *pragmas)
    yield store
    await store.short.close()
    await store.engine.dispose()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opened(tmp_path / "store.sqlite", "busy_timeout=10000") as store:
        async with store.short.write() as connection:
            await connection.execute(TABLE)
        yield store


@pytest.fixture
async def impatient(store: Store) -> AsyncIterator[Store]:
    """The same file, for who does not wait for it."""
    async with opened(store.file, "busy_timeout=0") as impatient:
        yield impatient


class Traced(list[str]):
    """The transactions' beginnings and ends."""

    on_commit: Callable[[], Any] | None = None
    """In the thread that commits, when it is about to."""

    def tell(self, statement: str) -> None:
        if statement.startswith(("BEGIN", "COMMIT")):
            self.append(statement)
        if statement == "COMMIT" and self.on_commit is not None:
            on_commit, self.on_commit = self.on_commit, None
            on_commit()


async def _traced(store: Store) -> Traced:
    seen = Traced()
    async with store.short.write() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_trace_callback(seen.tell)
    seen.clear()
    return seen


async def test_who_writes_at_the_same_time_is_committed_together(store: Store) -> None:
    seen = await _traced(store)
    found: list[list[int]] = []

    async def add(id_: int) -> None:
        await store.add(id_)
        found.append(store.ids())

    await asyncio.gather(*(add(id_) for id_ in range(5)))
    assert seen == ["BEGIN IMMEDIATE", "COMMIT"]
    assert found == [[0, 1, 2, 3, 4]] * 5  # whoever is told has been kept


async def test_who_comes_later_has_a_commit_of_their_own(store: Store) -> None:
    seen = await _traced(store)
    await store.add(1)
    await store.add(2)
    assert seen == ["BEGIN IMMEDIATE", "COMMIT"] * 2
    assert store.ids() == [1, 2]


async def test_a_refused_one_undoes_nothing_but_its_own(store: Store) -> None:
    results = await asyncio.gather(store.add(1), store.add(2, 1), store.add(3), return_exceptions=True)
    assert [type(one) for one in results] == [type(None), IntegrityError, type(None)]
    assert store.ids() == [1, 3]


async def test_a_refusal_is_told_when_what_it_saw_is_durable(store: Store) -> None:
    async def second() -> list[int]:
        with pytest.raises(IntegrityError):
            await store.add(1)
        return store.ids()

    _, seen = await asyncio.gather(store.add(1), second())
    assert seen == [1]


async def test_of_a_commit_that_fails_everyone_is_told_and_nothing_is_kept(store: Store) -> None:
    results = await asyncio.gather(store.add(1), store.add(2, of=99), return_exceptions=True)
    assert [type(one) for one in results] == [IntegrityError, IntegrityError]
    assert store.ids() == []
    await store.add(3)
    assert store.ids() == [3]


async def test_on_a_full_disk_what_was_told_as_kept_is_there_and_nothing_else(tmp_path: Path, store: Store) -> None:
    async with store.short.write() as connection:
        await connection.execute(text("CREATE TABLE blobs (id INTEGER PRIMARY KEY, data BLOB)"))
        await connection.execute(text("PRAGMA max_page_count = 40"))

    async def put(id_: int) -> None:
        async with store.short.write() as connection:
            await connection.execute(text("INSERT INTO blobs VALUES (:id, zeroblob(20000))"), {"id": id_})

    results = await asyncio.gather(*(put(id_) for id_ in range(20)), return_exceptions=True)
    assert any(isinstance(one, OperationalError) for one in results)
    with sqlite3.connect(store.file) as other:
        there = {id_ for (id_,) in other.execute("SELECT id FROM blobs")}
    assert there == {id_ for id_, one in enumerate(results) if one is None}


async def test_of_a_group_that_is_undone_only_one_is_told_the_cause(store: Store) -> None:
    """And whoever keeps the cause to themselves writes nothing more, and neither does anybody get another's refusal."""
    async with store.short.write() as connection:
        await connection.execute(text("CREATE TABLE blobs (data BLOB)"))
        await connection.execute(text("PRAGMA max_page_count = 20"))

    async def fill(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO blobs VALUES (zeroblob(200000))"))

    async def silent() -> None:
        async with store.short.write() as connection:
            with pytest.raises(OperationalError, match="full"):
                await fill(connection)
            with pytest.raises(OperationalError, match="undone"):
                await store.put(connection, 2)

    async def refusing() -> None:
        async with store.short.write() as connection:
            with pytest.raises(OperationalError, match="full"):
                await fill(connection)
            raise KeyError("a refusal of its own")

    for culprit, told in ((silent, OperationalError), (refusing, KeyError)):
        results = await asyncio.gather(store.add(1), culprit(), store.add(3), return_exceptions=True)
        assert [type(one) for one in results] == [OperationalError, told, type(None)]
        assert store.ids() == [3]
        async with store.short.write() as connection:
            await connection.execute(text("DELETE FROM things"))


async def test_a_statement_that_sqlalchemy_refuses_undoes_nothing_but_its_own(store: Store) -> None:
    async def ask() -> None:
        async with store.short.write() as connection:
            await connection.execute(ADD, {"id": 2})

    async def add(id_: int) -> None:
        async with store.short.write() as connection:
            await connection.execute(KEPT, {"id": id_})

    results = await asyncio.gather(add(1), ask(), add(3), return_exceptions=True)
    assert [type(one) for one in results] == [type(None), StatementError, type(None)]
    assert store.ids() == [1, 3]


async def test_who_is_cancelled_again_and_again_lets_nobody_in_before_the_commit(store: Store) -> None:
    seen = await _traced(store)
    committing, goes_on = threading.Event(), threading.Event()
    seen.on_commit = lambda: (committing.set(), goes_on.wait(10))
    writing = asyncio.create_task(store.add(1))
    await asyncio.to_thread(committing.wait)
    following = asyncio.create_task(store.add(2))
    for _ in range(3):
        writing.cancel()
        await asyncio.sleep(0)
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await following
    assert seen == ["BEGIN IMMEDIATE", "COMMIT"] * 2
    assert store.ids() == [1, 2]


async def test_who_goes_away_while_others_count_on_them_leaves_nobody_waiting(store: Store) -> None:
    within, goes_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        async with store.short.write() as connection:
            await store.put(connection, 1)
            within.set()
            await goes_on.wait()

    first, last = asyncio.create_task(slowly()), asyncio.create_task(store.add(2))
    await within.wait()
    goes_on.set()
    await asyncio.sleep(0)  # it has been handed the turn, and has not taken it
    last.cancel()
    await asyncio.wait_for(first, 10)
    with pytest.raises(asyncio.CancelledError):
        await last
    assert store.ids() == [1]


def test_who_writes_while_the_program_ends_is_not_left_waiting(tmp_path: Path) -> None:
    store, within, tasks = Store(tmp_path / "store.sqlite"), asyncio.Event(), list[asyncio.Task[None]]()

    async def tidy() -> None:
        try:
            async with store.short.write() as connection:
                await store.put(connection, 1)
                within.set()
                await asyncio.Event().wait()
        finally:
            await asyncio.wait_for(store.add(2), 10)
            await store.short.close()
            await store.engine.dispose()

    async def program() -> None:
        async with store.short.write() as connection:
            await connection.execute(TABLE)
        tasks.append(asyncio.create_task(tidy()))
        await within.wait()

    asyncio.run(program())
    assert store.ids() == [2]


async def test_a_transaction_within_one_is_a_fault_of_the_program(store: Store) -> None:
    with pytest.raises(RuntimeError, match="within one"):
        async with store.short.write():
            await store.add(1)


async def test_a_result_that_is_left_half_read_holds_no_snapshot(store: Store) -> None:
    await store.add(1, 2, 3)
    left = []
    for transaction in (store.short.read, store.short.write):
        async with transaction() as connection:
            found = await connection.execute(text("SELECT id FROM things ORDER BY id"))
            left.append(found.fetchone())
            left.append(found)
    with sqlite3.connect(store.file) as other:
        other.execute("INSERT INTO things VALUES (4, NULL)")
    async with store.short.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM things"))).scalar() == 4
    await store.add(5)
    assert store.ids() == [1, 2, 3, 4, 5]


async def test_a_file_that_stays_locked_is_waited_for_once_and_not_once_for_each(
    store: Store, impatient: Store
) -> None:
    tried = await _traced(impatient)
    other = sqlite3.connect(store.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    results = await asyncio.gather(*(impatient.add(id_) for id_ in range(5)), return_exceptions=True)
    assert [type(one) for one in results] == [OperationalError] * 5
    assert tried == ["BEGIN IMMEDIATE"]
    assert len({id(one) for one in results}) == 5
    other.execute("ROLLBACK")
    await impatient.add(9)
    assert store.ids() == [9]
    other.close()


async def test_a_store_is_closed_when_its_thread_has_done_with_the_file(store: Store) -> None:
    """Somebody has gone who waited for a file that another process had locked; their wait is still under way."""
    await store.add(1)
    other = sqlite3.connect(store.file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    gone = asyncio.create_task(store.add(2))
    await asyncio.sleep(0)
    gone.cancel()
    closing = asyncio.create_task(store.short.close())
    await asyncio.wait([gone, closing], timeout=0.2)
    assert gone.done() and not closing.done()
    other.execute("COMMIT")
    await closing
    other.execute("BEGIN IMMEDIATE")
    other.close()
    assert store.ids() == [1]


async def test_who_reads_may_go_on_when_the_store_is_closed_and_nobody_begins(store: Store) -> None:
    await store.add(1)
    async with store.short.read() as connection:
        await store.short.close()
        assert (await connection.execute(text("SELECT count(*) FROM things"))).scalar() == 1
    for transaction in (store.short.read, store.short.write):
        with pytest.raises(InvalidRequestError, match="closed"):
            async with transaction():
                pass


async def test_nobody_gets_a_turn_within_one(store: Store) -> None:
    turns: list[str] = []
    async with store.short.write() as connection:
        asyncio.get_running_loop().call_soon(turns.append, "another's")
        await store.put(connection, 1)
        await connection.execute(text("SELECT id FROM things"))
        assert turns == []


async def test_who_waits_for_another_process_stops_nobody(store: Store) -> None:
    other = sqlite3.connect(store.file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(store.add(1))
    asyncio.get_running_loop().call_soon(other.execute, "COMMIT")
    await waiting
    assert store.ids() == [1]
    other.close()


async def test_a_file_that_stays_locked_is_an_error_of_sqlalchemys(store: Store, impatient: Store) -> None:
    other = sqlite3.connect(store.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"):
        await impatient.add(1)
    other.execute("ROLLBACK")
    await impatient.add(2)
    assert store.ids() == [2]
    other.close()


async def test_who_goes_away_while_waiting_for_the_file_keeps_it_from_nobody(store: Store) -> None:
    other = sqlite3.connect(store.file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    gone = asyncio.create_task(store.add(1))
    await asyncio.sleep(0)  # it has its turn, and waits in its thread
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    following = asyncio.create_task(store.add(2))
    other.execute("COMMIT")
    await following
    assert store.ids() == [2]
    other.close()


async def test_who_goes_away_within_one_has_changed_nothing(store: Store) -> None:
    async def go() -> None:
        async with store.short.write() as connection:
            await store.put(connection, 1)
            raise asyncio.CancelledError

    results = await asyncio.gather(store.add(2), go(), store.add(3), return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert store.ids() == [2, 3]


async def test_a_long_transaction_begins_when_the_group_before_it_is_kept(store: Store) -> None:
    order: list[str] = []

    async def short(id_: int) -> None:
        await store.add(id_)
        order.append(f"short {id_}")

    async def long() -> None:
        async with store.short.none(), store.engine.begin() as connection:
            assert store.ids() == [1]
            await store.put(connection, 10)
        order.append("long")

    await asyncio.gather(short(1), long(), short(2))
    assert store.ids() == [1, 2, 10]
    assert order.index("short 1") < order.index("long") < order.index("short 2")


async def test_a_reader_sees_what_is_kept_and_one_snapshot(store: Store) -> None:
    await store.add(1)
    async with store.short.read() as connection:
        assert store.short.is_reader_taken
        first = (await connection.execute(text("SELECT count(*) FROM things"))).scalar()
        await store.add(2)
        second = (await connection.execute(text("SELECT count(*) FROM things"))).scalar()
    assert (first, second) == (1, 1)
    async with store.short.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM things"))).scalar() == 2


async def test_a_reader_that_fails_leaves_the_line_free(store: Store) -> None:
    async def fail() -> None:
        async with store.short.read() as connection:
            await connection.execute(text("SELECT nothing FROM things"))

    with pytest.raises(DBAPIError):
        await fail()
    async with store.short.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM things"))).scalar() == 0
