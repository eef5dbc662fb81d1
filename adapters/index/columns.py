"""What can be said in SQL of an index: everything."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from adapters.canonical import CANONICAL_FIELDS
from adapters.index.build import INDEXED
from adapters.mapping.model import Mapping
from adapters.mapping.numbers import plus
from adapters.model import (
    FieldKind,
    StoreUnsupported,
)
from adapters.sql.request import Column, Encoder, unchanged
from contract.decimals import sortable_decimal

__all__ = ["IndexColumns", "prepare_index"]


@dataclass(frozen=True, slots=True)
class _IndexColumn:
    name: str
    encode: Encoder
    sort_encode: Encoder

    def expression(self) -> sa.ColumnElement[Any]:
        return sa.column(self.name)

    def encoder(self, op: str) -> Encoder:
        return self.sort_encode if op.startswith("sort_") else self.encode


class IndexColumns:
    dialect = "sqlite"

    def __init__(self, mapping: Mapping) -> None:
        self._keys = [_IndexColumn(f"k{at}", unchanged, unchanged) for at in range(len(mapping.key))]

    def field(self, name: str) -> Column:
        spec = CANONICAL_FIELDS.get(name)
        if spec is None or name not in INDEXED:
            raise StoreUnsupported(f"rows cannot be filtered or ordered by {name!r}")
        column = f"f{INDEXED.index(name)}"
        if spec.kind is FieldKind.ENUM:
            return _IndexColumn(
                column, lambda value: spec.values.index(value) if value in spec.values else None, unchanged
            )
        if spec.kind is FieldKind.DECIMAL:
            return _IndexColumn(column, _sortable, _sortable)
        if spec.kind is FieldKind.BOOLEAN:
            return _IndexColumn(column, int, int)
        return _IndexColumn(column, unchanged, unchanged)

    def native(self) -> Sequence[Column]:
        return self._keys

    def key_in(self, params: list[sa.BindParameter[Any]]) -> sa.ColumnElement[bool]:
        return sa.or_(sa.false(), *(sa.column("native") == param for param in params))

    def key_encoder(self) -> Encoder:
        return unchanged

    def matched(self) -> sa.ColumnElement[str]:
        return sa.column("matched", sa.Text)

    def has_issues(self) -> sa.ColumnElement[bool]:
        return sa.column("flawed") == sa.literal_column("1")


def _sortable(value: Any) -> str:
    return sortable_decimal(Decimal(value))


class _Sum:
    """An exact sum of decimal texts; nulls add nothing."""

    def __init__(self) -> None:
        self.total = Decimal(0)

    def step(self, text: str | None) -> None:
        if text is not None:
            self.total = plus(self.total, Decimal(text))

    def finalize(self) -> str:
        return format(self.total, "f")


def prepare_index(connection: sqlite3.Connection) -> None:
    connection.create_aggregate("gwc_sum", 1, _Sum)  # type: ignore[arg-type]
