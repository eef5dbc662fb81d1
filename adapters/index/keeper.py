"""Who keeps the index new: one task of the store's own, never a request.

    every `refresh` ─▶ stamp of the source ─▶ another? ─┬▶ build beside ─▶ on the disk ─▶ takes the old one's place
                                                        └▶ a change feed? ─▶ what has changed, in one transaction

A request is answered from the index that stands. Only where there is none yet does it wait, and then a request that is
given up leaves the building alone. A look at the source that finds a fault changes nothing but `health`; a state of the
source that was refused is not read again until there is another. After a building that failed, the pauses grow.

Two processes may keep the same index: one builds, the other takes up what it finds (`BuildLock`).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sqlite3
import threading
import uuid
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from adapters.guest import Gate
from adapters.index.build import BuildStopped, IndexBuilder, sides_digest, sync
from adapters.index.change import ChangePass
from adapters.index.layout import FORMAT
from adapters.index.loaded import Loaded, read_loaded
from adapters.index.lock import BuildLock
from adapters.index.reader import connect
from adapters.index.source import FedSource, RowSource, SourceStamp
from adapters.mapping.fields import SideTables
from adapters.mapping.mapper import RowMapper, today_in_shanghai
from adapters.mapping.model import Mapping
from adapters.model import SourceRefused, StoreError, StoreUnavailable
from adapters.status import Fault, HealthState, StoreHealth

__all__ = ["NOT_WRITTEN", "IndexKeeper"]

NOT_WRITTEN = "INDEX_NOT_WRITTEN"

log = logging.getLogger(__name__)
_PAUSE_MIN_S = 0.1
"""Between two looks at the source, even where the mapping allows none."""
_PAUSE_GROWN_MAX_S = 600.0
_LOCK_PAUSE_S = 0.2
"""Between two tries for the lock, where there is no index yet and another process builds it."""


class IndexKeeper:
    def __init__(self, mapping: Mapping, source: RowSource, folder: Path, gate: Gate | None = None) -> None:
        self._mapping, self._source, self._folder = mapping, source, folder
        self.path = folder / f"{mapping.region}.index.sqlite"
        self._lock = BuildLock(folder / f"{mapping.region}.index.lock")
        self._gate = gate or Gate(mapping.store.guest)
        self._digest = hashlib.blake2b(
            f"{FORMAT} {replace(mapping, path=Path())!r}".encode(), digest_size=16
        ).hexdigest()
        self._loaded: Loaded | None = None
        self._fault: Fault | None = None
        self._refused: tuple[str, SourceRefused] | None = None
        """A state of the source that cannot be used, and why."""
        self._look_task: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._build: _Build | ChangePass | None = None
        self._failures = 0
        """Buildings that failed one after the other."""
        self._pause_s = _pause_s(mapping)

    # --- what requests see ----------------------------------------------------------------------------------------

    async def open(self) -> None:
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        await self._source.open()
        self._loaded = await asyncio.to_thread(read_loaded, self.path, self._digest, checked=True)
        self._watcher = asyncio.create_task(self._watch(), name=f"index {self._mapping.region}")
        try:
            await self.current()
        except StoreError:
            await self.close()
            raise

    async def close(self) -> None:
        """Ends the building too, and waits for its thread."""
        self._closing.set()
        if self._build is not None:
            self._build.stop()
        running = [task for task in (self._watcher, self._look_task) if task is not None]
        if running:
            await asyncio.wait(running)
        await self._source.close()

    async def current(self) -> Loaded:
        if self._loaded is None:
            await asyncio.shield(self._look())
        if self._loaded is None:
            fault = self._fault or Fault(StoreUnavailable.code, "the store has not been read yet")
            raise StoreUnavailable(fault.message, fault.code)
        return self._loaded

    async def refresh(self) -> None:
        """Look at the source after this moment, and wait until the look is done."""
        if self._look_task is not None and not self._look_task.done():
            await asyncio.wait([self._look_task])
        await asyncio.shield(self._look())

    def health(self) -> StoreHealth:
        if self._loaded is None:
            return StoreHealth(HealthState.UNAVAILABLE, self._fault)
        state = HealthState.OK if self._fault is None else HealthState.DEGRADED
        return StoreHealth(
            state,
            self._fault,
            self._loaded.as_of,
            self._loaded.built_at,
            build_s=self._loaded.took_s,
            rows=self._loaded.listed + self._loaded.quarantined,
            unreadable=self._loaded.issues.get(("MALFORMED_ROW", None), 0),
        )

    # --- looking --------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while not self._closing.is_set():
            await asyncio.wait([self._look()])
            grown = min(self._pause_s * 2**self._failures, _PAUSE_GROWN_MAX_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), max(self._pause_s, grown))

    def _look(self) -> asyncio.Task[None]:
        """The look that is going on, or a new one: never two at once, and none that a request could cancel."""
        if self._look_task is None or self._look_task.done():
            self._look_task = asyncio.create_task(self._look_once())
        return self._look_task

    async def _look_once(self) -> None:
        try:
            self._fault = await self._renew()
        except BuildStopped:
            return
        except StoreError as error:
            self._note(error.fault)
        except (sqlite3.OperationalError, OSError) as error:
            self._note(Fault(NOT_WRITTEN, f"the local index cannot be written: {_said(error)}"))
        except Exception:
            log.exception("store %s: the index could not be renewed", self._mapping.region)
            self._note(Fault("INTERNAL", "the local index could not be renewed; the log says why"))

    def _note(self, fault: Fault) -> None:
        if fault != self._fault:
            log.warning("store %s: %s %s", self._mapping.region, fault.code, fault.message)
        self._fault = fault

    async def _renew(self) -> Fault | None:
        """Build the index anew where the source has changed; what is wrong with a newer state that is not used."""
        if self._loaded is not None and not self._gate.is_open:
            return self._fault
        self._gate.enter()
        stamp = await self._source.stamp()
        # A day later, dates in the future may not be any more.
        stamp = replace(stamp, token=f"{stamp.token} {today_in_shanghai()}")
        if self._is_kept(stamp):
            return stamp.fault
        if self._refused is not None and self._refused[0] == stamp.token:
            raise self._refused[1]
        if not await self._locked():
            return stamp.fault
        self._failures += 1
        try:
            await self._bring_up(stamp)
        except SourceRefused as error:
            self._refused, self._failures = (stamp.token, error), 0
            raise
        finally:
            self._lock.release()
        self._failures = 0
        return stamp.fault

    def _is_kept(self, stamp: SourceStamp) -> bool:
        """Whether the index that stands is of this state, or of a better one: nothing goes back in time because of a
        newer state that is not whole."""
        if self._loaded is None:
            return False
        return self._loaded.token == stamp.token or (stamp.fault is not None and stamp.as_of < self._loaded.as_of)

    async def _locked(self) -> bool:
        """Whether it is for us to build. Where another process does, and nothing can be answered yet, wait for it."""
        while not await asyncio.to_thread(self._lock.take):
            if self._loaded is not None or self._closing.is_set():
                return False
            await asyncio.sleep(_LOCK_PAUSE_S)
        return True

    # --- building -------------------------------------------------------------------------------------------------

    async def _bring_up(self, stamp: SourceStamp) -> None:
        """Have an index of this state, with the lock held: another process's, a changed or a new one."""
        found = await asyncio.to_thread(read_loaded, self.path, self._digest, checked=self._loaded is None)
        if found is None or not self._is_up_to(found, stamp):
            if found is None or not await self._is_fed(found, stamp):
                await self._build_anew(stamp)
            found = await asyncio.to_thread(read_loaded, self.path, self._digest, checked=False)
        if found is None:
            raise StoreUnavailable("the local index cannot be read back")
        self._loaded = found

    def _is_up_to(self, found: Loaded, stamp: SourceStamp) -> bool:
        """Whether another process was quicker. Where each look finds another state, its last one will do for a while."""
        if found.token == stamp.token:
            return True
        is_anothers = self._loaded is not None and found.as_of > self._loaded.as_of
        age_s = (stamp.as_of - found.as_of).total_seconds()
        return self._mapping.feed is not None and is_anothers and age_s < self._pause_s / 2

    async def _is_fed(self, found: Loaded, stamp: SourceStamp) -> bool:
        """Whether the change feed could bring the index up to this state; where it could not, nothing has changed."""
        settings, source = self._mapping.feed, self._source
        if settings is None or not isinstance(source, FedSource):
            return False
        age_s = (stamp.as_of - found.built_at).total_seconds()
        if age_s >= self._mapping.index.full_s or _day_of(found.token) != _day_of(stamp.token):
            return False
        feed = await source.feed()
        side = await feed.side()
        if sides_digest(side) != found.sides:
            return False
        self._build = changing = ChangePass(self._mapping, settings, self.path)
        if self._closing.is_set():
            changing.stop()
        try:
            await changing.run(feed, side, stamp, found.fed_at, found.scanned_at)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            log.exception("store %s: the index is damaged and is built anew", self._mapping.region)
            return False
        finally:
            self._build = None
        return True

    async def _build_anew(self, stamp: SourceStamp) -> None:
        for torn in self._folder.glob(f"{self._mapping.region}.*.building"):
            torn.unlink(missing_ok=True)
        build = self._build = _Build(
            self._mapping, self._folder / f"{self._mapping.region}.{uuid.uuid4().hex}.building"
        )
        if self._closing.is_set():
            build.stop()
        try:
            builder = await self._source.load(stamp, build.start)
            self._check_size(stamp, builder.read)
            await asyncio.to_thread(builder.finish, stamp, self._digest)
        except BaseException:
            build.abandon()
            raise
        finally:
            self._build = None
        await asyncio.to_thread(self._take_place, build.path)

    def _check_size(self, stamp: SourceStamp, read: int) -> None:
        """A state that cannot prove that it is whole, and is far shorter than the last good one, is not believed."""
        percent = self._mapping.file.rows_min_percent
        if stamp.is_proved_whole or self._loaded is None or read * 100 >= self._loaded.read * percent:
            return
        raise SourceRefused(
            f"the newest export has {read} lines where the last good one had {self._loaded.read}:"
            f" less than {percent} % (file.rows_min_percent)",
            "EXPORT_SHRUNK",
        )

    def _take_place(self, built: Path) -> None:
        """A journal of a change that died with its process must not outlive the file it belongs to."""
        journal = self.path.with_name(f"{self.path.name}-journal")
        if journal.exists():
            with suppress(sqlite3.Error), closing(connect(self.path)) as db:
                db.execute("SELECT count(*) FROM meta")  # rolls it back
            if journal.exists():
                self.path.unlink(missing_ok=True)
                journal.unlink(missing_ok=True)
        built.replace(self.path)
        sync(self._folder)


