"""A schema is split, at random, into two to five subgraphs; the whole is what they have together.

First every type gets its homes and every field its owners; then whatever a subgraph returns is made known there
(`need`). In a *safe* split every subgraph that has an entity resolves its first key, and value types are whole
everywhere: composition must take it. A split that is not safe may be one that composition rightly refuses.

`terms` then puts single fields on other terms: required, provided, overridden, hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tests.fuzz.model import GField, Graph, GType, Split
from tests.fuzz.whole import Field, Type, Whole, chance, some, top_fields

__all__ = ["Splitter"]


class Splitter:
    def __init__(self, random: Random, whole: Whole) -> None:
        self.random = random
        self.whole = whole
        names = "abcde"[: random.choice([2, 2, 3, 3, 3, 4, 4, 5])]
        self.graphs = {name: Graph(name) for name in names}
        self.split_ = Split(whole, self.graphs, chance(random, 60))
        self.is_safe = self.split_.is_safe
        self.homes: dict[str, list[str]] = {}
        self.objects: dict[str, str] = {}
        """Subgraph → the interface it has as an object."""
        self.fixed: set[tuple[str, str]] = set()
        """Fields whose terms are settled: nothing more may be done to them."""
        self.required: set[tuple[str, str]] = set()
        """Fields that something requires, or that are provided: they never fail."""
        self.leaning: dict[tuple[str, str], set[tuple[str, str]]] = {}
        """Field → what it requires."""

    def split(self) -> Split:
        self.choose_homes()
        self.interface_object()
        for one in self.whole.of("entity"):
            for graph in self.homes[one.name]:
                self.settle(graph, one)
        for one in self.whole.of("entity"):
            self.own_fields(one)
        for one in self.whole.of("root"):
            self.own_fields(one)
        self.complete()
        return self.split_

    # Homes

    def choose_homes(self) -> None:
        names = list(self.graphs)
        for one in self.whole.of("entity"):
            self.homes[one.name] = some(self.random, names, 1, 3)

    def interface_object(self) -> None:
        """A keyed interface, whole in one subgraph, and an object of its name in another."""
        candidates = [
            one
            for one in self.whole.of("interface")
            if "id" in one.fields and all("id" in self.whole.types[each].keys for each in one.members)
        ]
        if not candidates or len(self.graphs) < 2 or not chance(self.random, 60):
            return
        one = candidates[0]
        names = list(self.graphs)
        home, *others = self.random.sample(names, len(names))
        objects = others[: self.random.randint(1, 2)]
        for name in one.members:
            self.homes[name] = [each for each in self.homes[name] if each not in objects and each != home]
            self.homes[name].append(home)
        own = GType(one.name, "interface", keys={"id": True})
        self.graphs[home].types[one.name] = own
        for name in one.members:
            self.settle(home, self.whole.types[name], "id").interfaces[one.name] = None
        for field_name in one.fields:
            self.put(home, one.name, field_name)
            for name in one.members:
                if field_name != "id":
                    self.put(home, name, field_name)
        for number, graph in enumerate(objects):
            self.objects[graph] = one.name
            self.as_object(graph, one, number)

    def as_object(self, graph: str, one: Type, number: int) -> None:
        mine = GType(one.name, "object", keys={"id": True}, is_interface_object=True)
        self.graphs[graph].types[one.name] = mine
        mine.fields["id"] = GField("id", "ID!", "ID")
        for letter in "xy"[: self.random.randint(1, 2)]:
            name = f"o{number}{letter}"
            target = self.random.choice(["Int", "String", *self.reachable_targets(graph)])
            made = Field(name, target, target + self.random.choice(["", "!"]))
            for each in (one.name, *one.members):
                self.whole.types[each].fields[name] = made
            mine.fields[name] = GField(name, made.type, target)
            self.fixed |= {(each, name) for each in (one.name, *one.members)}
        plain = [
            each
            for each in one.fields.values()
            if each.name.startswith("i") and self.whole.is_leaf(each) and each.name != "id"
        ]
        if plain and chance(self.random, 40):
            needed = self.random.choice(plain)
            name = f"o{number}r"
            for each in (one.name, *one.members):
                self.whole.types[each].fields[name] = Field(name, "String", "String")
                self.fixed.add((each, name))
                self.required.add((each, needed.name))
            mine.fields[needed.name] = GField(
                needed.name, needed.type, needed.target, needed.arguments, {"external": ""}
            )
            mine.fields[name] = GField(name, "String", "String", "", {"requires": f'fields: "{needed.name}"'})

    def reachable_targets(self, graph: str) -> list[str]:
        return [one.name for one in self.whole.types.values() if one.kind != "root" and self.may_have(graph, one.name)]

    def may_have(self, graph: str, name: str, seen: frozenset[str] = frozenset()) -> bool:
        """Whether the type may be made known in the subgraph: the types behind an interface object may not."""
        if name not in self.whole.types or name in seen or self.objects.get(graph) == name:
            return True
        one = self.whole.types[name]
        held = self.objects.get(graph)
        if held is not None and name in self.whole.types[held].members:
            return False
        seen |= {name}
        if one.is_abstract:
            return self.may_have(graph, one.members[0], seen)
        if one.kind == "value":
            return all(self.may_have(graph, each.target, seen) for each in one.fields.values())
        return all(self.may_have(graph, one.fields[each].target, seen) for each in self.whole.key_fields(name))

    # Types and fields in a subgraph

    def settle(self, graph: str, one: Type, key: str | None = None) -> GType:
        """The entity is at home here: it is resolved by some of its keys."""
        mine = self.graphs[graph].types.get(one.name)
        if mine is None:
            mine = self.graphs[graph].types[one.name] = GType(one.name, "object")
        possible = [
            each for each in one.keys if all(self.may_have(graph, one.fields[f].target) for f in top_fields(each))
        ]
        keys = some(self.random, possible, 1, 2)
        self.is_safe = self.split_.is_safe = self.is_safe and one.keys[0] in possible
        if self.is_safe:
            keys = [one.keys[0], *(each for each in keys if each != one.keys[0])]
        for each in [*keys, *([key] if key else [])]:
            self.add_key(graph, one, each, True)
        return mine

    def add_key(self, graph: str, one: Type, key: str, resolvable: bool) -> None:
        mine = self.graphs[graph].types[one.name]
        mine.keys[key] = resolvable or mine.keys.get(key, False)
        for name in top_fields(key):
            self.put(graph, one.name, name)
            if "{" in key:
                self.put_below(graph, one.fields[name].target, key)

    def put_below(self, graph: str, target: str, key: str) -> None:
        inner = key[key.index("{") + 1 : key.rindex("}")].strip()
        self.need(graph, target)
        self.put(graph, target, inner)

    def put(self, graph: str, type_name: str, name: str, **terms: str) -> GField:
        """The field as it is, in this subgraph."""
        one = self.whole.types[type_name].fields[name]
        mine = self.graphs[graph].types[type_name]
        found = mine.fields.get(name)
        if found is None:
            found = mine.fields[name] = GField(name, one.type, one.target, one.arguments, dict(terms))
        return found

    def own_fields(self, one: Type) -> None:
        """Every field that nobody has yet gets one owner, or several that share it."""
        homes = self.homes.get(one.name, list(self.graphs))
        keys = self.whole.key_fields(one.name)
        for name, each in list(one.fields.items()):
            if (one.name, name) in self.fixed or (name in keys and set(self.havers(one.name, name)) & set(homes)):
                continue
            able = [graph for graph in homes if self.may_have(graph, each.target)]
            if not able:
                self.drop(one, name)
                continue
            shared = chance(self.random, 12 if one.kind == "entity" else 20) and one.name != "Mutation"
            chosen = some(self.random, able, 2, 3) if shared else [self.random.choice(able)]
            for graph in chosen:
                if one.name not in self.graphs[graph].types:
                    self.graphs[graph].types[one.name] = GType(one.name, "object")
                self.put(graph, one.name, name)

    def drop(self, one: Type, name: str) -> None:
        """Nobody can have it: then it does not exist, unless an interface promises it."""
        for interface in self.whole.interfaces_of(one.name):
            interface.fields.pop(name, None)
            for graph in self.graphs.values():
                if interface.name in graph.types:
                    graph.types[interface.name].fields.pop(name, None)
        one.keys = [key for key in one.keys if name not in top_fields(key)]
        del one.fields[name]

    def havers(self, type_name: str, name: str) -> list[str]:
        return [
            graph.name
            for graph in self.graphs.values()
            if type_name in graph.types
            and name in graph.types[type_name].fields
            and "external" not in graph.types[type_name].fields[name].terms
        ]

    # What is returned must be known

    def complete(self) -> None:
        """Whatever a subgraph's fields lead to is there."""
        grew = True
        while grew:
            before = self.size()
            for graph in self.graphs.values():
                for mine in list(graph.types.values()):
                    for one in list(mine.fields.values()):
                        self.need(graph.name, one.target)
            grew = self.size() != before

    def size(self) -> int:
        return sum(
            1 + len(one.fields) + len(one.interfaces) for graph in self.graphs.values() for one in graph.types.values()
        )

    def need(self, graph: str, name: str) -> None:
        if name not in self.whole.types or name in self.graphs[graph].types:
            return
        one = self.whole.types[name]
        match one.kind:
            case "entity":
                self.stub(graph, one)
            case "value":
                self.value(graph, one)
            case "interface":
                self.interface(graph, one)
            case "union":
                self.union(graph, one)

    def stub(self, graph: str, one: Type) -> None:
        """The entity is only named here."""
        self.graphs[graph].types[one.name] = GType(one.name, "object")
        possible = [
            each for each in one.keys if all(self.may_have(graph, one.fields[f].target) for f in top_fields(each))
        ]
        key = possible[0] if self.is_safe or not possible[1:] else self.random.choice(possible)
        resolvable = chance(self.random, 40)
        self.add_key(graph, one, key, resolvable)

    def value(self, graph: str, one: Type) -> None:
        self.graphs[graph].types[one.name] = GType(one.name, "object")
        names = list(one.fields)
        if not self.is_safe and len(names) > 1 and chance(self.random, 30):
            names = some(self.random, names, 1)
        for name in names:
            self.put(graph, one.name, name)
            self.need(graph, one.fields[name].target)

    def interface(self, graph: str, one: Type) -> None:
        mine = self.graphs[graph].types[one.name] = GType(one.name, "interface")
        able = [name for name in one.members[1:] if self.may_have(graph, name)]
        members = [one.members[0], *some(self.random, able, 0)]
        for name in members:
            self.need(graph, name)
            self.graphs[graph].types[name].interfaces[one.name] = None
        for name in one.fields:
            if (one.members[0], name) in self.fixed:
                continue
            if all(self.is_served(graph, each, name) for each in members):
                self.put(graph, one.name, name)
        if not mine.fields:
            self.first_field(graph, one, members)

    def is_served(self, graph: str, type_name: str, name: str) -> bool:
        found = self.graphs[graph].types[type_name].fields.get(name)
        return found is not None and "external" not in found.terms

    def first_field(self, graph: str, one: Type, members: list[str]) -> None:
        """An interface must have a field here, so its types share one."""
        names = [name for name in one.fields if (one.members[0], name) not in self.fixed]
        able = [name for name in names if self.may_have(graph, one.fields[name].target)]
        if not able:
            return  # It stays without fields; nobody will want such a schema.
        name = able[0]
        for each in (one.name, *members):
            self.put(graph, each, name)
        self.need(graph, one.fields[name].target)

    def union(self, graph: str, one: Type) -> None:
        mine = self.graphs[graph].types[one.name] = GType(one.name, "union")
        able = [name for name in one.members[1:] if self.may_have(graph, name)]
        mine.members = [one.members[0], *some(self.random, able, 0)]
        for name in mine.members:
            self.need(graph, name)

    def entities(self) -> Iterator[tuple[Graph, GType]]:
        for graph in self.graphs.values():
            for mine in list(graph.types.values()):
                if mine.kind == "object" and mine.keys and not mine.is_interface_object:
                    yield graph, mine
