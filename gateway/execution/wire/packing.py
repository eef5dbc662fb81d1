"""Compressed bodies. Nobody is asked to compress, but some servers do so unasked; the bound is on what comes out."""

from __future__ import annotations

import zlib

from gateway.execution.wire.errors import Broken, TooLarge

__all__ = ["unpacked"]

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_BARE_DEFLATE = -zlib.MAX_WBITS
_ZLIB_METHOD = 8
"""In the low half of zlib's first byte. Some servers mean by `deflate` what it packs, without zlib's head."""
_GZIP_MAGIC = b"\x1f\x8b"


def unpacked(encoding: str, body: bytes, bytes_max: int) -> bytes:
    """What was packed; an encoding that is not known is left as it is. Raises `TooLarge`, and `Broken` for a part of it."""
    name = encoding.strip().lower()
    if not body or name not in ("gzip", "x-gzip", "deflate"):
        return body
    is_bare = name == "deflate" and body[0] & 0xF != _ZLIB_METHOD
    parts: list[bytes] = []
    room = bytes_max
    while True:
        unpacker = zlib.decompressobj(_BARE_DEFLATE if is_bare else _GZIP_OR_ZLIB)
        try:
            part = unpacker.decompress(body, room + 1)
        except zlib.error as error:
            raise Broken(f"its body cannot be unpacked: {error}") from None
        if len(part) > room:
            raise TooLarge
        if not unpacker.eof:
            raise Broken("its packed body ends early")
        parts.append(part)
        room -= len(part)
        body = unpacker.unused_data
        if not body.startswith(_GZIP_MAGIC):  # A gzip body may be several, one after another.
            return b"".join(parts)
