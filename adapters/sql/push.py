"""Canonical fields as SQLite expressions that equal the mapper's value for every row, good or bad.

Each expression is a `CASE`: a fast branch for values that are surely what they seem (guarded by `typeof`, by a valid
ISO date, by a known code), and for all others a function of ours that *is* the mapper's own reader, registered on the
connection. So equality holds by construction, and the common row costs no Python. What has no fast branch is not
pushed but refused (`StoreUnsupported`), and the store scans instead.

Whether a row is listed at all must be sayable too: its key is there and unique (the store's own unique index proves
it), its amounts are numbers, its region needs no judging.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from adapters.canonical import CANONICAL_FIELDS
from adapters.evaluate import GROUP_FIELDS
from adapters.mapping.classes import codes_of, to_2022
from adapters.mapping.fields import SideTables
from adapters.mapping.mapper import parse_native
from adapters.mapping.model import FieldMapping, FieldTest
from adapters.mapping.numbers import MONEY_FACTORS
from adapters.mapping.values import TRIMMED, code_text
from adapters.model import FieldKind, StoreUnsupported
from adapters.sql.push_values import PushFunctions, encoders, prepare_functions, sql_reader
from adapters.sql.request import Column, Encoder, unchanged
from adapters.sql.source import SqlSource
from adapters.status import ReasonCode

__all__ = ["PushFunctions", "SqlitePush", "prepare_functions"]

_SAFE_SMALL, _SAFE_LARGE = 1e-10, 1e39
"""Between these a binary fraction's spelling is surely read as a number."""
_CODES_MAX = 400
"""More codes than this make a `CASE` that costs more than it saves."""


@dataclass(frozen=True, slots=True)
class _PushedColumn:
    sql: sa.ColumnElement[Any]
    encoders: Callable[[str], Encoder]

    def expression(self) -> sa.ColumnElement[Any]:
        return self.sql

    def encoder(self, op: str) -> Encoder:
        return self.encoders(op)


