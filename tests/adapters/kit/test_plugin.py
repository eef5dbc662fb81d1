"""An adapter of somebody else: a package with an entry point is found, opened by a mapping, and checked by the same kit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
ADAPTER = '''
"""A store of another package: everything in memory, by the parts that adapters offer."""

from dataclasses import replace
from datetime import UTC, datetime
from adapters.mapping.fields import SideTables
from adapters.mapping.mapper import RowMapper, native_kinds
from adapters.snapshot import Snapshot
from adapters.status import Explanation, HealthState, StoreHealth

ROWS = [{"no": f"N{n:03d}", "title": f"桌子{n % 7}", "open": "yes" if n % 9 else "no"} for n in range(60)]


class Memory:
    def __init__(self, mapping):
        self.region, self.capabilities, self.native_kinds = mapping.region, mapping.capabilities, native_kinds(mapping.key)
        mapper = RowMapper(mapping, SideTables())
        raws = [tuple(row[column] for column in mapping.columns) for row in ROWS]
        self.rows_ = Snapshot(mapper, [raw for raw in raws if not mapper.is_secret(raw)], 1000)

    async def open(self): ...
    async def close(self): ...

    async def page(self, request):
        page = self.rows_.page(request)
        return replace(page, rows=[{**row, "observedAt": "2025-01-01T00:00:00Z"} for row in page.rows])

    async def explain(self, request): return Explanation("adapter", "adapter", "adapter", None, len(ROWS))
    async def health(self): return StoreHealth(HealthState.OK)
    async def rows(self, natives, columns=None): return self.rows_.rows(natives)
    async def count(self, filter_): return self.rows_.count(filter_) + EXTRA
    async def groups(self, by, filter_): return self.rows_.groups(by, filter_)
    async def quality(self): return self.rows_.quality()
    async def quarantine(self, limit, after): return self.rows_.quarantine(limit, after)
    async def units(self): return []
    async def warehouses(self): return []
    async def as_of(self): return datetime.now(UTC)
    async def write_status(self, native, status, expected_version): return False


EXTRA = 0


def open_memory(mapping, cache_dir):
    return Memory(mapping)
'''
MAPPING = """
mapping = 1
region = "330127"
[store]
engine = "memory"
url = "memory://"
[source]
table = "things"
[secrecy]
column = "open"
open = ["yes"]
[key]
columns = ["no"]
[fields]
name = "title"
"""


def install(folder: Path, extra: int) -> None:
    """A package as pip leaves it: a module, and metadata with its entry point."""
    (folder / "memory_adapter.py").write_text(ADAPTER.replace("EXTRA = 0", f"EXTRA = {extra}"), encoding="utf-8")
    info = folder / "memory_adapter-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: memory-adapter\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gongwucang.adapters]\nmemory = memory_adapter:open_memory\n")
    (folder / "330127.toml").write_text(MAPPING, encoding="utf-8")


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(folder)))}
    command = [sys.executable, "-m", "gwc.cli", "adapter", "check", str(folder / "330127.toml")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=folder)


def test_a_right_plug_in_conforms(tmp_path: Path) -> None:
    install(tmp_path, extra=0)
    done = check(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "330127: 53 listed rows, all of them compared" in done.stdout
    assert "skipped rows " in done.stdout
    assert "a memory store is read one way only" in done.stdout


def test_a_wrong_plug_in_is_red(tmp_path: Path) -> None:
    install(tmp_path, extra=1)
    done = check(tmp_path)
    assert done.returncode == 1
    assert "the number of all rows: expected 53, found 54" in done.stdout
    assert "NOT conforming: quarantine, totals" in done.stdout
