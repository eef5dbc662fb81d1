"""The parts of a city, made from settings: the same in one process and in many."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette

from adapters import open_store
from adapters.mapping import MappingError, load_mapping
from adapters.model import Store, StoreError
from contract.identity import ACCESS, TokenIssuer, TokenVerifier
from gateway.server.app import GatewayOptions
from gwc.errors import CommandError
from gwc.keys import private_key, public_key
from gwc.settings import Settings
from overlay.app import OverlayOptions
from overlay.group.endpoint import GroupEndpoint
from subgraphs.district.app import DistrictOptions, create_district_app
from subgraphs.district.custody.book import CustodyBook

__all__ = [
    "access_verifier",
    "district_app",
    "gateway_options",
    "group_options",
    "internal_verifier",
    "overlay_options",
    "read_store",
    "telemetry_store_url",
]


def access_verifier(settings: Settings) -> TokenVerifier:
    return TokenVerifier(public_key(settings.keys, "access"), ACCESS)


def internal_verifier(settings: Settings) -> TokenVerifier:
    return TokenVerifier(public_key(settings.keys, "internal"))


def read_store(mapping_path: Path, store_url: str | None, cache_dir: Path) -> Store:
    """The store of a mapping file, not yet connected. Raises `CommandError` when the file says something wrong."""
    try:
        return open_store(load_mapping(mapping_path, store_url), cache_dir=cache_dir)
    except (MappingError, StoreError) as error:
        raise CommandError(str(error)) from None


def district_app(settings: Settings, store: Store) -> tuple[CustodyBook, Starlette]:
    """One member: its custody book, which the caller opens and closes as the store, and its subgraph."""
    book = CustodyBook(custody_url(settings, store.region), store.region)
    options = DistrictOptions(
        internal_public_pem=public_key(settings.keys, "internal"), rule_public_pem=public_key(settings.keys, "rule")
    )
    return book, create_district_app(store, book, options)


def custody_url(settings: Settings, region: str) -> str:
    return settings.custody_url or _sqlite(settings.state / f"custody-{region}.sqlite")


def telemetry_store_url(settings: Settings) -> str:
    return settings.telemetry_url or _sqlite(settings.state / "telemetry.sqlite")


def overlay_options(settings: Settings, group: GroupEndpoint | str) -> OverlayOptions:
    return OverlayOptions(
        database_url=settings.overlay_url or _sqlite(settings.state / "overlay.sqlite"),
        group=group,
        internal_private_pem=private_key(settings.keys, "internal"),
        internal_public_pem=public_key(settings.keys, "internal"),
        rule_private_pem=private_key(settings.keys, "rule"),
    )


def gateway_options(settings: Settings) -> GatewayOptions:
    """Of the public gateway: clients' access tokens in, internal tokens out."""
    return GatewayOptions(
        verifier=access_verifier(settings),
        issuer=TokenIssuer(private_key(settings.keys, "internal")),
        deadline_s=settings.deadline_ms / 1000,
        explain=True,
    )


def group_options(settings: Settings) -> GatewayOptions:
    """Of a group endpoint: internal tokens in and out; nothing for browsers."""
    return GatewayOptions(
        inside=internal_verifier(settings),
        issuer=TokenIssuer(private_key(settings.keys, "internal")),
        deadline_s=settings.deadline_ms / 1000,
        graphiql=False,
        metrics=False,
    )


def _sqlite(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path.absolute()}"
