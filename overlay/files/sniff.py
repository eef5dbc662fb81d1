"""What a file is, by its content alone: neither its name nor what its sender says counts.

The list is short: what clerks attach and what every browser shows or saves without running it. What begins like one
kind and is another as well (a polyglot) is refused, or cut off where the picture ends (`overlay.files.clean`). HTML and
SVG are refused, since they can carry scripts; so are office files with macros, and zip files that are no office file.
HEIC is refused: most desktops cannot show it, and phones convert it when they are asked for JPEG.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

__all__ = ["ACCEPTED", "sniff"]

PDF = "application/pdf"
JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TEXT = "text/plain"
ACCEPTED = frozenset({PDF, JPEG, PNG, WEBP, DOCX, XLSX, TEXT})

_MAIN_PARTS = {"word/document.xml": DOCX, "xl/workbook.xml": XLSX}
_MEMBERS_MAX = 5_000
_UNPACKED_BYTES_MAX = 500 << 20
"""An office file that unpacks to more is a bomb for whoever opens it."""
_TAIL = 1024
"""Where a PDF ends with its marker, and where markup would be at the start of a text."""
_MARKUP = re.compile(
    rb"<\s*(!doctype|\?xml|html|head|body|script|svg|iframe|object|embed|img|style|link|meta|math|a\s)", re.IGNORECASE
)


def sniff(content: bytes) -> str | None:
    """One of `ACCEPTED`, or None for what is not taken."""
    return next((kind for matches, kind in _KINDS if matches(content)), None) or _office(content) or _text(content)


def _is_pdf(content: bytes) -> bool:
    """From its first byte to its last marker; a tail behind the marker may hold another format."""
    return content.startswith(b"%PDF-") and content[-_TAIL:].rstrip(b"\r\n \0").endswith(b"%%EOF")


def _is_webp(content: bytes) -> bool:
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


_KINDS: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (_is_pdf, PDF),
    (lambda content: content.startswith(b"\xff\xd8\xff"), JPEG),
    (lambda content: content.startswith(b"\x89PNG\r\n\x1a\n"), PNG),
    (_is_webp, WEBP),
)


def _office(content: bytes) -> str | None:
    if not content.startswith(b"PK\x03\x04"):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if archive.comment or min(one.header_offset for one in members) != 0:
                return None
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError):
        return None
    names = {one.filename for one in members}
    unpacked = sum(one.file_size for one in members)
    if len(members) > _MEMBERS_MAX or unpacked > _UNPACKED_BYTES_MAX or "[Content_Types].xml" not in names:
        return None
    if any(name.lower().endswith("vbaproject.bin") or ".." in name or name.startswith("/") for name in names):
        return None
    kinds = {kind for part, kind in _MAIN_PARTS.items() if part in names}
    return kinds.pop() if len(kinds) == 1 else None


def _text(content: bytes) -> str | None:
    """UTF-8 or GB 18030 without control characters or markup."""
    if not content or re.search(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]", content) or _MARKUP.search(content):
        return None
    if content.startswith((b"PK", b"%PDF", b"%!", b"#!", b"MZ", b"GIF8", b"{\\rtf")):
        return None
    for encoding in ("utf-8", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return TEXT
    return None
