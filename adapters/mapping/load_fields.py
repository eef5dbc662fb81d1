"""`[fields]` of a mapping file: one canonical field each, with the keys that its kind has, and `[class]` beside them."""

from __future__ import annotations

from typing import Any

from adapters.canonical import CANONICAL_FIELDS
from adapters.mapping.dates import FORMATS
from adapters.mapping.load_parts import read_condition, read_lookup_name
from adapters.mapping.model import Case, ClassMapping, FieldMapping, Lookup
from adapters.mapping.toml import MappingError, Section, suggest
from adapters.model import FieldKind, FieldSpec

__all__ = ["read_class", "read_fields"]

_CLEANINGS = ("trim", "width", "mojibake")
_MONEY_UNITS = ("元", "万元", "分")
_MONEY_FIELDS = ("originalValue", "accumulatedDepreciation", "netValue")
_SCHEMES = ("1994", "2010", "2022")
_DERIVED = ("classScheme", "classCode", "className", "legacyClassScheme", "legacyClassCode", "legacyClassName")


def read_fields(section: Section, lookups: dict[str, Lookup]) -> dict[str, FieldMapping]:
    found: dict[str, FieldMapping] = {}
    for name in section.data:
        spec = CANONICAL_FIELDS.get(name)
        if name in _DERIVED or name == "class":
            raise MappingError(section.at(name), "this field is not mapped by itself", "the class is mapped by [class]")
        if spec is None or name == "observedAt":
            known = [field for field in CANONICAL_FIELDS if field not in _DERIVED and field != "observedAt"]
            raise MappingError(section.at(name), "there is no such canonical field", suggest(name, known))
        value = section.raw(name)
        part = (
            section.section(name)
            if isinstance(value, dict)
            else Section({"column": section.text(name)}, section.at(name))
        )
        found[name] = _field(part, spec, lookups)
    return found


def _field(section: Section, spec: FieldSpec, lookups: dict[str, Lookup]) -> FieldMapping:
    mapped = FieldMapping(
        spec=spec,
        columns=section.texts("columns", ()) or section.texts("column", ()),
        constant=section.maybe_text("value"),
        default=section.maybe_text("default"),
        empty=section.texts("empty", ()),
        clean=section.choices("clean", _CLEANINGS, ("trim",) if spec.kind is FieldKind.TEXT else ("trim", "width")),
        codes=section.text_map("codes") if section.has("codes") else None,
        lookup=read_lookup_name(section, lookups),
        when=read_condition(section.section("when")) if section.has("when") else None,
        cases=tuple(_case(part) for part in section.sections("cases")),
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


def _case(section: Section) -> Case:
    value = section.text("value")
    condition = read_condition(
        Section({key: item for key, item in section.data.items() if key != "value"}, section.where)
    )
    return Case(condition, value)


def _check_field(mapped: FieldMapping, section: Section) -> None:
    if not (mapped.columns or mapped.constant is not None or mapped.from_name or mapped.digest):
        raise MappingError(section.where, "no column is named", 'write column = "…" (or value = "…" for a constant)')
    values: tuple[str, ...] = mapped.spec.values
    if mapped.spec.kind is FieldKind.BOOLEAN:
        values = ("true", "false")
    if not values:
        return
    produced = [*(mapped.codes or {}).values(), *(case.value for case in mapped.cases)]
    produced += [text for text in (mapped.constant, mapped.default) if text is not None]
    for text in produced:
        if text not in values:
            raise MappingError(
                section.where, f"{text!r} is no value of {mapped.spec.name}", "one of " + ", ".join(values)
            )


def read_class(section: Section, lookups: dict[str, Lookup]) -> ClassMapping:
    mapped = ClassMapping(
        column=section.text("column"),
        scheme=section.choice("scheme", _SCHEMES),
        prefix=section.text("prefix", ""),
        name_column=section.maybe_text("name_column"),
        lookup=read_lookup_name(section, lookups),
    )
    section.done()
    return mapped
