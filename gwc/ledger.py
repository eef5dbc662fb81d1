"""`gwc ledger`: make today's anchor, verify the ledger against anchors, and export it.

`verify` and `anchor` open the overlay's store themselves; `export` asks the gateway with a token, so that it gives to
each person what they may see.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gwc.options import DataDir, say, settings_of

__all__ = ["ledger_app"]

ledger_app = typer.Typer(no_args_is_help=True, help="The ledger: anchors, verification, export.")


class Encoding(StrEnum):
    utf_8 = "utf-8-sig"
    gb18030 = "gb18030"


class Kind(StrEnum):
    journal = "journal"
    balances = "balances"
    differences = "differences"


@ledger_app.command()
def anchor(data_dir: DataDir = None) -> None:
    """Make today's anchor, if there is none yet, and see that its file lies in the folder."""
    from gwc.parts.ledger import make_anchor

    asyncio.run(make_anchor(settings_of(data_dir), say))


@ledger_app.command()
def verify(
    anchor: Annotated[
        list[Path] | None, typer.Option(help="An exported anchor, best from another machine. May be repeated.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="The ledger's public key. [default: ledger.pub.pem of the keys' folder]")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Check every entry, and that the ledger still is what its anchors say. Exit status 1 when it is not."""
    from gwc.parts.ledger import verify_files

    asyncio.run(verify_files(settings_of(data_dir), anchor or [], key, say))


@ledger_app.command()
def export(
    kind: Annotated[Kind, typer.Argument(help="What to export.")],
    out: Annotated[Path, typer.Option(help="The file to write: .xlsx or .csv.")],
    asset: Annotated[list[str] | None, typer.Option(help="Journal: of these assets alone. May be repeated.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Of these regions alone. May be repeated.")] = None,
    day: Annotated[str | None, typer.Option(help="Balances: as of the end of this day.")] = None,
    encoding: Annotated[
        Encoding, typer.Option(help="Of a CSV; gb18030 for Excel on a Chinese Windows.")
    ] = Encoding.utf_8,
    url: Annotated[
        str, typer.Option(envvar="GWC_URL", help="The gateway's GraphQL endpoint.")
    ] = "http://127.0.0.1:8000/graphql",
    token: Annotated[
        str | None, typer.Option(envvar="GWC_TOKEN", help="An officer's token; best given by GWC_TOKEN.")
    ] = None,
) -> None:
    """Write entries, balances or differences as a sheet, as far as the token may see; the audit log records it."""
    from gwc.ledger_export import Wanted, export_ledger

    wanted = Wanted(kind.value, asset or [], region or [], day)
    asyncio.run(export_ledger(wanted, out, encoding.value, url, token, say))
