"""Legacy stores as canonical rows: a mapping file, an adapter for its kind of store, one protocol (`adapters.model.Store`).

mapping = load_mapping(Path("330102.toml"))
store = open_store(mapping)
await store.open()
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from adapters.mapping.model import CSV, MONGODB, SQL_ENGINES, XLSX, Mapping
from adapters.model import Store, StoreUnsupported

if TYPE_CHECKING:
    from adapters.index import RowSource

__all__ = ["open_store"]


def open_store(mapping: Mapping, *, cache_dir: Path | None = None) -> Store:
    """The store of a mapping, not yet connected: call `await store.open()`.

    `cache_dir` is where indexed stores keep their local index; without it, in a temporary folder.
    """
    if mapping.store.engine in SQL_ENGINES and mapping.store.mode == "live":
        from adapters.sql.store import SqlStore

        return SqlStore(mapping)
    from adapters.index import IndexedStore

    return IndexedStore(mapping, _source(mapping), cache_dir)


def _source(mapping: Mapping) -> RowSource:
    engine = mapping.store.engine
    if engine == CSV:
        from adapters.tabular.csv import CsvSource

        return CsvSource(mapping)
    if engine == XLSX:
        from adapters.tabular.xlsx import XlsxSource

        return XlsxSource(mapping)
    if engine == MONGODB:
        from adapters.mongo.source import MongoSource

        return MongoSource(mapping)
    raise StoreUnsupported(f"a {engine} store cannot be opened in mode {mapping.store.mode!r}")
