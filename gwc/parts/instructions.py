"""`gwc district instructions`: what a legacy store does not show yet, handed to its district and ticked off again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from contract.regions import REGIONS
from gwc.errors import CommandError
from gwc.parts.common import state_url
from gwc.parts.district import open_district_store, read_store
from gwc.settings import Settings
from subgraphs.district.custody.book import CustodyBook
from subgraphs.district.custody.database import BookUnavailable
from subgraphs.district.custody.instruction_file import InstructionFileError, read_ticks, render, write_file
from subgraphs.district.custody.instructions import Instruction, Instructions
from subgraphs.kit.migrations import StoreTooNew

__all__ = ["export_instructions", "list_instructions", "tick_instructions"]

Say = Callable[[str], None]
LISTED_MAX = 1_000
_STORE_ROWS_AT_ONCE = 500


def export_instructions(settings: Settings, region: str, folder: Path, say: Say) -> None:
    """Number what is new and write it into the folder; what a crash left unwritten, too."""

    async def export(instructions: Instructions) -> None:
        written = 0
        for batch in await instructions.number():
            content = render(region, batch.instructions)
            try:
                path = await asyncio.to_thread(write_file, folder, batch.file, content)
            except OSError as error:
                raise CommandError(
                    f"{folder} cannot be written: {error.strerror}.", "Choose another --folder."
                ) from None
            await instructions.filed(batch.file)
            say(f"{path}: {len(batch.instructions)} instructions")
            written += 1
        if not written:
            say(f"{region}: nothing new")

    _with_book(settings, region, export)


def list_instructions(settings: Settings, region: str, mapping: Path | None, store_url: str | None, say: Say) -> None:
    """What is open; and, where the mapping is given, what was ticked off and the store does not show."""

    async def show(instructions: Instructions) -> None:
        opened = await instructions.open(LISTED_MAX)
        for one in opened:
            say(_line(region, one))
        say(f"{region}: {len(opened)}{' or more' if len(opened) == LISTED_MAX else ''} open")
        if mapping is not None:
            await _differences(settings, region, instructions, mapping, store_url, say)

    _with_book(settings, region, show)


def tick_instructions(settings: Settings, region: str, file: Path, say: Say) -> None:
    """Take the ticks of a file that came back."""
    try:
        ticks = read_ticks(file, region)
    except InstructionFileError as error:
        raise CommandError(f"{error}.", "Send the file as it was handed out, with ticks in its last column.") from None

    async def tick(instructions: Instructions) -> None:
        ticked = await instructions.done(ticks.numbers, ticks.natives)
        say(f"{region}: {len(ticked.done)} ticked off, {len(ticked.again)} had been before")
        for label in ticks.unclear:
            say(f"{label}: neither yes nor no: left open")
        for number in ticked.unknown:
            say(f"{region}-{number:06}: no such instruction was handed out")
        for number in ticked.unnamed:
            say(f"{region}-{number:06}: a card, without a key of its own in the column 新主键: left open")

    _with_book(settings, region, tick)


async def _differences(
    settings: Settings, region: str, instructions: Instructions, mapping: Path, store_url: str | None, say: Say
) -> None:
    store = read_store(mapping, store_url, settings.state / "index")
    if store.region != region:
        raise CommandError(f"{mapping} is of region {store.region}, not of {region}.", "Give that region's mapping.", 2)
    await open_district_store(store)
    try:
        assets = [one.asset for one in await instructions.unseen()]
        shown: dict[str, str | None] = {}
        for start in range(0, len(assets), _STORE_ROWS_AT_ONCE):
            rows = await store.rows(assets[start : start + _STORE_ROWS_AT_ONCE], frozenset({"status"}))
            shown |= {native: row["status"] for native, row in rows.items()}
    finally:
        await store.close()
    different = await instructions.compare(shown)
    for one, status in different:
        found = "is not in the store" if one.asset not in shown else f"is {status or 'without a status'} there"
        say(f"{_line(region, one)}: ticked off, but it {found}")
    say(f"{region}: {len(different)} ticked off that the store does not show")


def _line(region: str, one: Instruction) -> str:
    label = f"{region}-{one.number:06}" if one.number is not None else "not handed out"
    wanted = "status unchanged" if one.status is None else one.status
    return f"{label}  {one.asset}  {one.kind} {one.quantity}  {wanted}  {one.reason or ''}".rstrip()


def _with_book(settings: Settings, region: str, work: Callable[[Instructions], Awaitable[None]]) -> None:
    if region not in REGIONS:
        raise CommandError(f"{region} is no region.", "One of " + ", ".join(REGIONS), 2)

    async def run() -> None:
        async with _opened(settings, region) as book:
            await work(book.instructions)

    asyncio.run(run())


@asynccontextmanager
async def _opened(settings: Settings, region: str) -> AsyncIterator[CustodyBook]:
    book = CustodyBook(settings.custody_url or state_url(settings, f"custody-{region}.sqlite"), region)
    try:
        settings.state.mkdir(parents=True, exist_ok=True)
        await book.open()
    except (BookUnavailable, StoreTooNew, OSError) as error:
        raise CommandError(f"The custody book of {region} cannot be opened: {error}.") from None
    try:
        yield book
    finally:
        await book.close()
