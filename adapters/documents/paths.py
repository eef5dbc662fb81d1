"""The value at a dotted path of a nested document, and the value at several of which one is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["at_path", "at_paths"]


def at_path(document: Any, path: str) -> Any:
    """The value at a dotted path; None where the way there is missing. A path may lead through lists by number."""
    for step in path.split("."):
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and step.isascii() and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document


def at_paths(document: Any, paths: Sequence[str]) -> Any:
    """The value of a column that an interface calls by several names.

    Where two of them hold different values, neither is believed: what comes is an object of both, which is no value of
    any field, no key, and no open secrecy.
    """
    found = {path: value for path in paths if (value := at_path(document, path)) is not None}
    values = list(found.values())
    if len(values) <= 1 or all(_same(values[0], value) for value in values[1:]):
        return values[0] if values else None
    return found


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
