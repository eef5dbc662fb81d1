"""A mapping file as data: what a district's engineer wrote, checked and complete.

Columns are named as in the store: `column` of the source table, `alias.column` of a joined one, `a.b.c` inside a
document, a heading in a file. `@sheet` and captions (`@uscc`) are what a workbook says beside its cells.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from adapters.mapping.address import StoreUrl
from adapters.mapping.expressions.model import Expression
from adapters.mapping.rest import RestPaging
from adapters.model import FieldSpec
from adapters.status import StoreCapabilities

__all__ = [
    "ANY_SQL",
    "CSV",
    "DOCUMENT_ENGINES",
    "FILE_ENGINES",
    "JSONL",
    "MONGODB",
    "SQL_ENGINES",
    "TABLE_ENGINES",
    "TABULAR_ENGINES",
    "XLSX",
    "Caption",
    "Case",
    "ClassMapping",
    "Condition",
    "FeedSettings",
    "FieldMapping",
    "FieldTest",
    "FileLayout",
    "Guest",
    "HourSpan",
    "IndexSettings",
    "Join",
    "KeyPart",
    "Listing",
    "Lookup",
    "Mapping",
    "QuarantineRule",
    "RegionRule",
    "Secrecy",
    "StoreSettings",
    "WriteGrant",
]

SQL_ENGINES = ("sqlite", "postgresql", "mysql", "mariadb", "oracle", "mssql", "dm", "kingbase")
CSV, XLSX, MONGODB, JSONL = "csv", "xlsx", "mongodb", "jsonl"
ANY_SQL = "sql"
"""Whatever else SQLAlchemy has a dialect for. How it compares texts is not known: it is asked for all rows, and judged by us."""
TABLE_ENGINES = (*SQL_ENGINES, ANY_SQL)
TABULAR_ENGINES = (CSV, XLSX)
FILE_ENGINES = (*TABULAR_ENGINES, JSONL)
DOCUMENT_ENGINES = (MONGODB, JSONL)


@dataclass(frozen=True, slots=True)
class HourSpan:
    """Minutes of the day in Asia/Shanghai, from the first up to before the last; over midnight where it ends earlier."""

    start: int
    end: int

    def holds(self, minute: int) -> bool:
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    def __str__(self) -> str:
        return f"{self.start // 60:02}:{self.start % 60:02}-{self.end // 60:02}:{self.end % 60:02}"


@dataclass(frozen=True, slots=True)
class Guest:
    """How the store wants to be treated by those who read it."""

    connections_max: int = 2
    hours: tuple[HourSpan, ...] = ()
    """When the store may be read; empty: always."""
    rows_per_s: int | None = None
    rows_burst: int = 0
    """So many rows may come at once before the rate is waited for; 0: a second's worth."""
    connect_timeout_s: float = 5.0
    statement_timeout_s: float = 10.0
    compression: bool = False
    """Whether the line is compressed, of MySQL's protocol."""
    tls: Literal["default", "off", "require", "verify"] = "default"
    """`default`: as the driver does; `require`: encrypted, whoever answers; `verify`: with a certificate we trust."""
    tls_ca: str | None = None
    """A file of certificates to trust instead of the system's."""
    tls_version_min: str = "1.2"
    tls_ciphers: str | None = None
    """As OpenSSL lists them; None: what it thinks right."""

    @property
    def burst(self) -> int:
        return self.rows_burst or self.rows_per_s or 0

    @property
    def allows_old_tls(self) -> bool:
        return self.tls in ("require", "verify") and self.tls_version_min in ("1.0", "1.1")


