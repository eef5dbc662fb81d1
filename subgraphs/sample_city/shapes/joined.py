"""西湖's modern English schema: the name and the class of an asset live up to three joins away.

Rows are deleted softly, and "lent" is no status but follows from `assigned_to`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from subgraphs.sample_city.bodies import GIVEN_NAMES, SURNAMES, Unit, Warehouse
from subgraphs.sample_city.cards import LAST_DAY, Card
from subgraphs.sample_city.classes import OTHER_CLASS_NAME, PRODUCTS, UNPLACED_CODES, classes
from subgraphs.sample_city.shapes.base import Shape, SqliteFile, Written, local_text

__all__ = ["JoinedShape"]

_SCHEMA = """
CREATE TABLE manufacturers (id INTEGER PRIMARY KEY, name VARCHAR(60) NOT NULL);
CREATE TABLE categories (id INTEGER PRIMARY KEY, name VARCHAR(60) NOT NULL, class_code VARCHAR(16));
CREATE TABLE models (id INTEGER PRIMARY KEY, name VARCHAR(200) NOT NULL, model_number VARCHAR(60), manufacturer_id INTEGER, category_id INTEGER, eol INTEGER, deleted_at TIMESTAMP);
CREATE TABLE status_labels (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL);
CREATE TABLE locations (id INTEGER PRIMARY KEY, name VARCHAR(100) NOT NULL, is_store INTEGER NOT NULL, kind VARCHAR(20), address VARCHAR(200), parent_id INTEGER);
CREATE TABLE companies (id INTEGER PRIMARY KEY, name VARCHAR(100) NOT NULL, uscc VARCHAR(18));
CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL);
CREATE TABLE asset (
  id INTEGER PRIMARY KEY, asset_tag VARCHAR(40), name VARCHAR(200), model_id INTEGER, serial VARCHAR(60), status_id INTEGER,
  assigned_to INTEGER, purchase_date DATE, purchase_cost DECIMAL(20,2), book_value DECIMAL(20,2), company_id INTEGER,
  location_id INTEGER, requestable INTEGER NOT NULL, confidential INTEGER, updated_at TIMESTAMP, deleted_at TIMESTAMP
);
"""
_INDEXES = """
CREATE INDEX asset_tag_index ON asset (asset_tag);
CREATE INDEX asset_model_index ON asset (model_id);
CREATE INDEX asset_deleted_index ON asset (deleted_at);
"""
_LABELS = {
    "IN_USE": "In Use", "IDLE": "Idle", "TO_STORE": "Pending", "IN_STORE": "Ready to Deploy", "IN_REPAIR": "Out for Repair",
    "FROZEN": "Stocktake", "TO_DISPOSE": "Broken", "DISPOSED": "Archived", "LOST": "Lost/Stolen",
}  # fmt: skip
_UNKNOWN_LABELS = ("Custom 7", "待确认")
_LABEL_IDS = {name: number for number, name in enumerate((*_LABELS.values(), *_UNKNOWN_LABELS), start=1)}
_USER_COUNT = 180
_ROOM_COUNT = 40
_FIRST_ROOM = 100
_VARIANTS = ("normal", "class_missing", "class_untranslatable")
"""Of each product, three models: one rightly categorised, one in no category, one in a category of no known class."""
_OTHER_CATEGORY = 900
_RETIRED_MODELS = frozenset({3, 8, 21})
"""Products whose model was deleted softly although assets of it are still there."""


class JoinedShape(Shape):
    scheme = "2022"
    has_class_names = True
    fields = frozenset({"brand", "model", "serialNumber", "usefulLifeMonths", "updatedAt", "user"})
    statuses = frozenset(_LABELS) | {"LENT"}
    listed_kinds = (
        "future_date", "unknown_status", "unknown_unit", "class_missing", "class_untranslatable", "negative_net", "name_is_class",
    )  # fmt: skip
    ignored_kinds = ("soft_deleted",)

    def unit_key(self, unit: Unit) -> str:
        return str(unit.index + 1)

    def warehouse_key(self, warehouse: Warehouse) -> str:
        return str(warehouse.index + 1)

    def adapt(self, card: Card) -> None:
        super().adapt(card)
        card.quantity, card.measure = "1", None
        card.user = self._user_name(card) if card.status == "LENT" else None
        if card.kind == "unknown_status":
            card.user = None
        card.location = card.warehouse.name if card.warehouse else f"{1 + card.seq % _ROOM_COUNT}号办公室"

    @staticmethod
    def _user_id(card: Card) -> int:
        return 1 + card.seq * 7 % _USER_COUNT

    def _user_name(self, card: Card) -> str:
        return _user(self._user_id(card))

    def begin(self, stores: Path, units: Sequence[Unit], warehouses: Sequence[Warehouse]) -> None:
        self._file = file = SqliteFile(stores / f"{self.region}.sqlite", _SCHEMA)
        brands = {brand: number for number, brand in enumerate(dict.fromkeys(p.brand for p in PRODUCTS), start=1)}
        for brand, number in brands.items():
            file.insert("manufacturers", (number, brand))
        self._categories = {key: number for number, key in enumerate(classes(), start=1)}
        for entry in classes().values():
            file.insert("categories", (self._categories[entry.key], entry.names["2022"], entry.codes["2022"]))
        file.insert("categories", (_OTHER_CATEGORY, OTHER_CLASS_NAME, UNPLACED_CODES["2022"]))
        for number, product in enumerate(PRODUCTS):
            deleted = _last_morning() if number in _RETIRED_MODELS else None
            for variant, _ in enumerate(_VARIANTS):
                category = (self._categories[product.class_key], None, _OTHER_CATEGORY)[variant]
                file.insert("models", (
                    number * 3 + variant + 1, product.name, product.model, brands[product.brand], category,
                    product.life_months, deleted,
                ))  # fmt: skip
        for label, number in _LABEL_IDS.items():
            file.insert("status_labels", (number, label))
        for house in warehouses:
            kind = "warehouse" if house.physical else "room"
            file.insert("locations", (house.index + 1, house.name, 1, kind, house.address, None))
        for room in range(_ROOM_COUNT):
            file.insert("locations", (_FIRST_ROOM + room, f"{room + 1}号办公室", 0, "office", None, None))
        for unit in units:
            file.insert("companies", (unit.index + 1, unit.name, unit.uscc))
        for number in range(1, _USER_COUNT + 1):
            file.insert("users", (number, _user(number)))

    def add(self, card: Card) -> Written:
        variant = _VARIANTS.index(card.kind) if card.kind in _VARIANTS else 0
        model_id = PRODUCTS.index(card.product) * 3 + variant + 1
        name = None if card.name == card.product.name and card.seq % 2 else card.name
        label = _LABELS.get(card.status or "", "Ready to Deploy")
        if card.kind == "unknown_status":
            label = _UNKNOWN_LABELS[card.ordinal % len(_UNKNOWN_LABELS)]
        lent = card.status == "LENT"
        deleted = local_text(card.updated + timedelta(days=3)) if card.kind == "soft_deleted" else None
        row: list[Any] = [
            card.seq, card.code, name, model_id, card.serial, _LABEL_IDS[label], self._user_id(card) if lent else None,
            card.acquired.isoformat() if card.acquired else None, card.original / 100, card.net / 100,
            card.unit.index + 1 if card.unit else 9999,
            card.warehouse.index + 1 if card.warehouse else _FIRST_ROOM + card.seq % _ROOM_COUNT,
            int(card.shareable), self._secrecy(card), local_text(card.updated), deleted,
        ]  # fmt: skip
        self._file.insert("asset", row)
        return Written(str(card.seq))

    @staticmethod
    def _secrecy(card: Card) -> int | None:
        match card.kind:
            case "secret":
                return 1
            case "secret_undecided":
                return None
        return 0

    def finish(self) -> None:
        self._file.close(_INDEXES)


def _user(number: int) -> str:
    return SURNAMES[number * 3 % len(SURNAMES)] + GIVEN_NAMES[number * 5 % len(GIVEN_NAMES)]


def _last_morning() -> str:
    return f"{LAST_DAY.isoformat()} 09:00:00"
