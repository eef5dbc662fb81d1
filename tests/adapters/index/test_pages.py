"""Pages are ranges of the index's own indexes, whatever they are ordered by and however deep they lie."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.evaluate import predicate
from adapters.index import IndexedStore
from adapters.index.layout import SUM_DIGITS, amount
from adapters.index.plan import FEW
from adapters.index.settle import ORDERED, SHARED_ROWS_MAX
from adapters.model import (
    And,
    Compare,
    Filter,
    GroupRow,
    HasIssues,
    In,
    KeyIn,
    Not,
    OrderTerm,
    PageRequest,
    Position,
    TextMatch,
    TextPrefix,
)
from adapters.sql.rows import SqlRows
from contract.decimals import sortable_decimal
from contract.order import Direction
from tests.adapters.oracle import check_request, requests
from tests.adapters.support import ALL, mapping_of, table_of

ROWS = FEW + 600
PAGES = 12
"""Of one drawing: reading all rows for the oracle costs more than a page."""
COLUMNS = "id TEXT PRIMARY KEY, bm TEXT, mc TEXT, yz TEXT, jz TEXT, rq TEXT, zt TEXT"
FIELDS: dict[str, Any] = {
    "code": "bm",
    "name": "mc",
    "originalValue": {"column": "yz", "unit": "元"},
    "netValue": {"column": "jz", "unit": "元"},
    "acquiredOn": "rq",
    "status": {"column": "zt", "codes": {"1": "IDLE", "2": "LENT"}},
}


def row(number: int) -> tuple[Any, ...]:
    """A status that nearly all share, as many without a price, prices that a few share."""
    price = None if number % 7 == 0 else f"{number % 900}.50"
    day = f"20{number % 20:02}-01-02" if number % 5 else None
    name = "\U0010ffff" if number == 3 else f"办公桌{number % 11}"
    return f"A{number:05}", f"C{number}", name, price, "0.00", day, "2" if number % 300 == 0 else "1"


@asynccontextmanager
async def opened(folder: Path, rows: list[tuple[Any, ...]], **more: Any) -> AsyncIterator[IndexedStore]:
    table_of(folder, rows, COLUMNS)
    mapping = mapping_of(folder, store={"mode": "indexed"}, fields=FIELDS, **more)
    store = IndexedStore(mapping, SqlRows(mapping), folder / "cache")
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def test_enough_rows_to_matter() -> None:
    """More than are sorted for a page, more than may share a value without an index of their own."""
    assert ROWS > FEW > SHARED_ROWS_MAX


def test_pages_of_many_rows_equal_the_oracle(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Filters that find more than are sorted, orders whose first field half the rows share."""

    async def check(data: st.DataObject) -> None:
        store = IndexedStore(mapping, SqlRows(mapping), folder / "cache")
        await store.open()
        try:
            page = await store.page(ALL)
            keyed = list(zip(page.rows, page.native_values, strict=True))
            for _ in range(PAGES):
                request = data.draw(requests(keyed))
                many = data.draw(st.sampled_from([None, Not(Compare("code", "eq", "C7")), request.filter]))
                await check_request(store, keyed, replace(request, filter=many))
        finally:
            await store.close()

    folder = tmp_path_factory.mktemp("pages")
    table_of(folder, [row(number) for number in range(ROWS)], COLUMNS)
    mapping = mapping_of(folder, store={"mode": "indexed", "reread_s": 86_400}, fields=FIELDS)

    @settings(max_examples=4, deadline=None)
    @given(st.data())
    def any_pages(data: st.DataObject) -> None:
        asyncio.run(check(data))

    any_pages()


