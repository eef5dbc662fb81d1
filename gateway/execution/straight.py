"""The straight way through a projection: Python source, written for one plan and set of conditions.

Nearly every answer is what the schema promises. For these a function is generated that reads the merged data and builds
the client's shape with one check a leaf and one call an object, some three times as fast as closures. At the first
value that is not as promised (null where none may be, a wrong type, an unknown `__typename`) it gives up, and the
closures of `project` start over: they alone know what an error is. What both give is therefore the same, and tests hold
them to it.

    def o2(v):                                  {"id": ID!, "name": String}
        if v.__class__ is not dict: raise Unusual
        get = v.get
        a0 = get('id')
        if a0.__class__ is not str: raise Unusual
        a1 = get('name')
        if a1 is not None and a1.__class__ is not str: raise Unusual
        return {'id': a0, 'name': a1}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from graphql import (
    GraphQLEnumType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    TypeNode,
    is_abstract_type,
    parse_type,
)

from gateway.plan.nodes import OutputField

__all__ = ["Straight", "Unusual", "compile_straight"]

Straight: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
FUNCTIONS_MAX = 500
"""Objects of one answer's shape, counted once for each possible type; beyond, the closures do it alone."""

_CHECKS: Mapping[str, str] = {
    "Int": "{x}.__class__ is not int or not -2147483648 <= {x} <= 2147483647",
    "Float": "{x}.__class__ is not float and {x}.__class__ is not int",
    "String": "{x}.__class__ is not str",
    "ID": "{x}.__class__ is not str",
    "Boolean": "{x}.__class__ is not bool",
}


class Unusual(Exception):
    """A value is not as the schema promises."""


class _TooMuch(Exception):
    """Not worth a function of its own."""


def compile_straight(
    fields: Sequence[OutputField], schema: GraphQLSchema, root: GraphQLObjectType, conditions: Mapping[str, bool]
) -> Straight | None:
    """None: this shape has only the usual way (introspection, very many types)."""
    writer = _Writer(schema, conditions)
    try:
        name = writer.object(fields, root)
    except _TooMuch:
        return None
    space: dict[str, Any] = {"Unusual": Unusual, **writer.constants}
    exec(compile("\n".join(writer.lines), "<projection>", "exec"), space)
    return cast(Straight, space[name])


class _Writer:
    """Writes a function for each object; names are counted, texts of the client's only stand in `repr`."""

    def __init__(self, schema: GraphQLSchema, conditions: Mapping[str, bool]) -> None:
        self._schema = schema
        self._conditions = conditions
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self._count = 0

    def _name(self, letter: str) -> str:
        self._count += 1
        if self._count > FUNCTIONS_MAX:
            raise _TooMuch
        return f"{letter}{self._count}"

    # Objects

    def object(self, fields: Sequence[OutputField], parent: GraphQLNamedType) -> str:
        in_force = [one for one in fields if all(self._conditions.get(name) is want for name, want in one.conditions)]
        if not is_abstract_type(parent):
            return self._function(in_force, frozenset((parent.name,)), parent.name)
        possible = frozenset(one.name for one in self._schema.get_possible_types(parent))  # type: ignore[arg-type]
        by_type = {one: self._function(in_force, frozenset((one,)), one) for one in sorted(possible)}
        if not any(one.meta or not (one.types is None or one.types >= possible) for one in in_force):
            by_type["None"] = self._function(in_force, possible, None)
        name = self._name("a")
        table = ",".join(f"{key if key == 'None' else repr(key)}:{function}" for key, function in by_type.items())
        self.lines += [
            f"t{name} = {{{table}}}",
            f"def {name}(v):",
            " if v.__class__ is not dict: raise Unusual",
            " n = v.get('__typename')",
            " if n is not None and n.__class__ is not str: raise Unusual",
            f" f = t{name}.get(n)",
            " if f is None: raise Unusual",
            " return f(v)",
        ]
        return name

    def _function(self, fields: Sequence[OutputField], types: frozenset[str], typename: str | None) -> str:
        by_key: dict[str, list[OutputField]] = {}
        for one in fields:
            if one.types is None or one.types >= types:
                by_key.setdefault(one.key, []).append(one)
        body: list[str] = []
        built: list[str] = []
        for place, (key, same) in enumerate(by_key.items()):
            if same[0].meta == "__typename":
                built.append(f"{key!r}: {typename!r}")
                continue
            if same[0].meta is not None:
                raise _TooMuch
            body.append(f" x{place} = get({same[0].source!r})")
            lines, value = self._value(f"x{place}", parse_type(same[0].type, no_location=True), same)
            body += lines
            built.append(f"{key!r}: {value}")
        name = self._name("o")
        self.lines += [
            f"def {name}(v):",
            " if v.__class__ is not dict: raise Unusual",
            " get = v.get",
            *body,
            f" return {{{', '.join(built)}}}",
        ]
        return name

    # Values

    def _value(self, x: str, node: TypeNode, same: Sequence[OutputField]) -> tuple[list[str], str]:
        """Checking lines, and the expression of the value in the answer."""
        required = isinstance(node, NonNullTypeNode)
        inner = node.type if isinstance(node, NonNullTypeNode) else node
        check = self._leaf_check(x, inner)
        if check is not None:
            if not check:
                return ([f" if {x} is None: raise Unusual"] if required else []), x
            return [
                f" if {check}: raise Unusual" if required else f" if {x} is not None and ({check}): raise Unusual"
            ], x
        call = f"{self._callee(inner, same)}({x})"
        return [], call if required else f"None if {x} is None else {call}"

    def _leaf_check(self, x: str, node: TypeNode) -> str | None:
        """When a value is wrong; "": never; None: no leaf."""
        if not isinstance(node, NamedTypeNode):
            return None
        named = self._schema.type_map[node.name.value]
        if isinstance(named, GraphQLScalarType):
            return _CHECKS.get(named.name, "").format(x=x)
        if isinstance(named, GraphQLEnumType):
            self.constants[f"E_{named.name}"] = frozenset(named.values)
            return f"{x}.__class__ is not str or {x} not in E_{named.name}"
        return None

    def _callee(self, node: TypeNode, same: Sequence[OutputField]) -> str:
        if isinstance(node, ListTypeNode):
            return self._list(node.type, same)
        assert isinstance(node, NamedTypeNode)
        selections = [inner for one in same if one.selection is not None for inner in one.selection.fields]
        return self.object(selections, self._schema.type_map[node.name.value])

    def _list(self, item: TypeNode, same: Sequence[OutputField]) -> str:
        checks, value = self._value("x", item, same)
        name = self._name("l")
        self.lines += [f"def {name}(v):", " if v.__class__ is not list: raise Unusual"]
        if checks:
            self.lines += [" for x in v:", *(f" {line}" for line in checks)]
        self.lines.append(" return v" if value == "x" else f" return [{value} for x in v]")
        return name
