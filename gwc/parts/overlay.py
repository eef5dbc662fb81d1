"""The overlay: virtual warehouses, orders and the ledger."""

from __future__ import annotations

from collections.abc import Callable

from gwc.errors import CommandError
from gwc.keys import ensure_keys, private_key, public_key
from gwc.parts.common import state_url
from gwc.serve import listen, serve
from gwc.settings import Settings
from overlay.app import OverlayOptions, create_overlay_app
from overlay.group.endpoint import GroupEndpoint
from overlay.ledger.service import LedgerOptions
from overlay.paperwork import PaperworkOptions
from overlay.warehouses.watching import TICK_S, WatchSettings

__all__ = ["overlay_options", "serve_overlay"]

Say = Callable[[str], None]


def serve_overlay(settings: Settings, host: str, port: int, say: Say) -> None:
    listener = listen(host, port)
    ensure_keys(settings.keys)
    settings.state.mkdir(parents=True, exist_ok=True)
    say(f"overlay, districts at {settings.group_url}")
    try:
        app = create_overlay_app(overlay_options(settings, settings.group_url))
    except ValueError as error:
        raise CommandError(
            f"The overlay cannot be made: {error}.",
            "See GWC_OVERLAY_URL, GWC_GROUP_URL, GWC_POLICY and GWC_WEBHOOK_NETWORKS.",
        ) from None
    serve(app, listener, "/graphql", say)


def overlay_options(settings: Settings, group: GroupEndpoint | str) -> OverlayOptions:
    return OverlayOptions(
        database_url=settings.overlay_url or state_url(settings, "overlay.sqlite"),
        group=group,
        internal_private_pem=private_key(settings.keys, "internal"),
        internal_public_pem=public_key(settings.keys, "internal"),
        rule_private_pem=private_key(settings.keys, "rule"),
        policy=settings.policy,
        watch=WatchSettings(settings.watch_every_s, min(TICK_S, settings.watch_every_s)),
        ledger=LedgerOptions(private_pem=private_key(settings.keys, "ledger"), anchors=settings.anchors),
        paperwork=PaperworkOptions(
            files_dir=settings.files, public_url=settings.public_url, webhook_networks=settings.webhook_networks
        ),
    )
