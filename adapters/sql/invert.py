"""A mapping turned around: which canonical fields have a form in the store's language, and which rows are surely listed.

What cannot be turned around (a quantity out of a name, the first of several columns, a default) is refused with its
reason, and requests that ask for it are answered otherwise; all other requests are the store's own query.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Map
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from adapters.canonical import CANONICAL_FIELDS, DERIVED
from adapters.mapping.classes import codes_of, placed
from adapters.mapping.fields import SideTables
from adapters.mapping.model import Condition, FieldMapping, FieldTest, KeyPart
from adapters.mapping.numbers import MONEY_FACTORS
from adapters.mapping.values import TRIMMED, code_text
from adapters.model import FieldKind, StoreUnsupported
from adapters.sql.catalog import Catalog
from adapters.sql.coded_forms import CodedForm, KeyForm
from adapters.sql.columns import ColumnKind, NativeColumn, native_column
from adapters.sql.forms import FixedForm, Form, TextForm
from adapters.sql.measured_forms import DayForm, NumberForm
from adapters.sql.regular import regular_amount, regular_text
from adapters.sql.source import SqlSource
from adapters.status import ReasonCode
from contract.uscc import is_valid_uscc

__all__ = ["Inverted"]

_BOOLEANS = {"1": "true", "0": "false", "true": "true", "false": "false", "t": "true", "f": "false"}
_NUMBERS = (ColumnKind.INTEGER, ColumnKind.DECIMAL, ColumnKind.FLOAT)


class Inverted:
    """Bound to side tables: code tables of the store, its units, its warehouses."""

    def __init__(self, source: SqlSource, catalog: Catalog, side: SideTables) -> None:
        self.source, self.catalog, self.side, self.mapping = source, catalog, side, source.mapping
        self.key = tuple(self._key_column(part) for part in self.mapping.key)
        self._forms: dict[str, Form | StoreUnsupported] = {}

    def column(self, name: str) -> NativeColumn:
        return native_column(self.source, self.catalog, name)

    def form(self, name: str) -> Form:
        found = self._forms.get(name)
        if found is None:
            try:
                found = self._invert(name)
            except StoreUnsupported as error:
                found = error
            self._forms[name] = found
        if isinstance(found, StoreUnsupported):
            raise found
        return found

    # --- keys -----------------------------------------------------------------------------------------------------

    def _key_column(self, part: KeyPart) -> NativeColumn:
        column = self.column(part.column)
        wanted = ColumnKind.INTEGER if part.kind == "integer" else ColumnKind.TEXT
        padded = (
            column.kind is ColumnKind.TEXT and not part.trim and isinstance(self.source.type_of(part.column), sa.CHAR)
        )
        if column.kind is not wanted or padded:
            raise StoreUnsupported(f"the key {part.column} is not kept as {wanted.value}", ReasonCode.KEY)
        return column

    def key_values(self, parts: Iterable[Any]) -> tuple[Any, ...] | None:
        """Parts of a native key as the store takes them; None: no row can have it."""
        found = []
        for column, part, value in zip(self.key, self.mapping.key, parts, strict=True):
            if column.kind is ColumnKind.INTEGER:
                native: Any = column.integer(value)
            elif part.trim:
                native = column.text_value(value)
            else:
                native = None if "\x00" in value else value
            if native is None:
                return None
            found.append(native)
        return tuple(found)

    # --- which rows are listed --------------------------------------------------------------------------------------

    def listed(self) -> sa.ColumnElement[bool]:
        """Surely has a key, readable amounts and a region, and falls under no rule of the quarantine."""
        if not self.source.joins_to_one():
            raise StoreUnsupported("a join may repeat a row", ReasonCode.KEY)
        rules = [rule.when for rule in self.mapping.quarantine]
        if any(isinstance(rule, FieldTest) for rule in rules):
            raise StoreUnsupported("rules on fields are judged by mapping each row", ReasonCode.RULE)
        return sa.and_(
            *(self._has_key(column, part) for column, part in zip(self.key, self.mapping.key, strict=True)),
            *self._amounts(),
            *self._of_region(),
            *(
                sa.not_(sa.func.coalesce(self.source.holds(rule), sa.false()))
                for rule in rules
                if isinstance(rule, Condition)
            ),
        )

    def _has_key(self, column: NativeColumn, part: KeyPart) -> sa.ColumnElement[bool]:
        if column.kind is ColumnKind.INTEGER:
            return column.sql.is_not(None) if column.engine != "sqlite" else sa.func.typeof(column.sql) == "integer"
        present = sa.and_(column.sql.is_not(None), column.sql != "")
        if part.trim:
            return sa.and_(present, regular_text(column))
        if column.engine == "sqlite":
            return sa.and_(sa.func.typeof(column.sql) == "text", sa.func.trim(column.sql, TRIMMED) != "")
        if column.engine == "postgresql":
            return sa.and_(present, sa.func.btrim(column.sql, sa.literal(TRIMMED, sa.Text)) != "")
        return sa.and_(present, regular_text(column))

    def _amounts(self) -> list[sa.ColumnElement[bool]]:
        money = [mapped for mapped in self.mapping.fields.values() if mapped.unit in MONEY_FACTORS]
        if any(mapped.expr for mapped in money):
            raise StoreUnsupported("an amount that is an expression is judged by mapping each row", ReasonCode.RULE)
        names = dict.fromkeys(
            name for mapped in money for name in (*mapped.columns, *((mapped.minus,) if mapped.minus else ()))
        )
        return [regular_amount(self.column(name)) for name in names]

    def _of_region(self) -> list[sa.ColumnElement[bool]]:
        rule = self.mapping.region_rule
        if rule is None:
            return []
        column = self.source.column(rule.column)
        return [sa.or_(column.is_(None), self.source.text(rule.column) == self.mapping.region)]

    # --- fields -----------------------------------------------------------------------------------------------------

    def _invert(self, name: str) -> Form:
        if name == "classCode":
            return self._class_code()
        spec = CANONICAL_FIELDS.get(name)
        if spec is None:
            raise StoreUnsupported(f"there is no canonical field {name!r}")
        if name in DERIVED:
            raise StoreUnsupported(f"{name} comes out of the class of each row", ReasonCode.FIELD)
        mapped = self.mapping.fields.get(name)
        if mapped is None:
            return FixedForm(name, {"quantity": "1", "shareable": False}.get(name))
        if mapped.cases or mapped.when or len(mapped.columns) > 1 or mapped.default is not None or mapped.minus:
            raise StoreUnsupported(f"{name} is worked out by mapping each row", ReasonCode.FIELD)
        if mapped.digest or mapped.from_name or mapped.expr:
            raise StoreUnsupported(f"{name} is worked out by mapping each row", ReasonCode.FIELD)
        if not mapped.columns:
            constant: Any = mapped.constant
            return FixedForm(name, constant == "true" if spec.kind is FieldKind.BOOLEAN else constant)
        writers = {
            FieldKind.TEXT: self._text,
            FieldKind.DECIMAL: self._decimal,
            FieldKind.DATE: self._day,
            FieldKind.ENUM: self._enum,
            FieldKind.BOOLEAN: self._boolean,
            FieldKind.REFERENCE: self._reference,
        }
        if spec.kind not in writers:
            raise StoreUnsupported(f"rows are not filtered by {name}", ReasonCode.FIELD)
        return writers[spec.kind](mapped)

    def _text(self, mapped: FieldMapping) -> Form:
        if mapped.codes is not None or mapped.lookup is not None:
            return self._coded(mapped, self._table(mapped, None))
        column = self.column(mapped.columns[0])
        if column.kind is not ColumnKind.TEXT:
            raise StoreUnsupported(f"{mapped.spec.name} is not kept as text", ReasonCode.FIELD)
        meaningless = {*mapped.empty, *(text for given in mapped.empty if (text := code_text(given)))}
        empty = tuple(sorted(text for text in meaningless if text == text.strip(TRIMMED) != ""))
        return TextForm(mapped.spec.name, column, empty, "width" in mapped.clean, "mojibake" in mapped.clean)

    def _decimal(self, mapped: FieldMapping) -> Form:
        column = self.column(mapped.columns[0])
        if column.kind not in _NUMBERS or mapped.empty:
            raise StoreUnsupported(f"{mapped.spec.name} is not kept as a number alone", ReasonCode.FIELD)
        return NumberForm(mapped.spec.name, column, MONEY_FACTORS.get(mapped.unit, Decimal(1)))

    def _day(self, mapped: FieldMapping) -> Form:
        column, name = self.column(mapped.columns[0]), mapped.spec.name
        if mapped.empty:
            raise StoreUnsupported(f"{name} has values that mean nothing", ReasonCode.FIELD)
        if column.kind is ColumnKind.DAY and column.engine != "sqlite":
            return DayForm(name, column, "date")
        if column.kind is ColumnKind.MOMENT:
            return DayForm(name, column, "moment")
        first = mapped.formats[0]
        texts = (ColumnKind.TEXT, ColumnKind.DAY)
        if first == "ymd" and column.kind in texts:
            return DayForm(name, column, "iso")
        if first == "compact" and column.kind in (ColumnKind.TEXT, ColumnKind.INTEGER):
            return DayForm(name, column, "compact")
        raise StoreUnsupported(f"{name} is kept as a number of days or seconds", ReasonCode.FIELD)

    def _table(self, mapped: FieldMapping, own: Map[str, str] | None) -> dict[str, Any]:
        """The text of a native value → the canonical one, through the store's code table and the mapping's."""
        codes: Map[str, str] | None = mapped.codes if mapped.codes is not None else own
        empty = {*mapped.empty, *map(code_text, mapped.empty)}
        if mapped.lookup is not None:
            entries = self.side.lookups[mapped.lookup].items()
            table = {
                key: value if codes is None else codes.get(value) for key, (value, _) in entries if value is not None
            }
        else:
            table = dict(codes or {})
        return {key: value for key, value in table.items() if value is not None and code_text(key) == key not in empty}

    def _coded(self, mapped: FieldMapping, table: Map[str, Any]) -> Form:
        column = self.column(mapped.columns[0])
        if column.kind not in (ColumnKind.TEXT, ColumnKind.INTEGER, ColumnKind.BOOLEAN):
            raise StoreUnsupported(f"{mapped.spec.name} is kept as {column.kind.value}", ReasonCode.FIELD)
        return CodedForm(mapped.spec.name, column, table)

    def _enum(self, mapped: FieldMapping) -> Form:
        values = mapped.spec.values
        table = self._table(mapped, {value: value for value in values})
        return self._coded(mapped, {key: value for key, value in table.items() if value in values})

    def _boolean(self, mapped: FieldMapping) -> Form:
        table = self._table(mapped, _BOOLEANS)
        return self._coded(mapped, {key: value == "true" for key, value in table.items()})

    def _reference(self, mapped: FieldMapping) -> Form:
        known: Map[str, Any] = self.side.units if mapped.spec.name == "owner" else self.side.warehouses
        if mapped.uscc:
            known = {key: entry for key, entry in known.items() if is_valid_uscc(key)}
        if mapped.codes is not None or mapped.lookup is not None:
            table = self._table(mapped, None)
            return self._coded(mapped, {key: value for key, value in table.items() if value in known})
        column = self.column(mapped.columns[0])
        if mapped.empty or column.kind not in (ColumnKind.TEXT, ColumnKind.INTEGER):
            raise StoreUnsupported(f"{mapped.spec.name} is worked out by mapping each row", ReasonCode.FIELD)
        return KeyForm(mapped.spec.name, column, known)

    def _class_code(self) -> Form:
        mapped = self.mapping.class_
        if mapped is None:
            return FixedForm("classCode", None)
        if mapped.lookup is not None:
            entries = self.side.lookups[mapped.lookup].items()
            codes = {key: value for key, (value, _) in entries if value is not None}
        else:
            whole = (code for code in (*codes_of(mapped.scheme), *mapped.own) if code.startswith(mapped.prefix))
            codes = {code.removeprefix(mapped.prefix): code.removeprefix(mapped.prefix) for code in whole}
        places = {key: placed(mapped, code) for key, code in codes.items()}
        table = {key: place[0] for key, place in places.items() if place is not None and code_text(key) == key}
        column = self.column(mapped.column)
        if column.kind not in (ColumnKind.TEXT, ColumnKind.INTEGER):
            raise StoreUnsupported(f"the class is kept as {column.kind.value}", ReasonCode.FIELD)
        return CodedForm("classCode", column, table)
