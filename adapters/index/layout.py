"""How a mapped row lies in the index: one SQLite table of listed rows, a second like it of rows kept back.

    asset(n, ident, mark, changed, k0…, f0…, s0…, matched, flaws, row, raw)      kept(…, place)

`k`: the native key. `f`: what filters, orders and groups look at, encoded so that SQLite's own order is the canonical
one: text as UTF-8 bytes, decimals by `sortable_decimal`, enums by rank. `s`: amounts to be summed, as whole thousandths
where they are so (SQLite sums integers exactly), else as text. `row`: the whole canonical row, a JSON list in the order
of `ROW_FIELDS`. `raw`: the native row, a JSON list in the order of the mapping's columns. `ident` and `mark`: which row
of the store it is and by what a change of it is told, `changed` when it was (`adapters.index.change`); null where the
store is always read as a whole.

What only all rows show (a key or a code that occurs twice) stands in `flaws` alone and becomes an issue when the row is
read, so that no row is written twice for it.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final

import orjson

from adapters.canonical import CANONICAL_FIELDS
from adapters.evaluate import GROUP_FIELDS, MATCHED_FIELDS, fold
from adapters.mapping.mapper import Mapped
from adapters.mapping.model import Mapping
from adapters.mapping.values import text_of
from adapters.model import FieldKind, Issue, Row
from adapters.snapshot import duplicate_code, duplicate_key
from contract.decimals import sortable_decimal

__all__ = [
    "BLOCKED",
    "CODE_TWICE",
    "FORMAT",
    "INDEXED",
    "KEY_TWICE",
    "MATCH_SEPARATOR",
    "OWN",
    "PLACE",
    "SUMMED",
    "SUM_DIGITS",
    "Layout",
    "amount",
    "issues_of",
    "json_text",
    "raw_of",
    "row_of",
]

FORMAT: Final = 6
"""Raised whenever an index written before cannot be read any more."""
OWN, CODE_TWICE, KEY_TWICE, BLOCKED = 1, 2, 4, 8
"""Bits of `flaws`: the row has issues of its own; its code, its key is another row's too; an issue of its own blocks."""
MATCH_SEPARATOR: Final = "\uffff"
"""Between the folded texts that `TextMatch` looks into: no character, so no part of any text."""
SUMMED: Final = ("quantity", "originalValue", "netValue")
SUM_DIGITS: Final = 3
_WHOLE_DIGITS_MAX = 13
"""Of what is added as thousandths: nine hundred such amounts fit into 64 bits, and what does not is added exactly."""
INDEXED: Final = tuple(
    spec.name for spec in CANONICAL_FIELDS.values() if spec.filterable or spec.orderable or spec.name in GROUP_FIELDS
)
ROW_FIELDS: Final = ("native", *(name for name in CANONICAL_FIELDS if name != "observedAt"), "issues")
PLACE: Final = "ifnull(json_extract(row, '$[0]'), '') || char(31) || printf('%09d', n)"
"""As `adapters.snapshot.quarantine_place` writes it."""
_PASS = orjson.OPT_PASSTHROUGH_DATETIME

_values = itemgetter(*ROW_FIELDS)
_indexed = itemgetter(*INDEXED)
_matched = itemgetter(*MATCHED_FIELDS)


def amount(text: str) -> tuple[str, int | str]:
    """(`sortable_decimal` of a canonical decimal text, its thousandths), without a number in between where it is plain.

    Instead of thousandths the text itself, where they would not be whole or too many for a sum of 64 bits.
    """
    whole, _, fraction = text.partition(".")
    digits = len(whole)
    if text[0] == "-" or digits > _WHOLE_DIGITS_MAX:
        is_small = len(fraction) <= SUM_DIGITS and digits <= _WHOLE_DIGITS_MAX
        return sortable_decimal(Decimal(text)), _thousandths(whole, fraction) if is_small else text
    bare = fraction.rstrip("0")
    return f"1{digits:02d}{whole}{bare}", _thousandths(whole, bare) if len(bare) <= SUM_DIGITS else text


def _thousandths(whole: str, fraction: str) -> int:
    return int(whole + fraction.ljust(SUM_DIGITS, "0"))


def json_text(value: Any) -> str:
    return orjson.dumps(value, default=_plain, option=_PASS).decode()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _raw_text(raw: tuple[Any, ...]) -> str:
    try:
        return orjson.dumps(raw, default=text_of, option=_PASS).decode()
    except TypeError:  # a number beyond 64 bits
        return orjson.dumps([text_of(value) for value in raw]).decode()


