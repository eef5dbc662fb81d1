"""From a mapping to its store: the factory of its kind, ours or another package's (see `adapters.kinds`)."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TypeAlias, cast

from adapters.kinds import BUILT_IN, known_kinds, missing_driver, third_party
from adapters.mapping.model import Mapping
from adapters.model import Store, StoreUnsupported

__all__ = ["StoreFactory", "open_store"]

StoreFactory: TypeAlias = Callable[[Mapping, Path | None], Store]
"""`(mapping, cache_dir) → Store`, not yet connected. `cache_dir`: where a local index may be kept; None: in a temporary
folder. Raises `StoreUnsupported` where the mapping asks for what this kind cannot do."""


def open_store(mapping: Mapping, *, cache_dir: Path | None = None) -> Store:
    """The store of a mapping, not yet connected: call `await store.open()`.

    `cache_dir` is where indexed stores keep their local index; without it, in a temporary folder.
    """
    if not mapping.capabilities.read:
        raise StoreUnsupported("the mapping does not grant reading: capabilities.read is false")
    kind = mapping.store.engine
    try:
        factory = _factory(kind)
    except ImportError as error:
        raise missing_driver(kind, error.name) from None
    return factory(mapping, cache_dir)


def _factory(kind: str) -> StoreFactory:
    if kind in BUILT_IN:
        module, _, name = BUILT_IN[kind].factory.partition(":")
        return cast(StoreFactory, getattr(import_module(module), name))
    offered = third_party().get(kind)
    if offered is None:
        raise StoreUnsupported(f"there is no adapter for {kind!r}: known are {', '.join(known_kinds())}")
    return cast(StoreFactory, offered.load())