@dataclass(frozen=True, slots=True)
class StoreSettings:
    engine: str
    url: str
    """Complete: `${…}` filled in, file paths absolute."""
    mode: Literal["live", "indexed"] = "live"
    encoding: str = "auto"
    scan_rows_max: int = 50_000
    """How many rows a live store may read to filter and sort by itself."""
    reread_s: float = 2.0
    """How old a copy of a file or a document store may grow before it is looked at again."""
    reload_s: float = 60.0
    """How often a store that keeps no proof of changes is read again whatever it says of them."""
    guest: Guest = field(default_factory=lambda: Guest())

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", StoreUrl(self.url))


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """How the local index of an indexed store is kept."""

    refresh_s: float | None = None
    """How often the source is looked at, and a server read; None: as `reread_s` and `reload_s` have it."""
    full_s: float = 86_400.0
    """How often a store with a change feed is read as a whole all the same."""


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """By what the store tells which rows have changed."""

    by: Literal["updated_at", "version", "digest"]
    overlap_s: float = 300.0
    """By how much clocks may differ and commits lag behind the times that rows bear, together."""
    key_scan_s: float = 0.0
    """By `updated_at`: how often all keys are read, which finds the rows that are gone or have become secret."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A column's text form is one of `values` (or is null, or is not)."""

    column: str
    test: Literal["in", "not_in", "null", "not_null"]
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Join:
    """A left join to at most one row."""

    table: str
    alias: str
    on: tuple[tuple[str, str], ...]
    """(column of the joined table, column of what stands before it)."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A code table that stands in the store."""

    name: str
    table: str
    key: str
    value: str
    label: str | None = None
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Secrecy:
    """Which values are open; every other one, the missing one included, is secret."""

    column: str | None
    open: tuple[str, ...] = ()
    lookup: str | None = None
    reason: str | None = None
    """Why nothing in this store can be secret, where there is no column."""


@dataclass(frozen=True, slots=True)
class KeyPart:
    column: str
    kind: Literal["text", "integer"] = "text"
    trim: bool = True
    """Whether spaces around a text key mean nothing; `false` where the store surely has none (then keys are compared
    as they stand, by the store's own index)."""


@dataclass(frozen=True, slots=True)
class Case:
    """Where the condition holds, the field has this value, whatever its column says."""

    when: Condition
    value: str


@dataclass(frozen=True, slots=True)
class FieldMapping:
    spec: FieldSpec
    columns: tuple[str, ...] = ()
    """The first that is not empty counts."""
    constant: str | None = None
    default: str | None = None
    """What an empty value becomes; the row bears the issue DEFAULTED."""
    empty: tuple[str, ...] = ()
    """Values that mean "not recorded", without any issue."""
    clean: tuple[str, ...] = ()
    codes: Map[str, str] | None = None
    lookup: str | None = None
    unit: str = ""
    minus: str | None = None
    """A second column to be subtracted from the first."""
    formats: tuple[str, ...] = ()
    zone: str = "Asia/Shanghai"
    cases: tuple[Case, ...] = ()
    when: Condition | None = None
    """The field is null, without any issue, where this does not hold."""
    from_name: bool = False
    uscc: bool = False
    """A reference that is itself a USCC and must be a valid one."""
    digest: bool = False
    """The version of a row whose store keeps none: a digest of what was read."""
    expr: Expression | None = None
    """Where the value comes from instead of `columns`; whoever reads a field by its columns must ask for this too."""

    @property
    def where(self) -> str:
        return f"fields.{self.spec.name}"

    @property
    def read_columns(self) -> tuple[str, ...]:
        """Every column that the field is made of (a digest: of all, a value out of the name: of the name's)."""
        found = [*self.columns, *([self.minus] if self.minus else []), *(case.when.column for case in self.cases)]
        found += self.expr.columns if self.expr else ()
        return (*found, self.when.column) if self.when else tuple(found)


@dataclass(frozen=True, slots=True)
class ClassMapping:
    column: str
    scheme: str
    prefix: str = ""
    """What the store leaves away in front of its codes."""
    name_column: str | None = None
    lookup: str | None = None
    own: Map[str, tuple[str, str | None]] = field(default_factory=dict)
    """Whole code → (2022 code, name): the mapping's own translations, which go before ours."""


@dataclass(frozen=True, slots=True)
class RegionRule:
    column: str
    street_column: str | None
    retired: Map[str, tuple[str, ...]]
    """Retired code → the streets of it that are this region's today."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Where the list of units or of warehouses is."""

    kind: Literal["units", "warehouses"]
    origin: Literal["table", "rows", "sheets", "none"] = "none"
    table: str = ""
    key: str = ""
    name: str = ""
    uscc: str | None = None
    warehouse_kind: str | None = None
    kinds: Map[str, str] = field(default_factory=dict)
    address: str | None = None
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Caption:
    """A text of a workbook's title row, between two marks."""

    name: str
    row: int
    after: str
    before: str


