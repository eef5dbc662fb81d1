"""Options that many commands share, and what they become."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gwc.settings import Settings

__all__ = ["DataDir", "Host", "Port", "StoreUrl", "say", "settings_of"]

Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of the city, its state and its keys. [default: var]")]
StoreUrl = Annotated[str | None, typer.Option(envvar="GWC_STORE_URL", help="Use this store instead of the mapping's.")]


def say(line: str) -> None:
    print(line, flush=True)


def settings_of(data_dir: Path | None) -> Settings:
    return Settings() if data_dir is None else Settings(data_dir=data_dir)
