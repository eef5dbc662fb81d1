"""An anchor: what the whole ledger came to on a day, signed, so that who owns the database cannot rewrite the past.

A hash chain alone can be rewritten and hashed anew. An anchor that lies elsewhere cannot: it bears the Merkle root over
all lineages' last entries, their count, the sums per custody, and the hash of the anchor before, so that one anchor
vouches for all earlier ones. It also names the lineages that moved since the one before, with their last entries, so
that a ledger that differs can be told where and since when.

The signed bytes are `_NAME`, a line feed, and the anchor as JSON with sorted keys and without blanks (the canonical form
of RFC 8785 for what stands in it: texts, whole numbers, lists and objects).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contract.identity import load_private_key, load_public_key

__all__ = ["FORMAT", "Anchor", "InvalidAnchor", "Signer", "anchor_hash", "body_text", "read_anchor", "shown_file"]

FORMAT = "gwc-ledger-anchor/1"
FILE_BYTES_MAX = 256 * 1024 * 1024
_MEMBERS = {
    "changed": list,
    "day": str,
    "entries": int,
    "format": str,
    "ledger": str,
    "lineages": int,
    "made_at": str,
    "position": int,
    "root": str,
    "sums": dict,
}


class InvalidAnchor(ValueError):
    """The text is no anchor, or not signed by the key that it should be."""


@dataclass(frozen=True, slots=True)
class Anchor:
    body: Mapping[str, Any]

    @property
    def day(self) -> str:
        return str(self.body["day"])

    @property
    def position(self) -> int:
        """The last entry that it covers, in the order of insertion."""
        return int(self.body["position"])

    @property
    def previous(self) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self.body["previous"]
        return found

    @property
    def hash(self) -> str:
        return anchor_hash(body_text(self.body))


class Signer:
    def __init__(self, private_pem: str) -> None:
        self._key = load_private_key(private_pem)
        self.key_id = _key_id(self._key.public_key())

    def sign(self, body: str) -> str:
        return base64.b64encode(self._key.sign(_signed_bytes(body))).decode()


def body_text(body: Mapping[str, Any]) -> str:
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()


def anchor_hash(body: str) -> str:
    return hashlib.sha256(_signed_bytes(body)).hexdigest()


def shown_file(body: str, key: str, signature: str) -> bytes:
    """The file that is exported."""
    return f'{{"anchor":{body},"key":"{key}","signature":"{signature}"}}\n'.encode()


def read_anchor(text: bytes, public_pem: str) -> Anchor:
    """Read an exported file and hold it against the ledger's public key. Raises `InvalidAnchor`."""
    try:
        file = orjson.loads(text)
        body, key, signature = file["anchor"], file["key"], base64.b64decode(file["signature"], validate=True)
        shaped = body["format"] == FORMAT and all(isinstance(body[name], kind) for name, kind in _MEMBERS.items())
        previous = body["previous"]
    except (orjson.JSONDecodeError, binascii.Error, KeyError, TypeError, ValueError):
        raise InvalidAnchor("it is no anchor of a ledger") from None
    if not shaped or not (previous is None or isinstance(previous, dict)):
        raise InvalidAnchor("it is no anchor of a form that this program knows")
    public = load_public_key(public_pem)
    if key != _key_id(public):
        raise InvalidAnchor(f"it is signed by another key ({str(key)[:16]}…, expected {_key_id(public)[:16]}…)")
    try:
        public.verify(signature, _signed_bytes(body_text(body)))
    except InvalidSignature:
        raise InvalidAnchor("its signature is wrong: it was changed after it was signed") from None
    return Anchor(body)


def _signed_bytes(body: str) -> bytes:
    return f"{FORMAT}\n{body}".encode()


def _key_id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()
