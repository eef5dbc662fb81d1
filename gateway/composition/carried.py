"""Directives that travel into the supergraph by rules of their own: who may see a field, what it costs, what it sets.

    @authenticated                       said anywhere, it holds
    @requiresScopes, @policy             a disjunction of conjunctions; what several subgraphs say must all hold
    @cost                                the highest weight
    @listSize                            the largest size assumed; arguments and sized fields of all; a slicing argument
                                         is required only where all subgraphs require one
    @context                             each subgraph has contexts of its own, so its name goes before theirs
    @cacheTag                            all of them, each with the graphs that say so

Sources: the specifications authenticated/v0.1, requiresScopes/v0.1, policy/v0.1, cost/v0.1, context/v0.1 and
federation/v2.12.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Any, TypeAlias

from graphql import ConstDirectiveNode, value_from_ast_untyped

from gateway.supergraph.contexts import CACHE_TAG
from gateway.supergraph.links import APOLLO, argument

__all__ = [
    "NOTHING_CARRIED",
    "Carried",
    "Dnf",
    "ListSize",
    "context_name",
    "join_carried",
    "print_carried",
    "read_carried",
    "used_specs",
]

Dnf: TypeAlias = tuple[tuple[str, ...], ...]
"""One of these; all of its names. Sorted, and without what another one includes."""

_ACCESS = "FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"


@dataclass(frozen=True, slots=True)
class ListSize:
    assumed_size: int | None = None
    slicing_arguments: tuple[str, ...] | None = None
    sized_fields: tuple[str, ...] | None = None
    require_one_slicing_argument: bool = True


@dataclass(frozen=True, slots=True)
class Carried:
    authenticated: bool = False
    scopes: Dnf | None = None
    policies: Dnf | None = None
    cost: int | None = None
    list_size: ListSize | None = None
    contexts: tuple[str, ...] = ()
    """As the supergraph calls them."""
    cache_tags: tuple[tuple[str, str], ...] = ()
    """(format, graph)."""


NOTHING_CARRIED = Carried()


def read_carried(find: Callable[[str], list[ConstDirectiveNode]], subgraph: str, graph: str) -> Carried:
    """`find`: the applications of a directive on one element of a subgraph, which the supergraph calls `graph`."""
    scopes, policies, cost, sizes = find("requiresScopes"), find("policy"), find("cost"), find("listSize")
    return Carried(
        authenticated=bool(find("authenticated")),
        scopes=_dnf(_value(scopes[0], "scopes")) if scopes else None,
        policies=_dnf(_value(policies[0], "policies")) if policies else None,
        cost=_value(cost[0], "weight") if cost else None,
        list_size=_list_size(sizes[0]) if sizes else None,
        contexts=tuple(context_name(subgraph, _value(one, "name")) for one in find("context")),
        cache_tags=tuple((_value(one, "format"), graph) for one in find("cacheTag")),
    )


def context_name(subgraph: str, name: str) -> str:
    """What the supergraph calls a subgraph's context."""
    return f"{subgraph}__{name}"


def _value(node: ConstDirectiveNode, name: str) -> Any:
    given = argument(node, name)
    return None if given is None else value_from_ast_untyped(given)


def _dnf(value: Iterable[Iterable[str]]) -> Dnf:
    return _simplified(tuple(sorted(set(one))) for one in value)


def _simplified(conjunctions: Iterable[tuple[str, ...]]) -> Dnf:
    """`a or (a and b)` is `a`."""
    found = sorted(set(conjunctions), key=lambda one: (len(one), one))
    return tuple(one for one in found if not any(set(other) < set(one) for other in found))


def _list_size(node: ConstDirectiveNode) -> ListSize:
    slicing, sized = _value(node, "slicingArguments"), _value(node, "sizedFields")
    return ListSize(
        assumed_size=_value(node, "assumedSize"),
        slicing_arguments=None if slicing is None else tuple(slicing),
        sized_fields=None if sized is None else tuple(sized),
        require_one_slicing_argument=_value(node, "requireOneSlicingArgument") is not False,
    )


# Merging


def join_carried(several: Iterable[Carried]) -> Carried:
    given = list(several)
    return Carried(
        authenticated=any(one.authenticated for one in given),
        scopes=_all_hold(one.scopes for one in given),
        policies=_all_hold(one.policies for one in given),
        cost=max((one.cost for one in given if one.cost is not None), default=None),
        list_size=_join_sizes([one.list_size for one in given if one.list_size is not None]),
        contexts=tuple(dict.fromkeys(name for one in given for name in one.contexts)),
        cache_tags=tuple(dict.fromkeys(tag for one in given for tag in one.cache_tags)),
    )


