"""The legacy store and the book's cards as one store: every answer equals one store in memory that holds all rows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.canonical import CANONICAL_FIELDS
from adapters.model import KeyIn, OrderTerm, PageRequest, Position, QualityReport, Row, Store
from adapters.sql.store import SqlStore
from contract.ids import format_id, is_successor_key
from contract.order import Direction, Kind, SortValue
from subgraphs.district.carded import CardedStore, card_place
from subgraphs.district.custody.model import AssetFacts
from tests.adapters import odd_stores as odd
from tests.adapters.oracle import Keyed, check_counts, check_request, filters, requests
from tests.adapters.support import ALL, mapping_of, table_of
from tests.subgraphs.district.book_desk import Desk
from tests.subgraphs.district.parts import MemoryStore, row

ROWS = 120


class NumberedStore(MemoryStore):
    """Keys of a number and a text, in which no text of the book's can stand first."""

    native_kinds: tuple[Kind, ...] = (Kind.NUMBER, Kind.TEXT)

    def __init__(self, rows: list[Row]) -> None:
        super().__init__(rows)
        self.native_kinds = (Kind.NUMBER, Kind.TEXT)

    def place(self, native: str) -> tuple[SortValue, ...]:
        number, _, text = native.partition("/")
        return (int(number), text) if number.isdecimal() else (-1, native)


def numbered() -> NumberedStore:
    values = [("桌", "10", "0.10"), ("椅", "3", "99.99"), ("桌", None, None), ("台式电脑", "1", "5000.00")]
    return NumberedStore(
        [
            row(
                f"{number}/{'ab'[number % 2]}", name=name, code=f"C{number % 5}", quantity=quantity, originalValue=value,
                netValue=value, status=("IDLE", "IN_USE", None)[number % 3], owner=("U1", "U2")[number % 2],
            )
            for number in range(40)
            for name, quantity, value in [values[number % 4]]
        ]
    )  # fmt: skip


def fields(**values: Any) -> dict[str, Any]:
    """A card as a command brings it."""
    given_ = dict.fromkeys(CANONICAL_FIELDS) | {"quantity": "1", "status": "IN_USE", "shareable": True}
    return {**given_, "name": "办公桌", "classScheme": "2022", "classCode": "A05010201", **values}


CARDS = {
    "same-name": fields(code="C1", originalValue="99.99", netValue="0.10", condition="GOOD"),
    "bare": fields(name="ａｂ", quantity="2.5", classCode=None, classScheme=None),
    "dear": fields(name="投影仪", originalValue="99999999.00", acquiredOn="2020-02-29", status="IDLE"),
    "hidden": fields(name="会议椅", shareable=False, status="IN_STORE"),
}


