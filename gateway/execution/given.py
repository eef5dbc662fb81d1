"""Entities that the asker gives: reading their representations, and making the list that answers `_entities`.

Each representation goes on to the members exactly as it came; here it is only read. What is no representation at all
is refused at its own place in the list, and its neighbours are not. An entity that its member does not know is null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from gateway.execution.representations import Builder
from gateway.execution.shapes import Arguments, compile_arguments
from gateway.language.errors import Code, GatewayError
from gateway.plan.nodes import Echo, Given
from gateway.supergraph.model import Partitioned

__all__ = ["AS_GIVEN", "CompiledGiven", "compile_given"]

Representation: TypeAlias = dict[str, Any]

AS_GIVEN = Builder(lambda one: one)
"""Builds the representations of given entities: they are what they are."""


@dataclass(frozen=True, slots=True)
class CompiledGiven:
    key: str
    arguments: Arguments
    echoes: Mapping[str, tuple[Echo, ...]]
    partitioned: Mapping[str, Partitioned]
    entity_types: frozenset[str]

    def read(self, variables: Mapping[str, Any]) -> tuple[list[Representation | None], list[GatewayError]]:
        """The representations, None for each that is refused, and why."""
        value = self.arguments.get("representations", variables)
        found = value if isinstance(value, list) else [value]
        reasons = [self._fault(one) for one in found]
        refusals = [
            GatewayError(Code.BAD_USER_INPUT, reason, (self.key, place))
            for place, reason in enumerate(reasons)
            if reason is not None
        ]
        return [one if reason is None else None for one, reason in zip(found, reasons, strict=True)], refusals

    def _fault(self, one: Any) -> str | None:
        if not isinstance(one, dict):
            return "A representation must be an object."
        name = one.get("__typename")
        if not isinstance(name, str) or name not in self.entity_types:
            return f"A representation's __typename must be one of {', '.join(sorted(self.entity_types))}."
        partitioned = self.partitioned.get(name)
        if partitioned is not None and not isinstance(one.get(partitioned.key), str):
            return f'A representation of {name} must have a text as its "{partitioned.key}".'
        return None

    def answer(
        self, given: Sequence[Representation | None], owners: Sequence[int], entities: Sequence[Any]
    ) -> list[dict[str, Any] | None]:
        """An item for each representation; `owners`: for those that are not refused, the place of its entity."""
        found = (entities[owner] for owner in owners)
        return [None if one is None else self._entity(one, next(found)) for one in given]

    def _entity(self, representation: Representation, entity: Any) -> dict[str, Any] | None:
        if not isinstance(entity, dict):
            return None
        name = representation["__typename"]
        echoed = {one.key: _read(one, representation.get(one.name)) for one in self.echoes.get(name, ())}
        return {**entity, **echoed, "__typename": name}


def _read(echo: Echo, value: Any) -> Any:
    if isinstance(value, list):
        return [_read(echo, one) for one in value]
    if not echo.below or not isinstance(value, dict):
        return value
    return {one.key: _read(one, value.get(one.name)) for one in echo.below}


def compile_given(node: Given, entity_types: frozenset[str]) -> CompiledGiven:
    echoes: dict[str, tuple[Echo, ...]] = {}
    for name, echo in node.echoes:
        echoes[name] = (*echoes.get(name, ()), echo)
    return CompiledGiven(
        node.key,
        compile_arguments(f"{{representations:{node.representations}}}"),
        echoes,
        dict(node.node.scatter.partitioned),
        entity_types,
    )
