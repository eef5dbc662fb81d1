"""A filter as SQL over the index's columns: ranges and equalities that its indexes answer, each value bound.

The logic is two-valued: SQL's unknown counts as false, and what stands under a `Not` is made so before it is negated.
Two kinds of filter look at every row that the others leave: `TextContains` and `TextMatch`, by `instr`. Without another
condition or an order they read the narrow index of keys and folded texts: about a quarter of a second for 1,000,000
rows where nothing matches (`SCANNED`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, assert_never

import orjson

from adapters.canonical import CANONICAL_FIELDS
from adapters.evaluate import GROUP_FIELDS
from adapters.index.layout import MATCH_SEPARATOR, Layout
from adapters.mapping.mapper import parse_native
from adapters.mapping.model import Mapping
from adapters.model import (
    And,
    Compare,
    FieldKind,
    Filter,
    HasIssues,
    In,
    IsNull,
    KeyIn,
    Not,
    Nothing,
    Or,
    StoreUnsupported,
    TextContains,
    TextMatch,
    TextPrefix,
    UnderClass,
)
from contract.decimals import sortable_decimal
from contract.order import SortValue

__all__ = ["Conditions"]

_FALSE, _TRUE = "0", "1"
_OPERATORS: Final = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_LISTED_MAX = 500
"""Values of a list that are bound one by one; more of them travel as one JSON text."""
_JOINED_MAX = 100
_SURROGATES = range(0xD800, 0xE000)
_CODE_POINT_MAX = 0x10FFFF


def _same(value: Any) -> Any:
    return value


def _sortable(value: Any) -> str:
    return sortable_decimal(Decimal(value))


class Conditions:
    """Writes conditions for one mapping's index; values are appended to the list that is passed along."""

    def __init__(self, mapping: Mapping, layout: Layout) -> None:
        self._key, self._layout = mapping.key, layout

    # --- fields -----------------------------------------------------------------------------------------------------

    def column(self, name: str) -> str:
        column = self._layout.fields.get(name)
        if column is None:
            raise StoreUnsupported(f"rows cannot be filtered or ordered by {name!r}")
        return column

    def encoder(self, name: str) -> Callable[[Any], Any]:
        """From a canonical value to what stands in the column; None for what no row can have."""
        spec = CANONICAL_FIELDS[name]
        if spec.kind is FieldKind.ENUM:
            return lambda value: spec.values.index(value) if value in spec.values else None
        if spec.kind is FieldKind.DECIMAL:
            return _sortable
        return int if spec.kind is FieldKind.BOOLEAN else _same

    def sort_encoder(self, name: str) -> Callable[[SortValue], Any]:
        """The same from a value as it stands in a cursor, where an enum is its rank."""
        return _sortable if CANONICAL_FIELDS[name].kind is FieldKind.DECIMAL else _same

    def group_column(self, name: str) -> str:
        if name not in GROUP_FIELDS:
            raise StoreUnsupported(f"rows cannot be grouped by {name!r}")
        return f"substr({self.column('classCode')}, 1, 3)" if name == "classTop" else self.column(name)

    # --- conditions -------------------------------------------------------------------------------------------------

    def write(self, filter_: Filter | None, values: list[Any]) -> str:
        match filter_:
            case None:
                return _TRUE
            case And(parts):
                return _joined(" AND ", [self.write(part, values) for part in parts], _TRUE)
            case Or(parts):
                return _joined(" OR ", [self.write(part, values) for part in parts], _FALSE)
            case Not(part):
                return f"NOT ifnull({self.write(part, values)}, 0)"
            case Compare(name, op, value):
                return self._compare(name, op, value, values)
            case In(name, wanted):
                return self._in(name, wanted, values)
            case IsNull(name):
                return f"{self.column(name)} IS NULL"
            case TextContains(name, value):
                values.append(value)
                return f"instr({self.column(name)}, ?) > 0"
            case TextPrefix(name, value):
                return _prefix(self.column(name), value, values)
            case UnderClass(codes):
                code = self.column("classCode")
                return _joined(" OR ", [_prefix(code, value, values) for value in codes], _FALSE)
            case TextMatch(groups):
                return _joined(" AND ", [_matches(group, values) for group in groups], _TRUE)
            case KeyIn(natives):
                return self.key_in(natives, values)
            case HasIssues(wanted_):
                return "flaws <> 0" if wanted_ else "flaws = 0"
            case Nothing():
                return _FALSE
            case _:
                assert_never(filter_)

    def _compare(self, name: str, op: str, value: Any, values: list[Any]) -> str:
        column, encoded = self.column(name), self.encoder(name)(value)
        if encoded is None:
            return _FALSE
        values.append(encoded)
        return f"{column} {_OPERATORS[op]} ?"

    def _in(self, name: str, wanted: Sequence[str], values: list[Any]) -> str:
        column, encode = self.column(name), self.encoder(name)
        return _listed(column, [found for value in wanted if (found := encode(value)) is not None], values)

    def key_in(self, natives: Sequence[str], values: list[Any]) -> str:
        keys = [key for native in natives if (key := parse_native(native, self._key)) is not None]
        if len(self._key) == 1:
            return _listed(self._layout.keys[0], [key[0] for key in keys], values)
        if not keys:
            return _FALSE
        for key in keys:
            values += key
        row = f"({', '.join('?' * len(self._key))})"
        return f"({', '.join(self._layout.keys)}) IN (VALUES {', '.join([row] * len(keys))})"


def _joined(word: str, parts: Sequence[str], nothing: str) -> str:
    """In groups of groups: SQLite counts how deep an expression lies, and a chain lies as deep as it is long."""
    while len(parts) > _JOINED_MAX:
        parts = [f"({word.join(parts[at : at + _JOINED_MAX])})" for at in range(0, len(parts), _JOINED_MAX)]
    return f"({word.join(parts)})" if parts else nothing


def _listed(column: str, wanted: Sequence[Any], values: list[Any]) -> str:
    if not wanted:
        return _FALSE
    if len(wanted) > _LISTED_MAX:
        values.append(orjson.dumps(list(wanted)).decode())
        return f"{column} IN (SELECT value FROM json_each(?))"
    values += wanted
    return f"{column} IN ({', '.join('?' * len(wanted))})"


def _prefix(column: str, prefix: str, values: list[Any]) -> str:
    """As the range from the prefix up to the first text behind all that begin with it."""
    if not prefix:
        return f"{column} IS NOT NULL"
    values.append(prefix)
    end = _behind(prefix)
    if end is None:
        return f"{column} >= ?"
    values.append(end)
    return f"({column} >= ? AND {column} < ?)"


def _behind(prefix: str) -> str | None:
    for length in range(len(prefix), 0, -1):
        last = ord(prefix[length - 1])
        if last < _CODE_POINT_MAX:
            following = _SURROGATES.stop if last + 1 in _SURROGATES else last + 1
            return prefix[: length - 1] + chr(following)
    return None


def _matches(group: Sequence[str], values: list[Any]) -> str:
    possible = [text for text in group if MATCH_SEPARATOR not in text]
    values += possible
    # A row without any text matches nothing, not even the empty alternative.
    return _joined(" OR ", ["(matched <> '' AND instr(matched, ?) > 0)"] * len(possible), _FALSE)
