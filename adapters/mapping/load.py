"""Mapping file → `Mapping`: strict, section by section, each fault with what to change (docs/mapping.md is the language).

TOML ─▶ sections (here; `load_store`: how the store is reached; `load_fields`: [fields] and [class]) ─▶ Mapping ─▶ `check`: what only the whole shows
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from adapters.canonical import STATUSES
from adapters.mapping.check import check_whole
from adapters.mapping.load_fields import read_class, read_fields
from adapters.mapping.load_index import read_feed, read_index
from adapters.mapping.load_parts import read_codes, read_conditions, read_lookup_name
from adapters.mapping.load_rules import read_rule
from adapters.mapping.load_store import GIVEN, read_capabilities, read_store
from adapters.mapping.model import (
    ANY_SQL,
    CSV,
    DOCUMENT_ENGINES,
    FILE_ENGINES,
    JSONL,
    SQL_ENGINES,
    TABLE_ENGINES,
    XLSX,
    Caption,
    Condition,
    FileLayout,
    Join,
    KeyPart,
    Listing,
    Lookup,
    Mapping,
    RegionRule,
    Secrecy,
    WriteGrant,
)
from adapters.mapping.place import line_of
from adapters.mapping.rest import REST, RestPaging, read_rest
from adapters.mapping.toml import MappingError, Section, Watch
from contract.regions import REGIONS

__all__ = ["load_mapping", "parse_mapping"]

VERSION = 1
_WAREHOUSE_KINDS = ("PHYSICAL", "OWN_ROOM")
_SCHEMES = {"postgres": "postgresql", "http": REST, "https": REST}
"""What a url's scheme is called as an engine, where they differ."""
_FILE_KEYS = {
    "final_newline": (CSV,),
    "pattern": (CSV,),
    "ready_suffix": (CSV, JSONL),
    "settle_s": (CSV, JSONL),
    "rows_min_percent": (CSV, JSONL, REST),
}
"""Of `[file]`: whose keys they are; the others are a workbook's."""


