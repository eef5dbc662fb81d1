"""Virtual warehouses as they are kept: values only."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import RowMapping

from overlay.messages import Problem
from overlay.warehouses.rules import Definition

__all__ = ["Change", "Warehouse", "WarehouseAnswer", "change_of", "warehouse_of"]


@dataclass(frozen=True, slots=True)
class Warehouse:
    seq: int
    id: str
    name: str
    name_en: str | None
    description: str | None
    description_en: str | None
    scope: str
    owner_region: str | None
    owner_unit: str | None
    owner_person: str | None
    built_in: bool
    created_at: str
    version: int
    updated_at: str | None
    notify: bool
    definition: Definition


@dataclass(frozen=True, slots=True)
class WarehouseAnswer:
    warehouse_id: str | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a warehouse's history: what it was after the change, and who made it."""

    version: int
    at: str
    change: str
    """`CREATED`, `CHANGED` or `RETIRED`."""
    name: str
    scope: str
    definition: Definition
    person: str | None
    unit: str | None
    region: str | None


def warehouse_of(row: RowMapping) -> Warehouse:
    names = (name for name in Warehouse.__dataclass_fields__ if name != "definition")
    return Warehouse(**{name: row[name] for name in names}, definition=Definition.from_json(row["rule"]))


def change_of(row: RowMapping) -> Change:
    names = (name for name in Change.__dataclass_fields__ if name != "definition")
    return Change(**{name: row[name] for name in names}, definition=Definition.from_json(row["rule"]))
