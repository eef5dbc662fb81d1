"""A split schema as text: each subgraph's SDL, and the whole that clients should see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from graphql import GraphQLSchema, build_schema

from tests.fuzz.halves import add_halves
from tests.fuzz.model import GField, Graph, GType, Split
from tests.fuzz.split import Splitter
from tests.fuzz.terms import Terms
from tests.fuzz.whole import whole_schema
from tests.fuzz.world import World
from tests.gateway.planning.support.universe import Data

__all__ = ["Generated", "generate"]

ENUM = "enum E0 { A B C }"
INPUT = "input In0 { a: Int = 2 b: [String!] e: E0 }"


@dataclass(frozen=True)
class Generated:
    subgraphs: Mapping[str, str]
    whole: str
    labels: frozenset[str]
    data: Data
    is_safe: bool
    """Composition must take it."""

    @property
    def schema(self) -> GraphQLSchema:
        return build_schema(self.whole)


def generate(random: Random) -> Generated:
    split = _split(random)
    while _is_hollow(split) or _breaks_promise(split):
        split = _split(random)
    return Generated(
        subgraphs={graph.name: _subgraph(split, graph) for graph in split.graphs.values() if graph.types},
        whole=_whole(split),
        labels=split.labels,
        data=split.data,
        is_safe=split.is_safe,
    )


def _split(random: Random) -> Split:
    """The stages, in their order."""
    splitter = Splitter(random, whole_schema(random))
    split = splitter.split()
    Terms(splitter).settle()
    split.data = World(splitter).make()
    add_halves(splitter)
    return split


def _is_hollow(split: Split) -> bool:
    """A type has lost all its fields."""
    types = [one for graph in split.graphs.values() for one in graph.types.values()]
    return any(not one.fields and one.kind != "union" for one in types) or all(one.name != "Query" for one in types)


def _breaks_promise(split: Split) -> bool:
    """An interface has a field that one of its types has nowhere, or not in the same subgraph."""
    types = [one for graph in split.graphs.values() for one in graph.types.values()]
    had = {(one.name, name) for one in types for name, each in one.fields.items() if "external" not in each.terms}
    return any(
        (one.name, name) not in had
        for one in types
        for interface in types
        if interface.kind == "interface" and interface.name in one.interfaces
        for name in interface.fields
    ) or any(
        name not in one.fields
        for graph in split.graphs.values()
        for one in graph.types.values()
        for implemented in one.interfaces
        if (interface := graph.types.get(implemented)) is not None and interface.kind == "interface"
        for name in interface.fields
    )


def _with_leaves(text: str, used_in: str | None = None) -> str:
    used = used_in or text
    if "In0" in used:
        text += f"\n{INPUT}"
    if "E0" in used or "In0" in used:
        text += f"\n{ENUM}"
    return text


# Subgraphs


def _subgraph(split: Split, graph: Graph) -> str:
    return _with_leaves("\n".join(_type(split, one) for one in graph.types.values()))


def _type(split: Split, one: GType) -> str:
    keys = [
        f' @key(fields: "{key}"{"" if resolvable else ", resolvable: false"})' for key, resolvable in one.keys.items()
    ]
    keys += [" @interfaceObject"] if one.is_interface_object else []
    if one.kind == "union":
        return f"union {one.name} = {' | '.join(one.members)}"
    head = f"{'interface' if one.kind == 'interface' else 'type'} {one.name}"
    if one.interfaces:
        head += f" implements {' & '.join(one.interfaces)}"
    fields = "".join(f"  {_field(split, one, each)}\n" for each in one.fields.values())
    return f"{head}{''.join(keys)} {{\n{fields}}}"


def _field(split: Split, one: GType, each: GField) -> str:
    terms = "".join(f" @{name}({told})" if told else f" @{name}" for name, told in each.terms.items())
    if one.kind == "object" and "external" not in each.terms and _is_shared(split, one, each):
        terms = f" @shareable{terms}"
    return f"{each.name}{each.arguments}: {each.type}{terms}"


def _is_shared(split: Split, one: GType, each: GField) -> bool:
    if "override" in each.terms:
        return False
    others = [
        graph.types[one.name].fields[each.name]
        for graph in split.graphs.values()
        if one.name in graph.types and each.name in graph.types[one.name].fields
    ]
    havers = [other for other in others if "external" not in other.terms]
    several = len(havers) > 1 or (one.name, each.name) in split.shareable
    return several and all("override" not in other.terms for other in havers)


# The whole


def _whole(split: Split) -> str:
    names = [name for name in split.whole.types if any(name in graph.types for graph in split.graphs.values())]
    text = "\n".join(_merged(split, name) for name in names)
    everything = "".join(_subgraph(split, graph) for graph in split.graphs.values())
    return _with_leaves(text, everything)


def _merged(split: Split, name: str) -> str:
    parts = [graph.types[name] for graph in split.graphs.values() if name in graph.types]
    kind = split.whole.types[name].kind
    if kind == "union":
        return f"union {name} = {' | '.join(dict.fromkeys(member for one in parts for member in one.members))}"
    interfaces = list(dict.fromkeys(each for one in parts for each in one.interfaces))
    head = f"{'interface' if kind == 'interface' else 'type'} {name}"
    if interfaces:
        head += f" implements {' & '.join(interfaces)}"
    fields = dict.fromkeys(_merged_fields(split, name, parts, interfaces))
    return f"{head} {{\n" + "".join(f"  {text}\n" for text in fields) + "}"


def _merged_fields(split: Split, name: str, parts: list[GType], interfaces: list[str]) -> Iterator[str]:
    objects = [
        graph.types[one]
        for graph in split.graphs.values()
        for one in interfaces
        if one in graph.types and graph.types[one].is_interface_object
    ]
    for field_name in split.whole.types[name].fields:
        if (name, field_name) in split.hidden:
            continue
        found = [
            one.fields[field_name]
            for one in (*parts, *objects)
            if field_name in one.fields and "external" not in one.fields[field_name].terms
        ]
        if found:
            types = [one.type for one in found]
            type_ = types[0] if all(one.endswith("!") for one in types) else types[0].removesuffix("!")
            yield f"{field_name}{found[0].arguments}: {type_}"