def load_mapping(path: Path, store_url: str | None = None) -> Mapping:
    """Read and check a mapping file. Raises `MappingError`.

    `store_url` is used instead of the mapping's own: the same tables on another server of any SQL engine, the same
    documents in MongoDB, the same interface elsewhere.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MappingError("", "there is no such file", "check its path", str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError("", f"the file cannot be read: {error}", "save it as UTF-8", str(path)) from None
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is one; a date that is none, a number too long
        raise MappingError("", f"this is not TOML: {error}", "correct it there", str(path)) from None
    try:
        return parse_mapping(data if store_url is None else _moved(data, store_url), path)
    except MappingError as error:
        line = line_of(text, error.where)
        file = path.name if line is None else f"{path.name}:{line}"
        raise MappingError(error.where, error.problem, error.remedy, file) from None


def parse_mapping(data: dict[str, Any], path: Path, watch: Watch | None = None) -> Mapping:
    """The same from TOML already read; `path` is what file urls are relative to, `watch` is told what is asked for."""
    top = Section(data, "", watch)
    if top.integer("mapping", 0) != VERSION:
        raise MappingError(
            "mapping", "the version of the mapping language is missing or another", f"write mapping = {VERSION}"
        )
    region = top.choice("region", list(REGIONS))
    store = read_store(top.section("store"), top.section("guest"), path)
    lookups = {lookup.name: lookup for lookup in _lookups(top.section("lookups"))}
    source = top.section("source")
    table, joins, rows = _source(source, store.engine)
    fields = read_fields(top.section("fields"), lookups)
    write = _write(top.section("write")) if top.has("write") else None
    feed = read_feed(top.section("feed"), store, fields, joins) if top.has("feed") else None
    capabilities = read_capabilities(top.section("capabilities"), store.mode, write, feed, fields)
    mapping = Mapping(
        path=path,
        region=region,
        title=top.text("title", ""),
        store=store,
        table=table,
        joins=joins,
        rows=rows,
        secrecy=_secrecy(top.section("secrecy"), lookups),
        key=_key(top.section("key")),
        fields=fields,
        class_=read_class(top.section("class"), lookups, path) if top.has("class") else None,
        region_rule=_region_rule(top.section("region_rule")) if top.has("region_rule") else None,
        lookups=lookups,
        units=_listing(top.section("units"), "units"),
        warehouses=_listing(top.section("warehouses"), "warehouses"),
        file=_file(top.section("file"), store.engine),
        rest=_rest(top.section("rest"), store.engine),
        write=write if capabilities.write else None,
        quarantine=tuple(read_rule(part) for part in top.sections("quarantine")),
        capabilities=capabilities,
        index=read_index(top.section("index"), store),
        feed=feed if capabilities.change_feed else None,
    )
    top.done()
    check_whole(mapping)
    return mapping


def _moved(data: dict[str, Any], url: str) -> dict[str, Any]:
    """The mapping on another server; the engine is what the url says."""
    scheme = url.partition(":")[0].partition("+")[0]
    store = data.get("store")
    own = store.get("engine") if isinstance(store, dict) else None
    engine = own if own == ANY_SQL else _SCHEMES.get(scheme, scheme)
    kin = any(engine in engines and own in engines for engines in (SQL_ENGINES, DOCUMENT_ENGINES))
    if not isinstance(store, dict) or (not kin and engine != own):
        raise MappingError(
            "store.url", f"a mapping for {own} cannot be used for a {engine} store", "use another mapping"
        )
    # How files lie about says nothing of the server that they were exported from.
    rest = {name: table for name, table in data.items() if name != "file" or engine in FILE_ENGINES or engine == own}
    return {**rest, "store": {**store, "engine": engine, "url": GIVEN + url}}


# --- source, secrecy, key ------------------------------------------------------------------------------------------


def _source(section: Section, engine: str) -> tuple[str, tuple[Join, ...], tuple[Condition, ...]]:
    table = section.text("table", "" if engine in (CSV, XLSX) else None)
    joins = tuple(_join(part) for part in section.sections("joins"))
    rows = read_conditions(section, "rows")
    section.done()
    if joins and engine not in TABLE_ENGINES:
        raise MappingError(section.at("joins"), f"a {engine} store has no joins", "use a lookup")
    return table, joins, rows


def _join(section: Section) -> Join:
    on = section.text_map("on")
    if not on:
        raise MappingError(section.at("on"), "the join says on no columns", 'write on = { id = "model_id" }')
    table = section.text("table")
    join = Join(table, section.text("as", table.rpartition(".")[2]), tuple(on.items()))
    section.done()
    return join


def _secrecy(section: Section, lookups: dict[str, Lookup]) -> Secrecy:
    if section.has("none_because"):
        rule = Secrecy(None, reason=section.text("none_because"))
    elif section.has("column"):
        rule = Secrecy(section.text("column"), section.texts("open"), read_lookup_name(section, lookups))
    else:
        raise MappingError(
            "secrecy",
            "the mapping does not say which rows are secret",
            'add [secrecy] with column = "…" and open = ["…"], or none_because = "…" where nothing can be secret',
        )
    section.done()
    return rule


def _key(section: Section) -> tuple[KeyPart, ...]:
    columns, integers, trim = section.texts("columns"), section.texts("integers", ()), section.flag("trim", True)
    for name in integers:
        if name not in columns:
            raise MappingError(section.at("integers"), f"{name!r} is no column of the key", "see key.columns")
    if not columns:
        raise MappingError(section.at("columns"), "the key has no column", 'write columns = ["…"]')
    section.done()
    return tuple(KeyPart(column, "integer" if column in integers else "text", trim) for column in columns)


def _lookups(section: Section) -> list[Lookup]:
    found = []
    for name in section.data:
        part = section.section(name)
        found.append(
            Lookup(
                name,
                part.text("table"),
                part.text("key"),
                part.text("value"),
                part.maybe_text("label"),
                read_conditions(part, "rows"),
            )
        )
        part.done()
    return found


def _region_rule(section: Section) -> RegionRule:
    retired = section.section("retired")
    rule = RegionRule(
        section.text("column"),
        section.maybe_text("street_column"),
        {code: retired.texts(code) for code in retired.data},
    )
    section.done()
    return rule


# --- lists, files, grants -----------------------------------------------------------------------------------------


def _listing(section: Section, kind: Literal["units", "warehouses"]) -> Listing:
    if not section.data:
        return Listing(kind)
    origin = section.choice("from", ("table", "rows", "sheets"), "table")
    kinds = read_codes(section, "kinds", _WAREHOUSE_KINDS) if kind == "warehouses" and section.has("kinds") else {}
    for value in kinds.values():
        if value not in _WAREHOUSE_KINDS:
            raise MappingError(section.at("kinds"), f"{value!r} is no kind of warehouse", "PHYSICAL or OWN_ROOM")
    listing = Listing(
        kind=kind,
        origin="rows" if origin == "rows" else "sheets" if origin == "sheets" else "table",
        table=section.text("table", "" if origin != "table" else None),
        key=section.text("key"),
        name=section.text("name"),
        uscc=section.maybe_text("uscc") if kind == "units" else None,
        warehouse_kind=section.maybe_text("kind") if kind == "warehouses" else None,
        kinds=kinds,
        address=section.maybe_text("address") if kind == "warehouses" else None,
        where=read_conditions(section, "rows"),
    )
    section.done()
    return listing


def _file(section: Section, engine: str) -> FileLayout:
    captions = []
    for name in (captioned := section.section("captions")).data:
        part = captioned.section(name)
        captions.append(Caption(f"@{name}", part.integer("row", 1, 1), part.text("after"), part.text("before")))
        part.done()
    layout = FileLayout(
        pattern=section.text("pattern", "*.csv"),
        ready_suffix=section.maybe_text("ready_suffix"),
        settle_s=float(section.integer("settle_s", 10, 0, 86_400)),
        rows_min_percent=section.integer("rows_min_percent", 50, 0, 100),
        hidden_sheets=section.flag("hidden_sheets", False),
        final_newline=section.flag("final_newline", True),
        hidden_rows=section.flag("hidden_rows", True),
        merged=section.texts("merged", ()),
        header_row=section.integer("header_row", 1, 1, 100),
        sheets_except=section.texts("sheets_except", ()),
        row_when="number" if section.choice("row_when", ("any", "number"), "any") == "number" else "any",
        columns=section.text_map("columns") if section.has("columns") else {},
        captions=tuple(captions),
    )
    section.done()
    for key in section.data:
        owners = _FILE_KEYS.get(key, (XLSX,))
        if engine not in owners:
            known = ", ".join(owners)
            raise MappingError(section.at(key), f"a {engine} store has no such key", f"it is for {known}: remove it")
    return layout


def _rest(section: Section, engine: str) -> RestPaging:
    if section.data and engine != REST:
        raise MappingError(section.where, f"a {engine} store is no interface", "remove it")
    return read_rest(section)


def _write(section: Section) -> WriteGrant:
    grant = WriteGrant(
        status_column=section.text("status_column"),
        codes=section.text_map("codes") if section.has("codes") else {status: status for status in STATUSES},
        version_column=section.text("version_column"),
        updated_column=section.maybe_text("updated_column"),
    )
    section.done()
    return grant