class Opened:
    """The store under test, and the rows that it must be equal to."""

    def __init__(self, legacy: Store, folder: Path) -> None:
        self.legacy, self.desk = legacy, Desk(f"sqlite:///{folder}/book.sqlite", legacy.region)
        self.store = CardedStore(legacy, self.desk.book)
        self.rows: list[Keyed] = []
        self.retired: list[Row] = []
        self.entered: dict[str, str] = {}

    async def open(self) -> None:
        await self.legacy.open()
        await self.desk.book.open()
        page = await self.legacy.page(ALL)
        rows = {one["native"]: (one, native) for one, native in zip(page.rows, page.native_values, strict=True)}
        await self._retire(rows)
        await self._lessen(rows)
        for reference, given_ in CARDS.items():
            native = await self.desk.receive(reference, given_)
            card = {**given_, "native": native, "owner": "U1", "acquisition": "TRANSFER", "version": "1", "issues": []}
            rows[native] = (card, card_place(native, self.store.native_kinds))
        await self._enter(rows)
        self.rows = list(rows.values())
        for one, _ in self.rows:
            if is_successor_key(one["native"]):
                one["updatedAt"] = (await self.store.rows([one["native"]]))[one["native"]]["updatedAt"]

    async def _retire(self, rows: dict[str, Keyed]) -> None:
        movable = [native for native, (one, _) in sorted(rows.items()) if Decimal(one["quantity"] or 1) > 0]
        for native in movable[3:6]:
            one, _ = rows.pop(native)
            self.retired.append(one)
            await self.desk.transfer(native, facts(one), one["quantity"] or "1")

    async def _lessen(self, rows: dict[str, Keyed]) -> None:
        tens = [native for native, (one, _) in sorted(rows.items()) if one["quantity"] == "10"]
        part, lost = tens[0], tens[1]
        one, place = rows[part]
        await self.desk.transfer(part, facts(one), "4")
        changed = {**one, "quantity": "6", "version": f"{one['version']}~6"}
        for name in ("originalValue", "accumulatedDepreciation", "netValue"):
            if one[name] is not None:
                amount = Decimal(one[name])
                share = (amount * 4 / 10).quantize(Decimal("0.01"), ROUND_HALF_UP)
                changed[name] = f"{amount - share:.2f}"
        rows[part] = (changed, place)
        one, place = rows[lost]
        await self.desk.write_off(lost, facts(one), "10")
        rows[lost] = ({**one, "status": "DISPOSED", "version": f"{one['version']}~0"}, place)

    async def _enter(self, rows: dict[str, Keyed]) -> None:
        """One card was entered and the store shows it; another was, and the store does not show it yet."""
        shown = await self.desk.receive("shown", fields(name="未必如此"))
        waiting = await self.desk.receive("waiting", fields(name="在途之桌"))
        home = next(
            native for native, (one, _) in rows.items() if not is_successor_key(native) and "~" not in one["version"]
        )
        await self.desk.enter(shown, home)
        await self.desk.enter(waiting, "not-there-yet")
        self.entered[shown] = home
        card = {
            **fields(name="在途之桌"), "native": waiting, "owner": "U1", "acquisition": "TRANSFER", "version": "1",
            "issues": [],
        }  # fmt: skip
        rows[waiting] = (card, card_place(waiting, self.store.native_kinds))


def facts(one: Row) -> AssetFacts:
    return AssetFacts(Decimal(one["quantity"] or 1), one["version"], "IDLE", True, None)


def with_integer_keys(folder: Path) -> Store:
    """A live store whose engine compares keys as numbers."""
    values = [("桌", "10", "1.10"), ("椅", "3", "99.99"), (None, None, None), ("台式电脑", "1", "5000")]
    rows = [
        (number * 7, f"C{number % 5}", *values[number % 4], ("闲置", "在用")[number % 2]) for number in range(1, 60)
    ]
    table_of(folder, rows, "id INTEGER PRIMARY KEY, bm TEXT, mc TEXT, sl NUMERIC, yz NUMERIC, zt TEXT")
    return SqlStore(
        mapping_of(
            folder,
            key={"columns": ["id"], "integers": ["id"]},
            fields={
                "code": "bm", "name": "mc", "quantity": "sl", "originalValue": {"column": "yz", "unit": "元"},
                "status": {"column": "zt", "codes": {"闲置": "IDLE", "在用": "IN_USE"}},
            },
        )
    )  # fmt: skip


@pytest.fixture(scope="module", params=["live", "integers", "numbered"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Opened, Any]]:
    folder = tmp_path_factory.mktemp("carded")
    loop = asyncio.new_event_loop()
    if request.param == "live":
        odd.fill_sqlite(folder / "zc.sqlite", odd.odd_rows(ROWS, 11), ", PRIMARY KEY (id)")
        legacy: Store = SqlStore(odd.odd_mapping(folder, "sqlite", "zc.sqlite"))
    else:
        legacy = with_integer_keys(folder) if request.param == "integers" else numbered()
    found = Opened(legacy, folder)
    loop.run_until_complete(found.open())
    yield found, loop.run_until_complete
    loop.run_until_complete(found.desk.book.close())
    loop.run_until_complete(found.legacy.close())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


CHECKED = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@CHECKED
@given(data=st.data())
def test_pages_equal_one_store_of_all_rows(opened: tuple[Opened, Callable[..., Any]], data: st.DataObject) -> None:
    found, run = opened
    run(check_request(found.store, found.rows, data.draw(requests(found.rows))))


