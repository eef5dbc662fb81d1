"""One district: its legacy store behind the district contract, and its custody book."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount

from adapters import open_store
from adapters.mapping import MappingError, load_mapping
from adapters.model import Store, StoreError
from gwc.errors import CommandError
from gwc.keys import ensure_keys, public_key
from gwc.parts.common import state_url
from gwc.serve import listen, serve
from gwc.settings import Settings
from subgraphs.district.app import DistrictOptions, create_district_app
from subgraphs.district.custody.book import CustodyBook

__all__ = ["district_app", "in_a_line", "open_district_store", "read_store", "serve_district"]

Say = Callable[[str], None]


def serve_district(settings: Settings, mapping: Path, store_url: str | None, host: str, port: int, say: Say) -> None:
    """One district's subgraph. A store that is away, or unlike its mapping, ends it with what is wrong."""
    listener = listen(host, port)
    ensure_keys(settings.keys)
    store = read_store(mapping, store_url, settings.state / "index")
    book, district = district_app(settings, store)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        settings.state.mkdir(parents=True, exist_ok=True)
        await open_district_store(store)
        say(await in_a_line(store))
        try:
            await book.open()
            async with district.router.lifespan_context(district):
                yield
        finally:
            await book.close()
            await store.close()

    say(f"district {store.region}, mapping {mapping}")
    serve(Starlette(routes=[Mount("/", district)], lifespan=lifespan), listener, "/graphql", say)


def read_store(mapping_path: Path, store_url: str | None, cache_dir: Path) -> Store:
    """The store of a mapping file, not yet connected. Raises `CommandError` when the file says something wrong."""
    try:
        return open_store(load_mapping(mapping_path, store_url), cache_dir=cache_dir)
    except (MappingError, StoreError) as error:
        raise CommandError(str(error)) from None


async def open_district_store(store: Store) -> None:
    """Connect to the store. Raises `CommandError` when it is away, or is not what the mapping says."""
    try:
        await store.open()
    except (MappingError, StoreError) as error:
        raise CommandError(f"The store of {store.region} cannot be opened: {error}") from None


async def in_a_line(store: Store) -> str:
    """How the store is read, what is granted, and what is wrong with it."""
    granted, health = store.capabilities, await store.health()
    names = [name for name in ("read", "hold", "write", "change_feed") if getattr(granted, name)]
    fault = "" if health.fault is None else f" ({health.fault.code}: {health.fault.message})"
    return f"store {health.state}{fault}, {granted.mode}; granted: {', '.join(names)}"


def district_app(settings: Settings, store: Store) -> tuple[CustodyBook, Starlette]:
    """One member: its custody book, which the caller opens and closes as the store, and its subgraph."""
    book = CustodyBook(settings.custody_url or state_url(settings, f"custody-{store.region}.sqlite"), store.region)
    options = DistrictOptions(
        internal_public_pem=public_key(settings.keys, "internal"), rule_public_pem=public_key(settings.keys, "rule")
    )
    return book, create_district_app(store, book, options)
