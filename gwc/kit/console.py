"""Printing for people: tables that know how wide Chinese is, cut values, and progress on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

__all__ = ["cut", "open_console", "progress_bar", "table_lines"]

PLAIN_WIDTH = 120
"""Where nobody says how wide the paper is: pipes, files, CI."""


def open_console(file: TextIO | None = None) -> Console:
    out = file or sys.stdout
    width = None if out.isatty() else PLAIN_WIDTH
    return Console(file=out, width=width, highlight=False, markup=False, emoji=False, soft_wrap=True)


def cut(text: str, width: int) -> str:
    """At most so many cells, of which a Chinese character takes two. Breaks become spaces."""
    flat = " ".join(text.encode("utf-8", "backslashreplace").decode("utf-8").split())
    return flat if cell_len(flat) <= width else set_cell_size(flat, width - 1).rstrip() + "…"


def table_lines(headings: list[str], rows: list[list[str]], widths_max: list[int]) -> Iterator[str]:
    """Plain columns, each as wide as it must be; the last is not filled up."""
    cells = [[cut(cell, width) for cell, width in zip(row, widths_max, strict=True)] for row in [headings, *rows]]
    widths = [max(cell_len(row[at]) for row in cells) for at in range(len(headings))]
    for row in cells:
        yield "  ".join(set_cell_size(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()


@contextmanager
def progress_bar(words: str) -> Iterator[Callable[[str, int, int], None]]:
    """Told (what, done, total); shows itself on standard error, and only where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda name, done, total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[what]}"))
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task(words, total=None, what="")

        def tell(name: str, done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, what=cut(name, 30))

        yield tell
