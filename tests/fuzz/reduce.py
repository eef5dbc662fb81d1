"""A failing case made small: whatever can be left out of its operation and its schemas, while it still fails, is.

One thing is left out at a time (a selection, a directive, a field, a type) until nothing more can be. The result is
written as a golden plan, ready to be kept.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from graphql import DocumentNode, Node, parse, print_ast
from graphql.language.ast import (
    DirectiveNode,
    FieldDefinitionNode,
    FragmentDefinitionNode,
    NamedTypeNode,
    SelectionNode,
    TypeDefinitionNode,
    VariableDefinitionNode,
)

from gateway.plan.text import print_plan
from tests.fuzz.differential import Difference, Refused, World
from tests.fuzz.schemas import Split

__all__ = ["as_golden", "reduced"]

TRIES_MAX = 3_000
_REMOVABLE = (
    SelectionNode,
    DirectiveNode,
    FieldDefinitionNode,
    FragmentDefinitionNode,
    NamedTypeNode,
    TypeDefinitionNode,
    VariableDefinitionNode,
)


def reduced(found: Difference, tries_max: int = TRIES_MAX) -> Difference:
    tries = 0
    smaller: Difference | None = found
    while smaller is not None:
        found, smaller = smaller, None
        for split, operation in _smaller(found):
            tries += 1
            if tries > tries_max:
                return found
            smaller = _failure(split, operation, found)
            if smaller is not None:
                break
    return found


def _failure(split: Split, operation: str, before: Difference) -> Difference | None:
    """The same failure on a smaller case, if it is one still."""
    try:
        world = World(split)
        if not world.is_valid(operation):
            return None
        world.universe.broken = before.broken
        asyncio.run(world.compare(operation, before.variables))
    except Difference as difference:
        return difference
    except (Refused, Exception):
        return None
    return None


def _smaller(case: Difference) -> Iterator[tuple[Split, str]]:
    for text in _texts(case.operation):
        yield case.split, text
    for name, sdl in case.split.subgraphs.items():
        others = {key: value for key, value in case.split.subgraphs.items() if key != name}
        yield replace(case.split, subgraphs=others), case.operation
        for text in _texts(sdl):
            yield replace(case.split, subgraphs={**case.split.subgraphs, name: text}), case.operation


def _texts(text: str) -> Iterator[str]:
    document = parse(text, no_location=True)
    for owner, name, place in list(_places(document)):
        kept = getattr(owner, name)
        setattr(owner, name, kept[:place] + kept[place + 1 :])
        yield print_ast(document)
        setattr(owner, name, kept)


def _places(node: Node) -> Iterator[tuple[Any, str, int]]:
    """Where something stands in a list that it can be taken from, the large before the small."""
    for name in node.keys:
        value = getattr(node, name, None)
        children = value if isinstance(value, tuple) else (value,)
        for place, one in enumerate(children):
            if isinstance(value, tuple) and isinstance(one, _REMOVABLE) and (len(value) > 1 or name == "directives"):
                yield node, name, place
        for one in children:
            if isinstance(one, Node):
                yield from _places(one)


def as_golden(case: Difference) -> str:
    world = World(case.split)
    plan = print_plan(world.plan(parse(case.operation), None))
    blocks = [f"```graphql {name}\n{_tidy(sdl)}\n```" for name, sdl in case.split.subgraphs.items()]
    blocks.append(f"```graphql operation\n{_tidy(case.operation)}\n```")
    if case.variables:
        blocks.append(f"```json variables\n{json.dumps(dict(case.variables))}\n```")
    if case.split.labels:
        blocks.append(f"```json options\n{json.dumps({'labels': sorted(case.split.labels)})}\n```")
    blocks.append(f"```plan\n{plan}\n```")
    broken = f" Broken: {sorted(case.broken)}." if case.broken else ""
    return "\n\n".join([f"# Found by fuzzing\n{case.what.splitlines()[0]}.{broken}", *blocks])


def _tidy(text: str) -> str:
    document: DocumentNode = parse(text, no_location=True)
    return print_ast(document)
