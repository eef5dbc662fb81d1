"""Expressions out of a mapping file: a text is a column, a table is one operation with its options.

`OPERATIONS` is the whole language. Each builder asks for the operation's keys and checks the types of its parts, so a
date that is to be multiplied is told when the file is read and not when a row comes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from adapters.mapping.expressions.choices import Case, Coalesce, First
from adapters.mapping.expressions.model import Column, Default, Expression, Type, Value
from adapters.mapping.expressions.numbers import Add, Div, Mul, Quantity, Sub, is_finite_divisor
from adapters.mapping.expressions.patterns import read_pattern
from adapters.mapping.expressions.texts import (
    Between,
    Concat,
    DateOf,
    Extract,
    Lower,
    MeasureWord,
    Replace,
    Split,
    Substring,
    Trim,
    Upper,
    Width,
)
from adapters.mapping.load_parts import read_codes
from adapters.mapping.numbers import read_decimal
from adapters.mapping.toml import MappingError, Section

__all__ = ["OPERATIONS", "PARTS_MAX", "read_expression", "scope_of"]

DEPTH_MAX = 8
"""Operations inside each other; a file that needs more is not meant for people."""
PARTS_MAX = 32
PLACES_MAX = 10
LENGTH_MAX = 1_000

_PLAIN = (Type.ANY, Type.TEXT, Type.NUMBER)
"""What operations on texts and on numbers take: a number has a text, and a text may be a number's. A day is neither."""


def scope_of(operation: str) -> str:
    """What an operation's keys are told under, wherever it stands."""
    return f"expression.{operation}"


def read_expression(section: Section, key: str, depth: int = 1) -> Expression:
    """The expression at a key: a column's name, or a table with one of `OPERATIONS`."""
    section.tell(key, "expression", is_required=True)
    value = section.raw(key)
    if value is None:
        raise MappingError(section.at(key), "this key is missing", f'write {key} = "<column>" or a table')
    return _expression(section, value, section.at(key), depth)


def _expression(section: Section, value: object, where: str, depth: int) -> Expression:
    if isinstance(value, str):
        return Column(value)
    part = section.child(value, where)
    named = [name for name in part.data if name in OPERATIONS]
    if len(named) != 1:
        problem = "no operation is named" if not named else f"{' and '.join(named)} stand together"
        raise MappingError(where, problem, f"write one of: {', '.join(OPERATIONS)}")
    if depth > DEPTH_MAX:
        raise MappingError(where, f"more than {DEPTH_MAX} operations stand inside each other", "make it simpler")
    part.scope = scope_of(named[0])
    found = OPERATIONS[named[0]](part, depth)
    part.done()
    return found


# --- parts --------------------------------------------------------------------------------------------------------


def _one(section: Section, key: str, depth: int, types: Sequence[Type] = _PLAIN) -> Expression:
    part = read_expression(section, key, depth + 1)
    return _typed(part, section.at(key), types)


def _several(section: Section, key: str, depth: int, types: Sequence[Type] = _PLAIN) -> tuple[Expression, ...]:
    section.tell(key, "expressions", is_required=True)
    values = section.raw(key)
    if not isinstance(values, list) or not 1 <= len(values) <= PARTS_MAX:
        raise MappingError(section.at(key), f"a list of 1 to {PARTS_MAX} is expected", f'write {key} = ["…", "…"]')
    parts = []
    for number, value in enumerate(values):
        where = f"{section.at(key)}[{number}]"
        parts.append(_typed(_expression(section, value, where, depth + 1), where, types))
    return tuple(parts)


def _alike(section: Section, key: str, depth: int) -> tuple[Expression, ...]:
    """Parts that can stand for each other: days (and columns) only, or none."""
    parts = _several(section, key, depth, tuple(Type))
    types = tuple(Type) if all(part.gives() is not Type.DATE for part in parts) else (Type.ANY, Type.DATE)
    for number, part in enumerate(parts):
        _typed(part, f"{section.at(key)}[{number}]", types)
    return parts


def _typed(part: Expression, where: str, types: Sequence[Type]) -> Expression:
    if part.gives() not in types:
        wanted = " or ".join(kind for kind in types if kind is not Type.ANY)
        raise MappingError(where, f"this gives a {part.gives()}, a {wanted} is expected", "use another operation here")
    return part


def _numeric(part: Expression, where: str) -> Expression:
    if isinstance(part, Value | Default) and not isinstance(read_decimal(part.text), Decimal):
        raise MappingError(where, f"{part.text!r} is no number", 'such as { value = "100" }')
    return part


