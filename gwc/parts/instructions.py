"""`gwc district instructions`: what a legacy store does not show yet, handed to its district and ticked off again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from gwc.errors import CommandError
from gwc.parts.book import opened_book
from gwc.parts.district import open_district_store, read_store
from gwc.settings import Settings
from subgraphs.district.custody.instruction_file import (
    InstructionFileError,
    Ticks,
    label,
    number_of,
    read_ticks,
    render,
    write_file,
)
from subgraphs.district.custody.instructions import Instruction, Instructions

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


def tick_instructions(settings: Settings, region: str, done: Sequence[str], say: Say) -> None:
    """Take the ticks of files that came back, and single numbers; all are read before any is ticked off."""
    try:
        ticks = [_ticks(one, region) for one in done]
    except InstructionFileError as error:
        raise CommandError(
            f"{error}.",
            f"A number such as {label(region, 1)}, or a file as it was handed out, with ticks in its last column.",
        ) from None

    async def tick(instructions: Instructions) -> None:
        natives = {number: native for one in ticks for number, native in one.natives.items()}
        ticked = await instructions.done([number for one in ticks for number in one.numbers], natives)
        say(f"{region}: {len(ticked.done)} ticked off, {len(ticked.again)} had been before")
        for unclear in (called for one in ticks for called in one.unclear):
            say(f"{unclear}: neither yes nor no: left open")
        for number in ticked.unknown:
            say(f"{label(region, number)}: no such instruction was handed out")
        for number in ticked.unnamed:
            say(
                f"{label(region, number)}: a card, without the key that it was given (NUMBER=KEY, or the column 新主键): left open"
            )

    _with_book(settings, region, tick)


def _ticks(text: str, region: str) -> Ticks:
    """A number alone, a number with the key that a card was given (`330182-000007=TY2026000001`), or a file."""
    called, _, native = text.partition("=")
    number = number_of(called, region)
    if number is None:
        return read_ticks(Path(text), region)
    return Ticks((number,), (), {number: native} if native else {})


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
    called = label(region, one.number) if one.number is not None else "not handed out"
    wanted = "status unchanged" if one.status is None else one.status
    return f"{called}  {one.asset}  {one.kind} {one.quantity}  {wanted}  {one.reason or ''}".rstrip()


def _with_book(settings: Settings, region: str, work: Callable[[Instructions], Awaitable[None]]) -> None:
    async def run() -> None:
        async with opened_book(settings, region) as book:
            await work(book.instructions)

    asyncio.run(run())
