"""Commands on the book, what it answers, and what it has to know of an asset."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Literal

import orjson

from contract.decimals import format_decimal
from subgraphs.district.custody.words import Refusal

__all__ = [
    "AssetFacts",
    "Command",
    "Hold",
    "HoldResult",
    "KnownCommand",
    "Movement",
    "MovementResult",
    "PlaceHold",
    "RecordMovement",
    "ReleaseHold",
    "RenewHold",
]

Movement = Literal["DISPATCH", "RECEIVE", "RETURN"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    key: str
    """Idempotency key: a repeat gives the first result."""
    asset: str
    """The asset's native key."""

    @property
    def digest(self) -> str:
        """Equal for the same command, different for any other."""
        material = [type(self).__name__, asdict(self)]
        return hashlib.sha256(orjson.dumps(material, default=_text, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceHold(Command):
    order_id: str
    from_day: str
    to_day: str
    quantity: Decimal
    life_s: int
    expected_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewHold(Command):
    hold_id: str
    life_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHold(Command):
    hold_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMovement(Command):
    hold_id: str
    kind: Movement
    quantity: Decimal


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
class KnownCommand:
    known: bool
    hold: Hold | None
