"""`make bench-overlay`: what the overlay costs, over a whole city in one process.

Each part prints its own figures; `PARTS="view …"` chooses among them, `ROUNDS` is how often each thing is measured.
"""

from __future__ import annotations

import os

from benchmarks.figures import machine
from benchmarks.overlay import commands, view

__all__ = ["PARTS"]

PARTS = {"view": view.main, "commands": commands.main}


def main() -> None:
    print(machine(), flush=True)
    for name in os.environ.get("PARTS", " ".join(PARTS)).split():
        PARTS[name]()


if __name__ == "__main__":
    main()
