"""What a workbook's own XML tells and its reader does not; and whether it is one that may be unpacked at all.

The reader gives an empty cell for one that shows an error (`#REF!`) and for a formula that nobody has computed yet: an
empty amount means "not recorded", these do not. Nor does it say which rows are hidden. So the sheets are searched for
just that, in pieces, before the reader sees them. On the way every part is unpacked once and counted: what a workbook
says of its size cannot be trusted until then, and a few kilobytes may hold a bomb.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

__all__ = ["SheetNotes", "TooLarge", "letters_to_index", "sheet_notes"]

UNPACKED_BYTES_MAX = 1 << 30
"""Of all parts together; a sheet of 1,000,000 rows and 20 columns has about 700 MB."""
PARTS_MAX = 10_000
NOTES_MAX = 200_000
"""Cells without a value that are kept in mind; a workbook with more has not been computed at all."""
_PIECE_BYTES = 1 << 20
_CELL_HEAD = rb'<c\b(?=[^>]*\br="([A-Z]+)(\d+)")'
_ERROR = re.compile(_CELL_HEAD + rb'(?=[^>]*\bt="e")[^>]*>(.*?)</c>', re.DOTALL)
_SHOWN = re.compile(rb"<v>([^<]*)</v>")
_NOT_COMPUTED = re.compile(
    _CELL_HEAD + rb'(?![^>]*\bt="str")[^>]*>\s*<f\b(?:[^>]*/>|[^>]*>([^<]*)</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>'
)
"""A formula without a value; a text without characters is one (`t="str"`)."""
_HIDDEN_ROW = re.compile(rb'<row\b(?=[^>]*\bhidden="(?:1|true)")[^>]*\br="(\d+)"')
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class TooLarge(ValueError):
    """More than may be unpacked; the message says of what."""


@dataclass(slots=True)
class SheetNotes:
    shown: dict[tuple[int, int], str] = field(default_factory=dict)
    """(row, column), both from 0 → the error or the formula that stands there instead of a value."""
    hidden_rows: set[int] = field(default_factory=set)
    """From 0."""


def sheet_notes(path: Path) -> dict[str, SheetNotes]:
    """Sheet → what is noted of it. Of a workbook of another format: nothing. Raises `TooLarge`."""
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        if len(infos) > PARTS_MAX or sum(info.file_size for info in infos) > UNPACKED_BYTES_MAX:
            raise TooLarge(f"it unpacks to more than {UNPACKED_BYTES_MAX >> 20} MiB, or {PARTS_MAX} parts")
        sheets = _sheets(archive)
        found = {name: SheetNotes() for name in sheets.values()}
        for info in infos:
            with archive.open(info) as part:
                name = sheets.get(info.filename)
                if name is None:
                    while part.read(_PIECE_BYTES):  # a part longer than it says fails here, and not in the reader
                        pass
                else:
                    _search(part, found[name])
        return found


def _sheets(archive: zipfile.ZipFile) -> dict[str, str]:
    """Part → the name of the sheet."""
    relations = {
        item.get("Id"): item.get("Target", "")
        for item in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    }
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    return {
        posixpath.normpath(posixpath.join("/xl", relations[sheet.get(_RELATION)]))[1:]: sheet.get("name", "")
        for sheet in book.iter(f"{_MAIN}sheet")
    }


def _search(part: IO[bytes], notes: SheetNotes) -> None:
    for piece in _pieces(part):
        if b't="e"' in piece:
            for match in _ERROR.finditer(piece):
                shown = _SHOWN.search(match[3])
                notes.shown[_place(match)] = shown[1].decode() if shown else "#N/A"
        if b"<f" in piece:
            for match in _NOT_COMPUTED.finditer(piece):
                notes.shown[_place(match)] = "=" + (match[3] or b"").decode("utf-8", "replace")
        if b'hidden="' in piece:
            notes.hidden_rows.update(int(match[1]) - 1 for match in _HIDDEN_ROW.finditer(piece))
        if len(notes.shown) > NOTES_MAX:
            raise TooLarge(f"more than {NOTES_MAX} of its cells have no value: it has not been computed")


def _pieces(part: IO[bytes]) -> Iterator[bytes]:
    """The sheet in pieces, none of which ends within a cell."""
    rest = b""
    while read := part.read(_PIECE_BYTES):
        rest += read
        cut = rest.rfind(b"<c ")
        if cut > 0:
            yield rest[:cut]
            rest = rest[cut:]
    yield rest


def _place(match: re.Match[bytes]) -> tuple[int, int]:
    return int(match[2]) - 1, letters_to_index(match[1].decode())


def letters_to_index(letters: str) -> int:
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1
