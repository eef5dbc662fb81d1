"""What all shapes share: the interface the generator drives, the truth of a card as a shape can hold it, SQLite files."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from contract.decimals import format_decimal
from subgraphs.sample_city.bodies import Unit, Warehouse
from subgraphs.sample_city.cards import Card
from subgraphs.sample_city.classes import OTHER_CLASS_NAME, UNPLACED_CODES, Scheme

__all__ = [
    "BATCH_ROWS",
    "CHINESE_STATUS",
    "Shape",
    "SqliteFile",
    "Written",
    "local_text",
    "mojibake",
    "money_text",
]

BATCH_ROWS = 2000
"""Rows held before they are written: bounds the generator's memory."""

CHINESE_STATUS = {
    "IN_USE": "在用", "IDLE": "闲置", "IN_STORE": "在库", "LENT": "出借", "IN_REPAIR": "维修", "TO_DISPOSE": "待报废",
    "DISPOSED": "已报废", "LOST": "丢失", "TO_STORE": "待入库", "FROZEN": "盘点",
}  # fmt: skip
"""The status words that several vendors share."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a card: its native key as it stands in the store, and how many older versions lie beside it."""

    native: str | None
    older_versions: int = 0


class Shape(ABC):
    """Writes one region's store. The generator calls `begin`, `add` for every card, then `finish`.

    Class attributes say what the shape can hold; `truth` reduces a card to that.
    """

    scheme: ClassVar[Scheme]
    fields: ClassVar[frozenset[str]]
    """Canonical fields this shape holds, beside name, quantity, class and status, which all hold in some way."""
    has_class_names: ClassVar[bool] = False
    net_derived: ClassVar[bool] = False
    statuses: ClassVar[frozenset[str]]
    units_from_rows: ClassVar[bool] = False
    """Whether there is no list of units: only those exist that a listed row names."""
    listed_kinds: ClassVar[tuple[str, ...]]
    blocking_kinds: ClassVar[tuple[str, ...]] = ()
    secret_kinds: ClassVar[tuple[str, ...]] = ("secret", "secret_undecided")
    ignored_kinds: ClassVar[tuple[str, ...]] = ()

    def __init__(self, region: str) -> None:
        self.region = region

    @abstractmethod
    def begin(self, stores: Path, units: Sequence[Unit], warehouses: Sequence[Warehouse]) -> None: ...

    @abstractmethod
    def add(self, card: Card) -> Written: ...

    @abstractmethod
    def finish(self) -> None: ...

    def unit_key(self, unit: Unit) -> str:
        return f"{unit.index + 1:03d}"

    def warehouse_key(self, warehouse: Warehouse) -> str:
        return f"CK{warehouse.index + 1:02d}"

    def adapt(self, card: Card) -> None:
        """Reduce the card to what the shape can say, before anything is wrong with it."""
        if card.status not in self.statuses:
            card.status = "IN_STORE"

    def legacy_class(self, card: Card) -> tuple[str | None, str | None]:
        """The class's code and name in the shape's own scheme, as a vendor writes them."""
        if card.asset_class is not None:
            return card.asset_class.codes[self.scheme], card.asset_class.names[self.scheme]
        if card.kind == "class_untranslatable":
            return UNPLACED_CODES[self.scheme], OTHER_CLASS_NAME
        return None, None

    def truth(self, card: Card, native: str) -> dict[str, Any]:
        """The canonical row that a right mapping of this store yields."""
        legacy_code, legacy_name = self.legacy_class(card)
        placed = card.asset_class
        row: dict[str, Any] = {
            "native": native,
            "code": card.code,
            "name": card.name,
            "classScheme": "2022" if placed else None,
            "classCode": placed.codes["2022"] if placed else None,
            "className": placed.names["2022"] if placed else None,
            "legacyClassScheme": self.scheme if legacy_code else None,
            "legacyClassCode": legacy_code,
            "legacyClassName": legacy_name if self.has_class_names else None,
            "quantity": format_decimal(Decimal(card.quantity)),
            "unitOfMeasure": card.measure,
            "acquiredOn": card.acquired.isoformat() if card.acquired else None,
            "originalValue": money_text(card.original),
            "netValue": money_text(card.net),
            "owner": self.unit_key(card.unit) if card.unit else None,
            "warehouse": self.warehouse_key(card.warehouse) if card.warehouse else None,
            "location": card.location,
            "status": card.status,
            "shareable": card.shareable,
        }
        for field in _OPTIONAL:
            row[field] = self._optional(card, field) if field in self.fields else None
        return row

    def _optional(self, card: Card, field: str) -> Any:
        match field:
            case "specification":
                return card.product.specification
            case "brand":
                return card.product.brand
            case "model":
                return card.product.model
            case "serialNumber":
                return card.serial
            case "massKg":
                return format_decimal(Decimal(card.product.mass_kg))
            case "accumulatedDepreciation":
                return money_text(card.depreciation)
            case "usefulLifeMonths":
                return card.product.life_months
            case "shareableUntil":
                return card.shareable_until.isoformat() if card.shareable_until else None
            case "updatedAt":
                return (card.updated - timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%SZ")
            case "acquisition":
                return card.acquisition
            case "valueType":
                return card.value_type
            case "source":
                return card.source
            case "condition":
                return card.condition
            case "keeper":
                return card.keeper
            case "user":
                return card.user
        raise ValueError(field)


_OPTIONAL = (
    "specification", "brand", "model", "serialNumber", "massKg", "accumulatedDepreciation", "usefulLifeMonths",
    "shareableUntil", "updatedAt", "acquisition", "valueType", "source", "condition", "keeper", "user",
)  # fmt: skip


def money_text(fen: int) -> str:
    """分 as canonical yuan: 123456 → `1234.56`."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def local_text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def mojibake(text: str) -> str:
    """What Chinese text looks like after its GBK bytes were read as Latin-1."""
    return text.encode("gbk").decode("latin-1")


class SqliteFile:
    """A SQLite file that is written once, in batches. Its content depends on what is written and on nothing else."""

    def __init__(self, path: Path, schema: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + schema)
        self._connection.execute("BEGIN")
        self._pending: dict[str, list[Sequence[Any]]] = {}

    def insert(self, table: str, row: Sequence[Any]) -> None:
        pending = self._pending.setdefault(table, [])
        pending.append(row)
        if len(pending) >= BATCH_ROWS:
            self._flush(table)

    def _flush(self, table: str) -> None:
        pending = self._pending[table]
        if pending:
            marks = ",".join("?" * len(pending[0]))
            self._connection.executemany(f'INSERT INTO "{table}" VALUES ({marks})', pending)
            pending.clear()

    def close(self, indexes: str = "") -> None:
        for table in self._pending:
            self._flush(table)
        self._connection.execute("COMMIT")
        self._connection.executescript(indexes + "ANALYZE;")
        self._connection.close()
