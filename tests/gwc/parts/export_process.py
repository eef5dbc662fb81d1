"""`gwc district instructions export` in a process of its own that comes to rest at one of its steps:

    python -m … STEP WORDS…

    part     before the file is written beside its place       the book has given the numbers
    name     before it gets its name                           it is written, and on the disk
    folder   before the folder's list of files is on the disk  it has its name
    said     when it is told                                   the book says that it lies there

Python tells of each file that is opened or renamed (`sys.addaudithook`): nothing of the command itself is changed.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from gwc.cli import app

STEPS = ("part", "name", "folder", "said")


def step_of(event: str, args: tuple[Any, ...], folder: str) -> str | None:
    if event == "os.rename":
        return "name"
    if event == "open" and str(args[0]).endswith(".part"):
        return "part"
    return "folder" if event == "open" and str(args[0]) == folder else None


def rest() -> None:
    print("resting", flush=True)
    time.sleep(600)


def watch(step: str, folder: str) -> None:
    is_resting = False

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal is_resting
        if not is_resting and step_of(event, args, folder) == step:
            is_resting = True
            rest()

    sys.addaudithook(hook)


if __name__ == "__main__":
    step, *words = sys.argv[1:]
    watch(step, words[-1])
    app(words, standalone_mode=False)
    rest()
