"""Plans for people: printed in the vocabulary and layout that readers of federation plans know.

    QueryPlan {
      Sequence {
        Fetch(service: "shop") {
          { products { __typename id } }
        }
        Flatten(path: "products.@") {
          Fetch(service: "reviews") {
            { ... on Product { __typename id } } =>
            { ... on Product { reviews { body } } }
          }
        }
      }
    }

Operations are indented one field a line; `Scatter` says beside its operation how members' answers become one, `Given`
beside its fetch what each representation answers itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import assert_never

from graphql import FieldNode, OperationDefinitionNode, SelectionSetNode, parse, print_ast

from gateway.plan.nodes import (
    BatchFetch,
    Condition,
    ContextValue,
    ContextVariable,
    Echo,
    Fetch,
    Flatten,
    GatherField,
    Given,
    Node,
    Parallel,
    QueryPlan,
    RequiredSelection,
    ScatterFetch,
    Sequence,
    Subscription,
)
from gateway.supergraph.model import Gather

__all__ = ["print_plan"]

INDENT = "  "


def print_plan(plan: QueryPlan) -> str:
    names = dict(plan.services)
    body = [] if plan.root is None else list(_node(plan.root, names))
    body += [f'Known(path: "{key}") {{}}' for key, _ in plan.known]
    if plan.introspection is not None:
        body.append("Introspection {}")
    return "\n".join(_block("QueryPlan", body))


def _block(head: str, body: Iterable[str], tail: str = "}") -> Iterator[str]:
    lines = list(body)
    if not lines:
        yield f"{head} {{{tail}"
        return
    yield f"{head} {{"
    yield from (INDENT + line for line in lines)
    yield tail


def _blocks(head: str, nodes: Iterable[Node], names: Mapping[str, str]) -> Iterator[str]:
    yield from _block(head, (line for node in nodes for line in _node(node, names)))


def _node(node: Node, names: Mapping[str, str]) -> Iterator[str]:
    match node:
        case Fetch():
            yield from _block(f'Fetch(service: "{names.get(node.graph, node.graph)}")', _operation(node))
        case ScatterFetch():
            yield from _scatter(node, names)
        case BatchFetch():
            yield from _block(f'BatchFetch(service: "{names.get(node.graph, node.graph)}")', _batch(node))
        case Flatten():
            yield from _blocks(f'Flatten(path: "{".".join(node.path)}")', [node.node], names)
        case Given():
            yield from _given(node, names)
        case Sequence():
            yield from _blocks("Sequence", node.nodes, names)
        case Parallel():
            yield from _blocks("Parallel", node.nodes, names)
        case Condition():
            yield from _condition(node, names)
        case Subscription():
            yield from _subscription(node, names)
        case _:
            assert_never(node)


def _condition(node: Condition, names: Mapping[str, str]) -> Iterator[str]:
    if node.if_true is not None and node.if_false is None:
        yield from _blocks(f"Include(if: ${node.variable})", [node.if_true], names)
    elif node.if_true is None and node.if_false is not None:
        yield from _blocks(f"Skip(if: ${node.variable})", [node.if_false], names)
    else:
        branches = (("Then", node.if_true), ("Else", node.if_false))
        lines = (line for head, one in branches if one is not None for line in _blocks(head, [one], names))
        yield from _block(f"Condition(if: ${node.variable})", lines)


def _subscription(node: Subscription, names: Mapping[str, str]) -> Iterator[str]:
    branches = (("Primary", node.primary), ("Rest", node.rest))
    lines = (line for head, one in branches if one is not None for line in _blocks(head, [one], names))
    yield from _block("Subscription", lines)


def _given(node: Given, names: Mapping[str, str]) -> Iterator[str]:
    lines = list(_node(node.node, names))
    if node.echoes:
        lines += _block("echo:", (line for name, one in node.echoes for line in _echo(one, f"{name}.")))
    yield from _block(f'Given(path: "{node.key}.@", representations: {node.representations})', lines)


def _echo(one: Echo, on: str = "") -> Iterator[str]:
    head = f"{on}{one.key}" if one.key == one.name else f"{on}{one.key}: {one.name}"
    if one.below:
        yield from _block(head, (line for inner in one.below for line in _echo(inner)))
    else:
        yield head


# Operations


def _operation(fetch: Fetch) -> Iterator[str]:
    definition = parse(fetch.operation, no_location=True).definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    if not fetch.requires:
        yield from print_ast(definition).splitlines()
        return
    entities = definition.selection_set.selections[0]
    assert isinstance(entities, FieldNode)
    yield from _requires(fetch.requires)
    yield from _selections(entities.selection_set)


def _batch(node: BatchFetch) -> Iterator[str]:
    definition = parse(node.operation, no_location=True).definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    for part, entities in zip(node.parts, definition.selection_set.selections, strict=True):
        assert isinstance(entities, FieldNode)
        paths = ", ".join(f'"{".".join(path)}"' for path in part.paths)
        lines = [*map(_context, part.contexts), *_requires(part.requires), *_selections(entities.selection_set)]
        yield from _block(f"Flatten({'path' if len(part.paths) == 1 else 'paths'}: {paths})", lines)


def _context(one: ContextVariable) -> str:
    """`$context_1: String from "account|[Giro].currency"`."""
    return f"${one.name}: {one.type} from {', '.join(map(_context_value, one.values)) or 'nowhere'}"


def _context_value(value: ContextValue) -> str:
    types = f"|[{','.join(value.types)}]" if value.types else ""
    at = ".".join(value.path) + types
    return f'"{".".join((*([at] if at else []), *value.source))}"'


def _selections(selections: SelectionSetNode | None) -> Iterator[str]:
    if selections is not None:
        yield from print_ast(selections).splitlines()


def _requires(requires: Iterable[RequiredSelection]) -> Iterator[str]:
    yield "{"
    for one in requires:
        yield from (INDENT + line for line in _block(f"... on {one.type_condition}", _required_fields(one)))
    yield "} =>"


def _required_fields(selection: RequiredSelection) -> Iterator[str]:
    if selection.send_typename == selection.type_condition:
        yield "__typename"
    elif selection.send_typename:
        yield f'__typename: "{selection.send_typename}"'
    for one in selection.fields:
        head = one.name if one.source == one.name else f"{one.name}: {one.source}"
        if not one.selections:
            yield head
        elif len(one.selections) == 1 and not one.selections[0].send_typename:
            yield from _block(head, _required_fields(one.selections[0]))
        else:
            inner = (
                line
                for below in one.selections
                for line in _block(f"... on {below.type_condition}", _required_fields(below))
            )
            yield from _block(head, inner)


# Scatter


def _scatter(node: ScatterFetch, names: Mapping[str, str]) -> Iterator[str]:
    by = "".join(
        f', {name} by {"the whole" if one.segment is None else f"segment {one.segment}"} of "{one.key}"'
        for name, one in node.scatter.partitioned
    )
    head = f'Scatter(service: "{names.get(node.fetch.graph, node.fetch.graph)}"{by})'
    rules = [line for one in node.scatter.fields for line in _gather(one)]
    lines = list(_operation(node.fetch))
    if rules:
        lines += _block("gather:", rules)
    yield from _block(head, lines)


def _gather(one: GatherField) -> Iterator[str]:
    on = f"{one.type_condition}." if one.type_condition else ""
    alias = f"{one.key}: " if one.key != one.name else ""
    head = f"{alias}{on}{one.name} {_rule(one)}"
    inner = [line for child in one.children for line in _gather(child)]
    if inner:
        yield from _block(head, inner)
    else:
        yield head


def _rule(one: GatherField) -> str:
    if one.route is not None:
        once = f", once by {'.'.join(one.route.idempotency_key)}" if one.route.idempotency_key else ""
        return f"to the member of {'.'.join(one.route.argument)}{once}"
    if one.fold is not None:
        return f"{one.fold.value}{' of decimals' if one.is_decimal else ''}"
    return "first" if one.gather is None else _gather_rule(one.gather, one.decimals_by)


def _gather_rule(gather: Gather, decimals: Collection[str]) -> str:
    parts = [gather.kind.value]
    if gather.by:
        parts.append(f"by {', '.join(f'{one} as decimal' if one in decimals else one for one in gather.by)}")
    if gather.order is not None:
        parts.append(f"ordered by {gather.order}")
    if gather.prune:
        parts.append(f"pruned by {', '.join('.'.join(path) for path in gather.prune)}")
    if gather.wish is not None:
        parts.append(f"as {'.'.join(gather.wish)} wishes")
    return ", ".join(parts)
