"""What `gwc district` says of its store when it starts."""

from __future__ import annotations

from adapters.model import StoreCapabilities
from gwc.parts.district import in_a_line
from tests.subgraphs.district.parts import MemoryStore


async def test_the_line_of_a_store() -> None:
    store = MemoryStore([], writable=False)
    assert await in_a_line(store) == "store ok, live; granted: read, hold"
    store.capabilities = StoreCapabilities(write=True, change_feed=True, mode="indexed")
    store.is_down = True
    assert await in_a_line(store) == (
        "store unavailable (STORE_UNAVAILABLE: the store was refused), indexed; granted: read, hold, write, change_feed"
    )
