"""Cells that show an error (`#REF!`, `#DIV/0!`), which the reader of workbooks gives as empty ones.

They are cut out of the sheets' own XML: an empty amount means "not recorded", one that Excel could not compute does
not. A sheet without any costs one search through its bytes.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

__all__ = ["Errors", "error_cells", "letters_to_index"]

Errors = dict[tuple[int, int], str]
"""(row, column), both from 0 → what the cell shows."""
_CELL = re.compile(rb'<c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+)(\d+)"[^>]*>(.*?)</c>', re.DOTALL)
_SHOWN = re.compile(rb"<v>([^<]*)</v>")
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def error_cells(path: Path) -> dict[str, Errors]:
    """Sheet → its error cells. Of a workbook of another format: none."""
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as archive:
        relations = {
            item.get("Id"): item.get("Target", "")
            for item in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
        }
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        parts = {
            sheet.get("name", ""): posixpath.normpath(posixpath.join("/xl", relations[sheet.get(_RELATION)]))[1:]
            for sheet in book.iter(f"{_MAIN}sheet")
        }
        return {name: _errors(archive.read(part)) for name, part in parts.items()}


def _errors(xml: bytes) -> Errors:
    found: Errors = {}
    if b't="e"' not in xml:
        return found
    for match in _CELL.finditer(xml):
        shown = _SHOWN.search(match[3])
        found[int(match[2]) - 1, letters_to_index(match[1].decode())] = shown[1].decode() if shown else "#N/A"
    return found


def letters_to_index(letters: str) -> int:
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1
