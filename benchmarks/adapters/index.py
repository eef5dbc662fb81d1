"""One index build in a process of its own, so that its peak memory is its own: `python -m benchmarks.adapters.index ROWS`.

Prints `SECONDS PEAK_MB BEFORE_MB`, the last being what the process held before it opened the store.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from adapters import open_store
from benchmarks.adapters.stock import drop_folder

_KB_PER_MB = 1024


def _peak_mb() -> float:
    """Of this program alone: `ru_maxrss` would begin with what the parent held when it started us."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(status["VmHWM"].split()[0]) / _KB_PER_MB


async def _build(rows: int) -> float:
    with tempfile.TemporaryDirectory() as name:
        store = open_store(drop_folder(rows), cache_dir=Path(name))
        started = time.perf_counter()
        await store.open()
        took_s = time.perf_counter() - started
        report = await store.quality()
        await store.close()
    assert report.listed > rows / 2
    return took_s


def main() -> None:
    before = _peak_mb()
    took_s = asyncio.run(_build(int(sys.argv[1])))
    print(f"{took_s:.3f} {_peak_mb():.1f} {before:.1f}")


if __name__ == "__main__":
    main()
