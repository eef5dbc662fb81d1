"""Members' values of one field become one value: pure functions, one for each way to gather.

    CONNECTION  merged by cursors (`pages`)          GROUPS   merged by their keys, other fields fold
    LIST        joined in the order of members       FOLD     an object, field by field
    ONE         the first answer                     SOURCES  each member's state; members that failed are added

Members that gave no value are `missing`: they cost their own rows and nothing else. Every total that lacks a member
says so (`ALL` folds to false). A member found out while gathering (rows out of order, another region's rows) is cut
out of that field and reported in `Notes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from typing import Any, TypeAlias, assert_never

from contract.cursors import InvalidCursor
from contract.decimals import InvalidDecimal, format_decimal, format_money, parse_decimal
from gateway.execution.members import MemberName
from gateway.execution.pages import MemberPage, Page, PageRequest, PageViolation, mark_missed, merge_pages, read_page
from gateway.execution.shapes import MISSING, Shape
from gateway.language.errors import Code
from gateway.language.paths import ResponsePath
from gateway.supergraph.model import FoldKind, GatherKind

__all__ = ["GatherNotes", "InvalidCursor", "Missing", "Moved", "Part", "Violation", "fold", "gather", "page_request"]

DECIMAL_PRECISION = 120


@dataclass(frozen=True, slots=True)
class Part:
    """One member's value of the field."""

    member: MemberName
    value: Any
    latency_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Missing:
    """A member that was asked and gave no value."""

    member: MemberName
    status: str
    """Of the vocabulary `UNAVAILABLE`, `OUTDATED`."""
    cause: str
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """A member cut out while gathering."""

    member: MemberName
    path: ResponsePath
    code: Code
    message: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a member's rows of a list went, so that its errors can follow: old index → new index."""

    region: str
    path: ResponsePath
    """The list, below the gathered field."""
    indexes: Mapping[int, int]


@dataclass(slots=True)
class GatherNotes:
    variables: Mapping[str, Any]
    language: str = "zh"
    trace: bool = False
    """Whether `moved` is wanted: only when a member's answer has errors."""
    violations: list[Violation] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    missed_earlier: set[str] = field(default_factory=set)
    is_exact: bool = True


def gather(
    shape: Shape, parts: Sequence[Part], missing: Sequence[Missing], notes: GatherNotes, path: ResponsePath = ()
) -> Any:
    """The value of `shape`'s field over all members. `path` is where it stands below the fetched root or entity."""
    kind = shape.kind
    match kind:
        case None:
            return _fold_or_plain(shape, parts, missing, notes, path)
        case GatherKind.CONNECTION:
            return _connection(shape, parts, missing, notes, path)
        case GatherKind.LIST:
            return _list(parts, missing, notes, path)
        case GatherKind.GROUPS:
            return _groups(shape, parts, missing, notes, path)
        case GatherKind.FOLD:
            return _object(shape, [part for part in parts if isinstance(part.value, dict)], missing, notes, path)
        case GatherKind.ONE:
            return parts[0].value if parts else None
        case GatherKind.SOURCES:
            return _sources(shape, parts, missing, notes)
        case _:
            assert_never(kind)


# Objects


def _fold_or_plain(
    shape: Shape, parts: Sequence[Part], missing: Sequence[Missing], notes: GatherNotes, path: ResponsePath
) -> Any:
    if shape.fold is not None:
        return fold(shape.fold, [part.value for part in parts], shape.is_decimal, complete=not missing)
    if shape.children:
        inner = [part for part in parts if isinstance(part.value, dict)]
        return _object(shape, inner, missing, notes, path) if inner or missing else None
    return parts[0].value if parts else None


def _object(
    shape: Shape, parts: Sequence[Part], missing: Sequence[Missing], notes: GatherNotes, path: ResponsePath
) -> dict[str, Any]:
    """Field by field: children by their own rule, plain fields from the first member."""
    built = dict(parts[0].value) if parts else dict.fromkeys((key for key, _ in shape.fields), None)
    _children_into(built, shape, parts, missing, notes, path)
    return built


