"""Response paths: where in an answer something stands. A key is a text, an index a number, as in GraphQL errors."""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["PathElement", "ResponsePath", "format_path", "value_at"]

PathElement: TypeAlias = str | int
ResponsePath: TypeAlias = tuple[PathElement, ...]


def format_path(path: ResponsePath) -> str:
    """For messages and logs: `assets.nodes[3].name`."""
    text = ""
    for element in path:
        if isinstance(element, int):
            text += f"[{element}]"
        else:
            text += f".{element}" if text else element
    return text


def value_at(data: Any, path: ResponsePath) -> Any:
    """What stands at `path`, or None where the way ends early: errors point below nulls more often than not."""
    for element in path:
        if isinstance(element, int):
            if not isinstance(data, list) or not 0 <= element < len(data):
                return None
            data = data[element]
        elif isinstance(data, dict):
            data = data.get(element)
        else:
            return None
    return data