def _all_hold(several: Iterable[Dnf | None]) -> Dnf | None:
    said = [one for one in several if one is not None]
    if not said:
        return None
    return reduce(lambda one, other: _simplified(tuple(sorted({*a, *b})) for a, b in product(one, other)), said)


def _join_sizes(sizes: list[ListSize]) -> ListSize | None:
    if not sizes:
        return None
    return ListSize(
        assumed_size=max((one.assumed_size for one in sizes if one.assumed_size is not None), default=None),
        slicing_arguments=_of_all(one.slicing_arguments for one in sizes),
        sized_fields=_of_all(one.sized_fields for one in sizes),
        require_one_slicing_argument=all(one.require_one_slicing_argument for one in sizes),
    )


def _of_all(several: Iterable[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    said = [one for one in several if one is not None]
    return tuple(dict.fromkeys(name for one in said for name in one)) if said else None


# Writing


@dataclass(frozen=True, slots=True)
class Spec:
    link: str
    definitions: tuple[str, ...]
    marks: tuple[str, ...]
    """Beginnings of applications: the supergraph links what it uses."""


_SPECS: Mapping[str, Spec] = {
    "context": Spec(
        f'@link(url: "{APOLLO}/context/v0.1", for: SECURITY)',
        (
            "directive @context(name: String!) repeatable on INTERFACE | OBJECT | UNION",
            "directive @context__fromContext(field: context__ContextFieldValue) on ARGUMENT_DEFINITION",
            "scalar context__ContextFieldValue",
        ),
        ("@context(",),
    ),
    "cacheTag": Spec(f'@link(url: "{APOLLO}/cacheTag/v0.1", for: EXECUTION)', (), ("@join__directive(",)),
    "authenticated": Spec(
        f'@link(url: "{APOLLO}/authenticated/v0.1", for: SECURITY)',
        (f"directive @authenticated on {_ACCESS}",),
        ("@authenticated",),
    ),
    "requiresScopes": Spec(
        f'@link(url: "{APOLLO}/requiresScopes/v0.1", for: SECURITY)',
        (
            f"directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on {_ACCESS}",
            "scalar requiresScopes__Scope",
        ),
        ("@requiresScopes(",),
    ),
    "policy": Spec(
        f'@link(url: "{APOLLO}/policy/v0.1", for: SECURITY)',
        (f"directive @policy(policies: [[policy__Policy!]!]!) on {_ACCESS}", "scalar policy__Policy"),
        ("@policy(",),
    ),
    "cost": Spec(
        f'@link(url: "{APOLLO}/cost/v0.1", import: ["@cost", "@listSize"])',
        (
            "directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION"
            " | OBJECT | SCALAR",
            "directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],"
            " requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION",
        ),
        ("@cost(", "@listSize"),
    ),
}


def used_specs(carried: Iterable[Carried]) -> list[Spec]:
    """The specifications whose directives are printed, in a fixed order."""
    written = {text for one in carried for text in print_carried(one)}
    return [spec for spec in _SPECS.values() if any(text.startswith(spec.marks) for text in written)]


def print_carried(one: Carried) -> Iterator[str]:
    for name in one.contexts:
        yield f"@context(name: {json.dumps(name)})"
    for tag in dict.fromkeys(tag for tag, _ in one.cache_tags):
        graphs = ", ".join(graph for said, graph in one.cache_tags if said == tag)
        said = json.dumps(tag, ensure_ascii=False)
        yield f'@join__directive(graphs: [{graphs}], name: "{CACHE_TAG}", args: {{format: {said}}})'
    if one.authenticated:
        yield "@authenticated"
    if one.scopes is not None:
        yield f"@requiresScopes(scopes: {json.dumps(one.scopes, ensure_ascii=False)})"
    if one.policies is not None:
        yield f"@policy(policies: {json.dumps(one.policies, ensure_ascii=False)})"
    if one.cost is not None:
        yield f"@cost(weight: {one.cost})"
    if one.list_size is not None:
        arguments = ", ".join(_size_arguments(one.list_size))
        yield f"@listSize({arguments})" if arguments else "@listSize"


def _size_arguments(size: ListSize) -> Iterator[str]:
    if size.assumed_size is not None:
        yield f"assumedSize: {size.assumed_size}"
    if size.slicing_arguments is not None:
        yield f"slicingArguments: {json.dumps(size.slicing_arguments)}"
    if size.sized_fields is not None:
        yield f"sizedFields: {json.dumps(size.sized_fields)}"
    if not size.require_one_slicing_argument:
        yield "requireOneSlicingArgument: false"
