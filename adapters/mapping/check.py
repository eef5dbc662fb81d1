"""What only the whole of a mapping shows: names that lead nowhere, and what the engine cannot do."""

from __future__ import annotations

from collections.abc import Callable

from adapters.canonical import DERIVED, STATUSES
from adapters.mapping.model import (
    ANY_SQL,
    CSV,
    MONGODB,
    SQL_ENGINES,
    TABLE_ENGINES,
    TABULAR_ENGINES,
    XLSX,
    FieldTest,
    Listing,
    Mapping,
)
from adapters.mapping.toml import MappingError

__all__ = ["check_whole"]


def check_whole(mapping: Mapping) -> None:
    checks: tuple[Callable[[Mapping], None], ...] = (
        _check_name,
        _check_names,
        _check_rules,
        _check_engine,
        _check_references,
        _check_joins,
        _check_write,
    )
    for check in checks:
        check(mapping)


def _check_name(mapping: Mapping) -> None:
    if "name" not in mapping.fields:
        raise MappingError("fields.name", "the name is not mapped", 'add name = "<column>" to [fields]')
    if mapping.store.engine in TABLE_ENGINES and not mapping.table:
        raise MappingError("source.table", "no table is named", 'write table = "…"')


_READ_WHOLE = (*TABULAR_ENGINES, ANY_SQL)
"""Engines that are never asked for some rows of a list only."""


def _check_engine(mapping: Mapping) -> None:
    """What this kind of store is never asked for: said here, or it would be passed over in silence."""
    engine = mapping.store.engine
    if engine == MONGODB and mapping.store.guest.tls_version_min != "1.2":
        raise MappingError("guest.tls_version_min", "its driver is told no version of TLS", "remove it")
    if engine == MONGODB and mapping.store.guest.tls_ciphers is not None:
        raise MappingError("guest.tls_ciphers", "its driver is told no ciphers", "remove it")
    if engine == XLSX and mapping.lookups:
        raise MappingError("lookups", "a workbook has no code tables", "write the codes into the field: codes = { … }")
    if engine in _READ_WHOLE:
        for name, lookup in mapping.lookups.items():
            if lookup.where:
                raise MappingError(f"lookups.{name}.rows", f"of a {engine} store all rows are read", "remove rows")
    for listing in (mapping.units, mapping.warehouses):
        _check_listing(listing, engine)


def _check_listing(listing: Listing, engine: str) -> None:
    kind = listing.kind
    if listing.origin == "rows" and (engine != CSV or kind != "units"):
        raise MappingError(f"{kind}.from", f"a {engine} store's {kind} are not gathered from rows", "name their table")
    if listing.origin == "sheets" and engine != XLSX:
        raise MappingError(f"{kind}.from", f"a {engine} store has no sheets", "name their table")
    if listing.where and engine in _READ_WHOLE:
        raise MappingError(f"{kind}.rows", f"of a {engine} store all rows are read", "remove rows")


def _check_references(mapping: Mapping) -> None:
    for name, listing in (("owner", mapping.units), ("warehouse", mapping.warehouses)):
        if name in mapping.fields and listing.origin == "none":
            raise MappingError(f"fields.{name}", f"the mapping has no list of {listing.kind}", f"add [{listing.kind}]")


def _check_rules(mapping: Mapping) -> None:
    """A rule on a field that no row has would hold for none, or for all."""
    for number, rule in enumerate(mapping.quarantine):
        if isinstance(rule.when, FieldTest) and not _has(mapping, rule.when.spec.name):
            raise MappingError(
                f"quarantine[{number}].when.field", f"{rule.when.spec.name} is not mapped", "map it, or test a column"
            )


def _has(mapping: Mapping, field: str) -> bool:
    return field in mapping.fields or (field in DERIVED and mapping.class_ is not None)


def _check_names(mapping: Mapping) -> None:
    for field in ("quantity", "unitOfMeasure"):
        mapped = mapping.fields.get(field)
        if mapped is not None and mapped.from_name and mapping.fields["name"].expr is not None:
            operation = "quantity" if field == "quantity" else "measure_word"
            raise MappingError(
                f"fields.{field}.from_name",
                "the name is an expression",
                f'write expr = {{ {operation} = "<column of the name>" }}',
            )


def _check_joins(mapping: Mapping) -> None:
    aliases = {join.alias for join in mapping.joins}
    if mapping.store.engine not in TABLE_ENGINES:
        return
    for column in mapping.columns:
        alias, dot, _ = column.rpartition(".")
        if dot and alias not in aliases:
            raise MappingError(column, f"no join is named {alias!r}", f'add [[source.joins]] with as = "{alias}"')


def _check_write(mapping: Mapping) -> None:
    if mapping.write is None:
        return
    if mapping.store.engine not in SQL_ENGINES or mapping.store.mode != "live":
        raise MappingError("write", "only a live SQL store can be written", "remove [write]")
    version = mapping.fields.get("version")
    if version is None or mapping.write.version_column not in version.columns:
        raise MappingError("write.version_column", "the version must be mapped from this column", "see fields.version")
    for status in mapping.write.codes:
        if status not in STATUSES:
            raise MappingError("write.codes", f"{status!r} is no status", "one of " + ", ".join(STATUSES))
