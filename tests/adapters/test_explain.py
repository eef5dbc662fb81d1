"""What a store says of itself: how a request is answered and why, whether it is well, what is granted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters import open_store
from adapters.model import Compare, HasIssues, OrderTerm, PageRequest, Store, StoreUnsupported
from adapters.status import Explanation, HealthState, Reason, ReasonCode
from tests.adapters.support import ALL, mapping_of, table_of

SECRET_VALUE = "hunter2"


@asynccontextmanager
async def opened(folder: Path, **more: Any) -> AsyncIterator[Store]:
    store = open_store(mapping_of(folder, **more), cache_dir=folder / "cache")
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    table_of(tmp_path, [(f"A{n}", f"桌{n}") for n in range(150)])
    return tmp_path


async def test_pushed(folder: Path) -> None:
    async with opened(folder) as store:
        found = await store.explain(PageRequest(Compare("name", "eq", SECRET_VALUE), (OrderTerm("name"),), 50))
        assert (found.filter, found.order, found.limit, found.reasons) == ("store", "store", "store", ())
        assert found.rows_read_max == 51
        assert found.statement and "ORDER BY" in found.statement and SECRET_VALUE not in found.statement


async def test_a_part_that_cannot_be_pushed_is_named(folder: Path) -> None:
    async with opened(folder, store={"scan_rows_max": 200}) as store:
        found = await store.explain(PageRequest(HasIssues(True), (OrderTerm("updatedAt"),), 50))
        assert (found.filter, found.order, found.limit, found.rows_read_max) == ("adapter", "adapter", "adapter", 201)
        assert [(reason.part, reason.code) for reason in found.reasons] == [("filter", ReasonCode.FIELD)]
        assert found.statement and "LIMIT 201" in found.statement


EXPRESSIONS: dict[str, Any] = {
    "brand": {"expr": {"case": "mc", "of": {"桌7": "七"}, "otherwise": {"value": "他"}}},
    "model": {"expr": {"substring": "mc", "from": 2}},
    "quantity": {"expr": {"mul": {"substring": "mc", "from": 2}, "by": "10"}},
}


@pytest.mark.parametrize("field", EXPRESSIONS)
async def test_an_expression_is_scanned_at_a_cost_that_is_told(folder: Path, field: str) -> None:
    fields = {"name": "mc", field: EXPRESSIONS[field]}
    async with opened(folder, store={"scan_rows_max": 200}, fields=fields) as store:
        found = await store.explain(PageRequest(None, (OrderTerm(field),), 50))
        assert (found.filter, found.order, found.rows_read_max) == ("adapter", "adapter", 201)
        assert [(reason.part, reason.code) for reason in found.reasons] == [("order", ReasonCode.FIELD)]
        other = await store.explain(PageRequest(None, (OrderTerm("name"),), 50))
        assert (other.order, other.reasons) == ("store", ()), "of requests that do not speak of it nothing changes"


async def test_an_amount_that_is_an_expression_has_every_request_scanned(folder: Path) -> None:
    fields = {"name": "mc", "netValue": {"expr": {"mul": "id", "by": "2"}, "unit": "元"}}
    async with opened(folder, store={"scan_rows_max": 200}, fields=fields) as store:
        found = await store.explain(PageRequest(None, (OrderTerm("name"),), 50))
        assert (found.order, found.rows_read_max) == ("adapter", 201)
        assert [reason.code for reason in found.reasons] == [ReasonCode.RULE]


async def test_a_key_that_is_not_kept_as_said(tmp_path: Path) -> None:
    table_of(tmp_path, [(1, "桌")], "id INTEGER, mc TEXT")
    async with opened(tmp_path) as store:
        found = await store.explain(ALL)
        assert found.reasons == (Reason(ReasonCode.KEY, "the key id is not kept as text"),)


async def test_indexed(folder: Path) -> None:
    async with opened(folder, store={"mode": "indexed"}) as store:
        found = await store.explain(PageRequest(Compare("name", "eq", SECRET_VALUE), (), 50))
        assert isinstance(found, Explanation)
        assert (found.filter, found.order, found.limit) == ("index", "index", "index")
        assert [reason.code for reason in found.reasons] == [ReasonCode.MODE]
        assert found.statement and SECRET_VALUE not in found.statement


async def test_a_sql_store_through_an_index_answers_as_it_does_live(folder: Path) -> None:
    rule = [{"name": "疑", "when": {"column": "mc", "in": ["桌7"]}}]
    async with (
        opened(folder, quarantine=rule) as live,
        opened(folder, store={"mode": "indexed"}, quarantine=rule) as kept,
    ):
        order = PageRequest(None, (OrderTerm("name"),), 200)
        names = [row["name"] for row in (await live.page(order)).rows]
        assert (
            names
            == [row["name"] for row in (await kept.page(order)).rows]
            == sorted(f"桌{n}" for n in range(150) if n != 7)
        )
        assert await live.quality() == await kept.quality()
        assert (await live.explain(order)).filter == "store", "a rule of one's own is pushed"


@pytest.mark.parametrize("mode", ["live", "indexed"])
async def test_sums_of_large_amounts_are_exact(tmp_path: Path, mode: str) -> None:
    table_of(tmp_path, [("A1", "桌", "1" + "0" * 39), ("A2", "椅", "0.01")], "id TEXT PRIMARY KEY, mc TEXT, yz TEXT")
    fields = {"name": "mc", "originalValue": {"column": "yz", "unit": "元"}}
    async with opened(tmp_path, store={"mode": mode}, fields=fields) as store:
        (total,) = await store.groups((), None)
        assert total.original_value == Decimal("1" + "0" * 39 + ".01")


async def test_health_of_a_live_store(folder: Path) -> None:
    async with opened(folder) as store:
        well = await store.health()
        assert (well.state, well.fault, well.last_good_load) == (HealthState.OK, None, None)
        (folder / "zc.sqlite").unlink()
        away = await store.health()
        assert (away.state, away.data_as_of) == (HealthState.UNAVAILABLE, None)
        assert away.fault and away.fault.code == "STORE_UNAVAILABLE"


async def test_a_table_that_is_too_long_to_scan_is_not_read_through(tmp_path: Path) -> None:
    table_of(tmp_path, [(f"A{n}", "桌") for n in range(500)])
    unpushed = PageRequest(HasIssues(True), (), 5)
    async with opened(tmp_path, store={"scan_rows_max": 100}) as store:
        with pytest.raises(StoreUnsupported, match=r'more than 100 rows.*store\.mode = "indexed"'):
            await store.page(unpushed)
        assert (await store.explain(unpushed)).rows_read_max == 101


def test_what_is_granted(tmp_path: Path) -> None:
    granted = mapping_of(tmp_path, capabilities={"hold": False}).capabilities
    assert granted.as_dict() == {"read": True, "hold": False, "write": False, "change_feed": False, "mode": "live"}
    fields = {"version": "bb"}
    write = {"status_column": "zt", "version_column": "bb"}
    assert mapping_of(tmp_path, fields=fields, write=write).capabilities.write
    unused = mapping_of(tmp_path, fields=fields, write=write, capabilities={"write": False, "change_feed": True})
    assert (unused.capabilities.write, unused.capabilities.change_feed, unused.write) == (False, True, None)
