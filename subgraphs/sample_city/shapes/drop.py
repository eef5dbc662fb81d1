"""A folder into which a nightly job drops full exports as CSV: 临安's in GB18030, 淳安's in UTF-8.

An export is complete when its `.ok` file lies beside it. Beside the newest complete one lie an older complete one,
with other columns' order and values of its day, and a newer one whose transfer broke off in the middle of a line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, ClassVar

from subgraphs.sample_city.bodies import Unit, Warehouse
from subgraphs.sample_city.cards import Card
from subgraphs.sample_city.shapes.base import CHINESE_STATUS, Shape, Written, local_text, mojibake

__all__ = ["GbDropShape", "UtfDropShape"]

_HEADINGS = (
    "卡片号", "资产编码", "资产名称", "分类代码", "规格型号", "品牌", "原值", "累计折旧", "净值", "取得日期", "使用单位", "单位信用代码", "使用状况",
    "保管人", "存放地点", "仓库", "涉密", "可共享", "更新时间",
)  # fmt: skip
_OTHER_ORDER = (
    "资产编码", "卡片号", "资产名称", "单位信用代码", "使用单位", "使用状况", "涉密", "可共享", "原值", "净值", "累计折旧", "取得日期", "分类代码",
    "规格型号", "品牌", "保管人", "存放地点", "更新时间", "仓库",
)  # fmt: skip
OLDER_DAY, DAY, BROKEN_DAY = "20251129", "20251130", "20251201"
_OLDER_EVERY, _BROKEN_ROWS = 2, 40
_NO_NUMBER = ("约三万", "N/A", "待补")


class _Export:
    """One CSV file, encoded as it is written; headings decide the order of columns."""

    def __init__(self, path: Path, encoding: str, headings: Sequence[str], *, bom: bool) -> None:
        self.path, self.encoding, self.lines = path, encoding, 0
        self._order = [_HEADINGS.index(heading) for heading in headings]
        self._file: BinaryIO = path.open("wb")
        if bom:
            self._file.write("\ufeff".encode(encoding))
        self._line(headings)

    def add(self, cells: Sequence[str]) -> None:
        self._line([cells[index] for index in self._order])
        self.lines += 1

    def add_torn(self, cells: Sequence[str]) -> None:
        """A line with too many or too few fields, which no heading can put right."""
        self._line(cells)
        self.lines += 1

    def _line(self, cells: Sequence[str]) -> None:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\r\n").writerow(cells)
        self._file.write(buffer.getvalue().encode(self.encoding))

    def close(self, *, complete: bool) -> None:
        if complete:
            self.path.with_suffix(".ok").write_text(f"{self.lines}\r\n", encoding="ascii", newline="")
        else:
            self._file.truncate(self._file.tell() - 37)  # the line broke off
        self._file.close()


class _DropShape(Shape):
    scheme = "2010"
    fields = frozenset({"specification", "brand", "accumulatedDepreciation", "updatedAt", "keeper"})
    statuses = frozenset(CHINESE_STATUS)
    units_from_rows = True
    encoding: ClassVar[str]
    older_bom: ClassVar[bool]
    bom: ClassVar[bool]

    def unit_key(self, unit: Unit) -> str:
        return unit.uscc

    def adapt(self, card: Card) -> None:
        super().adapt(card)
        card.quantity, card.measure = "1", None
        if card.unit is not None and card.unit.valid_uscc is None:
            # the mistyped code stands in these rows only where it is planted
            card.unit = self._units[card.seq % (len(self._units) - 1)]
        if card.kind == "split_card":
            card.location += "\n（靠窗）"

    def begin(self, stores: Path, units: Sequence[Unit], warehouses: Sequence[Warehouse]) -> None:
        folder = stores / self.region
        folder.mkdir()
        self._units = list(units)
        self._older = _Export(folder / f"zichan_{OLDER_DAY}.csv", self.encoding, _OTHER_ORDER, bom=self.older_bom)
        self._export = _Export(folder / f"zichan_{DAY}.csv", self.encoding, _HEADINGS, bom=self.bom)
        self._broken = _Export(folder / f"zichan_{BROKEN_DAY}.csv", self.encoding, _OTHER_ORDER, bom=self.bom)
        self._last_listed: tuple[str, str] | None = None
        with (folder / "cangku.csv").open("w", encoding=self.encoding, newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("仓库编号", "仓库名称", "类型", "地址"))
            for house in warehouses:
                kind = "实体仓" if house.physical else "单位自管"
                writer.writerow((self.warehouse_key(house), house.name, kind, house.address))

    def add(self, card: Card) -> Written:
        native = self._key(card)
        if card.kind == "secret" and self._last_listed and card.ordinal == 0:
            native, card.code = self._last_listed  # a secret row must not betray itself as the double of another
        cells = self._cells(card, native)
        if card.kind == "malformed_row":
            torn = [*cells[:3], "带配件", *cells[3:]] if card.ordinal % 2 == 0 else cells[:-4]
            self._export.add_torn(torn)
            return Written(None)
        self._export.add(cells)
        if card.seq % _OLDER_EVERY == 0:
            self._older.add([*cells[:6], "1.00", "0.00", "1.00", *cells[9:12], "在用", *cells[13:]])
        if self._broken.lines < _BROKEN_ROWS:
            self._broken.add(cells)
        if card.outcome == "listed" and card.kind != "duplicate_code":
            self._last_listed = native, card.code
        return Written(native)

    def _cells(self, card: Card, native: str) -> list[str]:
        unit_name, uscc = (
            (card.unit.name, card.unit.uscc) if card.unit else (self._units[-1].name, self._units[-1].uscc)
        )
        original = (
            _NO_NUMBER[card.ordinal % len(_NO_NUMBER)] if card.kind == "unmappable_amount" else _grouped(card.original)
        )
        name = mojibake(card.name) if card.kind == "mojibake" and card.name else card.name or ""
        return [
            native, card.code, name, self.legacy_class(card)[0] or "", card.product.specification, card.product.brand, original,
            _grouped(card.depreciation), _grouped(card.net), self._date(card), unit_name, uscc,
            f"状态{card.ordinal}" if card.status is None else CHINESE_STATUS[card.status], card.keeper or "", card.location,
            self.warehouse_key(card.warehouse) if card.warehouse else "", self._secrecy(card), "是" if card.shareable else "否",
            local_text(card.updated),
        ]  # fmt: skip

    def _key(self, card: Card) -> str:
        match card.kind:
            case "empty_key":
                return ("", "  ")[card.ordinal % 2]
            case "duplicate_key":
                return f"CF-{card.ordinal // 2:06d}"
            case "odd_key":
                return f"临卡:{card.seq}/甲,乙"
        return f"{self.region[3:]}{card.seq:07d}"

    @staticmethod
    def _date(card: Card) -> str:
        if card.kind == "zero_date":
            return ("0000-00-00", "0")[card.ordinal % 2]
        day = card.acquired
        return f"{day.year}/{day.month}/{day.day}" if day else ""

    @staticmethod
    def _secrecy(card: Card) -> str:
        match card.kind:
            case "secret":
                return "是"
            case "secret_undecided":
                return ("", "待定")[card.ordinal % 2]
        return "否"

    def finish(self) -> None:
        self._older.close(complete=True)
        self._export.close(complete=True)
        self._broken.close(complete=False)


class GbDropShape(_DropShape):
    listed_kinds = (
        "quantity_in_name", "duplicate_code", "invalid_uscc", "mojibake", "zero_date", "class_missing", "class_untranslatable",
        "unknown_status", "negative_net", "odd_key", "split_card", "name_missing",
    )  # fmt: skip
    blocking_kinds = ("unmappable_amount", "empty_key", "duplicate_key", "malformed_row")
    encoding, older_bom, bom = "gb18030", True, False


class UtfDropShape(_DropShape):
    listed_kinds = ("quantity_in_name", "duplicate_code", "invalid_uscc")
    blocking_kinds = ("duplicate_key",)
    encoding, older_bom, bom = "utf-8", False, True


def _grouped(fen: int) -> str:
    """Yuan with thousands commas, as a report prints them."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"
