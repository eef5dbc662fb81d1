"""钱塘's system: tables and columns named in Chinese, everything typed as text by many hands.

Dates without a day, digits of both widths, thousands commas, trailing spaces, keys that are blank or double.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from subgraphs.sample_city.bodies import Unit, Warehouse
from subgraphs.sample_city.cards import Card
from subgraphs.sample_city.shapes.base import (
    CHINESE_STATUS,
    Shape,
    SqliteFile,
    Written,
    local_text,
    mojibake,
    money_text,
)

__all__ = ["ChineseShape"]

_SCHEMA = """
CREATE TABLE "单位信息" ("单位编号" VARCHAR(20) PRIMARY KEY, "单位名称" VARCHAR(100) NOT NULL, "统一社会信用代码" VARCHAR(18));
CREATE TABLE "仓库信息" ("仓库编号" VARCHAR(20) PRIMARY KEY, "仓库名称" VARCHAR(100) NOT NULL, "仓库类型" VARCHAR(20) NOT NULL, "地址" VARCHAR(200));
CREATE TABLE "资产卡片" (
  "卡片号" VARCHAR(60), "资产编号" VARCHAR(40), "资产名称" VARCHAR(200), "分类代码" VARCHAR(20), "分类名称" VARCHAR(60),
  "规格型号" VARCHAR(200), "品牌" VARCHAR(60), "型号" VARCHAR(60), "数量" VARCHAR(20), "计量单位" VARCHAR(10), "取得日期" VARCHAR(20),
  "取得方式" VARCHAR(20), "原值" VARCHAR(30), "累计折旧" VARCHAR(30), "净值" VARCHAR(30), "使用年限" INTEGER, "单位编号" VARCHAR(20),
  "保管人" VARCHAR(40), "使用人" VARCHAR(40), "仓库编号" VARCHAR(20), "存放地点" VARCHAR(200), "使用状况" VARCHAR(20), "成色" VARCHAR(20),
  "密级" VARCHAR(20), "是否共享" VARCHAR(4), "更新时间" TIMESTAMP
);
"""
_INDEXES = """
CREATE INDEX "资产卡片_卡片号" ON "资产卡片" ("卡片号");
CREATE INDEX "资产卡片_资产编号" ON "资产卡片" ("资产编号");
"""
_ACQUISITIONS = {
    "PURCHASE": "新购", "TRANSFER": "调拨", "EXCHANGE": "置换", "DONATION": "捐赠", "CONFISCATION": "罚没", "STOCKTAKE_GAIN": "盘盈",
}  # fmt: skip
_CONDITIONS = {"NEW": "全新", "GOOD": "良好", "USABLE": "可用", "NEEDS_REPAIR": "待修", "BEYOND_REPAIR": "不可修"}
_WIDE = {ord(narrow): ord(narrow) + 0xFEE0 for narrow in "0123456789.,A-"}
_NO_NUMBER = ("约三万", "壹仟贰佰元整", "详见发票", "12.34.56")


class ChineseShape(Shape):
    scheme = "2010"
    has_class_names = True
    fields = frozenset({
        "specification", "brand", "model", "accumulatedDepreciation", "usefulLifeMonths", "updatedAt", "acquisition", "condition",
        "keeper", "user",
    })  # fmt: skip
    statuses = frozenset(CHINESE_STATUS)
    listed_kinds = (
        "zero_date", "partial_date", "future_date", "unknown_status", "unknown_unit", "class_missing", "class_untranslatable",
        "name_is_class", "duplicate_code", "depreciation_exceeds", "negative_net", "odd_key", "full_width", "mojibake",
    )  # fmt: skip
    blocking_kinds = ("unmappable_amount", "empty_key", "duplicate_key")

    def unit_key(self, unit: Unit) -> str:
        return f"钱{unit.index + 1:03d}"

    def warehouse_key(self, warehouse: Warehouse) -> str:
        return f"仓{warehouse.index + 1:02d}"

    def begin(self, stores: Path, units: Sequence[Unit], warehouses: Sequence[Warehouse]) -> None:
        self._file = SqliteFile(stores / f"{self.region}.sqlite", _SCHEMA)
        for unit in units:
            self._file.insert("单位信息", (self.unit_key(unit), unit.name, unit.uscc))
        for house in warehouses:
            kind = "实体仓" if house.physical else "单位自管"
            self._file.insert("仓库信息", (self.warehouse_key(house), house.name, kind, house.address))

    def add(self, card: Card) -> Written:
        product, wide = card.product, card.seq % 5 == 0 or card.kind == "full_width"
        spaces = "  " if card.seq % 3 == 0 else ""
        legacy_code, legacy_name = self.legacy_class(card)
        native = self._key(card)
        name = mojibake(card.name) if card.kind == "mojibake" and card.name else card.name
        original = (
            _NO_NUMBER[card.ordinal % len(_NO_NUMBER)]
            if card.kind == "unmappable_amount"
            else _amount(card.original, card.seq, wide)
        )
        status = f"其他{card.ordinal}" if card.status is None else CHINESE_STATUS[card.status]
        row: list[Any] = [
            native, card.code, (name or "") + spaces, legacy_code.translate(_WIDE) if legacy_code and wide else legacy_code,
            legacy_name, product.specification, product.brand + spaces, product.model,
            card.quantity.translate(_WIDE) if wide else card.quantity + spaces, card.measure, self._date(card),
            _ACQUISITIONS[card.acquisition], original, _amount(card.depreciation, card.seq, wide), _amount(card.net, card.seq, wide) + spaces,
            product.life_months, self.unit_key(card.unit) if card.unit else "钱999", card.keeper, card.user,
            self.warehouse_key(card.warehouse) if card.warehouse else None, card.location + spaces, status + spaces,
            _CONDITIONS[card.condition] if card.condition else None, self._secrecy(card), "是" if card.shareable else "否",
            local_text(card.updated),
        ]  # fmt: skip
        self._file.insert("资产卡片", row)
        return Written(native)

    @staticmethod
    def _key(card: Card) -> str | None:
        match card.kind:
            case "empty_key":
                return (None, "", "   ")[card.ordinal % 3]
            case "duplicate_key":
                return f"重{card.ordinal // 2:06d}"
            case "odd_key":
                return f"钱塘:下沙/{card.seq}号"
        return f"QT{card.seq:08d}"

    @staticmethod
    def _date(card: Card) -> str | None:
        match card.kind:
            case "zero_date":
                return ("00000000", "0000-00-00")[card.ordinal % 2]
            case "partial_date":
                return ("2025-01-00", "20190700", "2018-00-00")[card.ordinal % 3]
        if card.acquired is None:
            return None
        text = card.acquired.strftime("%Y%m%d") if card.seq % 2 else card.acquired.isoformat()
        return text.translate(_WIDE) if card.kind == "full_width" else text

    @staticmethod
    def _secrecy(card: Card) -> str | None:
        match card.kind:
            case "secret":
                return ("秘密", "机密  ", "绝密")[card.ordinal % 3]
            case "secret_undecided":
                return (None, "", "未定")[card.ordinal % 3]
        return "内部" if card.seq % 9 == 0 else "非密"

    def finish(self) -> None:
        self._file.close(_INDEXES)


def _amount(fen: int, seq: int, wide: bool) -> str:
    text = money_text(fen)
    if seq % 4 == 1:
        sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
        whole, _, cents = digits.partition(".")
        text = f"{sign}{int(whole):,}.{cents}"
    return text.translate(_WIDE) if wide else text