def plans(folder: Path, statement: str) -> list[str]:
    """What SQLite would do for each range of a page."""
    with closing(sqlite3.connect(folder / "cache" / "330109.index.sqlite")) as db:
        return [
            "; ".join(step for *_, step in db.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?")))
            for sql in statement.split("; ")
        ]


async def test_every_order_is_read_off_an_index(tmp_path: Path) -> None:
    """Both ways, and from the end: no range is sorted but for rows that few share a value with."""
    async with opened(tmp_path, [row(number) for number in range(ROWS)]) as store:
        for name in ORDERED:
            for direction in Direction:
                for backward in (False, True):
                    order = (OrderTerm(name, direction),)
                    request = PageRequest(None, order, 50, backward, after=Position((None,), ("A1",), False))
                    first = PageRequest(None, order, 50, backward)
                    for asked in (first, request):
                        statement = (await store.explain(asked)).statement or ""
                        for plan in plans(tmp_path, statement):
                            assert "INDEX" in plan, (asked, plan)
                            assert "USE TEMP B-TREE FOR ORDER BY" not in plan, (asked, plan)
        status = (await store.explain(PageRequest(None, (OrderTerm("status", Direction.DESC),), 50))).statement or ""
        assert "TEMP B-TREE" not in "".join(plans(tmp_path, status)), "a value that very many rows share"


@pytest.mark.parametrize(
    ("filter_", "index"),
    [
        (Compare("code", "eq", "C7"), "asset_by_code"),
        (TextPrefix("name", "办公"), "by_name"),
        (In("status", ("LENT",)), "by_status"),
        (And((Compare("originalValue", "gt", Decimal(5)), Compare("originalValue", "lt", Decimal(6)))), "by_originalValue"),
        (HasIssues(True), "by_flaws"),
        (KeyIn(("A00007", "none")), "k0=?"),
    ],
)  # fmt: skip
async def test_filters_are_ranges(tmp_path: Path, filter_: Filter, index: str) -> None:
    async with opened(tmp_path, [row(number) for number in range(ROWS)]) as store:
        statement = (await store.explain(PageRequest(filter_, (), 50))).statement or ""
        plan = plans(tmp_path, statement)[0]
        assert index in plan


async def test_text_is_looked_for_in_the_narrow_index(tmp_path: Path) -> None:
    async with opened(tmp_path, [row(number) for number in range(ROWS)]) as store:
        found = TextMatch((("桌1",), ("办公", "椅")))
        statement = (await store.explain(PageRequest(found, (), 50))).statement or ""
        assert "by_match" in plans(tmp_path, statement)[0]
        assert await store.count(found) == sum("桌1" in row(number)[2] for number in range(ROWS))
        assert await store.count(TextMatch((("\uffff",),))) == 0, "what stands between texts is no text"


@pytest.mark.parametrize("prefix", ["办公桌1", "", "\U0010ffff", "\ud7ff", "办\U0010ffff"])
async def test_prefixes_at_the_ends_of_unicode(tmp_path: Path, prefix: str) -> None:
    names = [
        "办公桌",
        "办公桌1",
        "办公桌10",
        "\U0010ffff",
        "\U0010ffff1",
        "\ud7ff",
        "\ue000",
        "办\U0010ffff",
        "办\U0010ffffa",
    ]
    rows = [(f"A{at}", None, name, None, None, None, None) for at, name in enumerate(names)]
    async with opened(tmp_path, rows) as store:
        everything = (await store.page(ALL)).rows
        for filter_ in (TextPrefix("name", prefix), Not(TextPrefix("name", prefix))):
            wanted = [found["native"] for found in everything if predicate(filter_)(found)]
            assert [found["native"] for found in (await store.page(PageRequest(filter_, (), 50))).rows] == wanted


async def test_a_list_of_very_many_keys(tmp_path: Path) -> None:
    async with opened(tmp_path, [row(number) for number in range(ROWS)]) as store:
        natives = [f"A{number:05}" for number in range(0, 2 * ROWS, 2)]
        assert await store.count(KeyIn(tuple(natives))) == ROWS // 2
        assert list(await store.rows(natives)) == natives[: ROWS // 2]


# --- amounts --------------------------------------------------------------------------------------------------------

AMOUNTS = st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,8})?", fullmatch=True)


@given(AMOUNTS)
def test_an_amount_sorts_and_adds_as_its_number(text: str) -> None:
    sorted_by, thousandths = amount(text)
    assert sorted_by == sortable_decimal(Decimal(text))
    if isinstance(thousandths, int):
        assert Decimal(thousandths).scaleb(-SUM_DIGITS) == Decimal(text)
    else:
        assert Decimal(thousandths) == Decimal(text)


@pytest.mark.parametrize(
    "values",
    [["0.1", "0.2", None], ["-1.25", "1.251"], ["0.1234", "1"], ["9999999999999.99"] * 1_000, ["1" * 18, "0.01"]],
    ids=["cents", "negative", "finer than thousandths", "beyond 64 bits together", "beyond 64 bits alone"],
)
async def test_sums_are_exact(tmp_path: Path, values: list[str | None]) -> None:
    rows = [(f"A{at}", None, "桌", value, None, None, "1") for at, value in enumerate(values)]
    async with opened(tmp_path, rows) as store:
        total = sum((Decimal(value) for value in values if value), Decimal(0))
        count = len(values)
        assert await store.groups(("status",), None) == [GroupRow(("IDLE",), count, Decimal(count), total, Decimal(0))]
