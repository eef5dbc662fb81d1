"""Legacy stores as canonical rows: a mapping file, an adapter for its kind of store, one protocol (`adapters.model.Store`).

mapping = load_mapping(Path("330102.toml"))
store = open_store(mapping)
await store.open()
"""

from adapters.registry import StoreFactory, open_store

__all__ = ["StoreFactory", "open_store"]
