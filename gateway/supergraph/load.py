"""Supergraph SDL → `Supergraph`: the one way in, whoever composed it.

The stages, in order: parse; read the links and refuse what this gateway must understand and does not; read the join
directives; read the partitions; take the machinery out; build the schema; hide what is inaccessible; build the API.
Any fault raises `SupergraphInvalid` with a coded error; there is no half-loaded supergraph.
"""

from __future__ import annotations

import hashlib

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    build_ast_schema,
    parse,
    validate_schema,
)
from graphql.validation.validate import validate_sdl

from gateway.language.errors import Code, GatewayError, SupergraphInvalid
from gateway.supergraph.contexts import read_cache_tags, read_contexts
from gateway.supergraph.inaccessible import Hidden, find_faults, find_hidden, remove_hidden
from gateway.supergraph.join import KNOWN_JOIN_VERSIONS, read_joins
from gateway.supergraph.joins import Joins
from gateway.supergraph.links import APOLLO, HORIZONTAL, Link, LinkProblem, find_link, read_links
from gateway.supergraph.model import Partitioning, Supergraph
from gateway.supergraph.partitions import read_partitions
from gateway.supergraph.strip import strip_machinery

__all__ = ["load_supergraph"]

_UNDERSTOOD = frozenset({"link", "core", "join", "inaccessible", "tag", "context", "cacheTag"})
"""Apollo's features that may be linked `for: SECURITY` or `for: EXECUTION`, because this gateway does what they say.

Cache tags name the entries of caches of subgraphs' answers, and this gateway has none."""
_ACCESS = frozenset({"authenticated", "requiresScopes", "policy"})
"""Read and planned; what they demand is kept in `Supergraph.unenforced`, so that such a supergraph is never served open."""
_HORIZONTAL_VERSION = (1, 0)


def load_supergraph(sdl: str) -> Supergraph:
    """Reads supergraph SDL as any composer writes it (join v0.1 to v0.5); raises `SupergraphInvalid`."""
    document = _parse(sdl)
    links = _links(document)
    join = _join_link(links)
    joins = read_joins(document, join, links)
    partitions = _partitions(document, links, join, joins)
    plain = strip_machinery(document, links)
    schema = _build(plain, "the merged schema")
    hidden = _hidden(document, links, schema)
    api_schema = _build(remove_hidden(plain, hidden), "the API schema") if hidden else schema
    return Supergraph(
        graphs=joins.graphs,
        schema=schema,
        api_schema=api_schema,
        type_joins=joins.types,
        field_joins=joins.fields,
        implements=joins.implements,
        union_members=joins.union_members,
        enum_values=joins.enum_values,
        partitions=partitions,
        contexts=read_contexts(document, links),
        cache_tags=read_cache_tags(document, join.directive("directive"), joins.graphs),
        unenforced=tuple(link.url for link in links if link.purpose == "SECURITY" and link.name in _ACCESS),
        version=hashlib.sha256(sdl.encode()).hexdigest(),
    )


def _parse(sdl: str) -> DocumentNode:
    try:
        # Without locations: they would keep every token of the file in memory for as long as the gateway serves.
        return parse(sdl, no_location=True)
    except GraphQLError as error:
        raise SupergraphInvalid([GatewayError.from_graphql(error, Code.SUPERGRAPH_SYNTAX)]) from None


def _links(document: DocumentNode) -> tuple[Link, ...]:
    try:
        links = read_links(document)
    except LinkProblem as problem:
        raise _refused(Code.SUPERGRAPH_INVALID, str(problem)) from None
    for link in links:
        known = link.identity.startswith(f"{APOLLO}/") and link.name in _UNDERSTOOD | _ACCESS
        if link.purpose is not None and not known:
            raise _refused(
                Code.SUPERGRAPH_FEATURE_UNKNOWN,
                f'the supergraph needs the feature "{link.url}" for {link.purpose}, which this gateway does not have.',
            )
    return links


def _join_link(links: tuple[Link, ...]) -> Link:
    join = find_link(links, f"{APOLLO}/join")
    if join is None:
        raise _refused(
            Code.SUPERGRAPH_NOT_A_SUPERGRAPH,
            "the schema does not link the join specification. Is it a subgraph's schema? Compose it first.",
        )
    if join.version not in KNOWN_JOIN_VERSIONS:
        raise _refused(Code.SUPERGRAPH_VERSION_UNKNOWN, f'"{join.url}": this gateway reads join v0.1 to v0.5.')
    return join


def _partitions(document: DocumentNode, links: tuple[Link, ...], join: Link, joins: Joins) -> dict[str, Partitioning]:
    horizontal = find_link(links, HORIZONTAL)
    if horizontal is None:
        return {}
    if horizontal.version != _HORIZONTAL_VERSION:
        raise _refused(Code.SUPERGRAPH_VERSION_UNKNOWN, f'"{horizontal.url}": this gateway reads horizontal v1.0.')
    return read_partitions(document, join.directive("directive"), joins.graphs)


def _hidden(document: DocumentNode, links: tuple[Link, ...], schema: GraphQLSchema) -> Hidden:
    link = find_link(links, f"{APOLLO}/inaccessible")
    if link is None:
        return frozenset()
    hidden = find_hidden(document, link.directive("inaccessible"))
    faults = [
        fault
        for fault in find_faults(schema, hidden)
        # A mutation or subscription root without visible fields simply is not part of the API.
        if not (fault.code == "ONLY_INACCESSIBLE_CHILDREN" and fault.coordinates[0] in ("Mutation", "Subscription"))
    ]
    if faults:
        raise SupergraphInvalid([GatewayError(Code.SUPERGRAPH_INVALID, fault.message) for fault in faults])
    return hidden


def _build(document: DocumentNode, what: str) -> GraphQLSchema:
    try:
        errors = validate_sdl(document)
        if not errors:
            schema = build_ast_schema(document, assume_valid_sdl=True)
            errors = validate_schema(schema)
    except (GraphQLError, TypeError) as error:
        raise _refused(Code.SUPERGRAPH_INVALID, f"{what} is not valid: {error}") from None
    if errors:
        raise SupergraphInvalid(
            [GatewayError(Code.SUPERGRAPH_INVALID, f"{what} is not valid: {error.message}") for error in errors]
        )
    return schema


def _refused(code: Code, message: str) -> SupergraphInvalid:
    return SupergraphInvalid([GatewayError(code, message)])
