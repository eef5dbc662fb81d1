"""Random federated schemas: one model, split over 2 to 5 subgraphs by every means that the specification has.

The model comes first (entities, their fields, interfaces, unions, value types); then each part is given to graphs. What
comes out is nearly always a schema that composes; when it does not (a split that nobody could serve), the case is
counted as refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

__all__ = ["FEATURES", "LABELS", "Split", "random_split"]

GRAPHS = ("ant", "bee", "cat", "dog", "elk")
LABELS = ("percent(30)", "early")
SCALARS = ("Int!", "String!", "Boolean!", "ID!", "Float!", "[Int!]!", "Color!")
FEATURES = (
    "several keys",
    "composite key",
    "nested key",
    "key not resolvable",
    "shared field",
    "shared root",
    "requires",
    "requires of requires",
    "nested requires",
    "requires with arguments",
    "provides",
    "override",
    "override by label",
    "interface",
    "union",
    "interface object",
    "value type",
    "arguments",
    "nullable",
    "list of lists",
    "mutation",
)


@dataclass
class TypeDef:
    head: str
    keys: dict[str, bool] = field(default_factory=dict)
    """Field set → resolvable."""
    interfaces: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    """Name → the rest of the definition."""
    tail: str = ""

    def sdl(self, name: str) -> str:
        implements = f" implements {' & '.join(self.interfaces)}" if self.interfaces else ""
        keys = "".join(
            f' @key(fields: "{key}"{"" if resolvable else ", resolvable: false"})'
            for key, resolvable in self.keys.items()
        )
        body = " ".join(f"{one}{rest}" for one, rest in self.fields.items())
        return f"{self.head} {name}{implements}{keys}{self.tail} {{ {body} }}"


@dataclass
class Entity:
    name: str
    keys: list[str]
    """Field sets that name one of them; the first is `id`."""
    graphs: list[str]
    leaves: dict[str, str] = field(default_factory=dict)
    """Leaf field → the graph that serves it."""
    required: set[str] = field(default_factory=set)
    """Leaf fields with `@requires`."""


@dataclass
class Split:
    subgraphs: dict[str, str]
    features: set[str]
    labels: frozenset[str]


def random_split(random: Random) -> Split:
    return _Splitter(random).split()


class _Splitter:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.features: set[str] = set()
        self.graphs = list(GRAPHS[: random.choice((2, 2, 3, 3, 4, 5))])
        self.types: dict[str, dict[str, TypeDef]] = {one: {} for one in self.graphs}
        self.unions: dict[str, dict[str, list[str]]] = {one: {} for one in self.graphs}
        self.entities: list[Entity] = []
        self.count = 0

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def new(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def some(self, of: list[str], least: int = 1) -> list[str]:
        return sorted(self.random.sample(of, self.random.randint(min(least, len(of)), len(of))))

    def split(self) -> Split:
        for number in range(self.random.randint(2, 4)):
            self.entity(number)
        for entity in self.entities:
            self.leaves(entity)
        for entity in self.entities:
            self.special(entity)
        if self.chance(0.45):
            self.interface()
        if self.chance(0.35):
            self.interface_object()
        if self.chance(0.35):
            self.union()
        self.references()
        self.value_type()
        self.roots()
        return Split(
            {one: self.sdl(one) for one in self.graphs if self.types[one]},
            self.features,
            frozenset(LABELS if self.chance(0.5) else ()),
        )

    # Entities

    def entity(self, number: int) -> None:
        keys = ["id"]
        for key, feature, share in (
            ("code", "several keys", 0.4),
            ("no sort", "composite key", 0.2),
            ("spot { x y }", "nested key", 0.2),
        ):
            if self.chance(share):
                keys.append(key)
                self.features.add(feature)
        entity = Entity(f"E{number}", keys, self.some(self.graphs))
        for graph in entity.graphs:
            mine = TypeDef("type")
            chosen = [key for key in keys if self.chance(0.7)] or [self.random.choice(keys)]
            if self.chance(0.9) and "id" not in chosen:
                chosen.insert(0, "id")
            for key in chosen:
                mine.keys[key] = not self.chance(0.04)
                if not mine.keys[key]:
                    self.features.add("key not resolvable")
                self.key_fields(graph, mine, key)
            self.types[graph][entity.name] = mine
        self.entities.append(entity)

    def key_fields(self, graph: str, mine: TypeDef, key: str) -> None:
        match key:
            case "id" | "code":
                mine.fields[key] = ": ID!"
            case "no sort":
                mine.fields |= {"no": ": Int!", "sort": ": String!"}
            case _:
                mine.fields["spot"] = ": Spot!"
                self.types[graph]["Spot"] = TypeDef("type", fields={"x": ": ID!", "y": ": Int!"}, tail=" @shareable")

    def leaves(self, entity: Entity) -> None:
        for _ in range(self.random.randint(2, 5)):
            graph = self.random.choice(entity.graphs)
            arguments = ""
            if self.chance(0.15):
                arguments = self.random.choice(("(n: Int)", '(unit: String = "EUR")', "(n: Int!)"))
                self.features.add("arguments")
            kind = self.random.choice(SCALARS)
            name = self.new("f")
            if self.chance(0.15):
                name, kind = self.new("maybe"), kind.rstrip("!")
                self.features.add("nullable")
            elif self.chance(0.06):
                kind = "[[Int!]!]!"
                self.features.add("list of lists")
            if "Color" in kind:
                self.types[graph]["Color"] = TypeDef("enum", fields={"RED": "", "GREEN": "", "BLUE": ""})
            others = [one for one in entity.graphs if one != graph]
            entity.leaves[name] = graph
            self.types[graph][entity.name].fields[name] = f"{arguments}: {kind}"
            if others and self.chance(0.15) and "Color" not in kind:
                self.features.add("shared field")
                for one in (graph, self.random.choice(others)):
                    self.types[one][entity.name].fields[name] = f"{arguments}: {kind} @shareable"
            elif others and self.chance(0.15) and "Color" not in kind:
                self.override(entity, name, f"{arguments}: {kind}", graph, self.random.choice(others))

    def override(self, entity: Entity, name: str, written: str, old: str, new: str) -> None:
        label = ""
        self.features.add("override")
        if self.chance(0.5):
            label = f', label: "{self.random.choice(LABELS)}"'
            self.features.add("override by label")
        self.types[new][entity.name].fields[name] = f'{written} @override(from: "{old}"{label})'
        entity.leaves[name] = new

    def special(self, entity: Entity) -> None:
        """@requires: nested ones, chains, with arguments."""
        for _ in range(self.random.choice((0, 1, 1, 2))):
            graph = self.random.choice(entity.graphs)
            mine = self.types[graph][entity.name]
            wanted = [
                name
                for name, owner in entity.leaves.items()
                if owner != graph and name not in mine.fields and "Color" not in self.written(entity, name)
            ]
            if not wanted:
                continue
            chosen = self.random.sample(wanted, min(len(wanted), self.random.randint(1, 2)))
            parts = [self.required(entity, mine, name) for name in chosen]
            if self.chance(0.2):
                nested = self.nested_requirement(entity, graph)
                parts += [nested] if nested else []
            name = self.new("r")
            mine.fields[name] = f': String! @requires(fields: "{" ".join(parts)}")'
            entity.leaves[name] = graph
            if entity.required & set(chosen):
                self.features.add("requires of requires")
            entity.required.add(name)
            self.features.add("requires")

    def written(self, entity: Entity, name: str) -> str:
        return self.types[entity.leaves[name]][entity.name].fields[name]

    def required(self, entity: Entity, mine: TypeDef, name: str) -> str:
        plain = self.written(entity, name).partition(" @")[0]
        mine.fields[name] = f"{plain} @external"
        if "(n:" in plain:
            self.features.add("requires with arguments")
            return f"{name}(n: {self.random.randint(1, 3)})"
        return name

    def nested_requirement(self, entity: Entity, graph: str) -> str | None:
        others = [one for one in entity.graphs if one != graph]
        if not others:
            return None
        owner = self.random.choice(others)
        name = self.new("size")
        for one in (owner, graph):
            self.types[one]["Size"] = TypeDef("type", fields={"w": ": Int!", "h": ": Int!"}, tail=" @shareable")
        self.types[owner][entity.name].fields[name] = ": Size!"
        self.types[graph][entity.name].fields[name] = ": Size! @external"
        self.features.add("nested requires")
        return f"{name} {{ w }}"

    # Abstract types

    def interface(self) -> None:
        implementing = self.random.sample(self.entities, min(len(self.entities), 2))
        if any("id" not in self.types[graph][one.name].fields for one in implementing for graph in one.graphs):
            return
        graphs = {graph for one in implementing for graph in one.graphs}
        for graph in sorted(graphs):
            self.types[graph]["Named"] = TypeDef("interface", fields={"id": ": ID!"})
            for one in implementing:
                if one.name in self.types[graph]:
                    self.types[graph][one.name].interfaces.append("Named")
        self.features.add("interface")

    def interface_object(self) -> None:
        """A keyed interface with its implementations in one graph, an interface object in others."""
        if len(self.graphs) < 2:
            return
        home, *others = self.random.sample(self.graphs, self.random.randint(2, len(self.graphs)))
        self.types[home]["Good"] = TypeDef("interface", {"id": True}, fields={"id": ": ID!", "label": ": String!"})
        for number in range(2):
            self.types[home][f"Good{number}"] = TypeDef(
                "type",
                {"id": True},
                ["Good"],
                {"id": ": ID!", "label": ": String!", f"own{number}": ": Int!"},
            )
        self.root(home, "goods", "[Good!]!")
        for graph in others:
            mine = TypeDef(
                "type", {"id": True}, fields={"id": ": ID!", self.new("g"): ": Int!"}, tail=" @interfaceObject"
            )
            if self.chance(0.3):
                mine.fields |= {"label": ": String! @external", self.new("t"): ': String! @requires(fields: "label")'}
            self.types[graph]["Good"] = mine
            if self.chance(0.5):
                self.root(graph, self.new("good"), "Good!")
        self.features.add("interface object")

    def union(self) -> None:
        graphs = [one for one in self.graphs if len(self.here(one)) >= 2]
        for graph in graphs[:2]:
            self.unions[graph]["Any"] = self.some(self.here(graph), 2)
            self.root(graph, self.new("any"), self.random.choice(("[Any!]!", "Any!")))
            self.features.add("union")

    def here(self, graph: str) -> list[str]:
        return [one.name for one in self.entities if one.name in self.types[graph]]

    # References and roots

    def references(self) -> None:
        for graph in self.graphs:
            for name in self.here(graph):
                if not self.chance(0.5):
                    continue
                target = self.random.choice(self.targets(graph))
                kind = self.random.choice((f"{target}!", f"[{target}!]!"))
                field_name = self.new("to")
                self.types[graph][name].fields[field_name] = f": {kind}{self.provides(graph, target)}"

    def targets(self, graph: str) -> list[str]:
        return self.here(graph) + [one for one in ("Named", "Good") if one in self.types[graph]]

    def provides(self, graph: str, target: str) -> str:
        entity = next((one for one in self.entities if one.name == target), None)
        if entity is None or not self.chance(0.3):
            return ""
        mine = self.types[graph][target]
        wanted = [
            name
            for name, owner in entity.leaves.items()
            if owner != graph
            and name not in mine.fields
            and name not in entity.required
            and not any(mark in self.written(entity, name) for mark in ("Color", "(", "@override"))
        ]
        if not wanted:
            return ""
        name = self.random.choice(wanted)
        plain = self.written(entity, name).partition(" @")[0]
        mine.fields[name] = f"{plain} @external"
        if "@shareable" not in self.written(entity, name):
            owner = self.types[entity.leaves[name]][target]
            owner.fields[name] = f"{plain} @shareable"
        self.features.add("provides")
        return f' @provides(fields: "{name}")'

    def value_type(self) -> None:
        """A value type whose fields are spread; it is reached through a shared root field."""
        if not self.chance(0.35):
            return
        graphs = self.some(self.graphs, 2)
        for graph in graphs:
            fields = {"both": ": Int! @shareable", self.new("v"): ": String!"}
            here = self.here(graph)
            if here and self.chance(0.5):
                fields[self.new("e")] = f": {self.random.choice(here)}!"
            self.types[graph]["Value"] = TypeDef("type", fields=fields)
            self.root(graph, "value", "Value! @shareable")
        self.features |= {"value type", "shared root"}

    def root(self, graph: str, name: str, written: str, on: str = "Query") -> None:
        self.types[graph].setdefault(on, TypeDef("type")).fields[name] = f": {written}"

    def roots(self) -> None:
        for entity in self.entities:
            for graph in entity.graphs:
                if self.chance(0.5) or graph == entity.graphs[0]:
                    kind = self.random.choice((f"[{entity.name}!]!", f"{entity.name}!"))
                    self.root(graph, self.new("q"), f"{kind}{self.provides(graph, entity.name)}")
                if self.chance(0.2):
                    self.root(graph, self.new("m"), f"{entity.name}!", "Mutation")
                    self.features.add("mutation")
        for graph in self.graphs:
            if "Named" in self.types[graph] and self.chance(0.8):
                self.root(graph, self.new("named"), "[Named!]!")

    def sdl(self, graph: str) -> str:
        written = [one.sdl(name) for name, one in self.types[graph].items()]
        written += [f"union {name} = {' | '.join(members)}" for name, members in self.unions[graph].items()]
        return "\n".join(written)


def described(subgraphs: Mapping[str, str]) -> str:
    return "\n\n".join(f"# {name}\n{sdl}" for name, sdl in subgraphs.items())
