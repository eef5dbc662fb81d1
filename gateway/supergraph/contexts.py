"""Reading what a supergraph says of contexts (context v0.1, with join v0.5's `contextArguments`) and of cache tags.

type Account @context(name: "BANK__account")                                    sets the context
fee: Int @join__field(graph: BANK, contextArguments: [{context: "BANK__account", name: "currency", type: "String",
  selection: "{ currency }"}])                                                  takes an argument from it
@join__directive(graphs: [BANK], name: "federation__cacheTag", args: {format: "card-{$key.id}"})
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import ConstDirectiveNode, DocumentNode, value_from_ast_untyped

from gateway.language.errors import Code, GatewayError, SupergraphInvalid
from gateway.language.selections import FieldSetSyntaxError, parse_field_set
from gateway.supergraph.elements import applied, members_of, type_nodes
from gateway.supergraph.links import APOLLO, Link, argument, find_link, string_argument
from gateway.supergraph.model import CacheTag, ContextArgument

__all__ = ["CACHE_TAG", "read_cache_tags", "read_context_arguments", "read_contexts"]

CACHE_TAG = "federation__cacheTag"
"""The name by which `@join__directive` carries a subgraph's `@cacheTag`."""
_TEXTS = ("name", "type", "context", "selection")


def read_context_arguments(node: ConstDirectiveNode, where: str) -> tuple[ContextArgument, ...]:
    """Of a `@join__field`."""
    value = argument(node, "contextArguments")
    given = None if value is None else value_from_ast_untyped(value)
    if given is None:
        return ()
    entries = given if isinstance(given, list) else [given]
    return tuple(_context_argument(one, where) for one in entries)


def _context_argument(given: Any, where: str) -> ContextArgument:
    if not isinstance(given, dict) or not all(isinstance(given.get(one), str) for one in _TEXTS):
        raise _invalid(f"a contextual argument of {where} needs {', '.join(_TEXTS)}, each a text.")
    try:
        selection = parse_field_set(given["selection"])
    except FieldSetSyntaxError as error:
        raise _invalid(f"a contextual argument of {where}: {error}") from None
    return ContextArgument(given["name"], given["type"], given["context"], selection)


def read_contexts(document: DocumentNode, links: tuple[Link, ...]) -> dict[str, tuple[str, ...]]:
    link = find_link(links, f"{APOLLO}/context")
    if link is None:
        return {}
    found: dict[str, dict[str, None]] = {}
    for node in type_nodes(document):
        for one in applied(node, link.directive("context")):
            found.setdefault(string_argument(one, "name") or "", {})[node.name.value] = None
    return {name: tuple(types) for name, types in found.items()}


def read_cache_tags(
    document: DocumentNode, join_directive: str, graphs: Mapping[str, object]
) -> dict[tuple[str, str | None], tuple[CacheTag, ...]]:
    found: dict[tuple[str, str | None], list[CacheTag]] = {}
    for type_name, field_name, node in _elements(document):
        for one in applied(node, join_directive):
            if string_argument(one, "name") == CACHE_TAG:
                where = f"{type_name}.{field_name}" if field_name else type_name
                found.setdefault((type_name, field_name), []).append(_cache_tag(one, graphs, where))
    return {at: tuple(tags) for at, tags in found.items()}


def _elements(document: DocumentNode) -> Iterator[tuple[str, str | None, object]]:
    for node in type_nodes(document):
        yield node.name.value, None, node
        for member in members_of(node):
            yield node.name.value, member.name.value, member


def _cache_tag(node: ConstDirectiveNode, graphs: Mapping[str, object], where: str) -> CacheTag:
    named, arguments = _plain(node, "graphs"), _plain(node, "args")
    if not isinstance(named, list) or not set(named) <= set(graphs):
        raise _invalid(f"a cache tag on {where} names no graph, or an unknown one.")
    if not isinstance(arguments, dict) or not isinstance(arguments.get("format"), str):
        raise _invalid(f"a cache tag on {where} has no format.")
    return CacheTag(arguments["format"], tuple(named))


def _plain(node: ConstDirectiveNode, name: str) -> Any:
    value = argument(node, name)
    return None if value is None else value_from_ast_untyped(value)


def _invalid(message: str) -> SupergraphInvalid:
    return SupergraphInvalid([GatewayError(Code.SUPERGRAPH_INVALID, message)])
