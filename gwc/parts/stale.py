"""Where members' last good answers are kept, as the settings say."""

from __future__ import annotations

from gateway.execution.stale import MemoryStale, StaleStore
from gwc.settings import Settings

__all__ = ["stale_store"]

MIB = 1 << 20


def stale_store(settings: Settings) -> StaleStore | None:
    """None: nowhere. Who asks for it closes it."""
    if not settings.stale:
        return None
    if settings.redis_url is not None:
        from gwc.stale_redis import RedisStale  # Loaded only where it is used: it weighs some megabytes.

        return RedisStale(settings.redis_url, settings.stale_age_s)
    return MemoryStale(settings.stale_mib * MIB, settings.stale_age_s)
