"""What several tables of a mapping file share: conditions on a column, and the name of a code table."""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from typing import Final

from adapters.mapping.model import Condition, Lookup
from adapters.mapping.toml import MappingError, Section
from adapters.mapping.values import code_text

__all__ = ["CONDITION", "read_codes", "read_condition", "read_conditions", "read_lookup_name"]


CONDITION: Final = "condition"
"""The scope of a condition's keys, wherever it stands."""


def read_conditions(section: Section, key: str) -> tuple[Condition, ...]:
    return tuple(read_condition(part) for part in section.sections(key, CONDITION))


def read_condition(section: Section) -> Condition:
    column = section.text("column")
    condition: Condition
    if section.has("is"):
        null = section.choice("is", ("null", "not null")) == "null"
        condition = Condition(column, "null" if null else "not_null")
    elif section.has("not_in"):
        condition = Condition(column, "not_in", section.texts("not_in"))
    else:
        condition = Condition(column, "in", section.texts("in"))
    section.done()
    return condition


def read_lookup_name(section: Section, lookups: Map[str, Lookup]) -> str | None:
    name = section.maybe_text("lookup")
    if name is not None and name not in lookups:
        raise MappingError(
            section.at("lookup"), f"there is no lookup {name!r}", f"add [lookups.{name}] with table, key and value"
        )
    return name


def read_codes(section: Section, key: str, values: Sequence[str] = ()) -> dict[str, str]:
    """A code table of the mapping's own, by codes in the form that the store's are compared in."""
    found: dict[str, str] = {}
    for code, value in section.text_map(key, values).items():
        if found.setdefault(code_text(code) or "", value) != value:
            raise MappingError(section.at(key), f"{code!r} stands twice, with two meanings", "keep one")
    return found
