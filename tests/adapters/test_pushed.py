"""Any filter, order and page on a store full of bad rows equals the same on canonical rows in memory, on each engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.model import Compare, In, OrderTerm, PageRequest, Position, QualityReport
from adapters.snapshot import Snapshot
from adapters.sql import SqlStore
from contract.order import Direction
from tests.adapters import odd_stores as odd
from tests.adapters.oracle import Keyed, check_counts, check_request, filters, requests
from tests.adapters.support import ALL

KINDS = ("sqlite", "sqlite-no-key", "postgresql", "postgresql-icu", "mariadb", "mariadb-bin", "mariadb-gbk")
ROWS = 160
KEY = ", PRIMARY KEY (id)"


class Opened:
    """A store, and all its rows as a scan maps them, on a loop of its own for hypothesis to ask many times."""

    def __init__(self, mapping: Any) -> None:
        self.store = SqlStore(mapping)

    async def open(self) -> None:
        await self.store.open()
        mapper = await self.store._fresh_mapper()
        raws = await self.store._reader.fetch(self.store._scan, {})
        snapshot = Snapshot(mapper, raws, 10_000)
        page = snapshot.page(ALL)
        self.rows: list[Keyed] = list(zip(page.rows, page.native_values, strict=True))
        self.quality: QualityReport = snapshot.quality()
        self.quarantined = snapshot.quarantine(1_000, None)


@pytest.fixture(scope="module", params=KINDS)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Opened, Any]]:
    loop = asyncio.new_event_loop()
    found = loop.run_until_complete(_made(request, tmp_path_factory.mktemp("odd")))
    loop.run_until_complete(found.open())
    yield found, loop.run_until_complete
    loop.run_until_complete(found.store.close())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


async def _made(request: pytest.FixtureRequest, folder: Path) -> Opened:
    kind: str = request.param
    rows = odd.odd_rows(ROWS, 7)
    engine, _, variant = kind.partition("-")
    if engine == "sqlite":
        odd.fill_sqlite(folder / "zc.sqlite", rows, "" if variant else KEY)
        return Opened(odd.odd_mapping(folder, "sqlite", "zc.sqlite"))
    name = f"odd_{kind.replace('-', '_')}"
    server = request.getfixturevalue("postgres_server" if engine == "postgresql" else "mariadb_server")
    url: str = server.with_database(name)
    if engine == "postgresql":
        from tests.services import postgres_execute

        await postgres_execute(server.url, f"CREATE DATABASE {name}")
        ddl = odd.POSTGRES_DDL.format(more=KEY, collation='"und-x-icu"' if variant else '"default"')
        await odd.fill_server(url, "postgresql+asyncpg", [ddl], rows)
    else:
        from tests.services import mariadb_execute

        charset = {"": "utf8mb4", "bin": "utf8mb4 COLLATE utf8mb4_bin", "gbk": "gbk"}[variant]
        await mariadb_execute(server.url, f"CREATE DATABASE {name} CHARACTER SET {charset}")
        ddl = odd.MARIADB_DDL.format(more="")
        await odd.fill_server(url, "mysql+asyncmy", [ddl], odd.for_gbk(rows) if variant == "gbk" else rows)
    return Opened(odd.odd_mapping(folder, engine, url))


CHECKED = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


@CHECKED
@given(data=st.data())
def test_pages_equal_the_oracle(opened: tuple[Opened, Callable[..., Any]], data: st.DataObject) -> None:
    found, run = opened
    run(check_request(found.store, found.rows, data.draw(requests(found.rows))))


@settings(CHECKED, max_examples=25)
@given(data=st.data())
def test_counts_and_groups_equal_the_oracle(opened: tuple[Opened, Callable[..., Any]], data: st.DataObject) -> None:
    found, run = opened
    run(check_counts(found.store, found.rows, data.draw(st.one_of(st.none(), filters(found.rows)))))


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("field", ["code", "name", "status", "acquiredOn", "originalValue", "netValue", "classCode"])
def test_a_walk_gives_every_row_once(
    opened: tuple[Opened, Callable[..., Any]], field: str, direction: Direction
) -> None:
    found, run = opened
    seen: list[str] = []
    after: Position | None = None
    more = True
    while more:
        page = run(found.store.page(PageRequest(None, (OrderTerm(field, direction),), 7, after=after)))
        seen += [row["native"] for row in page.rows]
        after = Position(page.sort_values[-1], page.native_values[-1], False)
        more = page.has_more
    assert len(seen) == len(set(seen)) == len(found.rows)


def test_every_field_is_asked_in_the_store(opened: tuple[Opened, Callable[..., Any]]) -> None:
    found, run = opened
    asked = In("status", ("IDLE",))
    for name in ("code", "name", "acquiredOn", "originalValue", "netValue", "status", "classCode", "quantity"):
        explained = run(found.store.explain(PageRequest(asked, (OrderTerm(name),), 5)))
        assert (explained.filter, explained.order) == ("store", "store"), (name, explained.reasons)
    for name in ("brand", "specification", "owner"):
        explained = run(found.store.explain(PageRequest(Compare(name, "eq", "U1"), (), 5)))
        assert explained.filter == "store", (name, explained.reasons)


def test_the_report_and_the_quarantine_lose_nothing(opened: tuple[Opened, Callable[..., Any]]) -> None:
    found, run = opened
    assert run(found.store.quality()) == found.quality
    quarantined = run(found.store.quarantine(1_000, None))
    assert sorted(_told(row) for row in quarantined) == sorted(_told(row) for row in found.quarantined)
    first = run(found.store.quarantine(3, None))
    assert [*first, *run(found.store.quarantine(1_000, first[-1].native))] == quarantined


def _told(row: Any) -> str:
    return repr((sorted(row.raw.items(), key=str), [(one["code"], one["field"]) for one in row.issues]))
