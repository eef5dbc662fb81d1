"""Which objects of the response tree stand at a path, and where each of them is.

A path's elements are response keys, `@` (through a list) and type filters `|[A,B]`, alone or behind a key. Most often
all is there on the way, or null; for that a path has one nested comprehension, written for it: it builds no lists on
the way and asks after no types. Where something is missing, or is not what the schema promises, it fails, or finds what
is no object; then the path is walked step by step.

    ("users", "@", "team|[Club]")   [c for a in (x["users"],) if a is not None for b in a if b is not None ...]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import NoneType
from typing import Any, TypeAlias, cast

from gateway.language.paths import ResponsePath

__all__ = ["Path", "PathStep", "PossibleTypes", "collect", "compile_path", "locate", "type_of"]

PossibleTypes: TypeAlias = Callable[[str], frozenset[str]]
"""A type's name → the names of the object types it may be at run time (itself, for an object type)."""


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step: into a key (`field`), through a list (`field` is None and `types` is None), or a filter by type."""

    field: str | None = None
    types: frozenset[str] | None = None


_Straight: TypeAlias = Callable[[dict[str, Any]], list[Any]]
"""What stands at a path, null too. Raises KeyError or TypeError, or gives what is no object, where the tree is not as
promised."""
COMPREHENSIONS_KEPT_MAX = 1_000
"""Plans have many paths in common, and to compile one takes longer than to walk it."""


@dataclass(frozen=True, slots=True)
class Path:
    steps: tuple[PathStep, ...]
    straight: _Straight = field(compare=False)


def compile_path(path: Sequence[str], possible_types: PossibleTypes) -> Path:
    steps: list[PathStep] = []
    for element in path:
        name, bar, condition = element.partition("|")
        if name == "@":
            steps.append(PathStep())
        elif name:
            steps.append(PathStep(field=name))
        if bar:
            names = [one.strip() for one in condition.strip("[]").split(",")]
            steps.append(PathStep(types=frozenset().union(*(possible_types(one) | {one} for one in names))))
    return Path(tuple(steps), _compile_straight(tuple(steps)))


@lru_cache(maxsize=COMPREHENSIONS_KEPT_MAX)
def _compile_straight(steps: tuple[PathStep, ...]) -> _Straight:
    loops = ""
    constants: dict[str, Any] = {}
    for place, step in enumerate(steps):
        x, below = f"x{place}", f"x{place + 1}"
        if step.field is not None:
            loops += f" for {below} in ({x}[{step.field!r}],)"
        elif step.types is not None:
            constants[f"T{place}"] = step.types
            loops += f" for {below} in ({x},) if {x}['__typename'] in T{place}"
        else:
            loops += f" for {below} in {x}"
        if place + 1 < len(steps):
            loops += f" if {below} is not None"
    source = f"lambda x0: [x{len(steps)}{loops}]" if steps else "lambda x0: [x0]"
    return cast(_Straight, eval(compile(source, "<path>", "eval"), constants))


def collect(data: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    """The objects at `path`, in the order of the response."""
    try:
        found = path.straight(data)
    except (KeyError, TypeError):
        return _collect_what_is_there(data, path)
    types = set(map(type, found))
    if types <= {dict}:
        return found
    return (
        [one for one in found if one is not None] if types <= {dict, NoneType} else _collect_what_is_there(data, path)
    )


def _collect_what_is_there(data: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    level: list[Any] = [data]
    for step in path.steps:
        if step.field is not None:
            name = step.field
            level = [value for one in level if one.__class__ is dict and (value := one.get(name)) is not None]
        elif step.types is not None:
            types = step.types
            level = [one for one in level if isinstance(one, dict) and type_of(one) in types]
        else:
            level = [item for one in level if one.__class__ is list for item in one]
    return [one for one in level if one.__class__ is dict]


def type_of(one: Mapping[str, Any]) -> str | None:
    name = one.get("__typename")
    return name if isinstance(name, str) else None


def locate(data: dict[str, Any], path: Path) -> list[ResponsePath]:
    """Where the objects of `collect` stand, in the same order. Needed for errors only, so it is worked out late."""
    level: list[tuple[ResponsePath, Any]] = [((), data)]
    for step in path.steps:
        following: list[tuple[ResponsePath, Any]] = []
        for place, one in level:
            if step.field is not None:
                if isinstance(one, dict) and one.get(step.field) is not None:
                    following.append(((*place, step.field), one[step.field]))
            elif step.types is not None:
                if isinstance(one, dict) and type_of(one) in step.types:
                    following.append((place, one))
            elif isinstance(one, list):
                following.extend(((*place, index), item) for index, item in enumerate(one))
        level = following
    return [place for place, one in level if isinstance(one, dict)]
