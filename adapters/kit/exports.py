"""What is seen of an exported file without reading it: how many lines, and whether another says that it is whole."""

from __future__ import annotations

from pathlib import Path

__all__ = ["lines_of", "ready_suffix_of"]

_LINES_COUNTED_BYTES_MAX = 64 << 20
_READY_BYTES_MAX = 32


def ready_suffix_of(file: Path) -> str:
    """Of the file beside an export that says how many lines it has; empty where there is none."""
    for beside in sorted(file.parent.glob(f"{file.stem}.*")):
        if beside != file and beside.stat().st_size < _READY_BYTES_MAX and beside.read_bytes().strip().isdigit():
            return beside.suffix
    return ""


def lines_of(file: Path) -> tuple[int, bool]:
    """(line ends, whether only estimated)."""
    size = file.stat().st_size
    with file.open("rb") as binary:
        head = binary.read(min(size, _LINES_COUNTED_BYTES_MAX))
    lines = head.count(b"\n") + (not head.endswith(b"\n") and bool(head))
    return (lines, False) if len(head) == size else (lines * size // len(head), True)
