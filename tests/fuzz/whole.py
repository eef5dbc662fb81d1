"""A schema before it is split, at random: small, but with every kind of type and reference.

Entities `T0…` with one or several keys, value types `V0…`, interfaces `I0…` (the first may be keyed, for interface
objects), a union, an enum, an input. Field names repeat from type to type, with other types behind them, so that what
must be kept apart in an answer is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

__all__ = ["Field", "Type", "Whole", "chance", "some", "whole_schema"]

LEAVES = ("Int", "String", "Boolean", "Float", "ID", "E0")
ARGUMENTS = ("(n: Int)", '(s: String = "x")', "(e: E0!)", "(n: Int = 1, in: In0)", "(l: [Int!])")


@dataclass
class Field:
    name: str
    target: str
    """Its named type."""
    type: str
    arguments: str = ""


@dataclass
class Type:
    name: str
    kind: str
    """`entity`, `value`, `half` (see `halves`), `interface`, `union`, `root`."""
    fields: dict[str, Field] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    """Field sets; the first is the one that everybody knows, when everybody knows one."""
    members: list[str] = field(default_factory=list)
    """Of an interface or a union; the first is in every subgraph that has it."""

    @property
    def is_abstract(self) -> bool:
        return self.kind in ("interface", "union")


@dataclass
class Whole:
    types: dict[str, Type]

    def of(self, kind: str) -> list[Type]:
        return [one for one in self.types.values() if one.kind == kind]

    def interfaces_of(self, name: str) -> list[Type]:
        return [one for one in self.of("interface") if name in one.members]

    def key_fields(self, name: str) -> dict[str, None]:
        """Top fields of any of the type's keys."""
        return {each: None for key in self.types[name].keys for each in top_fields(key)}

    def is_leaf(self, one: Field) -> bool:
        return one.target not in self.types


def top_fields(key: str) -> list[str]:
    found, depth = [], 0
    for word in key.replace("{", " { ").replace("}", " } ").split():
        depth += (word == "{") - (word == "}")
        if depth == 0 and word != "}":
            found.append(word)
    return found


def chance(random: Random, percent: int) -> bool:
    return random.randint(1, 100) <= percent


def some(random: Random, of: list[str], least: int = 1, most: int | None = None) -> list[str]:
    """A choice of them, in their order."""
    count = random.randint(min(least, len(of)), min(len(of), most or len(of)))
    chosen = set(random.sample(of, count))
    return [one for one in of if one in chosen]


def whole_schema(random: Random) -> Whole:
    return _Maker(random).make()


class _Maker:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.types: dict[str, Type] = {}

    def make(self) -> Whole:
        random = self.random
        for number in range(random.randint(1, 3)):
            self.types[f"T{number}"] = Type(f"T{number}", "entity")
        for number in range(random.randint(0, 2)):
            self.types[f"V{number}"] = Type(f"V{number}", "value")
        concrete = list(self.types)
        for number in range(random.choice([0, 1, 1, 2])):
            members = some(random, concrete, 1 if chance(random, 20) else 2, 3)
            random.shuffle(members)
            self.types[f"I{number}"] = Type(f"I{number}", "interface", members=members)
        if len(concrete) > 1 and chance(random, 40):
            members = some(random, concrete, 2, 3)
            self.types["U0"] = Type("U0", "union", members=members)
        self.keys()
        for one in list(self.types.values()):
            if one.kind in ("entity", "value"):
                self.fields(one, random.randint(2, 4))
        self.interface_fields()
        self.types["Query"] = Type("Query", "root")
        self.fields(self.types["Query"], random.randint(1, 4), root=True)
        if chance(random, 35):
            self.types["Mutation"] = Type("Mutation", "root")
            self.fields(self.types["Mutation"], random.randint(1, 3), root=True)
        return Whole(self.types)

    def add(self, one: Type, name: str, target: str, type_: str, arguments: str = "") -> None:
        one.fields[name] = Field(name, target, type_, arguments)

    # Keys

    def keys(self) -> None:
        for one in [each for each in self.types.values() if each.kind == "entity"]:
            self.add(one, "id", "ID", "ID!")
            one.keys.append("id")
            for _ in range(self.random.choice([0, 0, 1, 1, 2])):
                self.another_key(one)
            if chance(self.random, 20):
                self.random.shuffle(one.keys)

    def another_key(self, one: Type) -> None:
        entities = [each.name for each in self.types.values() if each.kind == "entity" and each is not one]
        values = [each for each in self.types.values() if each.kind == "value"]
        kind = self.random.choice(["simple", "simple", "composite", "entity", "value"])
        if kind == "entity" and entities:
            target = self.random.choice(entities)
            self.add(one, "kt", target, f"{target}!")
            key = "kt { id }"
        elif kind == "value" and values:
            value = self.random.choice(values)
            self.add(value, "slug", "String", "String!")
            self.add(one, "kv", value.name, f"{value.name}!")
            key = "kv { slug }"
        elif kind == "composite":
            self.add(one, "ka", "String", "String!")
            self.add(one, "kb", "Int", "Int!")
            key = "ka kb"
        else:
            self.add(one, "ks", "String", "String!")
            key = "ks"
        if key not in one.keys:
            one.keys.append(key)

    # Fields

    def fields(self, one: Type, count: int, root: bool = False) -> None:
        for number in range(count):
            prefix = {"Query": "q", "Mutation": "m"}.get(one.name, "f")
            composite = chance(self.random, 85 if root else 40)
            target = self.random.choice(self.composite_targets()) if composite else self.random.choice(LEAVES)
            arguments = self.random.choice(ARGUMENTS) if chance(self.random, 15) else ""
            self.add(one, f"{prefix}{number}", target, self.wrapped(target), arguments)

    def composite_targets(self) -> list[str]:
        """Entities more often than others."""
        names = [name for name, one in self.types.items() if one.kind != "root"]
        return names + [name for name in names if self.types[name].kind == "entity"]

    def wrapped(self, target: str) -> str:
        inner = f"{target}!" if chance(self.random, 50) else target
        roll = self.random.randint(1, 100)
        if roll <= 60:
            return inner
        outer = "!" if chance(self.random, 50) else ""
        return f"[{inner}]{outer}" if roll <= 90 else f"[[{inner}]]{outer}"

    def interface_fields(self) -> None:
        """What an interface has, each of its types has; some promise more."""
        for one in [each for each in self.types.values() if each.kind == "interface"]:
            number = one.name[1:]
            if all(self.types[name].kind == "entity" for name in one.members) and chance(self.random, 70):
                self.add(one, "id", "ID", "ID!")
            for letter in "ab"[: self.random.randint(1, 2)]:
                composite = chance(self.random, 30)
                target = self.random.choice(self.composite_targets()) if composite else self.random.choice(LEAVES)
                type_ = self.wrapped(target)
                self.add(one, f"i{number}{letter}", target, type_)
                for name in one.members:
                    promised = not composite and not type_.endswith("!") and chance(self.random, 25)
                    self.add(self.types[name], f"i{number}{letter}", target, type_ + ("!" if promised else ""))
