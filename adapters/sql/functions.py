"""Functions of ours on each SQLite connection: what its own language cannot say exactly."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from typing import Any

from adapters.mapping.numbers import plus, read_decimal

__all__ = ["prepare_functions"]


def prepare_functions(connection: sqlite3.Connection) -> None:
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
