"""`gwc adapter`: from a connection string to a conforming subgraph. Options here, work in `gwc.kit`, the kit in `adapters.kit`.

Exit status: 0 all is well, 1 a check failed, 2 it could not run (a store that is away, a mapping that does not load).
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["adapter_app"]

adapter_app = typer.Typer(no_args_is_help=True, help="A district's legacy store: look into it, map it, check it.")

MappingFile = Annotated[Path, typer.Argument(help="The district's mapping file.")]
StoreUrl = Annotated[str | None, typer.Option(envvar="GWC_STORE_URL", help="Use this store instead of the mapping's.")]
Region = Annotated[str | None, typer.Option(help="The region's code; guessed from the store otherwise.")]
Table = Annotated[str | None, typer.Option(help="The asset table, if the guess is wrong.")]
Seconds = Annotated[float, typer.Option(min=1, help="How long to look at most.")]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]


class Kind(StrEnum):
    sqlite = "sqlite"
    postgresql = "postgresql"
    mariadb = "mariadb"
    mysql = "mysql"
    mongodb = "mongodb"
    csv = "csv"
    jsonl = "jsonl"
    xlsx = "xlsx"


@adapter_app.command("inspect")
def adapter_inspect(
    url: Annotated[
        str,
        typer.Argument(
            help="A path (SQLite, workbook, CSV, folder of CSV), or a URL. Passwords: '${NAME}' out of the environment."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Write the draft mapping here. [default: print it]")] = None,
    region: Region = None,
    table: Table = None,
    seconds: Seconds = 60,
    force: Force = False,
) -> None:
    """Read a strange store, guess what its tables and columns mean, and write a commented draft mapping."""
    from gwc.kit.run import inspect

    inspect(url, out, region, table, seconds, force)


@adapter_app.command("preview")
def adapter_preview(
    mapping: MappingFile,
    rows: Annotated[int, typer.Option(min=1, max=1000, help="How many rows.")] = 20,
    store_url: StoreUrl = None,
) -> None:
    """Show rows as the store has them beside what the mapping makes of them. Secret rows are never shown."""
    from gwc.kit.run import preview

    preview(mapping, store_url, rows)


@adapter_app.command("check")
def adapter_check(
    mapping: MappingFile,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    rows: Annotated[
        int, typer.Option(min=1, help="Compare a store of up to so many rows whole, a sample else.")
    ] = 5000,
    page_ms: Annotated[float, typer.Option(min=1, help="What a page of 50 rows may take.")] = 300,
    store_url: StoreUrl = None,
) -> None:
    """Hold the live store against the protocol: order, pages, filters, sums, quarantine, secrecy, holds, timing."""
    from gwc.kit.run import check

    if not check(mapping, store_url, as_json, rows, page_ms):
        raise typer.Exit(1)


@adapter_app.command("new")
def adapter_new(
    kind: Annotated[Kind | None, typer.Option(help="What kind of store it is.")] = None,
    url: Annotated[str | None, typer.Option(help="Path or URL, instead of the questions below.")] = None,
    host: Annotated[str | None, typer.Option(help="Of a server: host or host:port.")] = None,
    database: Annotated[str | None, typer.Option(help="Of a server: the database.")] = None,
    user: Annotated[str | None, typer.Option(help="Of a server: the account, which should only read.")] = None,
    password_env: Annotated[
        str | None, typer.Option(help="Of a server: the environment variable that holds the password.")
    ] = None,
    region: Region = None,
    table: Table = None,
    out: Annotated[Path | None, typer.Option(help="The mapping to write. [default: REGION.toml]")] = None,
    seconds: Seconds = 60,
    force: Force = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: take the guesses, fail where a flag is missing.")
    ] = False,
) -> None:
    """Ask what must be asked, look into the store, write a draft mapping, an example of .env, and the next commands."""
    from gwc.kit.new import Answers, new

    answers = Answers(kind.value if kind else None, url, host, database, user, password_env, region, table)
    new(answers, out, seconds, force, asks=not yes)
