"""`gwc quality duplicates`: assets that seem to stand in two regions' stores.

No member sees another's rows, so this is asked of the gateway, page by page, of what is published: secret rows are
never given, rows in quarantine are not listed. What is told apart, the strongest sign first:

    SAME_CARD     the same code, of the same unit (USCC): one card in two stores
    SAME_SERIAL   the same serial number and brand
    SAME_CODE     the same code of different units: perhaps only a scheme of numbering that both use

Texts are compared in plain width, without blanks, in one case. Digests go into a file of SQLite's own making, so
memory does not grow with the city; beyond `rows_max` the reading is refused, never cut off.
"""

from __future__ import annotations

import asyncio
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeAlias

from gwc.errors import CommandError
from gwc.quality.client import connect
from gwc.quality.sheet import Sheet, open_sheet

__all__ = ["HEADINGS", "find_duplicates"]

Json: TypeAlias = "dict[str, Any]"
Say: TypeAlias = "Callable[[str], None]"

KINDS = ("SAME_CARD", "SAME_SERIAL", "SAME_CODE")
HEADINGS = (
    "类别 kind", "组 group", "区划 region", "标识 id", "资产编码 code", "序列号 serial number", "品牌 brand",
    "单位 USCC", "单位 unit",
)  # fmt: skip
SERIAL_LENGTH_MIN = 5
"""Shorter ones are `无`, `1`, `N/A`, or numbers of a drawer."""
_ASSETS = """query ($first: Int!, $after: String) {
  assets(first: $first, after: $after) {
    nodes { id region { code } code serialNumber brand owner { name uscc } } pageInfo { hasNextPage endCursor }
  }
}"""
_TABLES = """
CREATE TABLE asset (n INTEGER PRIMARY KEY, region TEXT, id TEXT, code TEXT, serial TEXT, brand TEXT, uscc TEXT, unit TEXT);
CREATE TABLE mark (kind INTEGER, digest BLOB, n INTEGER, PRIMARY KEY (kind, digest, n)) WITHOUT ROWID;
"""
_FOUND = """
SELECT kind, digest, region, id, code, serial, brand, uscc, unit FROM mark JOIN asset USING (n)
WHERE (kind, digest) IN (SELECT kind, digest FROM mark JOIN asset USING (n) GROUP BY 1, 2 HAVING count(DISTINCT region) > 1)
ORDER BY kind, digest, region, id
"""


def find_duplicates(out: Path, encoding: str, url: str, token: str | None, rows_max: int, say: Say) -> None:
    """Raises `CommandError` when the gateway does not answer, lacks a member, or has more rows than that."""
    db = sqlite3.connect("")  # a file of SQLite's own, which it removes
    try:
        db.executescript(_TABLES)
        rows = asyncio.run(_read(db, url, token, rows_max))
        with open_sheet(out, encoding) as sheet:
            groups = _write(db, sheet)
    finally:
        db.close()
    told = ", ".join(f"{count} × {kind}" for kind, count in zip(KINDS, groups, strict=True))
    say(f"{out}: {told}, among {rows} assets that this token may see")


async def _read(db: sqlite3.Connection, url: str, token: str | None, rows_max: int) -> int:
    rows = 0
    async with connect(url, token, inside=False) as endpoint:
        async for page in endpoint.pages(_ASSETS, {}, "assets"):
            for node in page["nodes"]:
                rows += 1
                _keep(db, rows, node)
            if rows > rows_max:
                raise CommandError(f"There are more than {rows_max} assets.", "Say how many may be read: --rows-max")
    return rows


def _keep(db: sqlite3.Connection, n: int, node: Json) -> None:
    owner = node["owner"] or {"uscc": None, "name": None}
    region = node["region"]["code"]
    shown = [node["code"], node["serialNumber"], node["brand"], owner["uscc"], owner["name"]]
    db.execute("INSERT INTO asset VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (n, region, node["id"], *shown))
    marks = [(KINDS.index(kind), digest, n) for kind, digest in marks_of(*shown[:4])]
    db.executemany("INSERT INTO mark VALUES (?, ?, ?)", marks)


def marks_of(code: str | None, serial: str | None, brand: str | None, uscc: str | None) -> Iterator[tuple[str, bytes]]:
    """What an asset may share with another: (kind, digest)."""
    number, known = _folded(code), _folded(serial)
    if number:
        yield "SAME_CODE", _digest(number)
        if uscc:
            yield "SAME_CARD", _digest(number, uscc)
    if len(known) >= SERIAL_LENGTH_MIN:
        yield "SAME_SERIAL", _digest(known, _folded(brand))


def _folded(text: str | None) -> str:
    return "".join(unicodedata.normalize("NFKC", text or "").split()).casefold()


def _digest(*texts: str) -> bytes:
    return blake2b("\x1f".join(texts).encode("utf-8", "replace"), digest_size=16).digest()


def _write(db: sqlite3.Connection, sheet: Sheet) -> list[int]:
    """How many groups of each kind."""
    counts = [0] * len(KINDS)
    sheet.writerow(HEADINGS)
    last: tuple[int, bytes] | None = None
    for kind, digest, *cells in db.execute(_FOUND):
        if (kind, digest) != last:
            last = (kind, digest)
            counts[kind] += 1
        sheet.writerow([KINDS[kind], str(counts[kind]), *(cell or "" for cell in cells)])
    return counts
