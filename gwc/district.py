"""`gwc district`: serve one district, or hand it what its legacy store does not show yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from gwc.errors import CommandError
from gwc.options import DataDir, Host, Port, StoreUrl, say, settings_of
from gwc.settings import Settings

__all__ = ["district_app"]

district_app = typer.Typer(invoke_without_command=True)
instructions_app = typer.Typer(no_args_is_help=True)
district_app.add_typer(instructions_app, name="instructions")


@district_app.callback()
def district(
    context: typer.Context,
    mapping: Annotated[Path | None, typer.Option(help="The district's mapping file.")] = None,
    host: Host = "127.0.0.1",
    port: Port = 8201,
    store_url: StoreUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Serve one district's subgraph over its legacy store."""
    from gwc.parts.district import serve_district

    if context.invoked_subcommand is not None:
        return
    if mapping is None:
        raise CommandError("Which district? --mapping is missing.", "Such as --mapping 330109.toml", 2)
    serve_district(settings_of(data_dir), mapping, store_url, host, port, say)


@dataclass(frozen=True, slots=True)
class _Whose:
    settings: Settings
    region: str


@instructions_app.callback()
def instructions(
    context: typer.Context,
    region: Annotated[str, typer.Option(help="The district, by its GB/T 2260 code.")],
    data_dir: DataDir = None,
) -> None:
    """What the city has changed and the legacy store does not show yet (未落库): hand it out, tick it off."""
    context.obj = _Whose(settings_of(data_dir), region)


@instructions_app.command("list")
def list_(
    context: typer.Context,
    mapping: Annotated[
        Path | None, typer.Option(help="Look into the store too: what was ticked off and is not there?")
    ] = None,
    store_url: StoreUrl = None,
) -> None:
    """Show what is open, and with --mapping what was ticked off and the store does not show."""
    from gwc.parts.instructions import list_instructions

    whose: _Whose = context.obj
    list_instructions(whose.settings, whose.region, mapping, store_url, say)


@instructions_app.command()
def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Option(help="Where the district fetches its files.")],
) -> None:
    """Write new instructions into a file of the folder, each with a number for good."""
    from gwc.parts.instructions import export_instructions

    whose: _Whose = context.obj
    export_instructions(whose.settings, whose.region, folder, say)


@instructions_app.command()
def done(
    context: typer.Context,
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|NUMBER...",
            help="Files that came back, with ticks in their last column; or single numbers, such as 330182-000001.",
        ),
    ],
) -> None:
    """Tick off what the district says is done."""
    from gwc.parts.instructions import tick_instructions

    whose: _Whose = context.obj
    tick_instructions(whose.settings, whose.region, what, say)


@district_app.command()
def reads(
    region: Annotated[str, typer.Option(help="The district, by its GB/T 2260 code.")],
    asset: Annotated[str | None, typer.Option(help="Only of this asset, by its native key.")] = None,
    person: Annotated[str | None, typer.Option(help="Only by this person.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 200,
    data_dir: DataDir = None,
) -> None:
    """Show who was told personal data or raw rows of this district, latest first."""
    from gwc.parts.reads import show_reads

    show_reads(settings_of(data_dir), region, asset, person, limit, say)