def _pause_s(mapping: Mapping) -> float:
    """Between two looks at the source."""
    store, refresh_s = mapping.store, mapping.index.refresh_s
    is_server = mapping.feed is not None and store.engine != "sqlite"
    return max(refresh_s or (store.reload_s if is_server else store.reread_s), _PAUSE_MIN_S)


def _day_of(token: str) -> str:
    return token.rpartition(" ")[2]


def _said(error: Exception) -> str:
    """Without the paths that an `OSError` shows."""
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)


class _Build:
    """One building of an index, which may be stopped before its builder has been made."""

    def __init__(self, mapping: Mapping, path: Path) -> None:
        self._mapping, self.path = mapping, path
        self._builder: IndexBuilder | None = None
        self._unwanted = threading.Event()

    def start(self, side: SideTables) -> IndexBuilder:
        """What a source calls, in whatever thread it reads."""
        if self._unwanted.is_set():
            raise BuildStopped
        self._builder = IndexBuilder(self.path, RowMapper(self._mapping, side))
        if self._unwanted.is_set():
            self._builder.stop()
        return self._builder

    def stop(self) -> None:
        self._unwanted.set()
        if self._builder is not None:
            self._builder.stop()

    def abandon(self) -> None:
        self._unwanted.set()
        if self._builder is not None:
            self._builder.abandon()
