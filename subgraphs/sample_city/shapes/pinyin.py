"""Columns named by the initials of pinyin: 上城's system, and 桐庐's older desktop relative of it.

Days and times are epoch seconds at local midnight, 0 meaning unknown; status, department and warehouse are integers
with code tables; net value is not stored. 上城's table has no primary key, so keys may be empty or double, and its
rows bear the region code of their day: 330104 was divided, and only the street tells to whom a row belongs now.
330122 is a stand-in in that it shares this module: its key has two parts and its classes are of 1994.
"""

from __future__ import annotations

from calendar import timegm
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from subgraphs.sample_city.bodies import Unit, Warehouse
from subgraphs.sample_city.cards import Card
from subgraphs.sample_city.shapes.base import Shape, SqliteFile, Written, mojibake

__all__ = ["DesktopShape", "PinyinShape"]

_STATUS = {
    "IN_USE": 1, "IDLE": 2, "IN_STORE": 3, "LENT": 4, "IN_REPAIR": 5, "TO_DISPOSE": 6, "DISPOSED": 7, "LOST": 8,
    "TO_STORE": 9, "FROZEN": 10,
}  # fmt: skip
_STATUS_WORDS = ("在用", "闲置", "在库", "借出", "维修", "待报废", "已报废", "丢失", "待入库", "盘点")
_CONDITION = {None: 0, "NEW": 1, "GOOD": 2, "USABLE": 3, "NEEDS_REPAIR": 4, "BEYOND_REPAIR": 5}
_OWN_STREETS = (
    "凯旋街道", "采荷街道", "闸弄口街道", "四季青街道", "笕桥街道", "彭埠街道", "九堡街道", "丁兰街道",
)  # fmt: skip
_OTHER_STREETS = ("下沙街道", "", "白杨街道", None, "无名街道")
_STATUS_TABLES = """
CREATE TABLE zd_zczt (dm INTEGER PRIMARY KEY, mc VARCHAR(20) NOT NULL);
CREATE TABLE zd_ck (id INTEGER PRIMARY KEY, ckmc VARCHAR(100) NOT NULL, lx INTEGER NOT NULL, dz VARCHAR(200));
"""
_SCHEMA = (
    _STATUS_TABLES
    + """
CREATE TABLE zd_bm (id INTEGER PRIMARY KEY, bmmc VARCHAR(100) NOT NULL, tyxydm VARCHAR(18));
CREATE TABLE bgszichan (
  zcbh VARCHAR(40), zcmc VARCHAR(200), zclx VARCHAR(16), zczt INTEGER, bm INTEGER, bgr VARCHAR(40), syr VARCHAR(40),
  cgsj INTEGER NOT NULL DEFAULT 0, rzsj INTEGER NOT NULL DEFAULT 0, sysc INTEGER, zcjz DECIMAL(12,2), ljzj DECIMAL(12,2),
  ggxh VARCHAR(200), pp VARCHAR(60), xh VARCHAR(60), xlh VARCHAR(60), sl INTEGER, dw VARCHAR(10), cfdd VARCHAR(200),
  ck INTEGER, cs INTEGER, gx INTEGER, mj INTEGER, xzqh CHAR(6), jd VARCHAR(40), gxsj INTEGER NOT NULL DEFAULT 0
);
"""
)
_INDEXES = "CREATE INDEX idx_zcbh ON bgszichan (zcbh); CREATE INDEX idx_cgsj ON bgszichan (cgsj);"
_DESKTOP_SCHEMA = (
    _STATUS_TABLES
    + """
CREATE TABLE zd_bm (dept_no CHAR(4) PRIMARY KEY, bmmc VARCHAR(100) NOT NULL, tyxydm VARCHAR(18));
CREATE TABLE gdzc (
  dept_no CHAR(4), card_no VARCHAR(8), zcbh VARCHAR(40), zcmc VARCHAR(200), flh CHAR(6), flmc VARCHAR(60), zczt INTEGER,
  bgr VARCHAR(40), cgsj INTEGER NOT NULL DEFAULT 0, sysc INTEGER, zcjz DECIMAL(12,2), ljzj DECIMAL(12,2), ggxh VARCHAR(200),
  pp VARCHAR(60), sl INTEGER, dw VARCHAR(10), cfdd VARCHAR(200), ck INTEGER, cs INTEGER, gx INTEGER, mj INTEGER
);
"""
)
_DESKTOP_INDEXES = "CREATE INDEX idx_gdzc ON gdzc (dept_no, card_no);"
_SHANGHAI_OFFSET_S = 8 * 3600


def _epoch(moment: date | None) -> int:
    """Seconds since 1970 of a local day's midnight, or of a local time; 0 for none."""
    if moment is None:
        return 0
    return timegm(moment.timetuple()) - _SHANGHAI_OFFSET_S


