"""Node programs that the tests run beside ours: from npm, pinned by a lock file, in a folder of their own each."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

__all__ = ["is_expected", "program"]


def is_expected() -> bool:
    """Whether their tests run here: wherever Node is, and always in CI."""
    return bool(os.environ.get("CI")) or shutil.which("node") is not None


def program(folder: Path, name: str) -> Path:
    """A program of the packages installed in `folder`. Fails with what to do."""
    path = folder / "node_modules" / ".bin" / name
    assert path.exists(), f"{name} is not installed in {folder}: run `make node`, with Node 20 or newer."
    return path
