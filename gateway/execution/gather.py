"""Members' values of one field become one value: pure functions, one for each way to gather.

    CONNECTION  merged by cursors (`pages`)          GROUPS   merged by their keys, other fields fold
    LIST        joined in the order of members       FOLD     an object, field by field
    ONE         the first answer                     SOURCES  each member's state; members that failed are added

Members that gave no value are `missing`: they cost their own rows and nothing else. Every total that lacks a member
says so (`ALL` folds to false). A member found out while gathering (rows out of order, another region's rows, a sum that
is no number) is cut out of that field and reported in `GatherNotes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from typing import Any, TypeAlias, assert_never

from contract.decimals import InvalidDecimal, format_decimal, format_money, parse_decimal
from gateway.execution.members import MemberName
from gateway.execution.pages import (
    MemberPage,
    Page,
    PageRequest,
    PageViolation,
    common_form,
    mark_edge,
    merge_pages,
    read_page,
)
from gateway.execution.shapes import MISSING, ConnectionKeys, Shape
from gateway.execution.trust import foreign_row, repeated_row
from gateway.language.errors import Code
from gateway.language.paths import ResponsePath
from gateway.plan.nodes import GATHER_EDGES
from gateway.supergraph.model import FoldKind, GatherKind, SourceField, SourceStatus

__all__ = ["GatherNotes", "Missing", "Moved", "Part", "TooManyGroups", "Violation", "fold", "gather", "page_request"]

DECIMAL_PRECISION = 120
GROUPS_MAX = 10_000
"""Of one field, over all members: groups are fetched whole, never cut to the largest."""


class TooManyGroups(Exception):
    """More than `GROUPS_MAX`."""


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
    status: SourceStatus
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
            return _list(shape, parts, missing, notes, path)
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
    jury = _Jury(parts, missing, notes, path)
    jury.numbers(shape)
    parts, missing = jury.good, jury.missing
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
    jury = _Jury(parts, missing, notes, path)
    jury.numbers(shape)
    pages = jury.pages(keys, request)
    merged = merge_pages(pages, [one.member.region for one in jury.missing], request)
    notes.missed_earlier |= merged.missed - {one.member.region for one in jury.missing}
    good = jury.good
    built = dict(good[0].value) if good else dict.fromkeys((key for key, _ in shape.fields), None)
    for key in keys.nodes:
        built[key] = [page.value[key][index] for page, index in merged.rows]
    for key, cursor_keys in keys.edges:
        built[key] = _edges(key, cursor_keys, merged)
    for key, fields in keys.pages:
        built[key] = {inner: _page_field(name, merged) for inner, name in fields}
    _children_into(built, shape, good, jury.missing, notes, path)
    if notes.trace:
        regions = [page.region for page in pages]
        _trace_rows(merged, regions, (*keys.nodes, *(key for key, _ in keys.edges)), notes, path)
    return built


_Verdict: TypeAlias = tuple[Part, str, Code]
"""Who is cut out, why, and under which code."""


@dataclass(slots=True)
class _Jury:
    """Hears what members gave for one field, and cuts out those that broke a rule: they are missing from then on."""

    good: Sequence[Part]
    missing: Sequence[Missing]
    notes: GatherNotes
    path: ResponsePath

    def cut(self, verdicts: Iterable[_Verdict]) -> None:
        found_out = {id(part): (reason, code) for part, reason, code in verdicts}
        lost = [part for part in self.good if id(part) in found_out]
        self.good = [part for part in self.good if id(part) not in found_out]
        for part in lost:
            reason, code = found_out[id(part)]
            message = f"{part.member.region} {part.member.name} was left out: {reason}."
            violation = Violation(part.member, self.path, code, message)
            if violation not in self.notes.violations:
                self.notes.violations.append(violation)
            self.missing = [*self.missing, Missing(part.member, SourceStatus.UNAVAILABLE, code, part.latency_ms)]

    def pages(self, keys: ConnectionKeys, request: PageRequest) -> list[MemberPage]:
        """The pages of those that are believed, in their order."""
        pages: dict[int, MemberPage] = {}
        wrong: list[_Verdict] = []
        for part in self.good:
            try:
                pages[id(part)] = read_page(part.member.region, part.member.codes, part.value, keys, request)
            except PageViolation as violation:
                wrong.append((part, str(violation), violation.code))
        self.cut(wrong)
        self._other_forms([(part, pages[id(part)]) for part in self.good])
        return [pages[id(part)] for part in self.good]

    def _other_forms(self, read: Sequence[tuple[Part, MemberPage]]) -> None:
        form = common_form([page for _, page in read])
        reason = "its cursors are of another order or filter than most members'"
        if form is None:
            reason = "members disagree on the order or filter of their cursors, and none has more on its side"
        self.cut(
            (part, reason, Code.PARTITION_ORDER_VIOLATION)
            for part, page in read
            if page.form is not None and page.form != form
        )

    def rows(self, shape: Shape) -> None:
        """Cuts out who gave a row of another region's, or one row twice, in a list."""
        for part in self.good:
            foreign = foreign_row(part.value, shape.row_keys, part.member.codes)
            repeated = repeated_row(part.value, shape.row_keys)
            if foreign is not None:
                self.cut([(part, f"it gave {foreign!r}, which is another region's", Code.PARTITION_FOREIGN_ROW)])
            elif repeated is not None:
                self.cut([(part, f"it gave {repeated!r} twice", Code.PARTITION_ORDER_VIOLATION)])

    def numbers(self, shape: Shape) -> None:
        """Cuts out who gave something to sum or compare that is no value of its kind."""
        for key, child in shape.children.items():
            if child.fold in _COMPARED:
                reason = f"its {child.name} is no value that can be summed or compared"
                self.cut(
                    (part, reason, Code.PARTITION_BAD_VALUE)
                    for part in self.good
                    if isinstance(part.value, dict) and not _is_value(part.value.get(key), child)
                )


