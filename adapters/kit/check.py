"""A mapping's store under the conformance kit: the store itself, a second reading as witness, a probe for writes.

mapping ─┬─▶ store (as it is served) ──────────────▶ run_checks ──▶ Report
         ├─▶ the same in indexed mode ──▶ Witness ───▶     │
         └─▶ probe before, probe after ─────────────▶ read-only
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.kinds import BUILT_IN
from adapters.kit.conformance import PAGE_MS_MAX, ROWS_MAX, Check, Report, Witness, run_checks, testify
from adapters.kit.conformance.untouched import Probe, probe_of, untouched_check
from adapters.mapping.model import Mapping
from adapters.model import Store, StoreError
from adapters.registry import open_store

__all__ = ["CheckOptions", "check_mapping"]


@dataclass(frozen=True, slots=True)
class CheckOptions:
    rows_max: int = ROWS_MAX
    page_ms_max: float = PAGE_MS_MAX
    clock: Callable[[], float] = time.perf_counter
    progress: Callable[[str, int, int], None] = lambda name, done, total: None


async def check_mapping(
    mapping: Mapping,
    *,
    store: Store | None = None,
    more: Sequence[Check] = (),
    options: CheckOptions = CheckOptions(),
) -> Report:
    """Open the mapping's store (or take `store`, not yet open, in its place) and run all checks.

    Raises `StoreError` or `MappingError` where it cannot be opened, `StoreUnavailable` where it stops answering.
    """
    with tempfile.TemporaryDirectory(prefix="gwc-check-", ignore_cleanup_errors=True) as folder:
        own = store or open_store(mapping, cache_dir=Path(folder) / "own")
        await own.open()
        try:
            second = _SecondReading(mapping, Path(folder), options.rows_max)
            # Asked first: to read a million rows a second way takes minutes.
            witness, why_no_witness = (
                await second.read() if await own.count(None) <= options.rows_max else second.too_large
            )
            async with _probing(mapping, second if witness else None) as (probe, before):
                untouched = untouched_check(before, probe, "the store is too large, or of a kind that cannot be probed")
                return await run_checks(
                    own,
                    witness=witness,
                    why_no_witness=why_no_witness,
                    more=(*more, untouched),
                    rows_max=options.rows_max,
                    page_ms_max=options.page_ms_max,
                    clock=options.clock,
                    progress=options.progress,
                )
        finally:
            await own.close()


class _SecondReading:
    """The mapping read another way: into a fresh local index, without the store's own filters, orders and sums."""

    def __init__(self, mapping: Mapping, folder: Path, rows_max: int) -> None:
        self._mapping = replace(mapping, store=replace(mapping.store, mode="indexed"))
        self._folder, self._rows_max = folder, rows_max
        self._times = 0

    async def read(self) -> tuple[Witness | None, str]:
        """(the witness, why there is none)."""
        if self._mapping.store.engine not in BUILT_IN:
            return None, f"a {self._mapping.store.engine} store is read one way only"
        self._times += 1
        try:
            store = open_store(self._mapping, cache_dir=self._folder / f"witness-{self._times}")
            await store.open()
        except StoreError as error:
            return None, f"the store cannot be read a second way: {error}"
        try:
            witness = await testify(store, self._rows_max)
        finally:
            await store.close()
        return (witness, "") if witness else self.too_large

    @property
    def too_large(self) -> tuple[None, str]:
        return None, f"the store has more than {self._rows_max} rows: raise --rows to compare all"

    async def state(self) -> str:
        """A digest of all rows as mapped; the moment of reading is left out."""
        witness, why = await self.read()
        if witness is None:
            return why
        rows = [sorted((name, str(value)) for name, value in row.items() if name != "observedAt")
                for _, row in sorted(witness.rows.items())]  # fmt: skip
        return hashlib.sha256(repr((rows, sorted(witness.quarantined))).encode("utf-8", "replace")).hexdigest()


@asynccontextmanager
async def _probing(mapping: Mapping, second: _SecondReading | None) -> AsyncIterator[tuple[Probe | None, str | None]]:
    probe = probe_of(mapping)
    use: Probe | None = probe or (second.state if second else None)
    try:
        yield use, await use() if use else None
    finally:
        close = getattr(probe, "close", None)
        if close is not None:
            await asyncio.to_thread(close)
