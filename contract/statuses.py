"""The status of an asset in its owner's store. Published by every district, named by the policy table."""

from __future__ import annotations

import enum

__all__ = ["AssetStatus"]


class AssetStatus(enum.StrEnum):
    IN_USE = "IN_USE"
    IDLE = "IDLE"
    TO_STORE = "TO_STORE"
    IN_STORE = "IN_STORE"
    RESERVED = "RESERVED"
    TO_DISPATCH = "TO_DISPATCH"
    IN_TRANSIT = "IN_TRANSIT"
    LENT = "LENT"
    IN_REPAIR = "IN_REPAIR"
    FROZEN = "FROZEN"
    TO_DISPOSE = "TO_DISPOSE"
    DISPOSED = "DISPOSED"
    LOST = "LOST"
