"""Photos without what the camera adds: place, time, device, owner, thumbnails.

A photo of a projector says where somebody lives when it was taken at home. So the picture's own data is kept, byte for
byte, and everything else is left out: no pixel is decoded or encoded again. Kept are the turn of the picture (Exif
orientation, without which phone photos lie on their side), its colour profile and what drawing it needs. What follows
the picture's end is cut off, which also ends most files that are two things at once.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from overlay.files.sniff import JPEG, PNG, WEBP

__all__ = ["BrokenPicture", "clean"]


class BrokenPicture(ValueError):
    """The picture ends in the middle, or is not built as its format demands."""


def clean(kind: str, content: bytes) -> bytes:
    """The content to keep. Raises `BrokenPicture`; what is no picture is kept as it is."""
    cleaner = _CLEANERS.get(kind)
    if cleaner is None:
        return content
    try:
        return cleaner(content)
    except (IndexError, struct.error):
        raise BrokenPicture(f"the {kind} ends in the middle") from None


# JPEG (ITU T.81): segments of marker, length and data; after each start of scan, entropy-coded data up to a marker.
_SOI, _EOI, _SOS, _APP0, _APP1, _APP2, _APP14, _APP15, _COM = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_RESTARTS = range(0xD0, 0xD8)
_ORIENTATION = 0x0112
_EXIF = b"Exif\0\0"
_ICC = b"ICC_PROFILE\0"


def _clean_jpeg(content: bytes) -> bytes:
    kept, turn = [b"\xff\xd8"], 1
    for marker, segment in _segments(content):
        if marker == _APP1 and segment[4:10] == _EXIF:
            turn = _orientation(segment[10:])
        elif _keeps(marker, segment):
            kept.append(segment)
    if turn != 1:
        kept.insert(1, _exif_of(turn))
    return b"".join(kept)


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Each marker with its bytes; a scan's data is part of its segment. Ends with the end of the picture."""
    at = 2
    while True:
        if content[at] != 0xFF:
            raise BrokenPicture("a marker is missing")
        while content[at + 1] == 0xFF:  # fill bytes
            at += 1
        marker = content[at + 1]
        if marker == _EOI:
            yield marker, b"\xff\xd9"
            return
        end = at + 2 + struct.unpack_from(">H", content, at + 2)[0]
        if marker == _SOS:
            end = _end_of_scan(content, end)
        if end > len(content):
            raise BrokenPicture("a segment is cut off")
        yield marker, content[at:end]
        at = end


def _end_of_scan(content: bytes, at: int) -> int:
    while True:
        at = content.find(b"\xff", at)
        if at < 0:
            raise BrokenPicture("the scan has no end")
        following = content[at + 1]
        if following != 0 and following not in _RESTARTS and following != 0xFF:
            return at
        at += 1 if following == 0xFF else 2


def _keeps(marker: int, segment: bytes) -> bool:
    if marker == _COM:
        return False
    if _APP0 <= marker <= _APP15:
        return marker in (_APP0, _APP14) or (marker == _APP2 and segment[4:].startswith(_ICC))
    return True


def _orientation(tiff: bytes) -> int:
    """The turn that the first directory of Exif gives, 1 to 8; 1 where it gives none."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, at)
        for number in range(count):
            tag, _kind, _count, value = struct.unpack_from(f"{order}HHIH", tiff, at + 2 + 12 * number)
            if tag == _ORIENTATION:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1


def _tiff_of(turn: int) -> bytes:
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, 3, 1, turn, 0, 0)


def _exif_of(turn: int) -> bytes:
    body = _EXIF + _tiff_of(turn)
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


# PNG: chunks of length, type, data and checksum, up to IEND.
_PNG_HEAD = 8
_PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"bKGD", b"pHYs",
     b"cICP", b"acTL", b"fcTL", b"fdAT"}
)  # fmt: skip


def _clean_png(content: bytes) -> bytes:
    kept, at = [content[:_PNG_HEAD]], _PNG_HEAD
    while True:
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            raise BrokenPicture("a chunk is cut off")
        if kind in _PNG_KEPT:
            kept.append(content[at:end])
        if kind == b"IEND":
            return b"".join(kept)
        at = end


# WebP: a RIFF of chunks padded to even lengths; VP8X tells by bits which others there are.
_WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_WEBP_EXIF_OR_XMP = 0x08 | 0x04


def _clean_webp(content: bytes) -> bytes:
    (size,) = struct.unpack_from("<I", content, 4)
    end = 8 + size
    if end > len(content):
        raise BrokenPicture("the picture is cut off")
    kept, at, turn = [], 12, 1
    while at < end:
        kind, length = struct.unpack_from("<4sI", content, at)
        after = at + 8 + length + length % 2
        if after > end:
            raise BrokenPicture("a chunk is cut off")
        if kind in _WEBP_KEPT:
            kept.append(content[at:after])
        elif kind == b"EXIF":
            turn = _orientation(content[at + 8 : after].removeprefix(_EXIF))
        at = after
    if turn != 1 and kept and kept[0].startswith(b"VP8X"):
        tiff = _tiff_of(turn)
        kept.append(b"EXIF" + struct.pack("<I", len(tiff)) + tiff)
    body = b"WEBP" + b"".join(_with_flags(chunk, turn) for chunk in kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _with_flags(chunk: bytes, turn: int) -> bytes:
    if not chunk.startswith(b"VP8X"):
        return chunk
    flags = chunk[8] & ~_WEBP_EXIF_OR_XMP | (0x08 if turn != 1 else 0)
    return chunk[:8] + bytes([flags]) + chunk[9:]


_CLEANERS: dict[str, Callable[[bytes], bytes]] = {JPEG: _clean_jpeg, PNG: _clean_png, WEBP: _clean_webp}
