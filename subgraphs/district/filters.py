"""One parser for `AssetFilter`, whether it came as a GraphQL argument or inside a virtual warehouse's rule.

    AssetFilter as plain JSON ──▶ filter on canonical fields (adapters.model.Filter) | None (every row)

What names a region, or ids of other regions, is decided here, without the store: `Nothing` comes out where no row of
this region can match. `And`, `Or` and `Not` are simplified on the way, so a store never sees an empty one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Literal

from adapters.canonical import CANONICAL_FIELDS
from adapters.model import (
    And,
    Compare,
    Filter,
    HasIssues,
    In,
    IsNull,
    KeyIn,
    Not,
    Nothing,
    Or,
    TextContains,
    TextPrefix,
    UnderClass,
)
from contract.decimals import InvalidDecimal, parse_decimal
from contract.ids import InvalidId, parse_id
from subgraphs.district.text import parse_text
from subgraphs.kit.errors import BadInput
from subgraphs.kit.scalars import parse_day, parse_instant

__all__ = ["all_of", "any_of", "fields_of", "negation", "normal_form", "parse_filter"]

CONDITIONS_MAX = 500
DEPTH_MAX = 16
VALUES_MAX = 1_000
TEXT_LENGTH_MAX = 500

Json = Mapping[str, Any]
Maybe = Filter | None
"""None is the condition that every row meets."""


def all_of(parts: Iterable[Maybe]) -> Maybe:
    kept = [part for part in parts if part is not None]
    if any(isinstance(part, Nothing) for part in kept):
        return Nothing()
    return None if not kept else kept[0] if len(kept) == 1 else And(tuple(kept))


def any_of(parts: Iterable[Maybe]) -> Maybe:
    kept = []
    for part in parts:
        if part is None:
            return None
        if not isinstance(part, Nothing):
            kept.append(part)
    return Nothing() if not kept else kept[0] if len(kept) == 1 else Or(tuple(kept))


def negation(part: Maybe) -> Maybe:
    if part is None:
        return Nothing()
    return None if isinstance(part, Nothing) else Not(part)


def normal_form(filter_: Any) -> Any:
    """A parsed filter as plain JSON without what says nothing (nulls, empty conditions): what cursors are bound to."""
    return None if filter_ is None else _normal(filter_) or None


def _normal(filter_: Json) -> dict[str, Any]:
    """Below `and`, `or` and `not` an empty filter says something: it is met by every row."""
    found: dict[str, Any] = {}
    for name, value in filter_.items():
        if name in ("and", "or") and value is not None:
            found[name] = [_normal(part) for part in value]
        elif name == "not" and value is not None:
            found[name] = _normal(value)
        elif isinstance(value, Mapping):
            given = {operator: operand for operator, operand in value.items() if operand is not None}
            found |= {name: given} if given else {}
        elif value is not None:
            found[name] = value
    return found


def fields_of(filter_: Any) -> frozenset[str]:
    """The fields of `AssetFilter` that a parsed filter uses, at any depth."""
    found: set[str] = set()
    for name, value in (filter_ or {}).items():
        if value is None:
            continue
        if name in ("and", "or"):
            found.update(*(fields_of(part) for part in value))
        elif name == "not":
            found.update(fields_of(value))
        else:
            found.add(name)
    return frozenset(found)


def parse_filter(filter_: Any, region: str) -> Maybe:
    """The condition for rows of `region`. Raises `BadInput` naming the place of what is wrong."""
    return None if filter_ is None else _Parser(region).parse(filter_, "filter", DEPTH_MAX)


class _Parser:
    def __init__(self, region: str) -> None:
        self._region = region
        self._conditions = 0

    def parse(self, filter_: Any, where: str, depth: int) -> Maybe:
        if not isinstance(filter_, Mapping):
            raise BadInput(f"{where} must be an object")
        if depth == 0:
            raise BadInput(f"{where} is nested deeper than {DEPTH_MAX} levels")
        return all_of(
            [self._part(name, value, f"{where}.{name}", depth) for name, value in filter_.items() if value is not None]
        )

    def _part(self, name: str, value: Any, where: str, depth: int) -> Maybe:
        if name in ("and", "or"):
            parts = [self.parse(part, f"{where}[{index}]", depth - 1) for index, part in enumerate(_list(value, where))]
            return all_of(parts) if name == "and" else any_of(parts)
        if name == "not":
            return negation(self.parse(value, where, depth - 1))
        self._conditions += 1
        if self._conditions > CONDITIONS_MAX:
            raise BadInput(f"a filter has at most {CONDITIONS_MAX} conditions")
        match name:
            case "text":
                return parse_text(_text(value, where))
            case "shareable":
                return Compare("shareable", "eq", _boolean(value, where))
            case "hasIssues":
                return HasIssues(_boolean(value, where))
        condition = _CONDITIONS.get(name)
        if condition is None:
            raise BadInput(f"{where}: there is no such condition")
        if not isinstance(value, Mapping):
            raise BadInput(f"{where} must be an object")
        return all_of(
            [
                condition(name, operator, operand, f"{where}.{operator}", self._region)
                for operator, operand in value.items()
                if operand is not None
            ]
        )


# --- operands -----------------------------------------------------------------------------------------------------------


def _one_or_more(operator: str, operand: Any, where: str) -> list[str]:
    if operator == "eq":
        return [_text(operand, where)]
    if operator == "in":
        return _texts(operand, where)
    raise _no_operator(where)


def _in(name: str, operand: Any, where: str) -> Maybe:
    values = _texts(operand, where)
    return In(name, tuple(values)) if values else Nothing()


def _is_null(name: str, operand: Any, where: str) -> Maybe:
    return IsNull(name) if _boolean(operand, where) else Not(IsNull(name))


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise BadInput(f"{where} must be a list")
    if len(value) > VALUES_MAX:
        raise BadInput(f"{where} has more than {VALUES_MAX} elements")
    return list(value)


def _texts(value: Any, where: str) -> list[str]:
    return list(dict.fromkeys(_text(one, f"{where}[{index}]") for index, one in enumerate(_list(value, where))))


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise BadInput(f"{where} must be a text")
    if len(value) > TEXT_LENGTH_MAX:
        raise BadInput(f"{where} is longer than {TEXT_LENGTH_MAX} characters")
    return value


def _boolean(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise BadInput(f"{where} must be true or false")
    return value


def _decimal(value: Any, where: str) -> Decimal:
    try:
        return parse_decimal(_text(value, where))
    except InvalidDecimal as error:
        raise BadInput(f"{where}: {error}") from None


def _no_operator(where: str) -> BadInput:
    return BadInput(f"{where}: there is no such operator")


def _integer(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadInput(f"{where} must be a whole number")
    return value


def _date(value: Any, where: str) -> str:
    try:
        return parse_day(value)
    except BadInput as error:
        raise BadInput(f"{where}: {error.message}") from None


def _instant(value: Any, where: str) -> str:
    """As stores spell instants: UTC, whole seconds, so that their order as text is their order in time."""
    try:
        moment = datetime.fromisoformat(parse_instant(value)).astimezone(UTC)
    except (BadInput, OverflowError) as error:
        raise BadInput(f"{where}: {error}") from None
    if moment.microsecond:
        raise BadInput(f"{where}: stores know whole seconds; give no fraction of one")
    return moment.replace(tzinfo=None).isoformat() + "Z"


# --- conditions on one field: (field, operator, operand, where, region) → condition ------------------------------------


def _region(_name: str, operator: str, operand: Any, where: str, region: str) -> Maybe:
    wanted = _one_or_more(operator, operand, where)
    return None if region in wanted else Nothing()


def _id(name: str, operator: str, operand: Any, where: str, region: str) -> Maybe:
    kind = _ID_KINDS[name]
    natives = []
    for text in _one_or_more(operator, operand, where):
        try:
            id_ = parse_id(text, kind)
        except InvalidId as error:
            raise BadInput(f"{where}: {error}") from None
        if id_.region == region:
            natives.append(id_.native)
    if not natives:
        return Nothing()
    return KeyIn(tuple(natives)) if kind == "asset" else In(name, tuple(natives))


_ID_KINDS = {"id": "asset", "owner": "unit", "warehouse": "warehouse"}


def _textual(name: str, operator: str, operand: Any, where: str, _region: str) -> Maybe:
    match operator:
        case "eq":
            return Compare(name, "eq", _text(operand, where))
        case "in":
            return _in(name, operand, where)
        case "contains":
            return TextContains(name, _text(operand, where))
        case "startsWith":
            return TextPrefix(name, _text(operand, where))
        case "isNull":
            return _is_null(name, operand, where)
    raise _no_operator(where)


def _class(_name: str, operator: str, operand: Any, where: str, _region: str) -> Maybe:
    match operator:
        case "eq":
            return Compare("classCode", "eq", _text(operand, where))
        case "in":
            return _in("classCode", operand, where)
        case "under":
            codes = _texts(operand, where)
            return UnderClass(tuple(codes)) if codes else Nothing()
        case "isNull":
            return _is_null("classCode", operand, where)
    raise _no_operator(where)


_Comparison = Literal["eq", "gt", "gte", "lt", "lte"]
_COMPARISONS: dict[str, _Comparison] = {"eq": "eq", "gt": "gt", "gte": "gte", "lt": "lt", "lte": "lte"}


def _compared(
    read: Callable[[Any, str], Any], name: str, operator: str, operand: Any, where: str, _region: str
) -> Maybe:
    if operator == "isNull":
        return _is_null(name, operand, where)
    if operator not in _COMPARISONS:
        raise _no_operator(where)
    return Compare(name, _COMPARISONS[operator], read(operand, where))


_number, _whole, _day, _moment = (partial(_compared, reader) for reader in (_decimal, _integer, _date, _instant))


def _enum(name: str, operator: str, operand: Any, where: str, _region: str) -> Maybe:
    known = CANONICAL_FIELDS[name].values
    wanted = _one_or_more(operator, operand, where)
    for value in wanted:
        if value not in known:
            raise BadInput(f"{where}: {value!r} is none of {', '.join(known)}")
    if operator == "eq":
        return Compare(name, "eq", wanted[0])
    return In(name, tuple(wanted)) if wanted else Nothing()


_Condition = Callable[[str, str, Any, str, str], Maybe]
_CONDITIONS: dict[str, _Condition] = {
    "region": _region,
    "class": _class,
    "usefulLifeMonths": _whole,
    "updatedAt": _moment,
    **dict.fromkeys(("acquiredOn", "shareableUntil"), _day),
    **dict.fromkeys(("id", "owner", "warehouse"), _id),
    **dict.fromkeys(
        (
            "code",
            "name",
            "legacyClassCode",
            "specification",
            "brand",
            "model",
            "serialNumber",
            "unitOfMeasure",
            "location",
        ),
        _textual,
    ),
    **dict.fromkeys(("quantity", "originalValue", "accumulatedDepreciation", "netValue", "massKg"), _number),
    **dict.fromkeys(("acquisition", "valueType", "source", "condition", "status"), _enum),
}
