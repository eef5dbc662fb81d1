"""淳安's line: slow, refused, or dead in the middle of a file. A pipe stands where the export should be, and its other end
is the far machine, which sends when a test lets it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters import open_store
from adapters.index import IndexedStore
from adapters.model import StoreUnavailable
from adapters.status import HealthState
from tests.adapters.support import ALL, mapping_of

TIMEOUT_S = 1
CSV: dict[str, Any] = {
    "store": {"engine": "csv", "url": "drop", "reread_s": 86_400, "encoding": "utf-8"},
    "guest": {"statement_timeout_s": TIMEOUT_S},
    "file": {"ready_suffix": ".ok"},
    "source": {"table": "zc"},
}


def lines(count: int, name: str = "桌") -> list[str]:
    return ["id,mc\n", *(f"A{number},{name}\n" for number in range(count))]


def export(folder: Path, day: int, count: int) -> None:
    drop = folder / "drop"
    drop.mkdir(exist_ok=True)
    (drop / f"{day}.csv").write_text("".join(lines(count, f"桌{day}")), encoding="utf-8")
    (drop / f"{day}.ok").write_text(str(count))


@contextmanager
def far_export(folder: Path, day: int, count: int) -> Iterator[threading.Semaphore]:
    """An export whose lines come one by one, each when the semaphore lets it; at the end the line is cut."""
    path = folder / "drop" / f"{day}.csv"
    os.mkfifo(path)
    path.with_suffix(".ok").write_text(str(count))
    may_send, is_over = threading.Semaphore(0), threading.Event()

    def send() -> None:
        with path.open("w", encoding="utf-8", buffering=1) as pipe:
            for line in lines(count, f"桌{day}"):
                may_send.acquire()
                if is_over.is_set():
                    return
                pipe.write(line)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield may_send
    finally:
        is_over.set()
        may_send.release()
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK)):
            sender.join()
        path.unlink()


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[IndexedStore]:
    store = open_store(mapping_of(folder, **CSV), cache_dir=folder / "cache")
    assert isinstance(store, IndexedStore)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def names(store: IndexedStore) -> set[str]:
    return {row["name"] for row in (await store.page(ALL)).rows}


async def fault(store: IndexedStore) -> str | None:
    health = await store.health()
    assert (health.fault is None) == (health.state is HealthState.OK)
    return None if health.fault is None else health.fault.code


async def test_a_line_that_is_slow_is_waited_for(tmp_path: Path) -> None:
    """Nothing for half a timeout, many times over: altogether far longer than one."""
    export(tmp_path, 1, 5)
    async with opened(tmp_path) as store:
        with far_export(tmp_path, 2, 6) as may_send:
            timer = Metronome(may_send, TIMEOUT_S / 2)
            timer.start()
            await store.refresh()
            timer.stop()
            assert await fault(store) is None
            assert await names(store) == {"桌2"}


@pytest.mark.parametrize("sent", [0, 3], ids=["before the first line", "in the middle"])
async def test_a_line_that_is_dead_leaves_the_last_good_state(tmp_path: Path, sent: int) -> None:
    export(tmp_path, 1, 5)
    async with opened(tmp_path) as store:
        with far_export(tmp_path, 2, 6) as may_send:
            may_send.release(sent) if sent else None
            await store.refresh()
            assert await fault(store) == "LINE_STALLED"
            assert await names(store) == {"桌1"}
            await store.refresh()
            assert await fault(store) == "LINE_STALLED", "and nobody else is sent to hang there"
            assert sum(thread.name == "reading the drop folder" for thread in threading.enumerate()) == 1
        (tmp_path / "drop" / "2.ok").unlink()
        export(tmp_path, 3, 5)
        while await fault(store) is not None:  # the thread that hung finds its line cut
            await store.refresh()
        assert await names(store) == {"桌3"}


async def test_half_a_file_and_a_folder_that_is_gone(tmp_path: Path) -> None:
    export(tmp_path, 1, 5)
    async with opened(tmp_path) as store:
        export(tmp_path, 2, 5)
        os.truncate(tmp_path / "drop" / "2.csv", 30)
        await store.refresh()
        assert await fault(store) == "EXPORT_UNFINISHED"
        shutil.move(tmp_path / "drop", tmp_path / "away")
        await store.refresh()
        assert await fault(store) == "EXPORT_UNFINISHED"
        assert await names(store) == {"桌1"}
        shutil.move(tmp_path / "away", tmp_path / "drop")
        export(tmp_path, 3, 5)
        await store.refresh()
        assert (await fault(store), await names(store)) == (None, {"桌3"})


async def test_a_store_that_was_never_reached_says_so_and_closes(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    with far_export(tmp_path, 1, 5), pytest.raises(StoreUnavailable, match="the drop folder does not answer"):
        async with opened(tmp_path):
            pass


class Metronome(threading.Thread):
    """Lets one line through at each beat: what is measured here is time itself."""

    def __init__(self, may_send: threading.Semaphore, beat_s: float) -> None:
        super().__init__(daemon=True)
        self._may_send, self._beat_s = may_send, beat_s
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(self._beat_s):
            self._may_send.release()

    def stop(self) -> None:
        self._stopped.set()
