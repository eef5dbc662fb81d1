"""What an asset's card says in the words of the contract: published by every district, and filtered by in the overlay;
the policy table names the statuses."""

from __future__ import annotations

import enum

__all__ = ["Acquisition", "AssetCondition", "AssetSource", "AssetStatus", "ValueType"]


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


class AssetCondition(enum.StrEnum):
    NEW = "NEW"
    GOOD = "GOOD"
    USABLE = "USABLE"
    NEEDS_REPAIR = "NEEDS_REPAIR"
    BEYOND_REPAIR = "BEYOND_REPAIR"


class Acquisition(enum.StrEnum):
    PURCHASE = "PURCHASE"
    TRANSFER = "TRANSFER"
    EXCHANGE = "EXCHANGE"
    DONATION = "DONATION"
    CONFISCATION = "CONFISCATION"
    STOCKTAKE_GAIN = "STOCKTAKE_GAIN"


class AssetSource(enum.StrEnum):
    IDLE = "IDLE"
    OVER_STANDARD = "OVER_STANDARD"
    TEMPORARY_BODY = "TEMPORARY_BODY"
    EVENT = "EVENT"
    CONFISCATED = "CONFISCATED"
    BODY_CLOSED = "BODY_CLOSED"
    DONATED = "DONATED"


class ValueType(enum.StrEnum):
    ORIGINAL = "ORIGINAL"
    APPRAISED = "APPRAISED"
    NOMINAL = "NOMINAL"
    PROVISIONAL = "PROVISIONAL"
