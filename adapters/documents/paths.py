"""The value at a dotted path of a nested document, and the value at several of which one is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from adapters.mapping.values import Differing

__all__ = ["PathReader", "at_path", "path_reader"]

PathReader: TypeAlias = Callable[[dict[str, Any]], Any]


def at_path(document: Any, path: str) -> Any:
    """The value at a dotted path; None where the way there is missing. A path may lead through lists by number."""
    return _walk(document, path.split("."))


def _walk(document: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and step.isascii() and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document


def path_reader(paths: Sequence[str]) -> PathReader:
    """Reads a column that a store calls by one name or several; paths are taken apart once.

    Where two names hold different values, neither is believed: what comes is an object of all that was found, which is
    no value of any field, no key, and no open secrecy.
    """
    readers = [_reader(path) for path in paths]
    if len(readers) == 1:
        return readers[0]

    def read(document: dict[str, Any]) -> Any:
        value = None
        for one in readers:
            other = one(document)
            if other is None:
                continue
            if value is None:
                value = other
            elif not _same(value, other):
                found = ((path, at_path(document, path)) for path in paths)
                return Differing((path, value) for path, value in found if value is not None)
        return value

    return read


def _reader(path: str) -> PathReader:
    steps = path.split(".")
    if len(steps) == 1:
        return lambda document: document.get(path)
    return lambda document: _walk(document, steps)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
