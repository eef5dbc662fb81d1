"""Random operations over a schema: aliases that collide, fragments within fragments, variables, conditions."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
)

__all__ = ["random_operation"]

CONDITIONS = ("p", "q")
DEPTH_MAX = 4


def random_operation(schema: GraphQLSchema, random: Random, kind: str = "query") -> tuple[str, Mapping[str, Any]]:
    """Text and variables. Not always valid: keys may clash; let validation decide."""
    return _Writer(schema, random).operation(kind)


class _Writer:
    def __init__(self, schema: GraphQLSchema, random: Random) -> None:
        self.schema = schema
        self.random = random
        self.fragments: dict[str, str] = {}
        self.variables: dict[str, tuple[str, Any]] = {}

    def operation(self, kind: str) -> tuple[str, Mapping[str, Any]]:
        root = {
            "query": self.schema.query_type,
            "mutation": self.schema.mutation_type,
            "subscription": self.schema.subscription_type,
        }[kind]
        assert root is not None
        body = self.selection(root, DEPTH_MAX) if kind != "subscription" else self.one_field(root)
        heads = ", ".join(f"${name}: {written}" for name, (written, _) in self.variables.items())
        text = f"{kind}{f'({heads})' if heads else ''} {body}\n" + "\n".join(self.fragments.values())
        return text, {name: value for name, (_, value) in self.variables.items()}

    def one_field(self, root: GraphQLObjectType) -> str:
        name = self.random.choice(sorted(root.fields))
        return f"{{ {self.field(name, root.fields[name], DEPTH_MAX)} }}"

    def selection(self, parent: Any, depth: int) -> str:
        parts = [self.part(parent, depth) for _ in range(self.random.randint(1, 4))]
        return f"{{ {' '.join(parts)} }}"

    def part(self, parent: Any, depth: int) -> str:
        roll = self.random.random()
        if roll < 0.08 or depth < 0:
            return "__typename"
        if isinstance(parent, GraphQLUnionType) or (roll < 0.3 and parent not in self.roots()):
            return self.fragment(parent, depth)
        names = [
            name
            for name, one in sorted(parent.fields.items())
            if depth > 0 or not is_composite_type(get_named_type(one.type))
        ]
        if not names:
            return "__typename"
        name = self.random.choice(names)
        return self.field(name, parent.fields[name], depth)

    def roots(self) -> tuple[Any, ...]:
        return (self.schema.query_type, self.schema.mutation_type, self.schema.subscription_type)

    def field(self, name: str, one: GraphQLField, depth: int) -> str:
        alias = f"{self.random.choice(['a', 'b', 'id', 'name', 'title'])}: " if self.random.random() < 0.12 else ""
        arguments = [self.argument(key, str(each.type)) for key, each in one.args.items() if self.given(each)]
        written = f"({', '.join(arguments)})" if arguments else ""
        named = get_named_type(one.type)
        below = f" {self.selection(named, depth - 1)}" if is_composite_type(named) else ""
        return f"{alias}{name}{written}{self.condition()}{below}"

    def given(self, argument: Any) -> bool:
        return str(argument.type).endswith("!") or self.random.random() < 0.5

    def argument(self, key: str, kind: str) -> str:
        plain = kind.rstrip("!")
        value: Any = self.random.randint(1, 2) if plain == "Int" else self.random.choice(["EUR", "USD"])
        if self.random.random() < 0.4:
            name = f"v{len(self.variables)}"
            self.variables[name] = (kind, value)
            return f"{key}: ${name}"
        return f"{key}: {value}" if plain == "Int" else f'{key}: "{value}"'

    def condition(self) -> str:
        roll = self.random.random()
        if roll > 0.16:
            return ""
        directive = self.random.choice(["include", "skip"])
        if roll < 0.04:
            return f" @{directive}(if: {self.random.choice(['true', 'false'])})"
        name = self.random.choice(CONDITIONS)
        self.variables.setdefault(name, ("Boolean!", self.random.random() < 0.5))
        return f" @{directive}(if: ${name})"

    def fragment(self, parent: Any, depth: int) -> str:
        names = self.overlapping(parent)
        condition = self.random.choice(names)
        on = self.schema.type_map[condition]
        body = self.selection(on, depth - 1)
        if self.random.random() < 0.3:
            name = f"F{len(self.fragments)}"
            self.fragments[name] = f"fragment {name} on {condition} {body}"
            return f"...{name}{self.condition()}"
        return f"... on {condition}{self.condition()} {body}"

    def overlapping(self, parent: Any) -> list[str]:
        mine = self.possible(parent)
        return [
            name
            for name, kind in sorted(self.schema.type_map.items())
            if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)
            and not name.startswith("__")
            and kind not in self.roots()
            and mine & self.possible(kind)
        ]

    def possible(self, kind: Any) -> set[str]:
        if isinstance(kind, GraphQLObjectType):
            return {kind.name}
        return {one.name for one in self.schema.get_possible_types(kind)}