class SqlitePush:
    dialect = "sqlite"

    def __init__(self, source: SqlSource, functions: PushFunctions) -> None:
        self._source, self._mapping, self._functions = source, source.mapping, functions
        self._fields: dict[str, _PushedColumn] = {}
        self._reasons: dict[str, str] = {}
        self._readable: dict[str, tuple[FieldMapping, dict[str, int]]] = {}
        for name in CANONICAL_FIELDS:
            try:
                self._fields[name] = self._column(name)
            except StoreUnsupported as error:
                self._reasons[name] = str(error)
        self.bind(SideTables())

    def bind(self, side: SideTables) -> None:
        """Let the functions read by these side tables."""
        for name, (mapped, index) in self._readable.items():
            self._functions.readers[name] = sql_reader(mapped, index, side)
        if self._mapping.class_ is not None:
            self._functions.readers["classCode"] = self._read_class

    # --- Columns --------------------------------------------------------------------------------------------------

    def field(self, name: str) -> Column:
        if name not in self._fields:
            raise StoreUnsupported(self._reasons.get(name, f"there is no field {name!r}"), ReasonCode.FIELD)
        return self._fields[name]

    def native(self) -> Sequence[Column]:
        return [_PushedColumn(self._source.column(part.column), lambda op: unchanged) for part in self._mapping.key]

    def key_in(self, params: list[sa.BindParameter[Any]]) -> sa.ColumnElement[bool]:
        if len(self._mapping.key) != 1:
            raise StoreUnsupported("a key of several columns is not looked up in SQL", ReasonCode.KEY)
        return self._source.column(self._mapping.key[0].column).in_(params)

    def key_encoder(self) -> Encoder:
        key = self._mapping.key

        def encode(native: str) -> Any:
            parts = parse_native(native, key)
            return parts[0] if parts else None

        return encode

    def matched(self) -> sa.ColumnElement[str]:
        raise StoreUnsupported("full text is matched by scanning", ReasonCode.FIELD)

    def has_issues(self) -> sa.ColumnElement[bool]:
        raise StoreUnsupported("issues are found by mapping each row", ReasonCode.FIELD)

    def sum_of(self, name: str) -> tuple[sa.ColumnElement[Any], Decimal]:
        """(the exact sum of a decimal field as SQLite keeps it, what to multiply it by)."""
        mapped = self._mapping.fields.get(name)
        return sa.func.gwc_total(self.field(name).expression()), _factor(mapped)

    def group_column(self, name: str) -> sa.ColumnElement[Any]:
        if name not in GROUP_FIELDS:
            raise StoreUnsupported(f"rows cannot be grouped by {name!r}")
        if name == "classTop":
            return sa.func.substr(self.field("classCode").expression(), 1, 3)
        return self.field(name).expression()

    # --- which rows are listed --------------------------------------------------------------------------------------

    def listed(self) -> sa.ColumnElement[bool]:
        """True for the rows that no blocking issue keeps back."""
        if not self._source.unique_key():
            raise StoreUnsupported("the store does not keep the key unique", ReasonCode.KEY)
        if self._mapping.region_rule is not None:
            raise StoreUnsupported("rows of retired regions are judged by mapping each row", ReasonCode.RULE)
        conditions: list[sa.ColumnElement[bool]] = []
        for part in self._mapping.key:
            column = self._source.column(part.column)
            conditions.append(column.is_not(None))
            if part.kind == "text":
                conditions.append(sa.func.trim(column, TRIMMED) != "")
        for mapped in self._mapping.fields.values():
            if mapped.unit in MONEY_FACTORS:
                conditions += self._amounts(mapped)
        for rule in self._mapping.quarantine:
            if isinstance(rule.when, FieldTest):
                raise StoreUnsupported("rules on fields are judged by mapping each row", ReasonCode.RULE)
            conditions.append(sa.not_(sa.func.coalesce(self._source.holds(rule.when), sa.false())))
        return sa.and_(*conditions)

    def irregular_keys(self) -> sa.Select[Any]:
        """A statement that finds a key which SQLite would compare otherwise than its text form."""
        odd: list[sa.ColumnElement[bool]] = []
        for part in self._mapping.key:
            column = self._source.column(part.column)
            kind = "integer" if part.kind == "integer" else "text"
            odd.append(sa.func.typeof(column).not_in([kind, "null"]))
            if kind == "text" and part.trim:
                odd.append(sa.func.trim(column, TRIMMED) != column)
        return self._source.select(sa.literal_column("1")).where(sa.or_(*odd)).limit(1)

    def _amounts(self, mapped: FieldMapping) -> list[sa.ColumnElement[bool]]:
        if mapped.cases or mapped.when or len(mapped.columns) > 1 or mapped.empty or mapped.expr:
            raise StoreUnsupported(f"{mapped.spec.name} is judged by mapping each row", ReasonCode.RULE)
        money = [
            other.columns[:1]
            for other in self._mapping.fields.values()
            if other.unit in MONEY_FACTORS and not other.minus
        ]
        if mapped.minus and (mapped.minus,) not in money:
            raise StoreUnsupported(f"{mapped.spec.name} is judged by mapping each row", ReasonCode.RULE)
        columns = [self._source.column(name) for name in mapped.columns]
        return [sa.or_(_is_plain_number(column), sa.func.gwc_is_amount(column) == 1) for column in columns]

    # --- fields -----------------------------------------------------------------------------------------------------

    def _column(self, name: str) -> _PushedColumn:
        if name == "classCode":
            return self._class_code()
        spec = CANONICAL_FIELDS[name]
        mapped = self._mapping.fields.get(name)
        if mapped is None:
            return self._absent(name)
        if not mapped.columns and not mapped.cases and mapped.constant is not None:
            return self._constant(mapped)
        if len(mapped.columns) != 1 or mapped.cases or mapped.when or mapped.lookup or mapped.default or mapped.minus:
            raise StoreUnsupported(f"{name} is worked out by mapping each row")
        if mapped.empty or mapped.uscc or mapped.digest or mapped.from_name:
            raise StoreUnsupported(f"{name} is worked out by mapping each row")
        writers: dict[FieldKind, Callable[[FieldMapping], _PushedColumn]] = {
            FieldKind.TEXT: self._text,
            FieldKind.DECIMAL: self._decimal,
            FieldKind.DATE: self._day,
            FieldKind.ENUM: self._enum,
            FieldKind.BOOLEAN: self._boolean,
            FieldKind.REFERENCE: self._reference,
        }
        if spec.kind not in writers:
            raise StoreUnsupported(f"rows are not filtered by {name}")
        return writers[spec.kind](mapped)

    def _read(self, mapped: FieldMapping) -> sa.ColumnElement[Any]:
        name = mapped.spec.name
        self._readable[name] = (mapped, {column: at for at, column in enumerate(mapped.columns)})
        return sa.func.gwc_read(sa.literal(name, sa.Text), *(self._source.column(column) for column in mapped.columns))

    def _absent(self, name: str) -> _PushedColumn:
        value = {"quantity": 1, "shareable": 0}.get(name)
        kind = CANONICAL_FIELDS[name].kind
        return _PushedColumn(sa.literal(value) if value is not None else sa.null(), encoders(kind, name, Decimal(1)))

    def _constant(self, mapped: FieldMapping) -> _PushedColumn:
        spec = mapped.spec
        value: Any = mapped.constant
        if spec.kind is FieldKind.ENUM:
            value = spec.values.index(value)
        elif spec.kind is FieldKind.BOOLEAN:
            value = int(value == "true")
        elif spec.kind not in (FieldKind.TEXT, FieldKind.DATE):
            raise StoreUnsupported(f"{spec.name} is a constant")
        return _PushedColumn(sa.literal(value), encoders(spec.kind, spec.name, Decimal(1)))

    def _text(self, mapped: FieldMapping) -> _PushedColumn:
        if mapped.codes is not None:
            raise StoreUnsupported(f"{mapped.spec.name} goes through a code table")
        column = self._source.column(mapped.columns[0])
        plain = sa.func.typeof(column) == "text"
        if set(mapped.clean) - {"trim"}:  # width and mojibake change nothing in plain ASCII
            plain = sa.and_(plain, sa.not_(sa.func.glob("*[^ -~]*", column) == 1))
        sql = sa.case(
            (plain, sa.func.nullif(sa.func.trim(column, TRIMMED), "")),
            (column.is_(None), sa.null()),
            else_=self._read(mapped),
        )
        return _PushedColumn(sql.collate("BINARY"), lambda op: unchanged)

    def _decimal(self, mapped: FieldMapping) -> _PushedColumn:
        if not isinstance(self._source.type_of(mapped.columns[0]), sa.Numeric | sa.Integer | sa.Float):
            raise StoreUnsupported(f"{mapped.spec.name} is kept as text")
        column = self._source.column(mapped.columns[0])
        sql = sa.case((_is_plain_number(column), column), else_=self._read(mapped))
        return _PushedColumn(sql, encoders(FieldKind.DECIMAL, mapped.spec.name, _factor(mapped)))

    def _day(self, mapped: FieldMapping) -> _PushedColumn:
        if "ymd" not in mapped.formats:
            raise StoreUnsupported(f"{mapped.spec.name} is kept as a number of days or seconds")
        column = self._source.column(mapped.columns[0])
        iso = sa.and_(
            sa.func.typeof(column) == "text", sa.func.date(column) == column, sa.func.substr(column, 1, 4) != "0000"
        )
        sql = sa.case((iso, column), (column.is_(None), sa.null()), else_=self._read(mapped))
        return _PushedColumn(sql, lambda op: unchanged)

    def _coded(self, mapped: FieldMapping, values: Map[str, int]) -> sa.ColumnElement[Any]:
        column = sa.cast(self._source.column(mapped.columns[0]), sa.Text)
        plain = {code: value for code, value in values.items() if code_text(code) == code}
        if len(plain) > _CODES_MAX:
            raise StoreUnsupported(f"{mapped.spec.name} has too many codes")
        return sa.case(
            *((column == sa.literal(code, sa.Text), sa.literal(value)) for code, value in plain.items()),
            (column.is_(None), sa.null()),
            else_=self._read(mapped),
        )

    def _enum(self, mapped: FieldMapping) -> _PushedColumn:
        values = mapped.spec.values
        codes = mapped.codes if mapped.codes is not None else {value: value for value in values}
        sql = self._coded(mapped, {code: values.index(value) for code, value in codes.items()})
        return _PushedColumn(sql, encoders(FieldKind.ENUM, mapped.spec.name, Decimal(1)))

    def _boolean(self, mapped: FieldMapping) -> _PushedColumn:
        codes = mapped.codes if mapped.codes is not None else {"1": "true", "0": "false"}
        sql = self._coded(mapped, {code: int(value == "true") for code, value in codes.items()})
        return _PushedColumn(sa.func.coalesce(sql, 0), encoders(FieldKind.BOOLEAN, mapped.spec.name, Decimal(1)))

    def _reference(self, mapped: FieldMapping) -> _PushedColumn:
        column = self._source.column(mapped.columns[0])
        sql = sa.case((column.is_(None), sa.null()), else_=self._read(mapped))
        return _PushedColumn(sql, lambda op: unchanged)

    def _class_code(self) -> _PushedColumn:
        mapped = self._mapping.class_
        if mapped is None:
            return _PushedColumn(sa.null(), lambda op: unchanged)
        codes = {
            code.removeprefix(mapped.prefix): code for code in codes_of(mapped.scheme) if code.startswith(mapped.prefix)
        }
        if mapped.lookup or mapped.own or len(codes) > _CODES_MAX:
            raise StoreUnsupported("the class is translated by mapping each row", ReasonCode.FIELD)
        column = sa.cast(self._source.column(mapped.column), sa.Text)
        read = sa.func.gwc_read(sa.literal("classCode", sa.Text), self._source.column(mapped.column))
        sql = sa.case(
            *(
                (column == sa.literal(code, sa.Text), sa.literal(to_2022(mapped.scheme, full), sa.Text))
                for code, full in codes.items()
            ),
            (column.is_(None), sa.null()),
            else_=read,
        )
        return _PushedColumn(sql, lambda op: unchanged)

    def _read_class(self, values: tuple[Any, ...]) -> str | None:
        mapped = self._mapping.class_
        code = code_text(values[0])
        return None if code is None or mapped is None else to_2022(mapped.scheme, mapped.prefix + code)


def _is_plain_number(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    kind = sa.func.typeof(column)
    size = sa.func.abs(column)
    safe = sa.and_(size >= sa.literal(_SAFE_SMALL), size <= sa.literal(_SAFE_LARGE))
    return sa.or_(kind == "integer", kind == "null", sa.and_(kind == "real", sa.or_(column == sa.literal(0.0), safe)))


def _factor(mapped: FieldMapping | None) -> Decimal:
    return MONEY_FACTORS.get(mapped.unit, Decimal(1)) if mapped else Decimal(1)
