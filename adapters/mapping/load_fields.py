"""`[fields]` of a mapping file: one canonical field each, with the keys that its kind has, and `[class]` beside them."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.canonical import CANONICAL_FIELDS, DERIVED
from adapters.mapping.classes import read_own_table
from adapters.mapping.dates import FORMATS, read_day, read_time
from adapters.mapping.expressions import Type
from adapters.mapping.expressions.load import read_expression
from adapters.mapping.load_parts import CONDITION, read_codes, read_condition, read_lookup_name
from adapters.mapping.model import Case, ClassMapping, FieldMapping, Lookup
from adapters.mapping.numbers import read_decimal
from adapters.mapping.toml import MappingError, Section, suggest
from adapters.model import FieldKind, FieldSpec
from contract.decimals import format_decimal, format_money

__all__ = ["read_class", "read_fields"]

_CLEANINGS = ("trim", "width", "mojibake")
_MONEY_UNITS = ("元", "万元", "分")
_MONEY_FIELDS = ("originalValue", "accumulatedDepreciation", "netValue")
_SCHEMES = ("1994", "2010", "2022")


def read_fields(section: Section, lookups: dict[str, Lookup]) -> dict[str, FieldMapping]:
    found: dict[str, FieldMapping] = {}
    for name in section.data:
        spec = CANONICAL_FIELDS.get(name)
        if name in DERIVED or name == "class":
            raise MappingError(section.at(name), "this field is not mapped by itself", "the class is mapped by [class]")
        if spec is None or name == "observedAt":
            known = [field for field in CANONICAL_FIELDS if field not in DERIVED and field != "observedAt"]
            raise MappingError(section.at(name), "there is no such canonical field", suggest(name, known))
        value = section.raw(name)
        part = (
            section.section(name)
            if isinstance(value, dict)
            else section.child({"column": section.text(name)}, section.at(name))
        )
        found[name] = _field(part, spec, lookups)
    return found


def _field(section: Section, spec: FieldSpec, lookups: dict[str, Lookup]) -> FieldMapping:
    mapped = FieldMapping(
        spec=spec,
        columns=section.texts("columns", ()) or section.texts("column", ()),
        constant=section.maybe_text("value", _values(spec)),
        default=section.maybe_text("default", _values(spec)),
        empty=section.texts("empty", ()),
        clean=section.choices("clean", _CLEANINGS, ("trim",) if spec.kind is FieldKind.TEXT else ("trim", "width")),
        codes=read_codes(section, "codes", _values(spec)) if section.has("codes") else None,
        lookup=read_lookup_name(section, lookups),
        expr=read_expression(section, "expr") if section.has("expr") else None,
        when=read_condition(section.section("when", CONDITION)) if section.has("when") else None,
        cases=tuple(_case(part, spec) for part in section.sections("cases")),
        **_of_kind(section, spec),
    )
    section.done()
    _check_field(mapped, section)
    return mapped


def _of_kind(section: Section, spec: FieldSpec) -> dict[str, Any]:
    """The keys that only one kind of field has."""
    if spec.name in _MONEY_FIELDS:
        return {"unit": section.choice("unit", _MONEY_UNITS), "minus": section.maybe_text("minus")}
    if spec.name == "usefulLifeMonths":
        return {"unit": section.choice("unit", ("months", "years"))}
    if spec.name in ("quantity", "unitOfMeasure"):
        return {"from_name": section.flag("from_name", False)}
    if spec.kind in (FieldKind.DATE, FieldKind.DATETIME):
        formats = section.choices("formats", FORMATS, ("ymd",))
        return {"formats": formats, "zone": section.choice("zone", ("Asia/Shanghai", "UTC"), "Asia/Shanghai")}
    if spec.name == "owner":
        return {"uscc": section.flag("uscc", False)}
    if spec.name == "version":
        return {"digest": section.flag("digest", False)}
    return {}


def _case(section: Section, spec: FieldSpec) -> Case:
    value = section.text("value", choices=_values(spec))
    rest = {key: item for key, item in section.data.items() if key != "value"}
    return Case(read_condition(section.child(rest, section.where, section.scope)), value)


def _values(spec: FieldSpec) -> tuple[str, ...]:
    return ("true", "false") if spec.kind is FieldKind.BOOLEAN else spec.values


def _check_field(mapped: FieldMapping, section: Section) -> None:
    if mapped.expr is not None:
        _check_expression(mapped, section)
    elif not (mapped.columns or mapped.constant is not None or mapped.from_name or mapped.digest):
        raise MappingError(section.where, "no column is named", 'write column = "…" (or value = "…" for a constant)')
    values = _values(mapped.spec)
    if not values:
        _check_constants(mapped, section)
        return
    produced = [*(mapped.codes or {}).values(), *(case.value for case in mapped.cases)]
    produced += [text for text in (mapped.constant, mapped.default) if text is not None]
    for text in produced:
        if text not in values:
            raise MappingError(
                section.where, f"{text!r} is no value of {mapped.spec.name}", "one of " + ", ".join(values)
            )


_OTHER_SOURCES = ("column", "columns", "value", "minus", "from_name", "digest")
"""Keys that say where a value comes from, as `expr` does."""


def _check_expression(mapped: FieldMapping, section: Section) -> None:
    """Raises `MappingError` where the field cannot take what its expression gives."""
    assert mapped.expr is not None
    for key in _OTHER_SOURCES:
        if key in section.data:
            raise MappingError(section.at(key), "expr says where the value comes from", f"remove {key}, or expr")
    kind, gives = mapped.spec.kind, mapped.expr.gives()
    is_time = kind in (FieldKind.DATE, FieldKind.DATETIME)
    if gives is Type.DATE and (not is_time or "ymd" not in mapped.formats):
        remedy = 'write formats = ["ymd"]' if is_time else "put it into a date, or use another operation"
        raise MappingError(section.at("expr"), f"{mapped.spec.name} is given a date", remedy)
    if gives is Type.NUMBER and is_time and not {"epoch_s", "epoch_ms", "excel", "compact"} & set(mapped.formats):
        raise MappingError(
            section.at("expr"), f"{mapped.spec.name} is given a number", 'say of what: formats = ["excel"], …'
        )
    if gives is Type.NUMBER and kind is FieldKind.BOOLEAN and mapped.codes is None:
        raise MappingError(section.at("expr"), f"{mapped.spec.name} is given a number", "say by codes what it means")


def _check_constants(mapped: FieldMapping, section: Section) -> None:
    """Constants are taken as they stand, so they must stand in the canonical form."""
    kind = mapped.spec.kind
    if mapped.default is not None and kind in (FieldKind.DATE, FieldKind.DATETIME, FieldKind.INTEGER):
        raise MappingError(
            section.at("default"), f"{mapped.spec.name} has no default", "remove default: it stays empty"
        )
    for text in (mapped.constant, mapped.default, *(case.value for case in mapped.cases)):
        wanted = text if text is None else _canonical(text, mapped)
        if text != wanted:
            raise MappingError(section.where, f"{text!r} is not how {mapped.spec.name} is written", f"such as {wanted}")


def _canonical(text: str, mapped: FieldMapping) -> str:
    """The text itself where it is canonical, else what it should be."""
    kind = mapped.spec.kind
    if kind is FieldKind.DECIMAL:
        number = read_decimal(text)
        amount = number if isinstance(number, Decimal) else Decimal(1)
        return format_money(amount) if mapped.unit else format_decimal(amount)
    if kind is FieldKind.INTEGER:
        return str(int(text)) if text.isascii() and text.isdecimal() and len(text) < 6 else "60"
    if kind is FieldKind.DATE:
        day = read_day(text, ("ymd",), UTC)
        return day if isinstance(day, str) else "2022-01-31"
    if kind is FieldKind.DATETIME:
        moment = read_time(text, ("ymd",), UTC)
        return moment if isinstance(moment, str) else "2022-01-31T00:00:00Z"
    return text


def read_class(section: Section, lookups: dict[str, Lookup], path: Path) -> ClassMapping:
    """`path`: the mapping file, which the name of a table of classes is relative to."""
    table = section.maybe_text("table")
    mapped = ClassMapping(
        column=section.text("column"),
        scheme=section.choice("scheme", _SCHEMES),
        prefix=section.text("prefix", ""),
        name_column=section.maybe_text("name_column"),
        lookup=read_lookup_name(section, lookups),
        own={} if table is None else _own_classes(section, path.parent / table),
    )
    section.done()
    return mapped


def _own_classes(section: Section, table: Path) -> dict[str, tuple[str, str | None]]:
    try:
        return read_own_table(table)
    except ValueError as error:
        raise MappingError(
            section.at("table"), str(error), "a CSV in UTF-8 with the headings code, code2022, name2022"
        ) from None
