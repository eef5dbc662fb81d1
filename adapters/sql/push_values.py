"""Values on both sides of a pushed statement: what its functions read, and what its bounds are encoded as.

The functions registered on a connection are the mapper's own readers, so that what an expression cannot say quickly it
still says rightly.

Numbers: SQLite keeps `DECIMAL` as integer or binary fraction, and the mapper reads the latter by its shortest spelling,
which is monotonic. A bound is therefore encoded as the nearest fraction on the right side of it (`_at_least`,
`_at_most`), so that comparing by SQLite equals comparing the decimals.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

from adapters.canonical import CANONICAL_FIELDS
from adapters.mapping.fields import SideTables, build_reader
from adapters.mapping.model import FieldMapping
from adapters.mapping.numbers import plus, read_decimal
from adapters.model import FieldKind, StoreUnsupported
from adapters.sql.request import Encoder, unchanged
from adapters.status import ReasonCode

__all__ = ["PushFunctions", "encoders", "prepare_functions", "sql_reader"]

_EXACT_INTEGERS = 2**53


@dataclass(slots=True)
class PushFunctions:
    """What the functions registered on a connection call; renewed with the side tables."""

    readers: dict[str, Callable[[tuple[Any, ...]], Any]] = field(default_factory=dict)


def prepare_functions(connection: sqlite3.Connection, functions: PushFunctions) -> None:
    def read(name: str, *values: Any) -> Any:
        return functions.readers[name](values)

    connection.create_function("gwc_read", -1, read, deterministic=True)
    connection.create_function("gwc_is_amount", 1, _is_amount, deterministic=True)
    connection.create_aggregate("gwc_total", 1, _Total)  # type: ignore[arg-type]


def _is_amount(value: Any) -> int:
    return int(not isinstance(read_decimal(value), str))


class _Total:
    """An exact sum of SQLite numbers, each by its shortest spelling."""

    def __init__(self) -> None:
        self.total = Decimal(0)

    def step(self, value: Any) -> None:
        if value is not None:
            self.total = plus(self.total, Decimal(repr(value)))

    def finalize(self) -> str:
        return format(self.total, "f")


def sql_reader(mapped: FieldMapping, index: dict[str, int], side: SideTables) -> Callable[[tuple[Any, ...]], Any]:
    """The mapper's own reader of a field, giving what the field's expression gives."""
    read, spec = build_reader(mapped, index, side), mapped.spec
    if spec.kind is FieldKind.ENUM:
        ranks = {value: rank for rank, value in enumerate(spec.values)}
        return lambda values: ranks.get(read(values, []))
    if spec.kind is FieldKind.BOOLEAN:
        return lambda values: int(bool(read(values, [])))
    if spec.kind is FieldKind.DECIMAL:
        return lambda values: _number_of(read_decimal(values[0]))
    return lambda values: read(values, [])


class _Inexact(ArithmeticError):
    """A number that SQLite cannot keep exactly: the statement fails, and the store scans instead."""


def _number_of(amount: Any) -> int | float | None:
    if not isinstance(amount, Decimal):
        return None
    if amount == amount.to_integral_value() and abs(amount) < _EXACT_INTEGERS:
        return int(amount)
    number = float(amount)
    if Decimal(repr(number)) != amount:
        raise _Inexact
    return number


def encoders(kind: FieldKind, name: str, factor: Decimal) -> Callable[[str], Encoder]:
    if kind is FieldKind.DECIMAL:
        return lambda op: _number_encoder(op.removeprefix("sort_"), factor)
    if kind is FieldKind.BOOLEAN:
        return lambda op: int
    if kind is FieldKind.ENUM:
        values = CANONICAL_FIELDS[name].values
        return lambda op: (
            unchanged if op.startswith("sort_") else lambda value: values.index(value) if value in values else None
        )
    return lambda op: unchanged


def _number_encoder(op: str, factor: Decimal) -> Encoder:
    bound = {"gte": _at_least, "lt": _at_least, "lte": _at_most, "gt": _at_most, "eq": _exactly}[op]

    def encode(value: Any) -> float | None:
        with localcontext() as context:
            context.prec = 120
            wanted = Decimal(value) / factor
        if abs(wanted) >= _EXACT_INTEGERS:
            raise StoreUnsupported("numbers of this size are compared by scanning", ReasonCode.VALUE)
        return bound(wanted)

    return encode


def _at_least(wanted: Decimal) -> float:
    """The least fraction whose spelling is not below the number."""
    number = float(wanted)
    return number if Decimal(repr(number)) >= wanted else math.nextafter(number, math.inf)


def _at_most(wanted: Decimal) -> float:
    number = float(wanted)
    return number if Decimal(repr(number)) <= wanted else math.nextafter(number, -math.inf)


def _exactly(wanted: Decimal) -> float | None:
    number = float(wanted)
    return number if Decimal(repr(number)) == wanted else None
