"""拱墅's system: every change of a card adds a row, and only the row with ISLASTEST = 1 counts.

All codes are 32-hex ids into one dictionary; two columns bear the same label in the vendor's own metadata. A card that
became secret has older rows that are not: they count as little as other old rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from hashlib import md5
from pathlib import Path
from typing import Any

from subgraphs.sample_city.bodies import Unit, Warehouse
from subgraphs.sample_city.cards import Card
from subgraphs.sample_city.classes import OTHER_CLASS_NAME, UNPLACED_CODES, classes
from subgraphs.sample_city.shapes.base import Shape, SqliteFile, Written, local_text

__all__ = ["VersionShape"]

_SCHEMA = """
CREATE TABLE GAMS_DICT (ID CHAR(32) PRIMARY KEY, DICTTYPE VARCHAR(10) NOT NULL, CODE VARCHAR(16) NOT NULL, TITLE VARCHAR(60) NOT NULL);
CREATE TABLE GAMS_DEPT (ID CHAR(32) PRIMARY KEY, TITLE VARCHAR(100) NOT NULL, TYSHXYDM VARCHAR(18));
CREATE TABLE GAMS_CANGK (ID CHAR(32) PRIMARY KEY, TITLE VARCHAR(100) NOT NULL, LEIX VARCHAR(20) NOT NULL, DIZ VARCHAR(200));
CREATE TABLE GAMS_META (TABLENAME VARCHAR(30) NOT NULL, COLNAME VARCHAR(30) NOT NULL, LABEL VARCHAR(60) NOT NULL, PRIMARY KEY (TABLENAME, COLNAME));
CREATE TABLE GAMS_CARD (
  BILLCODE VARCHAR(40) NOT NULL, VERSIONNO INTEGER NOT NULL, ISLASTEST INTEGER NOT NULL, ZICBH VARCHAR(40), ZICMC VARCHAR(200),
  ZICFL CHAR(32), GUIGXH VARCHAR(200), PINP VARCHAR(60), XINGH VARCHAR(60), XULH VARCHAR(60), SHUL DECIMAL(12,2), JILDW VARCHAR(10),
  QUDRQ VARCHAR(10), QUDFS CHAR(32), JIAZ DECIMAL(18,2), LEIJZJ DECIMAL(18,2), JINGZ DECIMAL(18,2), SHIYNX INTEGER, SHIYBM CHAR(32),
  GUANLR VARCHAR(40), SHIYR VARCHAR(40), CANGK CHAR(32), CUNFDD VARCHAR(200), ZICZT VARCHAR(20), SHIYZT CHAR(32), MIJ CHAR(32),
  GONGX INTEGER, GENGXSJ TIMESTAMP
);
"""
_INDEXES = (
    "CREATE INDEX IDX_GAMS_CARD ON GAMS_CARD (ISLASTEST, BILLCODE); CREATE INDEX IDX_GAMS_BILL ON GAMS_CARD (BILLCODE);"
)
_META = (
    ("BILLCODE", "卡片编号"), ("VERSIONNO", "版本号"), ("ISLASTEST", "是否最新"), ("ZICBH", "资产编号"), ("ZICMC", "资产名称"),
    ("ZICFL", "资产分类"), ("GUIGXH", "规格型号"), ("PINP", "品牌"), ("XINGH", "型号"), ("XULH", "序列号"), ("SHUL", "数量"),
    ("JILDW", "计量单位"), ("QUDRQ", "取得日期"), ("QUDFS", "取得方式"), ("JIAZ", "价值"), ("LEIJZJ", "累计折旧"), ("JINGZ", "净值"),
    ("SHIYNX", "使用年限"), ("SHIYBM", "使用部门"), ("GUANLR", "管理人"), ("SHIYR", "使用人"), ("CANGK", "仓库"),
    ("CUNFDD", "存放地点"), ("ZICZT", "资产状态"), ("SHIYZT", "资产状态"), ("MIJ", "密级"), ("GONGX", "是否共享"), ("GENGXSJ", "更新时间"),
)  # fmt: skip
_STATUSES = {
    "IN_USE": ("01", "在用"), "IDLE": ("02", "闲置"), "TO_STORE": ("03", "待入仓"), "IN_STORE": ("04", "在仓"), "LENT": ("05", "借出"),
    "IN_REPAIR": ("06", "维修"), "FROZEN": ("07", "盘点"), "TO_DISPOSE": ("08", "待处置"), "DISPOSED": ("09", "已处置"),
    "LOST": ("10", "丢失"),
}  # fmt: skip
_ACQUISITIONS = {
    "PURCHASE": ("1", "新购"), "TRANSFER": ("2", "调拨"), "EXCHANGE": ("3", "置换"), "DONATION": ("4", "接受捐赠"),
    "CONFISCATION": ("5", "罚没"), "STOCKTAKE_GAIN": ("6", "盘盈"),
}  # fmt: skip
_SECRECY = (("0", "公开"), ("1", "内部"), ("2", "秘密"), ("3", "机密"))
_OLD_VERSION_EVERY = 3


def _id(kind: str, code: str) -> str:
    return md5(f"{kind}/{code}".encode(), usedforsecurity=False).hexdigest().upper()


def _seven_digits(code: str) -> str:
    return code.removeprefix("A0")


class VersionShape(Shape):
    scheme = "2010"
    has_class_names = True
    fields = frozenset({
        "specification", "brand", "model", "serialNumber", "accumulatedDepreciation", "usefulLifeMonths", "updatedAt",
        "acquisition", "keeper", "user",
    })  # fmt: skip
    statuses = frozenset(_STATUSES)
    listed_kinds = (
        "partial_date", "invalid_date", "unknown_status", "unknown_unit", "class_missing", "class_untranslatable", "name_is_class",
        "negative_net",
    )  # fmt: skip
    blocking_kinds = ("duplicate_key",)

    def unit_key(self, unit: Unit) -> str:
        return _id("DEPT", str(unit.index))

    def warehouse_key(self, warehouse: Warehouse) -> str:
        return _id("CANGK", str(warehouse.index))

    def legacy_class(self, card: Card) -> tuple[str | None, str | None]:
        code, name = super().legacy_class(card)
        if card.kind == "class_untranslatable" and card.ordinal % 2:
            return None, None  # an id that the dictionary has lost
        return (_seven_digits(code) if code else None), name

    def begin(self, stores: Path, units: Sequence[Unit], warehouses: Sequence[Warehouse]) -> None:
        self._file = file = SqliteFile(stores / f"{self.region}.sqlite", _SCHEMA)
        for column, label in _META:
            file.insert("GAMS_META", ("GAMS_CARD", column, label))
        for entry in classes().values():
            code = _seven_digits(entry.codes["2010"])
            file.insert("GAMS_DICT", (_id("ZCFL", code), "ZCFL", code, entry.names["2010"]))
        other = _seven_digits(UNPLACED_CODES["2010"])
        file.insert("GAMS_DICT", (_id("ZCFL", other), "ZCFL", other, OTHER_CLASS_NAME))
        for kind, pairs in (("SYZT", _STATUSES.values()), ("QDFS", _ACQUISITIONS.values()), ("MJ", _SECRECY)):
            for code, title in pairs:
                file.insert("GAMS_DICT", (_id(kind, code), kind, code, title))
        for unit in units:
            file.insert("GAMS_DEPT", (self.unit_key(unit), unit.name, unit.uscc))
        for house in warehouses:
            kind = "实体仓" if house.physical else "单位自管"
            file.insert("GAMS_CANGK", (self.warehouse_key(house), house.name, kind, house.address))

    def add(self, card: Card) -> Written:
        native = f"GS{card.code[2:6]}-{card.seq:07d}"
        version = 1
        older = 0
        if card.kind == "duplicate_key":
            native, version = f"GS-D{card.ordinal // 2:06d}", 1 + card.ordinal % 2
        elif card.kind == "secret" or card.seq % _OLD_VERSION_EVERY == 0:
            older = 1 + card.seq % 2
            for number in range(1, older + 1):
                self._file.insert("GAMS_CARD", self._old_row(card, native, number))
            version = older + 1
        self._file.insert("GAMS_CARD", self._row(card, native, version, latest=1))
        return Written(native, older)

    def _row(self, card: Card, native: str, version: int, latest: int) -> list[Any]:
        product = card.product
        legacy_code, _ = self.legacy_class(card)
        class_id = _id("ZCFL", legacy_code) if legacy_code else None
        if card.kind == "class_untranslatable" and legacy_code is None:
            class_id = _id("ZCFL", f"lost {card.ordinal}")
        status_id = _id("SYZT", _STATUSES[card.status][0]) if card.status else _id("SYZT", f"lost {card.ordinal}")
        return [
            native, version, latest, card.code, card.name, class_id, product.specification, product.brand, product.model, card.serial,
            float(card.quantity), card.measure, self._date(card), _id("QDFS", _ACQUISITIONS[card.acquisition][0]),
            card.original / 100, card.depreciation / 100, card.net / 100, product.life_months // 12,
            self.unit_key(card.unit) if card.unit else _id("DEPT", f"lost {card.ordinal}"), card.keeper, card.user,
            self.warehouse_key(card.warehouse) if card.warehouse else None, card.location, "正常", status_id, self._secrecy(card),
            int(card.shareable), local_text(card.updated),
        ]  # fmt: skip

    def _old_row(self, card: Card, native: str, version: int) -> list[Any]:
        row = self._row(card, native, version, latest=0)
        row[24] = _id("SYZT", "01")
        row[25] = _id("MJ", "0")
        row[27] = local_text(card.updated - timedelta(days=30 * (4 - version)))
        return row

    @staticmethod
    def _date(card: Card) -> str | None:
        match card.kind:
            case "partial_date":
                return ("2017-06", "2019", "2021-03-00")[card.ordinal % 3]
            case "invalid_date":
                return ("不详", "2023-02-30", "待补录")[card.ordinal % 3]
        return card.acquired.isoformat() if card.acquired else None

    @staticmethod
    def _secrecy(card: Card) -> str | None:
        match card.kind:
            case "secret":
                return _id("MJ", "23"[card.ordinal % 2])
            case "secret_undecided":
                return (None, _id("MJ", "lost"))[card.ordinal % 2]
        return _id("MJ", "1" if card.seq % 13 == 0 else "0")

    def finish(self) -> None:
        self._file.close(_INDEXES)
