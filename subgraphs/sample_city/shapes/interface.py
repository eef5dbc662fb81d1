"""余杭's asset manager behind a paged interface: what `paged_api` serves, one record a line.

Two releases wrote the records, and nobody translated the older ones: the older writes `asset_tag`, the newer `assetTag`,
and a few fields stand under both. What 西湖 keeps three joins away is nested here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

from subgraphs.sample_city.bodies import Unit, Warehouse
from subgraphs.sample_city.cards import Card
from subgraphs.sample_city.shapes.base import Shape, Written, money_text
from subgraphs.sample_city.shapes.documents import write_line

__all__ = ["InterfaceShape"]

_SHANGHAI = timezone(timedelta(hours=8))
_STATES = {
    "IN_USE": "in_use", "IDLE": "idle", "TO_STORE": "pending", "IN_STORE": "ready", "LENT": "lent", "IN_REPAIR": "repair",
    "FROZEN": "stocktake", "TO_DISPOSE": "broken", "DISPOSED": "archived", "LOST": "lost",
}  # fmt: skip
_UNKNOWN_STATES = ("custom_7", "待确认")
_SNAKE_EVERY = 3
"""Of so many records one is of the older release."""
_Json = dict[str, Any]


class InterfaceShape(Shape):
    scheme = "2022"
    has_class_names = True
    fields = frozenset({"brand", "model", "serialNumber", "usefulLifeMonths", "updatedAt", "user"})
    statuses = frozenset(_STATES)
    listed_kinds = (
        "future_date", "unknown_status", "unknown_unit", "class_missing", "class_untranslatable", "negative_net", "name_is_class",
    )  # fmt: skip
    blocking_kinds = ("unmappable_amount", "empty_key")
    ignored_kinds = ("soft_deleted",)

    def unit_key(self, unit: Unit) -> str:
        return str(unit.index + 1)

    def warehouse_key(self, warehouse: Warehouse) -> str:
        return str(warehouse.index + 1)

    def adapt(self, card: Card) -> None:
        super().adapt(card)
        card.quantity, card.measure = "1", None
        if card.status != "LENT" or card.kind == "unknown_status":
            card.user = None

    def begin(self, stores: Path, units: Sequence[Unit], warehouses: Sequence[Warehouse]) -> None:
        self._folder = stores / self.region
        self._folder.mkdir()
        with (self._folder / "companies.jsonl").open("w", encoding="utf-8") as file:
            for unit in units:
                write_line(file, {"id": unit.index + 1, "name": unit.name, "uscc": unit.uscc})
        with (self._folder / "locations.jsonl").open("w", encoding="utf-8") as file:
            for house in warehouses:
                kind = "warehouse" if house.physical else "room"
                address = {"full": house.address}
                write_line(file, {"id": house.index + 1, "name": house.name, "kind": kind, "address": address})
        self._assets = (self._folder / "assets.jsonl").open("w", encoding="utf-8")

    def add(self, card: Card) -> Written:
        key = None if card.kind == "empty_key" else card.seq
        write_line(self._assets, self._older(card, key) if card.seq % _SNAKE_EVERY == 0 else self._newer(card, key))
        return Written(None if key is None else str(key))

    def _newer(self, card: Card, key: int | None) -> _Json:
        at = card.updated.replace(tzinfo=_SHANGHAI)
        return {
            "id": key,
            "assetTag": card.code,
            "name": card.name,
            "serialNo": card.serial,
            **self._nested(card),
            "purchaseDate": card.acquired.isoformat() if card.acquired else None,
            "purchaseCost": "约三万" if card.kind == "unmappable_amount" else card.original / 100,
            "bookValue": card.net / 100,
            "companyId": card.unit.index + 1 if card.unit else 9999,
            "assignedTo": card.user,
            "requestable": card.shareable,
            "updatedAt": at.isoformat(),
            "deletedAt": (at + timedelta(days=3)).isoformat() if card.kind == "soft_deleted" else None,
        }

    def _older(self, card: Card, key: int | None) -> _Json:
        """Amounts as text, flags as numbers; fields without a value are left out."""
        record = {
            "id": key,
            "asset_tag": card.code,
            "assetTag": card.code if card.seq % 2 else None,
            "name": card.name,
            "serial_no": card.serial,
            **self._nested(card),
            "purchase_date": card.acquired.isoformat() if card.acquired else None,
            "purchase_cost": "约三万" if card.kind == "unmappable_amount" else money_text(card.original),
            "book_value": money_text(card.net),
            "company_id": card.unit.index + 1 if card.unit else 9999,
            "assigned_to": card.user,
            "requestable": int(card.shareable),
            "updated_at": card.updated.replace(tzinfo=_SHANGHAI).isoformat(),
            "deleted_at": card.updated.isoformat() if card.kind == "soft_deleted" else None,
        }
        return {name: value for name, value in record.items() if value is not None}

    def _nested(self, card: Card) -> _Json:
        code, name = self.legacy_class(card)
        state = _UNKNOWN_STATES[card.ordinal % len(_UNKNOWN_STATES)] if card.status is None else _STATES[card.status]
        return {
            "confidential": self._secrecy(card),
            "status": {"state": state, "label": f"「{state}」"},
            "model": {
                "number": card.product.model,
                "manufacturer": {"name": card.product.brand},
                "category": {"code": code, "name": name} if code else None,
                "eol": card.product.life_months,
            },
            "location": {"text": card.location, "storeId": card.warehouse.index + 1 if card.warehouse else None},
        }

    @staticmethod
    def _secrecy(card: Card) -> bool | None:
        match card.kind:
            case "secret":
                return True
            case "secret_undecided":
                return None
        return False

    def finish(self) -> None:
        self._assets.close()
