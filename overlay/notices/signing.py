"""How a receiver knows that a notice is ours and fresh: signatures as the Standard Webhooks specification has them.

HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`; the id is the notice's and stays the same when it is sent
again, so a receiver tells a repetition; the timestamp is that of the sending.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping

__all__ = ["SECRET_PREFIX", "InvalidSecret", "new_secret", "sign"]

SECRET_PREFIX = "whsec_"
_SECRET_BYTES = 32
_SECRET_BYTES_RANGE = range(24, 65)
"""What the specification allows."""


class InvalidSecret(ValueError):
    """Not `whsec_` and 24 to 64 bytes in base64."""


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def sign(secret: str, notice_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The three headers. Raises `InvalidSecret`."""
    said = f"{notice_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), said, hashlib.sha256).digest()
    return {
        "webhook-id": notice_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(SECRET_PREFIX) or len(key) not in _SECRET_BYTES_RANGE:
        raise InvalidSecret(f"a secret is {SECRET_PREFIX} and 24 to 64 bytes in base64")
    return key
