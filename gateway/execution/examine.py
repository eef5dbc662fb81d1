"""What a member of another age cannot be asked of one operation: looked for once, for each version of a contract.

The operation is walked by the contract's types. Whatever the member lacks is left out of its text and noted: where, of
which top field, under which conditions, and by which variable. Values of enums and input fields can also hide in
variables; those that may hold some are noted with their types, to be looked at in each call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from graphql import (
    ArgumentNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLType,
    InlineFragmentNode,
    ListValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    parse,
    print_ast,
    strip_ignored_characters,
)

from gateway.language.paths import ResponsePath
from gateway.language.selections import make_field, make_selection_set, response_key, variable_names
from gateway.supergraph.member_contract import MemberContract
from gateway.supergraph.strip import replace_node

__all__ = ["ENTITIES", "TYPENAME", "Examined", "Lack", "Top", "Typed", "examine"]

Top: TypeAlias = tuple[str | None, str]
"""(the entity's type, None at the root; response key)."""
Conditions: TypeAlias = tuple[tuple[str, bool], ...]

EXAMINED_KEPT_MAX = 1000
"""Operations × contract versions × what variables leave out; as many as plans are kept."""
ENTITIES = "_entities"
TYPENAME = "__typename"


@dataclass(frozen=True, slots=True)
class Lack:
    top: Top
    path: ResponsePath
    """The field that is null; empty: the top field is left out."""
    coordinate: str
    conditions: Conditions
    variable: str | None = None
    """Only where the client gives this variable."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A variable whose value may hold what the member lacks."""

    top: Top
    variable: str
    type: GraphQLInputType
    conditions: Conditions


@dataclass(frozen=True, slots=True)
class Examined:
    text: str | None
    """The operation without what the member lacks; None: nothing is left of it."""
    variables: frozenset[str]
    lacks: tuple[Lack, ...]
    typed: tuple[Typed, ...]

    def in_use(self, variables: Mapping[str, Any], contract: MemberContract) -> Iterator[Lack]:
        def hold(conditions: Conditions) -> bool:
            return all(variables.get(name) is wanted for name, wanted in conditions)

        for lack in self.lacks:
            if hold(lack.conditions) and (lack.variable is None or lack.variable in variables):
                yield lack
        for one in self.typed:
            if one.variable in variables and hold(one.conditions):
                for coordinate in _lacking(variables[one.variable], one.type, contract.lacks):
                    yield Lack(one.top, (), coordinate, one.conditions)


def _lacking(value: Any, type_: GraphQLType, lacks: frozenset[str]) -> Iterator[str]:
    """Coordinates in a variable's value."""
    named = get_named_type(type_)
    if isinstance(value, list):
        for one in value:
            yield from _lacking(one, named, lacks)
    elif isinstance(named, GraphQLEnumType):
        if f"{named.name}.{value}" in lacks:
            yield f"{named.name}.{value}"
    elif isinstance(named, GraphQLInputObjectType) and isinstance(value, Mapping):
        for name, inner in value.items():
            if f"{named.name}.{name}" in lacks:
                yield f"{named.name}.{name}"
            elif name in named.fields:
                yield from _lacking(inner, named.fields[name].type, lacks)


@lru_cache(maxsize=EXAMINED_KEPT_MAX)
def examine(operation: str, contract: MemberContract, without: frozenset[Top]) -> Examined:
    document = parse(operation, no_location=True)
    definition = next(one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    examiner = _Examiner(contract.schema, contract.lacks, without)
    root = contract.schema.get_root_type(definition.operation)
    kept = examiner.root(definition.selection_set, root)
    text, used = None, frozenset[str]()
    if _asks_anything(kept):
        used = variable_names(kept)
        declared = tuple(one for one in definition.variable_definitions if one.variable.name.value in used)
        fitted = OperationDefinitionNode(
            operation=definition.operation,
            name=definition.name,
            variable_definitions=declared,
            directives=definition.directives,
            selection_set=kept,
        )
        text = strip_ignored_characters(print_ast(DocumentNode(definitions=(fitted,))))
    return Examined(text, used, tuple(examiner.lacks), tuple(examiner.typed))


def _asks_anything(selections: SelectionSetNode) -> bool:
    for one in selections.selections:
        if isinstance(one, FieldNode) and one.name.value == ENTITIES:
            if one.selection_set is not None and _asks_anything(one.selection_set):
                return True
        elif isinstance(one, InlineFragmentNode):
            if _asks_anything(one.selection_set):
                return True
        elif isinstance(one, FieldNode) and one.name.value != TYPENAME:
            return True
    return False


_Parent: TypeAlias = GraphQLNamedType | None


@dataclass
class _Examiner:
    schema: GraphQLSchema
    lacked: frozenset[str]
    without: frozenset[Top]
    lacks: list[Lack] = field(default_factory=list)
    typed: list[Typed] = field(default_factory=list)
    top: Top = (None, "")
    conditions: Conditions = ()

    def root(self, selections: SelectionSetNode, root: _Parent) -> SelectionSetNode:
        kept: list[SelectionNode] = []
        for one in selections.selections:
            if isinstance(one, FieldNode) and one.name.value == ENTITIES and one.selection_set is not None:
                kept.append(replace_node(one, selection_set=make_selection_set(self.entities(one.selection_set, None))))
            else:
                kept.extend(self.tops(one, root, None))
        return make_selection_set(kept)

    def entities(self, selections: SelectionSetNode, entity: str | None) -> Iterator[SelectionNode]:
        for one in selections.selections:
            if isinstance(one, InlineFragmentNode) and one.type_condition is not None:
                name = one.type_condition.name.value
                inner = [
                    kept
                    for below in one.selection_set.selections
                    for kept in self.tops(below, self.schema.get_type(name), name)
                ]
                if inner:
                    yield replace_node(one, selection_set=make_selection_set(inner))
            else:
                yield one

    def tops(self, one: SelectionNode, parent: _Parent, entity: str | None) -> Iterator[SelectionNode]:
        """A top field, or several in a fragment that only has conditions."""
        if isinstance(one, InlineFragmentNode):
            outer = self.conditions
            self.conditions = (*outer, *_conditions(one))
            inner = [kept for below in one.selection_set.selections for kept in self.tops(below, parent, entity)]
            self.conditions = outer
            if inner:
                yield replace_node(one, selection_set=make_selection_set(inner))
        elif isinstance(one, FieldNode):
            self.top = (entity, response_key(one))
            if one.name.value == TYPENAME:
                yield one
            elif self.top in self.without:
                return
            elif (kept := self.field(one, parent, (response_key(one),))) is not None:
                yield kept

    def below(self, selections: SelectionSetNode, parent: _Parent, path: ResponsePath) -> SelectionSetNode:
        kept: list[SelectionNode] = []
        for one in selections.selections:
            if isinstance(one, FieldNode):
                found = self.field(one, parent, (*path, response_key(one)))
                kept.extend([found] if found is not None else [])
            elif isinstance(one, InlineFragmentNode) and not self.is_never(parent, one):
                condition = one.type_condition.name.value if one.type_condition is not None else None
                outer, self.conditions = self.conditions, (*self.conditions, *_conditions(one))
                inner = self.below(one.selection_set, self.schema.get_type(condition) if condition else parent, path)
                self.conditions = outer
                kept.append(replace_node(one, selection_set=inner))
        return make_selection_set(kept or [make_field(TYPENAME)])

    def is_never(self, parent: _Parent, one: InlineFragmentNode) -> bool:
        """Whether the member has no object that the fragment is for."""
        if one.type_condition is None or parent is None:
            return False
        name = one.type_condition.name.value
        return name in self.lacked or f"{parent.name}|{name}" in self.lacked

    def field(self, one: FieldNode, parent: _Parent, path: ResponsePath) -> FieldNode | None:
        """What the member can be asked of a field; None: nothing."""
        name = one.name.value
        if parent is None or name == TYPENAME:
            return one
        outer, self.conditions = self.conditions, (*self.conditions, *_conditions(one))
        kept = self.known_field(one, parent, path)
        self.conditions = outer
        return kept

    def known_field(self, one: FieldNode, parent: GraphQLNamedType, path: ResponsePath) -> FieldNode | None:
        coordinate = f"{parent.name}.{one.name.value}"
        missing = next((lacked for lacked in (parent.name, coordinate) if lacked in self.lacked), None)
        if missing is not None:
            is_top = len(path) == 1
            self.lacks.append(Lack(self.top, () if is_top else path, missing, self.conditions))
            return None
        found = (
            parent.fields.get(one.name.value) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None
        )
        if found is None:
            return one
        arguments: list[ArgumentNode] = []
        for argument in one.arguments:
            name = argument.name.value
            type_ = found.args[name].type if name in found.args else None
            value = self.value(argument.value, type_, f"{coordinate}({name}:)")
            if value is not None:
                arguments.append(ArgumentNode(name=argument.name, value=value))
        inner = one.selection_set
        if inner is not None:
            inner = self.below(inner, get_named_type(found.type), path)
        return replace_node(one, arguments=tuple(arguments), selection_set=inner)

    def value(self, value: ValueNode, type_: GraphQLInputType | None, coordinate: str) -> ValueNode | None:
        """What the member can be given; None: nothing, and it was told."""
        if coordinate in self.lacked:
            variable = value.name.value if isinstance(value, VariableNode) else None
            self.lacks.append(Lack(self.top, (), coordinate, self.conditions, variable))
            return None
        named = None if type_ is None else get_named_type(type_)
        match value:
            case VariableNode() if isinstance(named, GraphQLEnumType | GraphQLInputObjectType):
                self.typed.append(Typed(self.top, value.name.value, named, self.conditions))
            case EnumValueNode() if named is not None and f"{named.name}.{value.value}" in self.lacked:
                self.lacks.append(Lack(self.top, (), f"{named.name}.{value.value}", self.conditions))
                return None
            case ListValueNode():
                items = [self.value(item, named, "") for item in value.values]  # type: ignore[arg-type]
                return None if None in items else ListValueNode(values=tuple(item for item in items if item))
            case ObjectValueNode() if isinstance(named, GraphQLInputObjectType):
                return ObjectValueNode(fields=tuple(self.input_fields(value.fields, named)))
        return value

    def input_fields(
        self, fields: Sequence[ObjectFieldNode], type_: GraphQLInputObjectType
    ) -> Iterator[ObjectFieldNode]:
        for one in fields:
            name = one.name.value
            inner = type_.fields[name].type if name in type_.fields else None
            value = self.value(one.value, inner, f"{type_.name}.{name}")
            if value is not None:
                yield ObjectFieldNode(name=one.name, value=value)


def _conditions(one: SelectionNode) -> Conditions:
    return tuple(
        (argument.value.name.value, directive.name.value == "include")
        for directive in one.directives
        for argument in directive.arguments
        if isinstance(argument.value, VariableNode)
    )
