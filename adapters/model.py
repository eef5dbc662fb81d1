"""The store protocol: what every adapter offers, whatever legacy system is behind it.

A store answers in *canonical* rows: plain dicts whose keys are `CANONICAL_FIELDS` and whose values are plain data
(see `Kind`). A store never says who may see a row; the caller passes that as part of the filter. Secret rows are
the exception: no method ever returns, counts or logs them.

    Filter ─┐
    Order  ─┼─▶ Store.page ──▶ Page(rows, keys, has_next, has_previous)
    cursor ─┘
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, Protocol, TypeAlias, TypedDict

from adapters.status import Explanation, Fault, ReasonCode, StoreCapabilities, StoreHealth
from contract.order import Direction, Kind, SortValue

__all__ = [
    "And",
    "Compare",
    "Explanation",
    "FieldKind",
    "FieldSpec",
    "Filter",
    "GroupRow",
    "HasIssues",
    "In",
    "IsNull",
    "Issue",
    "KeyIn",
    "Not",
    "Nothing",
    "Or",
    "OrderTerm",
    "Page",
    "PageRequest",
    "Position",
    "QualityReport",
    "QuarantinedRow",
    "Row",
    "SourceRefused",
    "Store",
    "StoreCapabilities",
    "StoreConflict",
    "StoreError",
    "StoreHealth",
    "StoreUnavailable",
    "StoreUnsupported",
    "TextContains",
    "TextMatch",
    "TextPrefix",
    "UnderClass",
]


class Issue(TypedDict):
    code: str
    """`ZERO_DATE`, `UNKNOWN_CODE`, …: documented in docs/data-quality.md."""
    field: str | None
    raw: str | None
    rule: str
    """The rule of the mapping that found it, such as `fields.acquiredOn.date`."""
    blocking: bool


Row: TypeAlias = dict[str, Any]
"""A canonical row. Keys as in the district contract's `Asset`, flat:

native (str, the native key before escaping), code, name, classScheme, classCode, className (2022 scheme or None),
legacyClassScheme, legacyClassCode, legacyClassName, specification, brand, model, serialNumber,
quantity, originalValue, accumulatedDepreciation, netValue, massKg (canonical decimal text),
unitOfMeasure, acquiredOn, shareableUntil (ISO date), acquisition, valueType, source, condition, status (enum name),
usefulLifeMonths (int), owner, warehouse (native key of the unit or warehouse, or None), keeper, user, location,
shareable (bool), version (str), updatedAt, observedAt (RFC 3339 UTC), issues (list of `Issue`).
A row holds at least the columns asked for, and `native`; where none are named, all of them.
"""


class FieldKind(StrEnum):
    TEXT = "text"
    DECIMAL = "decimal"
    DATE = "date"
    DATETIME = "datetime"
    ENUM = "enum"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A canonical field as filters, orders and mappings see it."""

    name: str
    kind: FieldKind
    values: tuple[str, ...] = ()
    """Of an enum: its values in declared order (which is its sort order)."""
    orderable: bool = False
    filterable: bool = True
    personal: bool = False


# --- filters: a closed union --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True for every row for which `part` is not true; two-valued, so a null field satisfies `Not(Compare(…))`."""

    part: Filter


@dataclass(frozen=True, slots=True)
class Compare:
    """`field op value`; false on null. Decimals by value, dates by time, text by code points, booleans by `eq`."""

    field: str
    op: Literal["eq", "gt", "gte", "lt", "lte"]
    value: str | Decimal | bool | int


@dataclass(frozen=True, slots=True)
class In:
    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IsNull:
    field: str


@dataclass(frozen=True, slots=True)
class TextContains:
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class TextPrefix:
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class UnderClass:
    """The row's 2022 class code is one of `codes` or below it (starts with it)."""

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TextMatch:
    """Every token group matches: any alternative of a group occurs, NFKC and case folded, in name, specification,
    brand, model or class name. Synonyms are the alternatives, already expanded and folded."""

    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class KeyIn:
    """The native key is one of these."""

    natives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HasIssues:
    wanted: bool


@dataclass(frozen=True, slots=True)
class Nothing:
    """No row."""


Filter: TypeAlias = (
    And
    | Or
    | Not
    | Compare
    | In
    | IsNull
    | TextContains
    | TextPrefix
    | UnderClass
    | TextMatch
    | KeyIn
    | HasIssues
    | Nothing
)


