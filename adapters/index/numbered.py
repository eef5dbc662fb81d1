"""What a source gives one by one, with numbers: rows, and what is none.

What cannot be read cannot be judged either, and undecided means secret: nothing of it is kept. But a loss is told: it is
counted as `MALFORMED_ROW`, and its number says where to look.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from adapters.index.build import IndexBuilder
from adapters.mapping.mapper import RowMapper

__all__ = ["Numbered", "add_numbered", "shown_text"]

Numbered: TypeAlias = tuple[int, tuple[Any, ...] | str]
"""A row, or what is none as text."""


def add_numbered(building: IndexBuilder, items: Iterable[Numbered]) -> None:
    mapper = building.mapper
    for number, item in items:
        if isinstance(item, str):
            building.add_malformed(number, shown_text(mapper, item))
        elif mapper.is_undecided(item):
            building.add_malformed(number, None)
        else:
            building.add((item,))


def shown_text(mapper: RowMapper, text: str) -> str | None:
    """Of what is no row: only where the mapping says that nothing in its store can be secret."""
    return None if mapper.judges_secrecy else text