class Layout:
    """The columns of one mapping's index, and a mapped row as they hold it."""

    def __init__(self, mapping: Mapping) -> None:
        self.width = len(mapping.columns)
        self.columns = mapping.columns
        self.keys = tuple(f"k{at}" for at in range(len(mapping.key)))
        self.fields = {name: f"f{at}" for at, name in enumerate(INDEXED)}
        self.sums = tuple(f"s{at}" for at in range(len(SUMMED)))
        kinds = ["INTEGER" if part.kind == "integer" else "TEXT" for part in mapping.key]
        self._keys_typed = [f"{name} {kind}" for name, kind in zip(self.keys, kinds, strict=True)]
        self.names = (
            *("n", "ident", "mark", "changed"), *self.keys, *self.fields.values(), *self.sums,
            *("matched", "flaws", "row", "raw"),
        )  # fmt: skip
        self._is_timed = mapping.feed is not None and mapping.feed.by == "updated_at"
        self._no_key = (None,) * len(self.keys)
        self._ranks: list[tuple[int, dict[str | None, int | None]]] = []
        for at, name in enumerate(INDEXED):
            spec = CANONICAL_FIELDS[name]
            if spec.kind is FieldKind.ENUM:
                self._ranks.append((at, {None: None} | {value: rank for rank, value in enumerate(spec.values)}))
        self._summed = [INDEXED.index(name) for name in SUMMED]
        self._compared = [
            at
            for at, name in enumerate(INDEXED)
            if CANONICAL_FIELDS[name].kind is FieldKind.DECIMAL and name not in SUMMED
        ]

    @property
    def tables(self) -> tuple[str, ...]:
        columns = ", ".join(
            ("n INTEGER PRIMARY KEY", "ident TEXT", "mark TEXT", "changed TEXT", *self._keys_typed, *self.fields.values(), *self.sums,
             "matched TEXT", "flaws INTEGER", "row TEXT", "raw TEXT")
        )  # fmt: skip
        return (
            f"CREATE TABLE asset ({columns})",
            f"CREATE TABLE kept ({columns}, place TEXT)",
            "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
        )

    def record(
        self, n: int, ident: str | None, mark: str | None, mapped: Mapped, raw: tuple[Any, ...]
    ) -> tuple[Any, ...]:
        """A row as it is inserted, in the order of `names`."""
        row = mapped.row
        assert row is not None
        values = list(_indexed(row))
        for at, ranks in self._ranks:
            values[at] = ranks[values[at]]
        sums: list[int | str | None] = []
        for at in self._summed:
            if values[at] is None:
                sums.append(None)
            else:
                values[at], thousandths = amount(values[at])
                sums.append(thousandths)
        for at in self._compared:
            if values[at] is not None:
                values[at], _ = amount(values[at])
        flaws = 0
        if mapped.issues:
            flaws = OWN | BLOCKED if any(found["blocking"] for found in mapped.issues) else OWN
        return (
            n, ident, mark, row["updatedAt"] if self._is_timed else None, *(mapped.native or self._no_key), *values, *sums,
            MATCH_SEPARATOR.join([fold(text) for text in _matched(row) if text]),
            flaws, json_text(_values(row)), _raw_text(raw[: self.width]),
        )  # fmt: skip

    def malformed(self, n: int, raw: dict[str, Any], issues: list[Issue]) -> tuple[Any, ...]:
        """What is no row at all: kept back with what it is as `raw`."""
        row = (*[None] * (len(ROW_FIELDS) - 1), issues)
        told = (OWN | BLOCKED, json_text(row), json_text(raw))
        return (n, *[None] * (len(self.names) - 1 - len(told)), *told)


# --- read back ----------------------------------------------------------------------------------------------------


def row_of(text: str, flaws: int) -> Row:
    row: Row = dict(zip(ROW_FIELDS, orjson.loads(text), strict=True))
    if flaws & CODE_TWICE:
        row["issues"] = _with(row["issues"], duplicate_code(row["code"]))
    return row


def issues_of(text: str, flaws: int) -> list[Issue]:
    """All issues of a row that is kept back."""
    row = row_of(text, flaws)
    found: list[Issue] = row["issues"]
    return _with(found, duplicate_key(row["native"])) if flaws & KEY_TWICE else found


def _with(issues: list[Issue], more: Issue) -> list[Issue]:
    return sorted([*issues, more], key=lambda found: (found["code"], found["field"] or ""))


def raw_of(text: str, columns: tuple[str, ...]) -> dict[str, Any]:
    found = orjson.loads(text)
    if isinstance(found, dict):
        return found
    return {
        column: value if isinstance(value, int | float | None) else text_of(value)
        for column, value in zip(columns, found, strict=True)
    }
