"""萧山's system: what the vendor forgot lives in spare columns cf2…cf10 and df1…df5, all text; amounts are in 万元."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from subgraphs.sample_city.bodies import Unit, Warehouse
from subgraphs.sample_city.cards import Card
from subgraphs.sample_city.shapes.base import CHINESE_STATUS, Shape, SqliteFile, Written, local_text, mojibake

__all__ = ["SpareShape"]

_SCHEMA = """
CREATE TABLE zc_dw (dwbm VARCHAR(20) PRIMARY KEY, dwmc VARCHAR(100) NOT NULL, xydm VARCHAR(18));
CREATE TABLE zc_ck (ckbm VARCHAR(20) PRIMARY KEY, ckmc VARCHAR(100) NOT NULL, cklx VARCHAR(20) NOT NULL, ckdz VARCHAR(200));
CREATE TABLE zc_jzcl (
  jlid INTEGER PRIMARY KEY, zcbm VARCHAR(40), zcmc VARCHAR(200), flbm VARCHAR(16), zcyz DECIMAL(18,6), ljzj DECIMAL(18,6),
  zcjz DECIMAL(18,6), sydw VARCHAR(20), cf2 VARCHAR(60), cf3 VARCHAR(60), cf4 VARCHAR(60), cf5 VARCHAR(60), cf6 VARCHAR(60),
  cf7 VARCHAR(60), cf8 VARCHAR(60), cf9 VARCHAR(60), cf10 VARCHAR(60), df1 VARCHAR(60), df2 VARCHAR(60), df3 VARCHAR(60),
  df4 VARCHAR(60), df5 VARCHAR(60)
);
"""
_INDEXES = "CREATE INDEX ix_zcbm ON zc_jzcl (zcbm);"
_WAN = 1_000_000
"""分 in one 万元."""


class SpareShape(Shape):
    scheme = "2010"
    fields = frozenset({
        "specification", "brand", "accumulatedDepreciation", "usefulLifeMonths", "updatedAt", "keeper",
    })  # fmt: skip
    statuses = frozenset(CHINESE_STATUS)
    listed_kinds = (
        "invalid_date", "partial_date", "unknown_status", "unknown_unit", "class_untranslatable", "class_missing", "name_is_class",
        "duplicate_code", "depreciation_exceeds", "negative_net", "mojibake",
    )  # fmt: skip

    def unit_key(self, unit: Unit) -> str:
        return f"XS{unit.index + 1:03d}"

    def begin(self, stores: Path, units: Sequence[Unit], warehouses: Sequence[Warehouse]) -> None:
        self._file = SqliteFile(stores / f"{self.region}.sqlite", _SCHEMA)
        for unit in units:
            self._file.insert("zc_dw", (self.unit_key(unit), unit.name, unit.uscc))
        for house in warehouses:
            kind = "实体仓" if house.physical else "单位自管"
            self._file.insert("zc_ck", (self.warehouse_key(house), house.name, kind, house.address))

    def add(self, card: Card) -> Written:
        name = card.name
        if card.kind == "mojibake" and name:
            name = mojibake(name)
        status = f"状态{card.ordinal + 20}" if card.status is None else CHINESE_STATUS[card.status]
        row: list[Any] = [
            card.seq, card.code, name, self.legacy_class(card)[0], card.original / _WAN, card.depreciation / _WAN, card.net / _WAN,
            self.unit_key(card.unit) if card.unit else "XS999", card.product.specification, card.product.brand, status,
            card.location, card.keeper, self._secrecy(card), "是" if card.shareable else "否", card.measure,
            card.quantity + (".0" if card.seq % 7 == 0 and "." not in card.quantity else ""), self._date(card),
            card.acquired.isoformat() if card.acquired else "", f"{local_text(card.updated)}.{card.seq % 1000:03d}",
            str(card.product.life_months // 12), self.warehouse_key(card.warehouse) if card.warehouse else "",
        ]  # fmt: skip
        self._file.insert("zc_jzcl", row)
        return Written(str(card.seq))

    @staticmethod
    def _date(card: Card) -> str:
        match card.kind:
            case "invalid_date":
                return ("见附件", "0000-13-01", "2023-02-30")[card.ordinal % 3]
            case "partial_date":
                return ("2018年", "2019-07", "201611")[card.ordinal % 3]
        return _loose(card.acquired, card.seq) if card.acquired else ""

    @staticmethod
    def _secrecy(card: Card) -> str | None:
        match card.kind:
            case "secret":
                return ("秘密", "机密")[card.ordinal % 2]
            case "secret_undecided":
                return ("", None, "待定")[card.ordinal % 3]
        return "内部" if card.seq % 9 == 0 else "无"

    def finish(self) -> None:
        self._file.close(_INDEXES)


def _loose(day: date, seq: int) -> str:
    """A day as different clerks type it into a text column."""
    match seq % 4:
        case 0:
            return f"{day.year}/{day.month}/{day.day} 0:00:00"
        case 1:
            return day.isoformat()
        case 2:
            return day.strftime("%Y%m%d")
    return f"{day.year}.{day.month}.{day.day}"
