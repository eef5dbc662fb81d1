"""Global ids: `<type>:<region>:<native key>`, unique in the city and never reused.

A native key may hold anything a legacy store holds (`:`, 汉字, spaces), so each part is percent-encoded
(RFC 3986, unreserved characters stay). One id has exactly one spelling: `parse` refuses every other.

A thing that moves to another region for good gets a card there whose key no legacy store has given: `successor_id`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

__all__ = ["GlobalId", "InvalidId", "format_id", "is_successor", "is_successor_key", "parse_id", "successor_id"]

ID_LENGTH_MAX = 512
_SUCCESSOR_KEY = re.compile(r"gwc-[0-9a-f]{32}", re.ASCII)


class InvalidId(ValueError):
    """The text is not a global id."""


@dataclass(frozen=True, slots=True)
class GlobalId:
    type: str
    region: str
    native: str

    def __str__(self) -> str:
        return format_id(self.type, self.region, self.native)


def format_id(type_: str, region: str, native: str) -> str:
    escaped = native if native.isascii() and native.isalnum() else quote(native, safe="")
    return f"{type_}:{region}:{escaped}"


def parse_id(text: str, type_: str | None = None) -> GlobalId:
    """Read an id; with `type_`, only one of that type.

    Raises `InvalidId` when the text has another shape, another type, or a second spelling of the same id.
    """
    if len(text) > ID_LENGTH_MAX:
        raise InvalidId(f"an id has at most {ID_LENGTH_MAX} characters")
    parts = text.split(":")
    if len(parts) != 3 or not all(parts):
        raise InvalidId(f"{text!r} is not of the form <type>:<region>:<key>")
    kind, region, escaped = parts
    if type_ is not None and kind != type_:
        raise InvalidId(f"{text!r} is an id of type {kind!r}, expected {type_!r}")
    try:
        native = unquote_to_bytes(escaped).decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidId(f"the key of {text!r} is not UTF-8") from None
    if quote(native, safe="") != escaped:
        raise InvalidId(f"the key of {text!r} is not percent-encoded as RFC 3986 asks")
    return GlobalId(kind, region, native)


def successor_id(region: str, predecessor: str, reference: str) -> str:
    """The id of the card that takes a card's place in `region`. `reference` tells the moves of one card apart (an
    order's line, a lot of it); the same words give the same id, so that whoever asks again asks for the same card."""
    material = "\x1f".join((region, predecessor, reference)).encode()
    return format_id("asset", region, f"gwc-{hashlib.blake2b(material, digest_size=16).hexdigest()}")


def is_successor_key(native: str) -> bool:
    """Whether a native key is one of those that only a custody book gives."""
    return _SUCCESSOR_KEY.fullmatch(native) is not None


def is_successor(id_: str) -> bool:
    """Whether this is the id of a successor card."""
    try:
        return is_successor_key(parse_id(id_, "asset").native)
    except InvalidId:
        return False
