"""未落库: what the store does not show is handed out once, ticked off, and looked for in the store."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from subgraphs.district.custody.book import CustodyBook
from subgraphs.district.custody.instruction_file import InstructionFileError, read_ticks, render, write_file
from subgraphs.district.custody.instructions import Batch, Instruction
from subgraphs.district.custody.model import AssetFacts, PlaceHold, RecordMovement

REGION = "330182"
TODAY = date(2026, 12, 1)
ONE = AssetFacts(Decimal(1), "v1", "IDLE", True, None)


class Desk:
    """A book whose goods move at a word, each movement a second after the last."""

    def __init__(self, url: str) -> None:
        self.moment = datetime(2026, 12, 1, 4, tzinfo=UTC)
        self.book = CustodyBook(url, REGION, self._now)
        self.fault: str | None = "NOT_GRANTED"
        self._keys = iter(range(10_000))
        self._holds: dict[str, str] = {}

    def _now(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment

    async def dispatch(self, asset: str) -> None:
        placed = await self.book.place(
            PlaceHold(
                key=self._key(),
                asset=asset,
                order_id="order:1",
                from_day="2026-12-01",
                to_day="2026-12-09",
                quantity=Decimal(1),
                life_s=86_400,
            ),
            ONE,
            TODAY,
        )
        assert placed.hold is not None, placed.refusals
        self._holds[asset] = placed.hold.id
        await self._move(asset, "DISPATCH")

    async def receive(self, asset: str) -> None:
        await self._move(asset, "RECEIVE")

    async def _move(self, asset: str, kind: str) -> None:
        async def write_status(_status: str) -> str | None:
            return self.fault

        command = RecordMovement(
            key=self._key(),
            asset=asset,
            hold_id=self._holds[asset],
            kind=kind,  # type: ignore[arg-type]
            quantity=Decimal(1),
        )
        assert (await self.book.move(command, ONE, write_status, TODAY)).refusals == ()

    def _key(self) -> str:
        return f"k{next(self._keys)}"


@pytest.fixture
async def desk(url: str) -> AsyncIterator[Desk]:
    desk = Desk(url)
    await desk.book.open()
    try:
        yield desk
    finally:
        await desk.book.close()


def told(batches: Sequence[Batch]) -> list[tuple[str, list[tuple[int | None, str]]]]:
    return [(batch.file, [(one.number, one.asset) for one in batch.instructions]) for batch in batches]


async def test_each_is_handed_out_once(desk: Desk) -> None:
    for asset in ("a", "b"):
        await desk.dispatch(asset)
    (first,) = await desk.book.instructions.number()
    assert told([first]) == [(f"{REGION}-未落库-000001-000002.csv", [(1, "a"), (2, "b")])]
    await desk.book.instructions.filed(first.file)
    assert await desk.book.instructions.number() == []
    await desk.receive("a")
    assert told(await desk.book.instructions.number()) == [(f"{REGION}-未落库-000003-000003.csv", [(3, "a")])]


async def test_a_crash_before_or_after_the_file_loses_none_and_doubles_none(desk: Desk, tmp_path: Path) -> None:
    """Numbers are given, and the process dies: the same file comes again, byte for byte, and what is new in another."""
    await desk.dispatch("a")
    (numbered,) = await desk.book.instructions.number()
    await desk.dispatch("b")
    again, new = await desk.book.instructions.number()
    assert again == numbered
    content = render(REGION, again.instructions)
    path = write_file(
        tmp_path / "out", again.file, content
    )  # … and dies again: the file lies there, the book knows not
    first, _ = await desk.book.instructions.number()
    assert render(REGION, first.instructions) == path.read_bytes()
    write_file(tmp_path / "out", first.file, render(REGION, first.instructions))
    write_file(tmp_path / "out", new.file, render(REGION, new.instructions))
    for batch in (first, new):
        await desk.book.instructions.filed(batch.file)
    assert await desk.book.instructions.number() == []
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == sorted([first.file, new.file])


async def test_what_was_left_being_written_is_handed_out_after_a_while(desk: Desk) -> None:
    class Died(Exception):
        pass

    desk.fault = None
    await desk.dispatch("a")

    async def dies(_status: str) -> str | None:
        raise Died

    command = RecordMovement(key="dying", asset="a", hold_id=desk._holds["a"], kind="RECEIVE", quantity=Decimal(1))
    with pytest.raises(Died):
        await desk.book.move(command, ONE, dies, TODAY)
    assert await desk.book.instructions.number() == [], "somebody may be at it"
    assert [one.status for one in await desk.book.instructions.open(10)] == ["LENT"]
    desk.moment += timedelta(hours=1)
    assert told(await desk.book.instructions.number()) == [(f"{REGION}-未落库-000001-000001.csv", [(1, "a")])]


async def test_what_the_store_has_overtaken_is_not_handed_out(desk: Desk) -> None:
    """It could not be written when the goods left, and could when they arrived: nobody is to set it back."""
    desk.fault = "STORE_UNAVAILABLE"
    await desk.dispatch("a")
    desk.fault = None
    await desk.receive("a")
    assert await desk.book.instructions.number() == []
    assert await desk.book.instructions.open(10) == []


async def test_ticks_count_once_and_unknown_numbers_are_told(desk: Desk) -> None:
    await desk.dispatch("a")
    await desk.dispatch("b")
    await desk.book.instructions.number()
    first = await desk.book.instructions.done([2, 7])
    assert (first.done, first.again, first.unknown) == ((2,), (), (7,))
    second = await desk.book.instructions.done([2, 1])
    assert (second.done, second.again, second.unknown) == ((1,), (2,), ())
    assert await desk.book.instructions.open(10) == []


async def test_a_tick_without_its_effect_is_a_difference_until_the_store_shows_it(desk: Desk) -> None:
    for asset in ("a", "b", "c"):
        await desk.dispatch(asset)
    await desk.book.instructions.number()
    await desk.book.instructions.done([1, 2, 3])
    shown: dict[str, str | None] = {"a": "IN_TRANSIT", "b": "IDLE"}
    different = await desk.book.instructions.compare(shown)
    assert [(one.asset, status) for one, status in different] == [("b", "IDLE"), ("c", None)]
    different = await desk.book.instructions.compare({"a": "IDLE", "b": "IN_TRANSIT", "c": "IN_TRANSIT"})
    assert different == [], "what was seen once is settled, whatever the district does with it later"


async def test_of_several_changes_the_last_one_ticked_off_is_looked_for(desk: Desk) -> None:
    await desk.dispatch("a")
    await desk.receive("a")
    await desk.book.instructions.number()
    await desk.book.instructions.done([1, 2])
    assert [one.number for one in await desk.book.instructions.unseen()] == [2]
    assert await desk.book.instructions.compare({"a": "LENT"}) == []
    assert await desk.book.instructions.unseen() == []


# --- the file -----------------------------------------------------------------------------------------------------


def instruction(number: int, asset: str = "a", reason: str | None = None) -> Instruction:
    return Instruction("id", asset, "DISPATCH", "1", "IN_TRANSIT", "h1", "2026-12-01T04:00:00.000000Z", reason, number)


def test_the_file_opens_right_in_a_spreadsheet() -> None:
    content = render(REGION, [instruction(1, reason="STORE_CONFLICT"), instruction(2, asset="=1+1")])
    assert content.startswith(b"\xef\xbb\xbf") and b"\r\n" in content
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows[1][:6] == [f"{REGION}-000001", "a", "出仓", "1", "在途", "2026-12-01 12:00:00"]
    assert rows[1][7:] == ["原库中该资产已改动", "", "", ""], "no card, no key of one, not done"
    assert rows[2][1] == "'=1+1", "no formula"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030"])
def test_ticks_come_back_in_whatever_encoding(tmp_path: Path, encoding: str) -> None:
    text = render(REGION, [instruction(n) for n in range(1, 7)]).decode("utf-8-sig")
    lines = text.split("\r\n")
    for at, tick in enumerate(("是", "√", "", "否", "大概", "1"), start=1):
        lines[at] += tick
    path = tmp_path / "back.csv"
    path.write_bytes("\r\n".join([lines[0], lines[6], *lines[1:6], lines[1]]).encode(encoding))
    ticks = read_ticks(path, REGION)
    assert ticks.numbers == (6, 1, 2)
    assert ticks.unclear == (f"{REGION}-000005",)


def test_ticks_come_back_as_a_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["杭州市"],
        ["编号", "资产主键", "完成"],
        [f"{REGION}-000001", "a", 1],
        [f"{REGION}-000002", "b", None],
    ):
        sheet.append(row)
    book.save(tmp_path / "back.xlsx")
    assert read_ticks(tmp_path / "back.xlsx", REGION).numbers == (1,)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\r\n1,2\r\n", "has no columns 编号 and 完成"),
        ("编号,完成\r\n330106-000001,是\r\n", "is of region 330106"),
        ("编号,完成\r\n17,是\r\n", "is no number of an instruction"),
    ],
)
def test_a_file_that_is_none_of_ours_changes_nothing(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "back.csv").write_text(content, encoding="utf-8")
    with pytest.raises(InstructionFileError, match=message):
        read_ticks(tmp_path / "back.csv", REGION)
    (tmp_path / "back.xlsx").write_bytes(b"no workbook")
    with pytest.raises(InstructionFileError, match="cannot be read as a workbook"):
        read_ticks(tmp_path / "back.xlsx", REGION)
