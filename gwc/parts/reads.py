"""`gwc district reads`: who was told personal data of a district."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gwc.parts.book import opened_book
from gwc.settings import Settings
from subgraphs.district.custody.reads import Read

__all__ = ["show_reads"]

Say = Callable[[str], None]


def show_reads(settings: Settings, region: str, asset: str | None, person: str | None, limit: int, say: Say) -> None:
    async def show() -> None:
        async with opened_book(settings, region) as book:
            found = await book.reads.latest(limit + 1, asset, person)
        for one in found[:limit]:
            say(_line(one))
        say(f"{region}: {min(len(found), limit)}{' and more' if len(found) > limit else ''} reads")

    asyncio.run(show())


def _line(one: Read) -> str:
    return "  ".join((one.at, one.kind, one.asset, one.person or "-", one.unit or "-", one.region or "-"))
