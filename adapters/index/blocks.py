"""A page in an order of several fields, block by block: a block is the rows that share the first field's value.

Within its block a row stands by the other fields alone, and that is a page of its own (`adapters.index.plan`), with the
block as one more condition: a small block is sorted, of a large one the next field's index is read. So no more than a
few thousand rows are ever sorted, even where half the store has one status.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from adapters.index.where import Conditions
from adapters.model import PageRequest, Position
from contract.order import Direction

__all__ = ["block_values", "inside"]


def block_values(db: sqlite3.Connection, request: PageRequest, conditions: Conditions) -> Iterator[Any]:
    """The first field's values between the positions, in reading order, as they stand in the index."""
    after, before = request.after, request.before
    has_nulls = before is None or before.values[0] is None
    if has_nulls and request.backward:
        yield None
    if after is None or after.values[0] is not None:
        yield from _present(db, request, conditions)
    if has_nulls and not request.backward:
        yield None


def _present(db: sqlite3.Connection, request: PageRequest, conditions: Conditions) -> Iterator[Any]:
    first = request.order[0]
    column, encode = conditions.column(first.field), conditions.sort_encoder(first.field)
    falls = first.direction is Direction.DESC
    bounds, values = [f"{column} IS NOT NULL"], []
    for position, operator in ((request.after, "<=" if falls else ">="), (request.before, ">=" if falls else "<=")):
        if position is not None and position.values[0] is not None:
            bounds.append(f"{column} {operator} ?")
            values.append(encode(position.values[0]))
    falls_as_read = falls is not request.backward
    order_by = f"ORDER BY {column} {'DESC' if falls_as_read else 'ASC'} LIMIT 1"
    where = " AND ".join(bounds)
    found = db.execute(f"SELECT {column} FROM asset WHERE {where} {order_by}", values).fetchone()
    beyond = f"{where} AND {column} {'<' if falls_as_read else '>'} ?"
    while found is not None:
        yield found[0]
        found = db.execute(f"SELECT {column} FROM asset WHERE {beyond} {order_by}", [*values, found[0]]).fetchone()


def inside(request: PageRequest, value: Any, conditions: Conditions, wanted: int) -> PageRequest:
    """What is asked of the block of this value: up to `wanted` rows, in the order of the other fields."""
    encode = conditions.sort_encoder(request.order[0].field)

    def within(position: Position | None) -> Position | None:
        if position is None:
            return None
        own = None if position.values[0] is None else encode(position.values[0])
        return replace(position, values=position.values[1:]) if own == value else None

    return replace(
        request,
        order=request.order[1:],
        limit=wanted - 1,  # a plan reads one more than is asked for
        after=within(request.after),
        before=within(request.before),
    )