# --- pages --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderTerm:
    field: str
    direction: Direction = Direction.ASC


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the store's own forward order: `values` for the order terms, then the native key's order values.

    `native` is None when the place lies before (`inclusive`) or after all rows of these values.
    """

    values: tuple[SortValue, ...]
    native: tuple[SortValue, ...] | None
    inclusive: bool
    """Only with `native` None: whether rows whose values equal `values` are still to come (region after the
    cursor's) or already past (region before it)."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    filter: Filter | None
    order: tuple[OrderTerm, ...]
    limit: int
    backward: bool = False
    """Take the last `limit` rows before `before` (or of all) instead of the first; rows still come in forward order."""
    after: Position | None = None
    before: Position | None = None
    columns: frozenset[str] | None = None
    """Canonical fields wanted; None: all."""


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Row]
    sort_values: Sequence[tuple[SortValue, ...]]
    """Per row: the values of the order terms, as they stand in a cursor."""
    native_values: Sequence[tuple[SortValue, ...]]
    """Per row: the native key's order values, of `Store.native_kinds`."""
    has_more: bool
    """Whether rows lie beyond the page in its direction of paging."""


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    native: tuple[SortValue, ...]
    """Order values; the row's place in the quarantine list."""
    raw: Mapping[str, Any]
    issues: Sequence[Issue]


@dataclass(frozen=True, slots=True)
class QualityReport:
    rows: int
    listed: int
    quarantined: int
    issues: Mapping[tuple[str, str | None], int]
    """(code, field) → rows that have it; of quarantined rows only the blocking ones are counted."""


@dataclass(frozen=True, slots=True)
class GroupRow:
    key: tuple[str | None, ...]
    count: int
    quantity: Decimal
    original_value: Decimal
    net_value: Decimal


class StoreError(Exception):
    """Root of what a store raises; messages hold no password and no raw row.

    StoreError
    ├── StoreUnavailable   the store did not answer (refused, timed out, file missing): try again later
    │   └── SourceRefused  this state of a source is not usable (half a file): only another state will be
    ├── StoreConflict      the row is not as it was seen: nothing was written
    └── StoreUnsupported   this store cannot do it (an order over too many rows): never try again unchanged
    """

    code = "STORE_ERROR"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.code

    @property
    def fault(self) -> Fault:
        return Fault(self.code, str(self))


class StoreUnavailable(StoreError):
    code = "STORE_UNAVAILABLE"


class SourceRefused(StoreUnavailable):
    code = "SOURCE_REFUSED"


class StoreConflict(StoreError):
    code = "STORE_CONFLICT"


class StoreUnsupported(StoreError):
    """`reason` says why in a word; a live store's `explain` hands it on."""

    code = "STORE_UNSUPPORTED"

    def __init__(self, message: str, reason: ReasonCode = ReasonCode.UNKNOWN) -> None:
        super().__init__(message)
        self.reason = reason


class Store(Protocol):
    """One region's assets in canonical form. All methods may be called concurrently."""

    region: str
    capabilities: StoreCapabilities
    native_kinds: tuple[Kind, ...]
    """How the native key's order values compare."""

    async def open(self) -> None:
        """Connect and check that the store has what the mapping names. Raises `StoreError`."""

    async def close(self) -> None: ...

    async def page(self, request: PageRequest) -> Page: ...

    async def explain(self, request: PageRequest) -> Explanation:
        """Where each part of the request would be done, by which statement, at what cost, and why."""

    async def health(self) -> StoreHealth:
        """Whether the store can answer, and out of how old a state. Never raises `StoreError`."""

    async def rows(self, natives: Iterable[str], columns: frozenset[str] | None = None) -> Mapping[str, Row]:
        """Rows by native key (as in ids); unknown, quarantined and secret keys are absent."""

    async def count(self, filter_: Filter | None) -> int: ...

    async def groups(self, by: Sequence[str], filter_: Filter | None) -> Sequence[GroupRow]:
        """Group by canonical fields (`classTop` is the first three characters of the class code)."""

    async def quality(self) -> QualityReport: ...

    async def quarantine(self, limit: int, after: tuple[SortValue, ...] | None) -> Sequence[QuarantinedRow]: ...

    async def units(self) -> Sequence[Mapping[str, Any]]:
        """All units: native, name, uscc."""

    async def warehouses(self) -> Sequence[Mapping[str, Any]]:
        """All warehouses: native, name, kind, address."""

    async def as_of(self) -> datetime:
        """The age of the data: now for a live store, the source's time for an indexed one."""

    async def write_status(self, native: str, status: str, expected_version: str | None) -> bool:
        """Write a custody change into the legacy store, and only over the row as it was seen.

        False where the mapping does not grant it, or there is no such row (未落库). Raises `StoreConflict` where the row
        has changed: it is never overwritten.
        """
