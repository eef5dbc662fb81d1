"""The project's own clean schema, for regions that have no system yet; and 临平's variant of it.

330100 and 330182 have this shape (建德's account may only read); 330108 says the same in documents (`documents`).
330113 keeps amounts in 分 and, in the same table, goods that are no stock of the warehouse: 罚没, 涉案, 红十字.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from subgraphs.sample_city.bodies import Unit, Warehouse
from subgraphs.sample_city.cards import Card
from subgraphs.sample_city.shapes.base import Shape, SqliteFile, Written, local_text

__all__ = ["FenShape", "ReferenceShape"]

_SCHEMA = """
CREATE TABLE unit (unit_id VARCHAR(20) PRIMARY KEY, name VARCHAR(100) NOT NULL, uscc VARCHAR(18));
CREATE TABLE warehouse (warehouse_id VARCHAR(20) PRIMARY KEY, name VARCHAR(100) NOT NULL, kind VARCHAR(10) NOT NULL, address VARCHAR(200));
CREATE TABLE asset (
  asset_id VARCHAR(60) PRIMARY KEY, code VARCHAR(40), name VARCHAR(200), class_code VARCHAR(16), specification VARCHAR(200),
  brand VARCHAR(60), model VARCHAR(60), serial_number VARCHAR(60), quantity DECIMAL(12,3), unit_of_measure VARCHAR(10),
  acquired_on DATE, acquisition VARCHAR(20), {amounts}, value_type VARCHAR(20),
  useful_life_months INTEGER, unit_id VARCHAR(20), keeper VARCHAR(40), user_name VARCHAR(40), warehouse_id VARCHAR(20),
  location VARCHAR(200), source VARCHAR(20), item_condition VARCHAR(20), status VARCHAR(20), shareable BOOLEAN NOT NULL,
  shareable_until DATE, secrecy VARCHAR(10), mass_kg DECIMAL(10,3), row_version INTEGER NOT NULL, updated_at TIMESTAMP{extra}
);
"""
_INDEXES = """
CREATE INDEX asset_class ON asset (class_code, asset_id);
CREATE INDEX asset_status ON asset (status, asset_id);
CREATE INDEX asset_acquired ON asset (acquired_on, asset_id);
"""
_YUAN = "original_value DECIMAL(18,2), accumulated_depreciation DECIMAL(18,2), net_value DECIMAL(18,2)"
_FEN = "original_value_fen BIGINT, accumulated_depreciation_fen BIGINT, net_value_fen BIGINT"
_STATUSES = frozenset({
    "IN_USE", "IDLE", "TO_STORE", "IN_STORE", "RESERVED", "TO_DISPATCH", "IN_TRANSIT", "LENT", "IN_REPAIR", "FROZEN",
    "TO_DISPOSE", "DISPOSED", "LOST",
})  # fmt: skip


class ReferenceShape(Shape):
    scheme = "2022"
    fields = frozenset({
        "specification", "brand", "model", "serialNumber", "massKg", "accumulatedDepreciation", "usefulLifeMonths",
        "shareableUntil", "updatedAt", "acquisition", "valueType", "source", "condition", "keeper", "user",
    })  # fmt: skip
    statuses = _STATUSES
    listed_kinds = (
        "odd_key", "future_date", "class_missing", "class_untranslatable", "negative_net", "depreciation_exceeds",
        "unknown_status", "unknown_unit", "name_missing",
    )  # fmt: skip
    _amounts, _extra = _YUAN, ""

    def unit_key(self, unit: Unit) -> str:
        return f"U{self.region}{unit.index + 1:02d}"

    def warehouse_key(self, warehouse: Warehouse) -> str:
        return f"WH-{self.region}-{warehouse.index + 1:02d}"

    def begin(self, stores: Path, units: Sequence[Unit], warehouses: Sequence[Warehouse]) -> None:
        self._file = SqliteFile(
            stores / f"{self.region}.sqlite", _SCHEMA.format(amounts=self._amounts, extra=self._extra)
        )
        for unit in units:
            self._file.insert("unit", (self.unit_key(unit), unit.name, unit.uscc))
        for house in warehouses:
            kind = "PHYSICAL" if house.physical else "OWN_ROOM"
            self._file.insert("warehouse", (self.warehouse_key(house), house.name, kind, house.address))

    def add(self, card: Card) -> Written:
        native = self._native(card)
        self._file.insert("asset", self._row(card, native))
        return Written(native)

    def _native(self, card: Card) -> str:
        if card.kind == "odd_key":
            return f"公物仓:{card.code[2:6]}/{card.seq} 号%"
        return f"{self.region[2:]}-{card.code[2:6]}-{card.seq:06d}"

    def _unit(self, card: Card) -> str | None:
        return "U000000" if card.kind == "unknown_unit" else self.unit_key(card.unit) if card.unit else None

    @staticmethod
    def _status(card: Card) -> str | None:
        return "UNDEFINED" if card.kind == "unknown_status" else card.status

    def _row(self, card: Card, native: str) -> list[Any]:
        product = card.product
        row: list[Any] = [
            native, card.code, card.name, self.legacy_class(card)[0], product.specification, product.brand,
            product.model, card.serial, float(card.quantity), card.measure,
            card.acquired.isoformat() if card.acquired else None, card.acquisition,
            *self._money(card), card.value_type, product.life_months,
            self._unit(card), card.keeper, card.user, self.warehouse_key(card.warehouse) if card.warehouse else None, card.location,
            card.source, card.condition, self._status(card),
            int(card.shareable), card.shareable_until.isoformat() if card.shareable_until else None,
            self._secrecy(card), float(product.mass_kg), 1 + card.seq % 5, local_text(card.updated - timedelta(hours=8)),
        ]  # fmt: skip
        return row

    def _money(self, card: Card) -> tuple[Any, ...]:
        return card.original / 100, card.depreciation / 100, card.net / 100

    @staticmethod
    def _secrecy(card: Card) -> str | None:
        match card.kind:
            case "secret":
                return "SECRET"
            case "secret_undecided":
                return None if card.ordinal % 2 else "PENDING"
        return "INTERNAL" if card.seq % 11 == 0 else "NONE"

    def finish(self) -> None:
        self._file.close(_INDEXES)


class FenShape(ReferenceShape):
    ignored_kinds = ("foreign_stock",)
    _amounts, _extra = _FEN, ", stock_kind VARCHAR(12) NOT NULL"
    _FOREIGN = ("CONFISCATED", "CASE", "REDCROSS")

    def _money(self, card: Card) -> tuple[Any, ...]:
        return card.original, card.depreciation, card.net

    def _row(self, card: Card, native: str) -> list[Any]:
        kind = self._FOREIGN[card.ordinal % len(self._FOREIGN)] if card.kind == "foreign_stock" else "GENERAL"
        return [*super()._row(card, native), kind]