class _Numbered(Shape):
    """What both systems share: integer codes and values without a net column."""

    net_derived = True
    statuses = frozenset(_STATUS)

    def warehouse_key(self, warehouse: Warehouse) -> str:
        return str(warehouse.index + 1)

    def adapt(self, card: Card) -> None:
        super().adapt(card)
        card.quantity = card.quantity.partition(".")[0]
        if card.seq % 17 == 0:
            card.condition = None

    def _begin(self, file: SqliteFile, units: Sequence[Unit], warehouses: Sequence[Warehouse]) -> None:
        for code, word in enumerate(_STATUS_WORDS, start=1):
            file.insert("zd_zczt", (code, word))
        for unit in units:
            file.insert("zd_bm", (self.unit_key(unit), unit.name, unit.uscc))
        for house in warehouses:
            file.insert("zd_ck", (house.index + 1, house.name, 1 if house.physical else 2, house.address))

    @staticmethod
    def _status(card: Card) -> int:
        return 90 + card.ordinal % 9 if card.status is None else _STATUS[card.status]

    @staticmethod
    def _secrecy(card: Card) -> int | None:
        match card.kind:
            case "secret":
                return 2
            case "secret_undecided":
                return (None, 9)[card.ordinal % 2]
        return int(card.seq % 13 == 0)

    @staticmethod
    def _name(card: Card) -> str | None:
        return mojibake(card.name) if card.kind == "mojibake" and card.name else card.name


class PinyinShape(_Numbered):
    scheme = "2010"
    fields = frozenset({
        "specification", "brand", "model", "serialNumber", "accumulatedDepreciation", "usefulLifeMonths", "updatedAt",
        "condition", "keeper", "user",
    })  # fmt: skip
    listed_kinds = (
        "zero_date", "unknown_status", "unknown_unit", "retired_region", "mojibake", "class_untranslatable",
        "depreciation_exceeds", "odd_key",
    )  # fmt: skip
    blocking_kinds = ("region_undecided", "empty_key", "duplicate_key")

    def unit_key(self, unit: Unit) -> str:
        return str(100 + unit.index)

    def begin(self, stores: Path, units: Sequence[Unit], warehouses: Sequence[Warehouse]) -> None:
        self._file = SqliteFile(stores / f"{self.region}.sqlite", _SCHEMA)
        self._begin(self._file, units, warehouses)
        self._last_listed: str | None = None

    def add(self, card: Card) -> Written:
        native = self._key(card)
        card.code = native or ""
        legacy_code, _ = self.legacy_class(card)
        code_region, street = self._place(card)
        row: list[Any] = [
            native, self._name(card), legacy_code, self._status(card), 9999 if card.unit is None else 100 + card.unit.index,
            card.keeper, card.user, _epoch(card.acquired), _epoch(card.acquired), card.product.life_months,
            card.original / 100, card.depreciation / 100, card.product.specification, card.product.brand,
            card.product.model, card.serial, int(card.quantity), card.measure, card.location,
            card.warehouse.index + 1 if card.warehouse else None, _CONDITION[card.condition], int(card.shareable),
            self._secrecy(card), code_region, street, _epoch(card.updated),
        ]  # fmt: skip
        self._file.insert("bgszichan", row)
        if card.outcome == "listed":
            self._last_listed = native
        return Written(native)

    def _key(self, card: Card) -> str | None:
        match card.kind:
            case "empty_key":
                return (None, "", "  ")[card.ordinal % 3]
            case "duplicate_key":
                return f"SC00{card.ordinal // 2:06d}"
            case "odd_key":
                return f"上城:{card.seq}:凯旋"
            case "secret" if card.ordinal == 0 and self._last_listed:
                return self._last_listed  # a secret row must not betray itself by making a double key of another
        return card.code.replace("TY", "SC")

    @staticmethod
    def _place(card: Card) -> tuple[str, str | None]:
        if card.kind == "retired_region":
            return "330104", _OWN_STREETS[card.ordinal % len(_OWN_STREETS)]
        if card.kind == "region_undecided":
            return "330104", _OTHER_STREETS[card.ordinal % len(_OTHER_STREETS)]
        return "330102", ("湖滨街道", "清波街道", "小营街道", "望江街道")[card.seq % 4]

    def finish(self) -> None:
        self._file.close(_INDEXES)


class DesktopShape(_Numbered):
    scheme = "1994"
    has_class_names = True
    fields = frozenset({
        "specification", "brand", "accumulatedDepreciation", "usefulLifeMonths", "condition", "keeper",
    })  # fmt: skip
    listed_kinds = ("zero_date", "unknown_status", "class_missing", "class_untranslatable", "depreciation_exceeds")
    blocking_kinds = ("empty_key", "duplicate_key")

    def unit_key(self, unit: Unit) -> str:
        return f"{unit.index + 1:04d}"

    def begin(self, stores: Path, units: Sequence[Unit], warehouses: Sequence[Warehouse]) -> None:
        self._file = SqliteFile(stores / f"{self.region}.sqlite", _DESKTOP_SCHEMA)
        self._begin(self._file, units, warehouses)

    def add(self, card: Card) -> Written:
        assert card.unit is not None
        department: str = self.unit_key(card.unit)
        number: str | None = f"{card.seq:06d}"
        if card.kind == "empty_key":
            number = (None, "", " ")[card.ordinal % 3]
        elif card.kind == "duplicate_key":
            department, number = "0001", f"9{card.ordinal // 2:05d}"
        legacy_code, legacy_name = self.legacy_class(card)
        row: list[Any] = [
            department, number, card.code, self._name(card), legacy_code, legacy_name, self._status(card), card.keeper,
            _epoch(card.acquired), card.product.life_months, card.original / 100, card.depreciation / 100,
            card.product.specification, card.product.brand, int(card.quantity), card.measure, card.location,
            card.warehouse.index + 1 if card.warehouse else None, _CONDITION[card.condition], int(card.shareable),
            self._secrecy(card),
        ]  # fmt: skip
        self._file.insert("gdzc", row)
        return Written(f"{department}/{number}" if number and number.strip() else None)

    def finish(self) -> None:
        self._file.close(_DESKTOP_INDEXES)
