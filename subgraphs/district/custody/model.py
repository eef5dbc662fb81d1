"""Commands on the book, what it answers, and what it has to know of an asset."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Literal

import orjson

from contract.decimals import format_decimal
from subgraphs.district.custody.words import Refusal

__all__ = [
    "AssetFacts",
    "CardResult",
    "Command",
    "ExtendHold",
    "Hold",
    "HoldResult",
    "KnownCommand",
    "Movement",
    "MovementResult",
    "PlaceHold",
    "ReceiveCard",
    "RecordMovement",
    "ReduceHold",
    "ReleaseHold",
    "RenewHold",
    "TransferOut",
]

Movement = Literal["DISPATCH", "RECEIVE", "RETURN", "STORE", "REPAIR_OUT", "REPAIR_IN", "WRITE_OFF"]
_SINCE_BUFFERS = {"buffer_days": 0, "own_use": False, "for_good": False}
"""Fields that commands of older books did not have: where they say nothing, a command is what it was then."""
_OTHER = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    key: str
    """Idempotency key: a repeat gives the first result."""
    asset: str
    """The asset's native key."""

    @property
    def digest(self) -> str:
        """Equal for the same command, different for any other."""
        fields = {name: value for name, value in asdict(self).items() if _SINCE_BUFFERS.get(name, _OTHER) != value}
        material = [type(self).__name__, fields]
        return hashlib.sha256(orjson.dumps(material, default=_text, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceHold(Command):
    order_id: str
    from_day: str
    to_day: str
    quantity: Decimal
    life_s: int
    expected_version: str | None = None
    buffer_days: int = 0
    own_use: bool = False
    """The owner's own business, for which the asset need not be shareable."""
    for_good: bool = False
    """What leaves on it will not come back: it claims every day from the first one on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewHold(Command):
    hold_id: str
    life_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReduceHold(Command):
    hold_id: str
    quantity: Decimal
    """How much is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHold(Command):
    hold_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMovement(Command):
    hold_id: str
    kind: Movement
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendHold(Command):
    hold_id: str
    to_day: str
    expected_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferOut(Command):
    hold_id: str
    order_id: str
    quantity: Decimal
    successor: str
    """The receiver's card, a global id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveCard(Command):
    """`asset` is the native key that the new card is to have."""

    predecessor: str
    """Global id."""
    lineage: str
    order_id: str
    owner: str | None
    """Native key of the receiving unit; None: the region has no such unit."""
    warehouse: str | None
    knows_warehouse: bool
    """Whether the warehouse, where one is named, is one of the region's."""
    fields: Mapping[str, Any]
    """The canonical fields that are taken over."""


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format_decimal(value)
    raise TypeError


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """What the legacy store says of an asset right before a command."""

    quantity: Decimal
    version: str
    status: str | None
    shareable: bool
    shareable_until: str | None
    holdable: bool = True
    """Whether the mapping lets the city hold the store's assets at all."""


@dataclass(frozen=True, slots=True)
class Hold:
    id: str
    asset: str
    order_id: str
    from_day: str
    to_day: str
    quantity: Decimal
    state: Literal["ACTIVE", "DISPATCHED", "RELEASED", "EXPIRED"]
    expires_at: str | None


@dataclass(frozen=True, slots=True)
class HoldResult:
    hold: Hold | None
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class MovementResult:
    written_back: bool
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class CardResult:
    card: str | None
    """Native key."""
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownCommand:
    known: bool
    hold: Hold | None
