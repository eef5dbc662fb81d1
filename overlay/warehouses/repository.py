"""Reads and writes of virtual warehouses within somebody's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity
from overlay.clock import text_of
from overlay.store.tables import virtual_warehouses, warehouse_changes
from overlay.warehouses.model import Warehouse, warehouse_of
from overlay.warehouses.rights import visible_warehouses
from overlay.warehouses.rules import Definition

__all__ = ["add", "change", "standing", "visible", "with_references"]


async def visible(connection: AsyncConnection, identity: Identity, ids: Iterable[str]) -> dict[str, Warehouse]:
    table = virtual_warehouses
    query = select(table).where(table.c.id.in_(set(ids)), visible_warehouses(identity))
    return {row["id"]: warehouse_of(row) for row in (await connection.execute(query)).mappings()}


async def standing(connection: AsyncConnection) -> dict[str, Definition]:
    """The definitions of all warehouses that stand: what a change is checked against as a whole."""
    table = virtual_warehouses
    rows = await connection.execute(select(table.c.id, table.c.rule).where(table.c.retired_at.is_(None)))
    return {row.id: Definition.from_json(row.rule) for row in rows}


async def with_references(connection: AsyncConnection, known: Mapping[str, Definition]) -> dict[str, Definition]:
    """`known`, and whatever is referred to from there; a level of references costs one query."""
    table, found = virtual_warehouses, dict(known)
    while missing := {one for each in found.values() for one in each.references} - found.keys():
        query = select(table.c.id, table.c.rule).where(table.c.id.in_(missing))
        found.update({row.id: Definition.from_json(row.rule) for row in await connection.execute(query)})
    return found


async def add(
    connection: AsyncConnection, now: datetime, by: Identity | None, definition: Definition, **values: Any
) -> None:
    at, rule = text_of(now), definition.to_json()
    row = {"built_in": False, **values, "rule": rule, "created_at": at, "version": 1}
    await connection.execute(insert(virtual_warehouses).values(**row))
    await _remember(connection, at, by, "CREATED", row["id"], 1, row["name"], row["scope"], rule)


async def change(
    connection: AsyncConnection, now: datetime, by: Identity, was: Warehouse, kind: str, values: Mapping[str, Any]
) -> None:
    """Write what is different in the next version. `was` was read in this transaction."""
    at, version = text_of(now), was.version + 1
    table = virtual_warehouses
    row = {**values, "version": version, "updated_at": at}
    await connection.execute(update(table).where(table.c.id == was.id).values(**row))
    name, scope = values.get("name", was.name), values.get("scope", was.scope)
    rule = values.get("rule", was.definition.to_json())
    await _remember(connection, at, by, kind, was.id, version, name, scope, rule)


async def _remember(
    connection: AsyncConnection,
    at: str,
    by: Identity | None,
    kind: str,
    warehouse_id: str,
    version: int,
    name: str,
    scope: str,
    rule: Mapping[str, Any],
) -> None:
    await connection.execute(
        insert(warehouse_changes).values(
            warehouse_id=warehouse_id,
            version=version,
            at=at,
            change=kind,
            name=name,
            scope=scope,
            rule=rule,
            person=by.person if by else None,
            unit=by.unit if by else None,
            region=by.region if by else None,
        )
    )
