"""Reading the horizontal directives: how members' answers become one.

They travel as `@join__directive(graphs: [DISTRICTS], name: "gather", args: {as: CONNECTION, …})` on the types and
fields they were written on, so that a supergraph says which graph said it; other routers pass over them. Nothing is
guessed: an argument that is missing, of the wrong kind or unknown makes the supergraph invalid, for a wrong way to
merge gives wrong answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from graphql import ConstDirectiveNode, DocumentNode, ObjectValueNode, value_from_ast_untyped

from gateway.language.errors import Code, GatewayError, SupergraphInvalid
from gateway.supergraph.elements import members_of, type_nodes
from gateway.supergraph.links import argument, string_argument
from gateway.supergraph.model import Fold, FoldKind, Gather, GatherKind, Partitioned, Partitioning, Route

__all__ = ["HORIZONTAL_DIRECTIVES", "read_fold", "read_gather", "read_partitioned", "read_partitions", "read_route"]

HORIZONTAL_DIRECTIVES = frozenset({"partitioned", "route", "gather", "fold"})

Kind = TypeVar("Kind", bound=StrEnum)


@dataclass
class _Draft:
    """A partitioning while it is read."""

    types: dict[str, Partitioned] = field(default_factory=dict)
    routes: dict[tuple[str, str], Route] = field(default_factory=dict)
    gathers: dict[tuple[str, str], Gather] = field(default_factory=dict)
    folds: dict[tuple[str, str], Fold] = field(default_factory=dict)


def read_partitions(
    document: DocumentNode, join_directive: str, graphs: Mapping[str, object]
) -> dict[str, Partitioning]:
    """All partitioned graphs of a supergraph; raises `SupergraphInvalid`."""
    drafts: dict[str, _Draft] = {}
    for type_name, field_name, node in _applications(document, join_directive):
        where = f"{type_name}.{field_name}" if field_name else type_name
        name = string_argument(node, "name")
        arguments = _arguments(node, where)
        for graph in _graphs(node, graphs, where):
            draft = drafts.setdefault(graph, _Draft())
            try:
                _read_one(draft, name or "", type_name, field_name, arguments)
            except ValueError as error:
                raise _invalid(f"@{name} on {where}: {error}") from None
    return {
        graph: Partitioning(graph, draft.types, draft.routes, draft.gathers, draft.folds)
        for graph, draft in drafts.items()
    }


def _applications(document: DocumentNode, join_directive: str) -> Iterator[tuple[str, str | None, ConstDirectiveNode]]:
    for node in type_nodes(document):
        for directive in _horizontal(node, join_directive):
            yield node.name.value, None, directive
        for member in members_of(node):
            for directive in _horizontal(member, join_directive):
                yield node.name.value, member.name.value, directive


def _horizontal(node: Any, join_directive: str) -> Iterator[ConstDirectiveNode]:
    for directive in node.directives or ():
        if directive.name.value == join_directive and string_argument(directive, "name") in HORIZONTAL_DIRECTIVES:
            yield directive


def _graphs(node: ConstDirectiveNode, graphs: Mapping[str, object], where: str) -> list[str]:
    value = argument(node, "graphs")
    named = value_from_ast_untyped(value) if value is not None else None
    if not isinstance(named, list) or not named:
        raise _invalid(f"a partition directive on {where} names no graph.")
    for graph in named:
        if graph not in graphs:
            raise _invalid(f'a partition directive on {where} names the unknown graph "{graph}".')
    return named


def _arguments(node: ConstDirectiveNode, where: str) -> dict[str, Any]:
    value = argument(node, "args")
    if value is None:
        return {}
    if not isinstance(value, ObjectValueNode):
        raise _invalid(f"a partition directive on {where} has arguments that are no object.")
    return dict(value_from_ast_untyped(value))


def _read_one(draft: _Draft, name: str, type_name: str, field_name: str | None, arguments: dict[str, Any]) -> None:
    if (name == "partitioned") != (field_name is None):
        raise ValueError("it stands on types." if name == "partitioned" else "it stands on fields.")
    if field_name is None:
        _put_once(draft.types, type_name, read_partitioned(arguments))
        return
    where = (type_name, field_name)
    match name:
        case "route":
            _put_once(draft.routes, where, read_route(arguments))
        case "gather":
            _put_once(draft.gathers, where, read_gather(arguments))
        case _:
            _put_once(draft.folds, where, read_fold(arguments))


Key = TypeVar("Key")
Value = TypeVar("Value")


def _put_once(into: dict[Key, Value], key: Key, value: Value) -> None:
    if key in into:
        raise ValueError("it stands here twice.")
    into[key] = value


def read_partitioned(arguments: Mapping[str, Any]) -> Partitioned:
    _only(arguments, {"key", "segment", "whole"})
    key, segment, whole = _text(arguments, "key"), arguments.get("segment"), arguments.get("whole")
    if whole is True and segment is None:
        return Partitioned(key, None)
    if isinstance(segment, int) and not isinstance(segment, bool) and segment >= 0 and not whole:
        return Partitioned(key, segment)
    raise ValueError("give either segment (0 or more) or whole: true.")


def read_route(arguments: Mapping[str, Any]) -> Route:
    _only(arguments, {"argument", "idempotencyKey"})
    return Route(_path(_text(arguments, "argument")), _optional_path(arguments, "idempotencyKey"))


def read_gather(arguments: Mapping[str, Any]) -> Gather:
    _only(arguments, {"as", "by", "order", "prune", "wish"})
    order = arguments.get("order")
    if order is not None and not isinstance(order, str):
        raise ValueError("order is the name of an argument.")
    return Gather(
        kind=_kind(arguments, "as", GatherKind),
        by=tuple(_texts(arguments, "by")),
        order=order,
        prune=tuple(_path(path) for path in _texts(arguments, "prune")),
        wish=_optional_path(arguments, "wish"),
    )


def read_fold(arguments: Mapping[str, Any]) -> Fold:
    _only(arguments, {"with"})
    return Fold(_kind(arguments, "with", FoldKind))


def _only(arguments: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(arguments) - known):
        raise ValueError(f"unknown argument {', '.join(unknown)}.")


def _text(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is a text that is not empty.")
    return value


def _texts(arguments: Mapping[str, Any], name: str) -> list[str]:
    value = arguments.get(name)
    if value is None:
        return []
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) and one for one in values):
        raise ValueError(f"{name} is a list of texts.")
    return values


def _optional_path(arguments: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    return None if arguments.get(name) is None else _path(_text(arguments, name))


def _path(text: str) -> tuple[str, ...]:
    path = tuple(text.split("."))
    if not all(path):
        raise ValueError(f'"{text}" is not a path.')
    return path


def _kind(arguments: Mapping[str, Any], name: str, kinds: type[Kind]) -> Kind:
    value = arguments.get(name)
    if not isinstance(value, str) or value not in kinds.__members__:
        raise ValueError(f"{name} is one of {', '.join(kinds.__members__)}.")
    return kinds[value]


def _invalid(message: str) -> SupergraphInvalid:
    return SupergraphInvalid([GatewayError(Code.SUPERGRAPH_PARTITION_INVALID, message)])