@settings(CHECKED, max_examples=40)
@given(data=st.data())
def test_counts_and_groups_equal_it_too(opened: tuple[Opened, Callable[..., Any]], data: st.DataObject) -> None:
    found, run = opened
    run(check_counts(found.store, found.rows, data.draw(st.one_of(st.none(), filters(found.rows)))))


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("field", ["code", "name", "status", "acquiredOn", "originalValue", "quantity", "classCode"])
@pytest.mark.parametrize("backward", [False, True])
def test_a_walk_by_cursors_gives_every_row_once(
    opened: tuple[Opened, Callable[..., Any]], field: str, direction: Direction, backward: bool
) -> None:
    found, run = opened
    seen: list[str] = []
    place: Position | None = None
    more = True
    while more:
        bound: dict[str, Any] = {"before" if backward else "after": place}
        page = run(found.store.page(PageRequest(None, (OrderTerm(field, direction),), 7, backward, **bound)))
        seen += [one["native"] for one in (reversed(page.rows) if backward else page.rows)]
        end = 0 if backward else -1
        place = Position(page.sort_values[end], page.native_values[end], False)
        more = page.has_more
    assert len(seen) == len(set(seen))
    assert set(seen) == {one["native"] for one, _ in found.rows}


def test_what_is_retired_is_found_by_its_id_alone(opened: tuple[Opened, Callable[..., Any]]) -> None:
    found, run = opened
    cards = run(found.desk.book.cards())
    natives = [one["native"] for one in found.retired]
    assert len(natives) == 3
    assert run(found.store.count(KeyIn(tuple(natives)))) == 0
    rows = run(found.store.rows(natives))
    assert {native: one["status"] for native, one in rows.items()} == dict.fromkeys(natives, "DISPOSED")
    for native in natives:
        assert cards.successor(native).startswith("asset:330109:gwc-")
        assert cards.lineage(native) == format_id("asset", found.store.region, native), "it stays its own"


def test_a_card_that_was_entered_is_its_row_under_two_names(opened: tuple[Opened, Callable[..., Any]]) -> None:
    found, run = opened
    cards = run(found.desk.book.cards())
    ((card, home),) = found.entered.items()
    rows = run(found.store.rows([card, home]))
    assert rows[card] == {**rows[home], "native": card}
    assert run(found.store.count(KeyIn((card, home)))) == 1
    region = found.store.region
    assert cards.successor(card) == format_id("asset", region, home)
    assert cards.predecessor(home) == format_id("asset", region, card)
    assert cards.lineage(home) == cards.lineage(card) == "asset:330109:shown"


def test_the_report_counts_what_is_listed(opened: tuple[Opened, Callable[..., Any]]) -> None:
    found, run = opened
    store: QualityReport = run(found.legacy.quality())
    report: QualityReport = run(found.store.quality())
    issues: dict[tuple[str, str | None], int] = {}
    for one, _ in found.rows:
        for key in {(issue["code"], issue["field"]) for issue in one["issues"]}:
            issues[key] = issues.get(key, 0) + 1
    assert report.listed == len(found.rows)
    assert report.quarantined == store.quarantined
    if not store.quarantined:  # else the rows kept back have issues of their own
        assert report.issues == issues
    assert all(report.issues[key] >= count for key, count in issues.items())


@pytest.mark.parametrize("side", ["after", "before"])
async def test_no_legacy_store_is_asked_for_a_card_s_place(tmp_path: Path, side: str) -> None:
    """An engine whose keys are numbers would not read it."""
    legacy, desk = numbered(), Desk(f"sqlite:///{tmp_path}/book.sqlite", "330106")
    store = CardedStore(legacy, desk.book)
    await desk.book.open()
    native = await desk.receive("a", fields())
    place = Position((), card_place(native, legacy.native_kinds), False)
    page = await store.page(PageRequest(None, (), 50, **{side: place}))  # type: ignore[arg-type]
    assert len(page.rows) == (40 if side == "before" else 0)
    assert getattr(legacy.requests[-1], side) == Position((), None, inclusive=False), "behind all its rows"
    await desk.book.close()