def _one_number(section: Section, key: str, depth: int) -> Expression:
    return _numeric(_one(section, key, depth), section.at(key))


def _numbers(section: Section, key: str, depth: int) -> tuple[Expression, ...]:
    parts = _several(section, key, depth)
    return tuple(_numeric(part, f"{section.at(key)}[{number}]") for number, part in enumerate(parts))


def _filled(section: Section, key: str) -> str:
    text = section.text(key)
    if not text:
        raise MappingError(section.at(key), "this is empty", f'write {key} = "…"')
    return text


def _factor(section: Section) -> Decimal:
    number = read_decimal(section.text("by"))
    if not isinstance(number, Decimal) or number == 0:
        raise MappingError(section.at("by"), "a number other than 0 is expected", 'such as by = "10000"')
    return number


# --- operations ---------------------------------------------------------------------------------------------------


def _substring(section: Section, depth: int) -> Expression:
    part = _one(section, "substring", depth)
    length = section.integer("length", 1, 1, LENGTH_MAX) if section.has("length") else None
    return Substring(part, section.integer("from", 1, 1, LENGTH_MAX), length)


def _split(section: Section, depth: int) -> Expression:
    part, by = _one(section, "split", depth), _filled(section, "by")
    number = section.integer("part", 0, -PARTS_MAX, PARTS_MAX)
    if number == 0:
        raise MappingError(section.at("part"), "which piece is not said", "write part = 1 (or -1 for the last)")
    return Split(part, by, number)


def _between(section: Section, depth: int) -> Expression:
    part = _one(section, "between", depth)
    after, before = (_filled(section, key) if section.has(key) else None for key in ("after", "before"))
    if after is None and before is None:
        raise MappingError(section.where, "neither after nor before is there", 'write after = "…" or before = "…"')
    return Between(part, after, before)


def _extract(section: Section, depth: int) -> Expression:
    part = _one(section, "extract", depth)
    try:
        return Extract(part, read_pattern(section.text("pattern")))
    except ValueError as error:
        raise MappingError(section.at("pattern"), f"this is no pattern: {error}", 'such as "ZC-####"') from None


def _case(section: Section, depth: int) -> Expression:
    part, codes = _one(section, "case", depth), read_codes(section, "of")
    if not codes:
        raise MappingError(section.at("of"), "no code is listed", 'write of = { "1" = "…" }')
    return Case(part, codes, _one(section, "otherwise", depth) if section.has("otherwise") else None)


def _div(section: Section, depth: int) -> Expression:
    part, by = _one_number(section, "div", depth), _factor(section)
    places = section.integer("places", 0, 0, PLACES_MAX) if section.has("places") else None
    if places is None and not is_finite_divisor(by):
        raise MappingError(section.at("places"), f"what is divided by {by} may have no end", "write places = 2")
    return Div(part, by, places)


def _date(section: Section, depth: int) -> Expression:
    part = section.section("date", scope_of("date.parts"))
    year, month, day = (_one(part, key, depth) for key in ("year", "month", "day"))
    part.done()
    return DateOf(year, month, day)


OPERATIONS: dict[str, Callable[[Section, int], Expression]] = {
    "value": lambda section, depth: Value(_filled(section, "value")),
    "default": lambda section, depth: Default(_filled(section, "default")),
    "first": lambda section, depth: First(_alike(section, "first", depth)),
    "coalesce": lambda section, depth: Coalesce(_alike(section, "coalesce", depth)),
    "case": _case,
    "concat": lambda section, depth: Concat(_several(section, "concat", depth), section.text("separator", "")),
    "trim": lambda section, depth: Trim(_one(section, "trim", depth)),
    "width": lambda section, depth: Width(_one(section, "width", depth)),
    "upper": lambda section, depth: Upper(_one(section, "upper", depth)),
    "lower": lambda section, depth: Lower(_one(section, "lower", depth)),
    "substring": _substring,
    "split": _split,
    "between": _between,
    "extract": _extract,
    "replace": lambda section, depth: Replace(
        _one(section, "replace", depth), _filled(section, "old"), section.text("new", "")
    ),
    "add": lambda section, depth: Add(_numbers(section, "add", depth)),
    "sub": lambda section, depth: Sub(_numbers(section, "sub", depth)),
    "mul": lambda section, depth: Mul(_one_number(section, "mul", depth), _factor(section)),
    "div": _div,
    "date": _date,
    "quantity": lambda section, depth: Quantity(_one(section, "quantity", depth)),
    "measure_word": lambda section, depth: MeasureWord(_one(section, "measure_word", depth)),
}
