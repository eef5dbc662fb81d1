"""Stage 5: a fetch in the making → the text of its operation. The text is compact, and always the same for the same."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from gateway.planning.groups import Group, OpField, OpSelection, Requirement
from gateway.query_graph.selection import TYPENAME, Condition, Conditions

__all__ = ["OperationWriter", "field_text", "field_variables", "selection_text", "simplified", "unused"]


@dataclass(frozen=True, slots=True)
class OperationWriter:
    """`definitions`: the client's variables by name, as text (`$first:Int=10`)."""

    kind: str
    definitions: Mapping[str, str]
    representations: str
    client_name: str | None = None

    def write(self, group: Group, number: int, graph_name: str) -> tuple[str, tuple[str, ...]]:
        """The operation's text, and the client's variables it uses."""
        lifted = frozenset(group.conditions)
        body = selection_text(group.selection, lifted)
        used = set(selection_variables(group.selection, lifted))
        names = tuple(name for name in self.definitions if name in used)
        heads = [self.definitions[name] for name in names]
        if group.is_entity:
            variable = f"${self.representations}"
            heads.insert(0, f"{variable}:[_Any!]!")
            body = f"_entities(representations:{variable}){{{body}}}"
        kind = "query" if group.path else self.kind
        return self._operation(kind, self._name(graph_name, number), heads, body), names

    def write_batch(
        self, groups: Iterable[Group], number: int, graph_name: str
    ) -> tuple[str, tuple[str, ...], list[tuple[str, str, list[Group]]]]:
        """The operation's text, the client's variables, and its parts: alias, variable, groups with equal selections."""
        same: dict[tuple[str, str], list[Group]] = {}
        used: set[str] = set()
        for group in groups:
            lifted = frozenset(group.conditions)
            used.update(selection_variables(group.selection, lifted))
            same.setdefault((selection_text(group.selection, lifted), required_text(group.requires)), []).append(group)
        names = tuple(name for name in self.definitions if name in used)
        parts = [
            (f"_e{place}", unused(f"{self.representations}_{place}", self.definitions), one)
            for place, one in enumerate(same.values())
        ]
        bodies = [
            f"{alias}:_entities(representations:${variable}){{{body}}}"
            for (alias, variable, _), (body, _) in zip(parts, same, strict=True)
        ]
        heads = [f"${variable}:[_Any!]!" for _, variable, _ in parts]
        heads += [f"${one.variable}:{one.argument.type}" for _, _, same in parts for one in same[0].contextual.values()]
        heads += [self.definitions[name] for name in names]
        return self._operation("query", self._name(graph_name, number), heads, " ".join(bodies)), names, parts

    @staticmethod
    def _operation(kind: str, name: str, heads: list[str], body: str) -> str:
        variables = f"({','.join(heads)})" if heads else ""
        if kind == "query" and not name and not variables:
            return f"{{{body}}}"
        return f"{kind}{name}{variables}{{{body}}}"

    def _name(self, graph_name: str, number: int) -> str:
        if not self.client_name:
            return ""
        return f" {self.client_name}__{re.sub(r'[^0-9A-Za-z_]', '_', graph_name)}__{number}"


def unused(name: str, taken: Container[str]) -> str:
    """A variable's name that the client has not taken."""
    while name in taken:
        name += "_"
    return name


def required_text(requires: Mapping[tuple[str, str], Requirement]) -> str:
    """Equal for fetches whose representations are made alike."""
    return ";".join(f"{on}>{send}{{{_requirement_text(one)}}}" for (on, send), one in requires.items())


def _requirement_text(requirement: Requirement) -> str:
    return " ".join(f"{name}:{one.source}[{required_text(one.below)}]" for name, one in requirement.items())


NOTHING: frozenset[Condition] = frozenset()


def selection_text(selection: OpSelection, lifted: frozenset[Condition] = NOTHING) -> str:
    """The inside of a selection set: `__typename`, plain fields, then fragments, each in order of first use."""
    parts: dict[str | None, list[str]] = {None: []}
    for condition in selection.typename_on:
        parts.setdefault(condition, []).insert(0, TYPENAME)
    for (condition, key, _), one in simplified(selection):
        parts.setdefault(condition, []).append(field_text(key, one, lifted))
    texts = parts.pop(None)
    texts += [f"...on {condition}{{{' '.join(fields)}}}" for condition, fields in parts.items()]
    return " ".join(texts)


def simplified(selection: OpSelection) -> Iterator[tuple[tuple[str | None, str, Conditions], OpField]]:
    """What is asked for under conditions or for one type, and more widely too, is asked for once."""
    same: dict[str, list[tuple[str | None, frozenset[Condition], OpField]]] = {}
    for (condition, key, conditions), one in selection.entries.items():
        same.setdefault(key, []).append((condition, frozenset(conditions), one))
    for (condition, key, conditions), one in selection.entries.items():
        others = same[key]
        if len(others) == 1 or not any(
            _is_wider((at, under), (condition, frozenset(conditions))) and _gives_all(other, one)
            for at, under, other in others
        ):
            yield (condition, key, conditions), one


_When = tuple[str | None, frozenset[Condition]]
"""(type condition, conditions) of an entry."""


def _is_wider(one: _When, other: _When) -> bool:
    """Whether an entry at `one` is in force whenever one at `other` is, and not only then."""
    return one != other and one[0] in (None, other[0]) and one[1] <= other[1]


def _gives_all(one: OpField, other: OpField) -> bool:
    """Whether all that `other` selects is selected by `one`."""
    return other.children is None or (one.children is not None and _selects_all(one.children, other.children))


def _selects_all(one: OpSelection, other: OpSelection) -> bool:
    return all(None in one.typename_on or on in one.typename_on for on in other.typename_on) and all(
        any(
            k == key and at in (None, condition) and frozenset(under) <= frozenset(conditions) and _gives_all(mine, its)
            for (at, k, under), mine in one.entries.items()
        )
        for (condition, key, conditions), its in other.entries.items()
    )


def field_text(key: str, one: OpField, lifted: frozenset[Condition] = NOTHING) -> str:
    alias = f"{key}:" if key != one.name else ""
    arguments = f"({one.arguments})" if one.arguments else ""
    below = f"{{{selection_text(one.children)}}}" if one.children is not None else ""
    conditions = [condition for condition in one.conditions if condition not in lifted]
    return _conditioned(f"{alias}{one.name}{arguments}", below, conditions)


def _conditioned(head: str, below: str, conditions: Iterable[Condition]) -> str:
    """A directive may stand once on a field; further conditions become fragments around it."""
    directives: dict[str, str] = {}
    around: list[str] = []
    for variable, wanted in conditions:
        name = "include" if wanted else "skip"
        if name in directives:
            around.append(f"...@{name}(if:${variable})")
        else:
            directives[name] = f"@{name}(if:${variable})"
    text = head + "".join(directives.values()) + below
    for fragment in around:
        text = f"{fragment}{{{text}}}"
    return text


def selection_variables(selection: OpSelection, lifted: frozenset[Condition] = NOTHING) -> Iterator[str]:
    for _, one in simplified(selection):
        yield from field_variables(one, lifted)


def field_variables(one: OpField, lifted: frozenset[Condition] = NOTHING) -> Iterator[str]:
    yield from one.variables
    yield from (condition[0] for condition in one.conditions if condition not in lifted)
    if one.children is not None:
        yield from selection_variables(one.children)
