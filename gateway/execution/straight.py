"""The straight way through a projection: Python source, written for one plan and set of conditions.

Nearly every answer is what the schema promises. For these a function is generated that reads the merged data and builds
the client's shape with one check a leaf and one call a list, some four times as fast as closures. At the first
value that is not as promised (null where none may be, a wrong type, an unknown `__typename`) it gives up, and the
closures of `project` start over: they alone know what an error is. What both give is therefore the same, and tests hold
them to it.

    def o1(v):                                  {"id": ID!, "name": String}
        if v.__class__ is not dict: raise Unusual
        try:
            x1_0 = v['id']
            x1_1 = v['name']
        except KeyError:                        a fetch gave nothing: null
            get = v.get
            x1_0 = get('id')
            x1_1 = get('name')
        if x1_0.__class__ is not str: raise Unusual
        if x1_1.__class__ is not str and x1_1 is not None: raise Unusual
        return {'id': x1_0, 'name': x1_1}

An object of one known type stands in the function of what holds it; lists and the types of an interface have their own.
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
DEPTH_MAX = 50
"""Objects inside of each other, likewise: each may stand one step further in, and Python takes a hundred steps."""

_CHECKS: Mapping[str, str] = {
    # Most numbers are below 2³⁰, and only to such constants does CPython compare them without a call.
    "Int": "{x}.__class__ is not int or ({x} > 1073741823 or {x} < -1073741823)"
    " and not -2147483648 <= {x} <= 2147483647",
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
        self._depth = 0

    def _name(self, letter: str) -> str:
        self._count += 1
        if self._count > FUNCTIONS_MAX:
            raise _TooMuch
        return f"{letter}{self._count}"

    # Objects

    def object(self, fields: Sequence[OutputField], parent: GraphQLNamedType) -> str:
        in_force = self._in_force(fields)
        if is_abstract_type(parent):
            return self._abstract(in_force, parent)
        return self._function(in_force, frozenset((parent.name,)), parent.name)

    def _in_force(self, fields: Sequence[OutputField]) -> list[OutputField]:
        return [one for one in fields if all(self._conditions.get(name) is want for name, want in one.conditions)]

    def _abstract(self, fields: Sequence[OutputField], parent: GraphQLNamedType) -> str:
        possible = frozenset(one.name for one in self._schema.get_possible_types(parent))  # type: ignore[arg-type]
        by_type = {one: self._function(fields, frozenset((one,)), one) for one in sorted(possible)}
        if not any(one.meta or not (one.types is None or one.types >= possible) for one in fields):
            by_type["None"] = self._function(fields, possible, None)
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
        lines, value = self._object("v", fields, types, typename)
        name = self._name("o")
        self.lines += [f"def {name}(v):", *lines, f" return {value}"]
        return name

    def _object(
        self, x: str, fields: Sequence[OutputField], types: frozenset[str], typename: str | None
    ) -> tuple[list[str], str]:
        by_key: dict[str, list[OutputField]] = {}
        for one in fields:
            if one.types is None or one.types >= types:
                by_key.setdefault(one.key, []).append(one)
        prefix = self._name("x")
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise _TooMuch
        sources: dict[str, str] = {}
        checks: list[str] = []
        built: list[str] = []
        for place, (key, same) in enumerate(by_key.items()):
            if same[0].meta == "__typename":
                built.append(f"{key!r}: {typename!r}")
                continue
            if same[0].meta is not None:
                raise _TooMuch
            variable = f"{prefix}_{place}"
            sources[variable] = same[0].source
            lines, value = self._value(variable, parse_type(same[0].type, no_location=True), same)
            checks += lines
            built.append(f"{key!r}: {value}")
        self._depth -= 1
        lines = [f" if {x}.__class__ is not dict: raise Unusual", *_reads(x, sources), *checks]
        return lines, f"{{{', '.join(built)}}}"

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
                f" if {check}: raise Unusual" if required else f" if ({check}) and {x} is not None: raise Unusual"
            ], x
        lines, value = self._composite(x, inner, same)
        if required:
            return lines, value
        if lines:
            return [f" if {x} is not None:", *(f" {line}" for line in lines), f"  {x} = {value}"], x
        return [], f"None if {x} is None else {value}"

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

    def _composite(self, x: str, node: TypeNode, same: Sequence[OutputField]) -> tuple[list[str], str]:
        if isinstance(node, ListTypeNode):
            return [], f"{self._list(node.type, same)}({x})"
        assert isinstance(node, NamedTypeNode)
        named = self._schema.type_map[node.name.value]
        fields = self._in_force([inner for one in same if one.selection is not None for inner in one.selection.fields])
        if is_abstract_type(named):
            return [], f"{self._abstract(fields, named)}({x})"
        return self._object(x, fields, frozenset((named.name,)), named.name)

    def _list(self, item: TypeNode, same: Sequence[OutputField]) -> str:
        lines, value = self._value("x", item, same)
        name = self._name("l")
        self.lines += [f"def {name}(v):", " if v.__class__ is not list: raise Unusual"]
        if self._leaf_check("x", item) is not None:
            each = [" for x in v:", *(f" {line}" for line in lines)] if lines else []
            self.lines += [*each, " return v"]
        elif not lines:
            self.lines.append(f" return [{value} for x in v]")
        else:
            each = [*(f" {line}" for line in lines), f"  built.append({value})"]
            self.lines += [" built = []", " for x in v:", *each, " return built"]
        return name


def _reads(x: str, sources: Mapping[str, str]) -> list[str]:
    """Of an object's values, by variable. A key that is missing (a fetch gave nothing) is null."""
    if not sources:
        return []
    items = [f"  {variable} = {x}[{source!r}]" for variable, source in sources.items()]
    gets = [f"  {variable} = get({source!r})" for variable, source in sources.items()]
    return [" try:", *items, " except KeyError:", f"  get = {x}.get", *gets]
