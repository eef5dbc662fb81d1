"""Random operations over a schema: aliases that collide, fragments within fragments, variables, conditions."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
)

__all__ = ["random_operation"]

CONDITIONS = ("p", "q")
ALIASES = ("a", "b", "id", "f0", "f1")
DEPTH_MAX = 4
FIELDS_MAX = 40


def random_operation(schema: GraphQLSchema, random: Random, kind: str = "query") -> tuple[str, Mapping[str, Any]]:
    """Text and variables. Not always valid: keys may clash; let validation decide."""
    return _Writer(schema, random).operation(kind)


class _Writer:
    def __init__(self, schema: GraphQLSchema, random: Random) -> None:
        self.schema = schema
        self.random = random
        self.fragments: dict[str, tuple[str, str]] = {}
        """Name → type condition, text."""
        self.variables: dict[str, tuple[str, Any]] = {}
        self.fields_left = FIELDS_MAX
        self.aliases = random.randint(0, 20)
        """How often an alias is given, in percent; operations differ in what they are full of."""
        self.conditions = random.choice([0, 0, 8, 20])
        self.fragment_share = random.choice([5, 20, 40])

    def chance(self, percent: int) -> bool:
        return self.random.randint(1, 100) <= percent

    def operation(self, kind: str) -> tuple[str, Mapping[str, Any]]:
        root = {
            "query": self.schema.query_type,
            "mutation": self.schema.mutation_type,
            "subscription": self.schema.subscription_type,
        }[kind]
        assert root is not None
        body = self.selection(root, DEPTH_MAX) if kind != "subscription" else self.one_field(root)
        heads = ", ".join(f"${name}: {written}" for name, (written, _) in self.variables.items())
        text = f"{kind}{f'({heads})' if heads else ''} {body}"
        text += "".join(f"\n{fragment}" for _, fragment in self.fragments.values())
        return text, {name: value for name, (_, value) in self.variables.items() if value is not _DEFAULT}

    def one_field(self, root: GraphQLObjectType) -> str:
        name = self.random.choice(sorted(root.fields))
        return f"{{ {self.field(name, root.fields[name], DEPTH_MAX)} }}"

    def selection(self, parent: Any, depth: int) -> str:
        parts = [self.part(parent, depth) for _ in range(self.random.randint(1, 4))]
        return f"{{ {' '.join(parts)} }}"

    def part(self, parent: Any, depth: int) -> str:
        self.fields_left -= 1
        if depth < 0 or self.fields_left < 0 or self.chance(8):
            return f"t: __typename{self.condition()}" if self.chance(20) else "__typename"
        if parent is self.schema.query_type and self.chance(3):
            return f'meta: __type(name: "{self.random.choice(sorted(self.schema.type_map))}"){self.condition()} {{ kind name }}'
        if isinstance(parent, GraphQLUnionType) or self.chance(self.fragment_share):
            return self.fragment(parent, depth)
        names = [
            name for name, one in parent.fields.items() if depth > 0 or not is_composite_type(get_named_type(one.type))
        ]
        if not names:
            return "__typename"
        name = self.random.choice(names)
        return self.field(name, parent.fields[name], depth)

    def field(self, name: str, one: GraphQLField, depth: int) -> str:
        alias = f"{self.random.choice(ALIASES)}: " if self.chance(self.aliases) else ""
        arguments = [self.argument(key, each.type) for key, each in one.args.items() if self.given(each)]
        written = f"({', '.join(arguments)})" if arguments else ""
        named = get_named_type(one.type)
        below = f" {self.selection(named, depth - 1)}" if is_composite_type(named) else ""
        return f"{alias}{name}{written}{self.condition()}{below}"

    # Arguments

    def given(self, argument: Any) -> bool:
        return isinstance(argument.type, GraphQLNonNull) or self.chance(50)

    def argument(self, key: str, kind: Any) -> str:
        if self.chance(40):
            name = f"v{len(self.variables)}"
            if not isinstance(kind, GraphQLNonNull) and self.chance(20):
                self.variables[name] = (f"{kind} = {self.literal(kind, True)}", _DEFAULT)
            else:
                self.variables[name] = (str(kind), self.plain(kind))
            return f"{key}: ${name}"
        return f"{key}: {self.literal(kind)}"

    def plain(self, kind: Any) -> Any:
        """A value as JSON."""
        match kind:
            case GraphQLNonNull():
                return self.plain(kind.of_type)
            case GraphQLList():
                return [self.plain(kind.of_type) for _ in range(self.random.randint(0, 2))]
            case GraphQLEnumType():
                return self.random.choice(sorted(kind.values))
            case GraphQLInputObjectType():
                return {name: self.plain(one.type) for name, one in kind.fields.items() if self.chance(50)}
        return self.random.randint(1, 2) if kind.name == "Int" else self.random.choice(["EUR", "USD"])

    def literal(self, kind: Any, is_constant: bool = False) -> str:
        """A value as GraphQL text, now and then with a variable inside."""
        match kind:
            case GraphQLNonNull():
                return self.literal(kind.of_type, is_constant)
            case GraphQLList():
                return (
                    f"[{', '.join(self.literal(kind.of_type, is_constant) for _ in range(self.random.randint(0, 2)))}]"
                )
            case GraphQLEnumType():
                return self.random.choice(sorted(kind.values))
            case GraphQLInputObjectType():
                chosen = [(name, one.type) for name, one in kind.fields.items() if self.chance(50)]
                if is_constant:
                    given = [f"{name}: {self.literal(type_, True)}" for name, type_ in chosen]
                else:
                    given = [self.argument(name, type_) for name, type_ in chosen]
                return f"{{{', '.join(given)}}}"
        value = self.plain(kind)
        return str(value) if kind.name == "Int" else f'"{value}"'

    # Conditions and fragments

    def condition(self) -> str:
        if not self.chance(self.conditions):
            return ""
        directive = self.random.choice(["include", "skip"])
        if self.chance(25):
            return f" @{directive}(if: {self.random.choice(['true', 'false'])})"
        name = self.random.choice(CONDITIONS)
        self.variables.setdefault(name, ("Boolean!", self.chance(50)))
        return f" @{directive}(if: ${name})"

    def fragment(self, parent: Any, depth: int) -> str:
        names = self.overlapping(parent)
        known = [name for name, (condition, _) in self.fragments.items() if condition in names]
        if known and self.chance(25):
            return f"...{self.random.choice(known)}{self.condition()}"
        condition = self.random.choice(names)
        body = self.selection(self.schema.type_map[condition], depth - 1)
        if self.chance(30):
            name = f"F{len(self.fragments)}"
            self.fragments[name] = (condition, f"fragment {name} on {condition} {body}")
            return f"...{name}{self.condition()}"
        if self.chance(10) and condition == parent.name:
            return f"...{self.condition()} {body}"
        return f"... on {condition}{self.condition()} {body}"

    def overlapping(self, parent: Any) -> list[str]:
        """Type conditions that may hold here; the parent itself first."""
        mine = self.possible(parent)
        return [parent.name] + [
            name
            for name, kind in sorted(self.schema.type_map.items())
            if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)
            and not name.startswith("__")
            and kind is not parent
            and mine & self.possible(kind)
        ]

    def possible(self, kind: Any) -> set[str]:
        if isinstance(kind, GraphQLObjectType):
            return {kind.name}
        return {one.name for one in self.schema.get_possible_types(kind)}


class _Default:
    pass


_DEFAULT = _Default()
"""The variable is left to its default."""
