"""How the local index is kept, and by what the store tells its changes: [index] and [feed]."""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from typing import Final, Literal

from adapters.mapping.model import SQL_ENGINES, FeedSettings, FieldMapping, IndexSettings, Join, StoreSettings
from adapters.mapping.toml import MappingError, Section

__all__ = ["read_feed", "read_index"]

_DURATION = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION_MAX_S = 30 * 86_400
_KINDS = ("updated_at", "version", "digest")
_FIELD_OF: Final = {"updated_at": "updatedAt", "version": "version"}


def read_index(section: Section, store: StoreSettings) -> IndexSettings:
    settings = IndexSettings(
        refresh_s=_duration(section, "refresh", "1s") if section.has("refresh") else None,
        full_s=_duration(section, "full", "1d"),
    )
    section.done()
    if section.data and store.mode != "indexed":
        raise MappingError(section.where, "a live store has no index", 'write store.mode = "indexed", or remove it')
    return settings


def read_feed(
    section: Section, store: StoreSettings, fields: Map[str, FieldMapping], joins: tuple[Join, ...]
) -> FeedSettings:
    by = section.choice("by", _KINDS)
    kind: Literal["updated_at", "version", "digest"]
    kind = "updated_at" if by == "updated_at" else "version" if by == "version" else "digest"
    settings = FeedSettings(kind, _duration(section, "overlap", "5m"), _duration(section, "key_scan", "0s"))
    section.done()
    if store.engine not in SQL_ENGINES or store.mode != "indexed":
        raise MappingError(section.where, "only an indexed SQL store has a change feed", "remove it")
    if kind == "digest":
        return settings
    for key in ("overlap", "key_scan"):
        if kind == "version" and section.has(key):
            raise MappingError(section.at(key), 'it is for by = "updated_at"', "remove it")
    if joins:
        raise MappingError(
            section.at("by"), "a change of a joined row does not show in the asset's own", 'write by = "digest"'
        )
    mapped = fields.get(_FIELD_OF[kind])
    if mapped is None or len(mapped.columns) != 1:
        raise MappingError(
            section.at("by"), f"no one column is mapped to {_FIELD_OF[kind]}", f"map fields.{_FIELD_OF[kind]}"
        )
    return settings


def _duration(section: Section, key: str, default: str) -> float:
    text = section.text(key, default)
    match = _DURATION.fullmatch(text)
    seconds = int(match[1]) * _SECONDS[match[2]] if match else -1
    if not 0 <= seconds <= _DURATION_MAX_S:
        raise MappingError(section.at(key), f"{text!r} is no span of time up to 30d", "such as 30s, 15m, 6h, 1d")
    return float(seconds)
