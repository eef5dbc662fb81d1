"""Sampled documents as a table: each path that leads to a single value is a column, as a mapping would name it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adapters.kit.survey import CELL_MAX, ColumnSurvey

__all__ = ["columns_of"]

_DEPTH_MAX = 4
_PATHS_MAX = 200


def columns_of(
    documents: Sequence[dict[str, Any]], plain: Callable[[Any], Any] = lambda value: value
) -> tuple[ColumnSurvey, ...]:
    """`plain` makes values that only a store's driver knows ours."""
    flat = [dict(_paths(document)) for document in documents]
    paths = list(dict.fromkeys(path for one in flat for path in one))[:_PATHS_MAX]
    return tuple(
        ColumnSurvey(path, _type_of(flat, path), samples=tuple(_cut(plain(one.get(path))) for one in flat))
        for path in paths
    )


def _paths(document: dict[str, Any], prefix: str = "", depth: int = 0) -> list[tuple[str, Any]]:
    """Dotted paths and values; lists are not entered: a mapping names their places one by one."""
    found: list[tuple[str, Any]] = []
    for name, value in document.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and depth < _DEPTH_MAX:
            found += _paths(value, f"{path}.", depth + 1)
        elif not isinstance(value, list | dict | bytes):
            found.append((path, value))
    return found


def _type_of(flat: Sequence[dict[str, Any]], path: str) -> str:
    kinds = {type(one[path]).__name__ for one in flat if one.get(path) is not None}
    return "/".join(sorted(kinds))


def _cut(value: Any) -> Any:
    return value[:CELL_MAX] if isinstance(value, str) else value