@dataclass(frozen=True, slots=True)
class FileLayout:
    pattern: str = "*.csv"
    """Of a drop folder: which files are full exports; the name's order is their age."""
    ready_suffix: str | None = None
    """The file beside an export that says it is whole; its text is the number of data lines."""
    header_row: int = 1
    sheets_except: tuple[str, ...] = ()
    settle_s: float = 10.0
    """How long an export without such a file must have lain unchanged before it counts."""
    rows_min_percent: int = 50
    """How many of the last good export's lines such an export must have at least."""
    final_newline: bool = True
    """Whether exports end in a line break, so that one that does not is known to be cut off."""
    hidden_sheets: bool = False
    """Whether worksheets that Excel hides are read too."""
    hidden_rows: bool = True
    """Whether rows that Excel hides, by hand or by a filter, are assets like the others."""
    merged: tuple[str, ...] = ()
    """Columns in which the value of merged cells counts for each of their rows."""
    row_when: Literal["any", "number"] = "any"
    """`number`: only rows whose first cell is a number are assets (totals and footers are not)."""
    columns: Map[str, str] = field(default_factory=dict)
    """Names for a worksheet's columns by letter, where headings repeat or are merged."""
    captions: tuple[Caption, ...] = ()


@dataclass(frozen=True, slots=True)
class WriteGrant:
    """Which columns a custody change may be written to, and how the row's version is told."""

    status_column: str
    codes: Map[str, str]
    """Canonical status → the store's code."""
    version_column: str
    updated_column: str | None = None


@dataclass(frozen=True, slots=True)
class FieldTest:
    """A canonical field is one of `values`, is null (or not), or lies below or above a value."""

    spec: FieldSpec
    test: Literal["in", "not_in", "null", "not_null", "lt", "lte", "gt", "gte"]
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuarantineRule:
    """A rule of the mapping's own: rows for which it holds are kept back."""

    name: str
    when: Condition | FieldTest
    why: str = ""
    """Told to whoever looks at the quarantine."""

    @property
    def rule(self) -> str:
        """As the issue says it."""
        return f"quarantine.{self.name}" + (f": {self.why}" if self.why else "")


@dataclass(frozen=True, slots=True)
class Mapping:
    path: Path
    region: str
    title: str
    store: StoreSettings
    table: str
    joins: tuple[Join, ...]
    rows: tuple[Condition, ...]
    """Which native rows are assets at all; the others are ignored."""
    secrecy: Secrecy
    key: tuple[KeyPart, ...]
    fields: Map[str, FieldMapping]
    class_: ClassMapping | None
    region_rule: RegionRule | None
    lookups: Map[str, Lookup]
    units: Listing
    warehouses: Listing
    file: FileLayout
    rest: RestPaging
    write: WriteGrant | None
    """None too where the capabilities do not grant writing."""
    quarantine: tuple[QuarantineRule, ...]
    capabilities: StoreCapabilities
    index: IndexSettings = field(default_factory=IndexSettings)
    feed: FeedSettings | None = None
    """None too where the capabilities do not grant it."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every native column that the mapping reads of a row, each once, in a stable order."""
        return tuple(dict.fromkeys(self._columns()))

    def _columns(self) -> list[str]:
        found = [part.column for part in self.key]
        if self.secrecy.column:
            found.append(self.secrecy.column)
        found += [condition.column for condition in self.rows]
        found += [rule.when.column for rule in self.quarantine if isinstance(rule.when, Condition)]
        for mapped in self.fields.values():
            found += mapped.read_columns
        if self.class_:
            found += [self.class_.column] + ([self.class_.name_column] if self.class_.name_column else [])
        if self.region_rule:
            found += [self.region_rule.column]
            found += [self.region_rule.street_column] if self.region_rule.street_column else []
        for listing in (self.units, self.warehouses):
            if listing.origin == "rows":
                found += [column for column in (listing.key, listing.name, listing.uscc) if column]
        return found
