"""What a store says of itself: how a request would be answered, whether the store is well, what its mapping grants.

Plain data, shown by `gwc` and by a district's `/health`; no message here holds a password, a value or a raw row.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, TypeAlias

__all__ = [
    "Explanation",
    "Fault",
    "HealthState",
    "Place",
    "Reason",
    "ReasonCode",
    "RequestPart",
    "StoreCapabilities",
    "StoreHealth",
]

Place: TypeAlias = Literal["store", "index", "adapter"]
"""Where a part of a request is done: by the legacy store's own query, by the local index, or by us in memory."""
RequestPart: TypeAlias = Literal["filter", "order", "limit"]


class ReasonCode(StrEnum):
    """Why something cannot be left to the store."""

    ENGINE = "ENGINE_NOT_PUSHED"
    """Nothing is pushed into stores of this engine."""
    KEY = "KEY_NOT_PROVED"
    """The store does not keep the key unique, or not as the mapping says."""
    RULE = "ROW_RULE"
    """Which rows are listed is judged by mapping each of them."""
    FIELD = "FIELD_NOT_INVERTED"
    """The field's mapping has no exact form in the store's language."""
    ORDER = "ORDER_NOT_PROVED"
    """The store's order is not the contract's, or no index of the store can have it."""
    IRREGULAR = "TOO_MANY_IRREGULAR"
    """More rows than are kept in memory hold what only the mapper can read."""
    VALUE = "VALUE_NOT_EXACT"
    """A value of the request cannot be compared exactly by the store."""
    MODE = "INDEXED_MODE"
    """The mapping has this store read through a local index."""
    UNKNOWN = "NOT_SUPPORTED"
    """Asked for something that no store does."""


@dataclass(frozen=True, slots=True)
class Reason:
    code: ReasonCode
    message: str
    part: RequestPart | None = None
    """Of the request; None: the whole of it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a request would be answered. Nothing is read from asset rows to say so."""

    filter: Place
    order: Place
    limit: Place
    statement: str | None
    """The native statement as it is sent, with places for values and never the values."""
    rows_read_max: int | None
    """At most so many rows leave the store for this answer; None: no bound is known."""
    reasons: tuple[Reason, ...] = ()
    """Why what is not done by the store is not."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a store, or with a newer state of it that is not used."""

    code: str
    message: str


class HealthState(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    """It answers, out of an older state than it should."""
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class StoreHealth:
    state: HealthState
    fault: Fault | None = None
    data_as_of: datetime | None = None
    """The age of what is answered; None where nothing can be."""
    last_good_load: datetime | None = None
    """When a local index was last built of the store as a whole; None for a live one."""
    build_s: float | None = None
    """How long that took."""
    rows: int | None = None
    """In the index: listed and kept back."""
    unreadable: int | None = None
    """Of these, what is no row, or none whose secrecy can be read: counted, and nothing of it kept."""


@dataclass(frozen=True, slots=True)
class StoreCapabilities:
    """What the mapping grants and the way of reading allows."""

    read: bool = True
    hold: bool = True
    """Whether the city may hold this store's assets at all (the custody book keeps the holds)."""
    write: bool = False
    """Whether custody changes may be written to the legacy store; else they are exported (未落库)."""
    change_feed: bool = False
    """Whether the store may be asked what has changed."""
    mode: Literal["live", "indexed"] = "live"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