def _children_into(
    built: dict[str, Any],
    shape: Shape,
    parts: Sequence[Part],
    missing: Sequence[Missing],
    notes: GatherNotes,
    path: ResponsePath,
) -> None:
    for key, child in shape.children.items():
        inner = [replace(part, value=part.value[key]) for part in parts if part.value.get(key) is not None]
        if parts and not inner and not missing and child.kind is not None:
            built[key] = None
            continue
        built[key] = gather(child, inner, missing, notes, (*path, key))


# Connections


def _connection(
    shape: Shape, parts: Sequence[Part], missing: Sequence[Missing], notes: GatherNotes, path: ResponsePath
) -> dict[str, Any]:
    keys = shape.connection
    assert keys is not None
    if not keys.has_rows:
        return _object(shape, [part for part in parts if isinstance(part.value, dict)], missing, notes, path)
    request = page_request(shape, notes.variables)
    good: list[Part] = []
    pages: list[MemberPage] = []
    out = list(missing)
    common: tuple[Any, ...] | None = None
    for part in parts:
        try:
            page, common = read_page(part.member.region, part.member.codes, part.value, keys, request, common)
        except PageViolation as violation:
            message = f"{part.member.region} {part.member.name} was left out: {violation}."
            notes.violations.append(Violation(part.member, path, Code.PARTITION_ORDER_VIOLATION, message))
            out.append(Missing(part.member, "UNAVAILABLE", Code.PARTITION_ORDER_VIOLATION, part.latency_ms))
            continue
        good.append(part)
        pages.append(page)
    merged = merge_pages(pages, [one.member.region for one in out], request)
    notes.missed_earlier |= merged.missed - {one.member.region for one in out}
    built = dict(good[0].value) if good else dict.fromkeys((key for key, _ in shape.fields), None)
    for key in keys.nodes:
        built[key] = [page.value[key][index] for page, index in merged.rows]
    for key, cursor_keys in keys.edges:
        built[key] = _edges(key, cursor_keys, merged)
    for key, fields in keys.pages:
        built[key] = {inner: _page_field(name, merged) for inner, name in fields}
    _children_into(built, shape, good, out, notes, path)
    if notes.trace:
        regions = [page.region for page in pages]
        _trace_rows(merged, regions, (*keys.nodes, *(key for key, _ in keys.edges)), notes, path)
    return built


def page_request(shape: Shape, variables: Mapping[str, Any]) -> PageRequest:
    """The paging arguments. Raises `InvalidCursor` for a cursor that cannot be read."""

    def value(name: str) -> Any:
        found = shape.arguments.get(name, variables)
        return None if found is MISSING else found

    request = PageRequest(value("first"), value("last"), value("after"), value("before"))
    request.bounds()
    return request


def _edges(key: str, cursor_keys: Sequence[str], merged: Page) -> list[Any]:
    if not merged.missed:
        return [page.value[key][index] for page, index in merged.rows]
    return [mark_missed(row, key, cursor_keys, merged.missed) for row in merged.rows]


def _page_field(name: str, merged: Page) -> Any:
    match name:
        case "hasNextPage":
            return merged.has_next
        case "hasPreviousPage":
            return merged.has_previous
        case "startCursor":
            return merged.start_cursor
        case "endCursor":
            return merged.end_cursor
        case "__typename":
            return "PageInfo"
        case _:
            return None


def _trace_rows(
    merged: Page, regions: Sequence[str], keys: Sequence[str], notes: GatherNotes, path: ResponsePath
) -> None:
    by_region: dict[str, dict[int, int]] = {region: {} for region in regions}
    for place, (page, index) in enumerate(merged.rows):
        by_region[page.region][index] = place
    for region, indexes in by_region.items():
        notes.moved.extend(Moved(region, (*path, key), indexes) for key in keys)


# Lists, groups, sources


def _list(parts: Sequence[Part], missing: Sequence[Missing], notes: GatherNotes, path: ResponsePath) -> Any:
    joined: list[Any] = []
    good = [part for part in parts if isinstance(part.value, list)]
    if not good and missing:
        return None
    for part in good:
        if notes.trace:
            notes.moved.append(
                Moved(part.member.region, path, {old: len(joined) + old for old in range(len(part.value))})
            )
        joined.extend(part.value)
    return joined


