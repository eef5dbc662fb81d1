"""The factory of SQL stores: read live, or through a local index."""

from __future__ import annotations

from pathlib import Path

from adapters.index import IndexedStore
from adapters.mapping.model import Mapping
from adapters.model import Store
from adapters.sql.rows import SqlRows
from adapters.sql.store import SqlStore

__all__ = ["open_sql"]


def open_sql(mapping: Mapping, cache_dir: Path | None) -> Store:
    if mapping.store.mode == "live":
        return SqlStore(mapping)
    return IndexedStore(mapping, SqlRows(mapping), cache_dir)
