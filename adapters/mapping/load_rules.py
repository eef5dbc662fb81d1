"""`[[quarantine]]` of a mapping file: rules of its own, on a native column or on a canonical field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from adapters.canonical import CANONICAL_FIELDS
from adapters.mapping.load_parts import CONDITION, read_condition
from adapters.mapping.model import FieldTest, QuarantineRule
from adapters.mapping.rules import readable
from adapters.mapping.toml import MappingError, Section, suggest
from adapters.model import FieldKind, FieldSpec

__all__ = ["FIELD_TEST", "read_rule"]

FIELD_TEST: Final = "field_test"
_BOUNDS: Final[tuple[Literal["lt", "lte", "gt", "gte"], ...]] = ("lt", "lte", "gt", "gte")
_NEVER = ("observedAt", "version")
"""What no row bears of itself."""
_UNORDERED = (FieldKind.ENUM, FieldKind.BOOLEAN, FieldKind.REFERENCE)


def read_rule(section: Section) -> QuarantineRule:
    name, why = section.text("name"), section.text("why", "")
    when = section.section("when", CONDITION)
    if "field" in when.data:
        when.scope = FIELD_TEST
        section.tell("when", "section", scope=FIELD_TEST)
        rule = QuarantineRule(name, _field_test(when), why)
    else:
        rule = QuarantineRule(name, read_condition(when), why)
    section.done()
    return rule


def _field_test(section: Section) -> FieldTest:
    known = [name for name in CANONICAL_FIELDS if name not in _NEVER]
    spec = CANONICAL_FIELDS[section.choice("field", known)]
    found = _test(section, spec)
    section.done()
    return found


def _test(section: Section, spec: FieldSpec) -> FieldTest:
    if section.has("is"):
        return FieldTest(spec, "null" if section.choice("is", ("null", "not null")) == "null" else "not_null")
    for bound in _BOUNDS:
        if section.has(bound):
            if spec.kind in _UNORDERED:
                raise MappingError(section.at(bound), f"{spec.name} has no order", "use in or not_in")
            return FieldTest(spec, bound, _checked(section, bound, spec, (section.text(bound),)))
    if section.has("not_in"):
        return FieldTest(spec, "not_in", _checked(section, "not_in", spec, section.texts("not_in")))
    return FieldTest(spec, "in", _checked(section, "in", spec, section.texts("in")))


def _checked(section: Section, key: str, spec: FieldSpec, values: Sequence[str]) -> tuple[str, ...]:
    choices = ("true", "false") if spec.kind is FieldKind.BOOLEAN else spec.values
    for value in values:
        if choices and value not in choices:
            raise MappingError(section.at(key), f"{value!r} is no value of {spec.name}", suggest(value, choices))
        if readable(spec, value) is None:
            remedy = "such as 2022-01-31" if spec.kind in (FieldKind.DATE, FieldKind.DATETIME) else "such as 100"
            raise MappingError(section.at(key), f"{value!r} is not how {spec.name} is written", remedy)
    return tuple(values)