def _groups(
    shape: Shape, parts: Sequence[Part], missing: Sequence[Missing], notes: GatherNotes, path: ResponsePath
) -> Any:
    """Groups of equal keys become one; they come in the order in which they are first seen."""
    groups: dict[tuple[Any, ...], list[Part]] = {}
    for part in parts:
        for one in part.value if isinstance(part.value, list) else ():
            if isinstance(one, dict):
                identity = tuple(_hashable(one.get(key)) for key in shape.by)
                groups.setdefault(identity, []).append(replace(part, value=one))
    # A group that some members do not have is whole all the same: only members that failed make it incomplete.
    return [_object(shape, same, (), notes, path) for same in groups.values()]


def _hashable(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)


_SOURCE_FIELDS: Mapping[str, Callable[[Missing, str], Any]] = {
    "region": lambda one, language: one.member.region,
    "name": lambda one, language: one.member.name_in(language),
    "status": lambda one, language: one.status,
    "latencyMs": lambda one, language: None if one.latency_ms is None else round(one.latency_ms, 1),
    "asOf": lambda one, language: None,
    "__typename": lambda one, language: None,
}


def _sources(shape: Shape, parts: Sequence[Part], missing: Sequence[Missing], notes: GatherNotes) -> list[Any]:
    """What members say of themselves, and a record for each that says nothing; in the order of regions."""
    by_region: list[tuple[str, list[Any]]] = []
    for part in parts:
        own = [dict(one) for one in part.value if isinstance(one, dict)] if isinstance(part.value, list) else []
        for one in own:
            for key in shape.keys_of("latencyMs"):
                one[key] = round(part.latency_ms, 1)
        by_region.append((part.member.region, own))
    for lost in missing:
        record = {
            key: _SOURCE_FIELDS[name](lost, notes.language) for key, name in shape.fields if name in _SOURCE_FIELDS
        }
        for key in shape.keys_of("__typename"):
            record[key] = shape.element_type or None
        by_region.append((lost.member.region, [record]))
    by_region.sort(key=lambda pair: pair[0])
    return [record for _, own in by_region for record in own]


# Folds

Values: TypeAlias = Sequence[Any]


def fold(kind: FoldKind, values: Values, is_decimal: bool, *, complete: bool) -> Any:
    """Nulls do not count. `complete` is false when a member is missing: then nobody can say `ALL`."""
    present = [value for value in values if value is not None]
    match kind:
        case FoldKind.SUM:
            return _sum_decimals(present) if is_decimal else _sum_numbers(present)
        case FoldKind.MIN:
            return _extreme(min, present, is_decimal)
        case FoldKind.MAX:
            return _extreme(max, present, is_decimal)
        case FoldKind.ANY:
            return any(value is True for value in present)
        case FoldKind.ALL:
            return complete and all(value is True for value in present)
        case FoldKind.FIRST:
            return present[0] if present else None
        case _:
            assert_never(kind)


def _sum_numbers(values: Values) -> Any:
    return sum(value for value in values if isinstance(value, (int, float)))


def _sum_decimals(values: Values) -> str | None:
    """Exact. Money stays money (two decimals) when every summand is written so."""
    try:
        numbers = [parse_decimal(str(value)) for value in values]
    except InvalidDecimal:
        return None
    with localcontext() as context:
        context.prec = DECIMAL_PRECISION
        total = sum(numbers, Decimal(0))
    is_money = bool(values) and all(len(str(value).partition(".")[2]) >= 2 for value in values)
    return format_money(total) if is_money else format_decimal(total)


def _extreme(choose: Callable[..., Any], values: Values, is_decimal: bool) -> Any:
    try:
        return choose(values, key=_comparable(is_decimal), default=None)
    except (InvalidDecimal, TypeError):
        return None  # A member gave what does not compare: no extreme is true.


def _comparable(is_decimal: bool) -> Callable[[Any], Any]:
    return (lambda value: parse_decimal(str(value))) if is_decimal else (lambda value: value)
