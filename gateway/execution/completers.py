"""What an answer holds at a place: leaf checks and null propagation, as closures that `project` puts together.

Vocabulary
- *place*: where we are in the answer, as linked pairs `(parent place, key)`; written out only when an error needs it.
- *completer*: (value, place, notes) → what the answer holds there, or `BAD`: null where none is allowed, which
  makes the parent null (GraphQL specification, "Handling Field Errors").
- *covered*: a null whose reason is told by an error already: at this place, below it, or above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from gateway.language.errors import Code, GatewayError
from gateway.language.paths import ResponsePath, format_path

__all__ = [
    "BAD",
    "EXACT_TYPES",
    "Completer",
    "Field",
    "Notes",
    "Place",
    "constant",
    "enum_value",
    "int_value",
    "introspected",
    "list_of",
    "non_null",
    "null_for_bad",
    "object_of",
    "scalar_value",
    "typename_of",
]

Place: TypeAlias = tuple[Any, ...] | None
ERRORS_MAX = 1000
"""Errors of one answer; more say nothing new."""


class _Bad:
    pass


BAD: Final = _Bad()


@dataclass(slots=True)
class Notes:
    """What one projection finds wrong, and what it needs to know of the run."""

    known: Iterable[GatewayError] = ()
    """Errors told already, with paths of the client's answer."""
    introspection: Mapping[str, Any] = field(default_factory=dict)
    errors: list[GatewayError] = field(default_factory=list)
    _covered: set[ResponsePath] | None = None
    _ends: set[ResponsePath] = field(default_factory=set)

    def null_in_non_null(self, place: Place) -> None:
        path = _written(place)
        if self._is_covered(path):
            return
        self.tell(Code.NULL_IN_NON_NULL_FIELD, f"Cannot return null for non-nullable field {format_path(path)}.", path)

    def wrong_value(self, place: Place, expected: str) -> None:
        path = _written(place)
        if not self._is_covered(path):
            message = f"A subgraph gave no valid {expected} for {format_path(path)}."
            self.tell(Code.SUBGRAPH_BAD_RESPONSE, message, path)

    def tell(self, code: Code, message: str, path: ResponsePath) -> None:
        if len(self.errors) < ERRORS_MAX:
            self.errors.append(GatewayError(code, message, path))
        self._cover(path)

    def _is_covered(self, path: ResponsePath) -> bool:
        if self._covered is None:
            self._covered = set()
            for error in self.known:
                self._cover(error.path or ())
        return path in self._covered or any(path[:length] in self._ends for length in range(len(path)))

    def _cover(self, path: ResponsePath) -> None:
        """`_ends` holds the paths of errors, `_covered` these and everything above them."""
        if self._covered is None:
            self._covered = set()
            for error in self.known:
                self._cover(error.path or ())
        self._ends.add(path)
        self._covered.update(path[:length] for length in range(len(path) + 1))


def _written(place: Place) -> ResponsePath:
    path: list[str | int] = []
    while place is not None:
        place, key = place
        path.append(key)
    return tuple(reversed(path))


Completer: TypeAlias = Callable[[Any, Place, Notes], Any]
Field: TypeAlias = tuple[str, str, type | None, bool, Completer]
"""Key, source, the exact Python type that passes unseen (`object`: any; None: the completer sees all), whether null is
refused, the completer."""

EXACT_TYPES: Final[dict[str, type]] = {"Float": float, "String": str, "Boolean": bool, "ID": str}


def object_of(fields: tuple[Field, ...]) -> Completer:
    def complete(value: Any, place: Place, notes: Notes) -> Any:
        if value.__class__ is not dict:
            if value is not None:
                notes.wrong_value(place, "object")
            return None
        get = value.get
        built = {}
        for key, source, leaf, required, complete_field in fields:
            found = get(source)
            if leaf is None:
                found = complete_field(found, (place, key), notes)
                if found is BAD:
                    return BAD
            elif found is None:
                if required:
                    notes.null_in_non_null((place, key))
                    return BAD
            elif leaf is not object and found.__class__ is not leaf:
                found = complete_field(found, (place, key), notes)
                if found is BAD:
                    return BAD
            built[key] = found
        return built

    return complete


def list_of(item: Completer) -> Completer:
    def complete(value: Any, place: Place, notes: Notes) -> Any:
        if value.__class__ is not list:
            if value is not None:
                notes.wrong_value(place, "list")
            return None
        built = []
        for index, one in enumerate(value):
            completed = item(one, (place, index), notes)
            if completed is BAD:
                return BAD
            built.append(completed)
        return built

    return complete


def non_null(inner: Completer) -> Completer:
    def complete(value: Any, place: Place, notes: Notes) -> Any:
        completed = inner(value, place, notes)
        if completed is None:
            notes.null_in_non_null(place)
            return BAD
        return completed

    return complete


def null_for_bad(inner: Completer) -> Completer:
    def complete(value: Any, place: Place, notes: Notes) -> Any:
        completed = inner(value, place, notes)
        return None if completed is BAD else completed

    return complete


def scalar_value(name: str) -> Completer:
    """Built-in scalars are held to their type; others belong to the subgraphs and pass as they are."""
    exact = EXACT_TYPES.get(name)

    def complete(value: Any, place: Place, notes: Notes) -> Any:
        if value is None or exact is None or value.__class__ is exact:
            return value
        if exact is float and value.__class__ is int:
            return value
        if name == "ID" and value.__class__ is int:
            return str(value)
        notes.wrong_value(place, name)
        return None

    return complete


def int_value(value: Any, place: Place, notes: Notes) -> Any:
    """32 bits, as GraphQL has it: a sum over members may be more than that."""
    number = int(value) if value.__class__ is float and value.is_integer() else value
    if number is None or (number.__class__ is int and -(2**31) <= number < 2**31):
        return number
    notes.wrong_value(place, "Int")
    return None


def enum_value(name: str, allowed: frozenset[str]) -> Completer:
    """A value outside of the API schema (unknown, or inaccessible) is not shown, not even in the error."""

    def complete(value: Any, place: Place, notes: Notes) -> Any:
        if value is None or (value.__class__ is str and value in allowed):
            return value
        notes.wrong_value(place, name)
        return None

    return complete


def constant(name: str) -> Completer:
    def complete(value: Any, place: Place, notes: Notes) -> Any:
        return name

    return complete


def typename_of(possible: Set[str]) -> Completer:
    def complete(value: Any, place: Place, notes: Notes) -> Any:
        if value in possible:
            return value
        notes.wrong_value(place, "type name")
        return BAD

    return complete


def introspected(key: str) -> Completer:
    def complete(value: Any, place: Place, notes: Notes) -> Any:
        return notes.introspection.get(key)

    return complete