def page_request(shape: Shape, variables: Mapping[str, Any]) -> PageRequest:
    """The paging arguments. Raises `InvalidCursor` for a cursor that cannot be read."""

    def value(name: str) -> Any:
        found = shape.arguments.get(name, variables)
        return None if found is MISSING else found

    order = shape.gather.order if shape.gather is not None else None
    return PageRequest.of(
        value("first"), value("last"), value("after"), value("before"), None if order is None else value(order)
    )


def _edges(key: str, cursor_keys: Sequence[str], merged: Page) -> list[Any]:
    if not cursor_keys or key == GATHER_EDGES:
        return [page.value[key][index] for page, index in merged.rows]
    return [mark_edge(row, key, cursor_keys, merged) for row in merged.rows]


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


def _list(
    shape: Shape, parts: Sequence[Part], missing: Sequence[Missing], notes: GatherNotes, path: ResponsePath
) -> Any:
    joined: list[Any] = []
    jury = _Jury([part for part in parts if isinstance(part.value, list)], missing, notes, path)
    jury.rows(shape)
    if not jury.good and jury.missing:
        return None
    for part in jury.good:
        if notes.trace:
            notes.moved.append(
                Moved(part.member.region, path, {old: len(joined) + old for old in range(len(part.value))})
            )
        joined.extend(part.value)
    return joined


def _groups(
    shape: Shape, parts: Sequence[Part], missing: Sequence[Missing], notes: GatherNotes, path: ResponsePath
) -> Any:
    """Groups of equal keys become one; they come in the order of their keys, whoever has which."""
    groups: dict[tuple[Any, ...], list[Part]] = {}
    for part in parts:
        for one in part.value if isinstance(part.value, list) else ():
            if isinstance(one, dict):
                identity = tuple(_comparable_key(one.get(key)) for key in shape.by)
                groups.setdefault(identity, []).append(replace(part, value=one))
                if len(groups) > GROUPS_MAX:
                    raise TooManyGroups
    # A group that some members do not have is whole all the same: only members that failed make it incomplete.
    return [_object(shape, groups[identity], (), notes, path) for identity in sorted(groups)]


def _comparable_key(value: Any) -> tuple[int, Any]:
    """Numbers by value, texts by code points, what cannot be compared by its spelling; nulls last."""
    if isinstance(value, bool):
        return 0, value
    if isinstance(value, (int, float)):
        return 1, value
    if isinstance(value, str):
        return 2, value
    return (4, "") if value is None else (3, repr(value))


_FILLED = frozenset(SourceField)


def _source_value(name: SourceField, lost: Missing, language: str) -> Any:
    match name:
        case SourceField.REGION:
            return lost.member.region
        case SourceField.NAME:
            return lost.member.name_in(language)
        case SourceField.STATUS:
            return lost.status.value
        case SourceField.LATENCY_MS:
            return None if lost.latency_ms is None else round(lost.latency_ms, 1)
        case SourceField.AS_OF:
            return None
        case _:
            assert_never(name)


def _sources(shape: Shape, parts: Sequence[Part], missing: Sequence[Missing], notes: GatherNotes) -> list[Any]:
    """What members say of themselves, and a record for each that says nothing; in the order of regions."""
    by_region: list[tuple[str, list[Any]]] = []
    for part in parts:
        own = [dict(one) for one in part.value if isinstance(one, dict)] if isinstance(part.value, list) else []
        for one in own:
            for key in shape.keys_of(SourceField.LATENCY_MS):
                one[key] = round(part.latency_ms, 1)
        by_region.append((part.member.region, own))
    for lost in missing:
        record = {
            key: _source_value(SourceField(name), lost, notes.language) for key, name in shape.fields if name in _FILLED
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
    return sum(values)


def _sum_decimals(values: Values) -> str:
    """Exact. Money stays money (two decimals) when every summand is written so."""
    with localcontext() as context:
        context.prec = DECIMAL_PRECISION
        total = sum((parse_decimal(str(value)) for value in values), Decimal(0))
    is_money = bool(values) and all(len(str(value).partition(".")[2]) >= 2 for value in values)
    return format_money(total) if is_money else format_decimal(total)


def _extreme(choose: Callable[..., Any], values: Values, is_decimal: bool) -> Any:
    return choose(values, key=_decimal if is_decimal else None, default=None)


def _decimal(value: Any) -> Decimal:
    return parse_decimal(str(value))


_COMPARED = frozenset({FoldKind.SUM, FoldKind.MIN, FoldKind.MAX})
_NUMBERS = frozenset({"Int", "Float"})


def _is_value(value: Any, shape: Shape) -> bool:
    """Whether a folded field's value can be summed or compared with others of its kind."""
    if value is None:
        return True
    if shape.element_type in _NUMBERS:
        return value.__class__ is int or value.__class__ is float
    if not shape.is_decimal:
        return isinstance(value, str)
    try:
        _decimal(value)
    except InvalidDecimal:
        return False
    return True
