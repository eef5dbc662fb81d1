"""A member's published schema, held against the contract of its group.

Members need not be of one age. The contract says what the gateway asks them; what a member lacks of it is either
harmless (an optional field: null in its rows), or keeps the member out of what needs it (a filter, an order: it would
answer as if they had not been given), or makes it no member at all (another type: its rows could not be merged).

An answer may promise more than the contract, a question less: types of output may be narrower, of input wider. What a
member has beyond the contract is nobody's business, unless it must be given. `docs/composition-errors.md` explains each
code and its remedy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from graphql import GraphQLSchema, ListTypeNode, NonNullTypeNode, TypeNode, print_ast
from graphql import value_from_ast_untyped as untyped

from gateway.composition.model import Report, SubgraphSource
from gateway.composition.normalise import normalise
from gateway.composition.parse import parse_subgraph, schema_of
from gateway.composition.subgraph import Subgraph, SubgraphField, SubgraphType, SubgraphValue, TypeKind
from gateway.language.selections import canonical_field_set, field_paths
from gateway.supergraph.elements import named_type
from gateway.supergraph.member_contract import Finding, MemberContract, Severity

__all__ = ["ContractInvalid", "check_member"]

CONTRACTS_KEPT_MAX = 8
"""Contracts are read once for all their members; a gateway has as many as it has groups."""
CHECKS_KEPT_MAX = 64
"""Members of one age publish one text, and each is checked again and again; a check takes some 100 ms."""
VERSION_DIGITS = 16
_COMPOSITE = (TypeKind.OBJECT, TypeKind.INTERFACE, TypeKind.UNION)


class ContractInvalid(ValueError):
    """The contract itself cannot be read."""


def check_member(contract_sdl: str, member_sdl: str, region: str) -> MemberContract:
    """What the member lacks, and what is wrong with it. Raises `ContractInvalid`."""
    found = _check(contract_sdl, member_sdl)
    return replace(found, findings=tuple(replace(one, member=region) for one in found.findings))


@lru_cache(maxsize=CHECKS_KEPT_MAX)
def _check(contract_sdl: str, member_sdl: str) -> MemberContract:
    contract, schema = _read_contract(contract_sdl)
    version = hashlib.sha256(f"{contract_sdl}\0{member_sdl}".encode()).hexdigest()[:VERSION_DIGITS]
    report = Report()
    parsed = parse_subgraph(SubgraphSource("member", "", member_sdl), report)
    if parsed is None or report.errors:
        return MemberContract(version, schema, frozenset(), (_unreadable(report),))
    comparison = _Comparison(contract, normalise(parsed, "member", report))
    comparison.run()
    return MemberContract(version, schema, frozenset(comparison.lacks), tuple(comparison.findings))


@lru_cache(maxsize=CONTRACTS_KEPT_MAX)
def _read_contract(sdl: str) -> tuple[Subgraph, GraphQLSchema]:
    report = Report()
    parsed = parse_subgraph(SubgraphSource("contract", "", sdl), report)
    if parsed is None or report.errors:
        raise ContractInvalid("; ".join(str(error) for error in report.errors))
    return normalise(parsed, "contract", report), schema_of(parsed)


def _unreadable(report: Report) -> Finding:
    message = f"its schema cannot be read: {'; '.join(error.message for error in report.errors)}"
    return Finding(
        "PARTITION_MEMBER_SCHEMA_INVALID",
        Severity.ERROR,
        "",
        "",
        message,
        "Publish a valid schema in `_service { sdl }`.",
    )


@dataclass
class _Comparison:
    """Of any member that publishes this: whose findings they are is not said yet."""

    contract: Subgraph
    member: Subgraph
    findings: list[Finding] = field(default_factory=list)
    lacks: set[str] = field(default_factory=set)

    def run(self) -> None:
        goes_in = frozenset(named_type(one.type) for one in self.inputs())
        comes_out = frozenset(named_type(one.type) for type_ in self.types() for one in type_.fields.values())
        for type_ in self.types():
            theirs = self.member.types.get(type_.name)
            if theirs is None:
                self.missing_type(type_)
            elif theirs.kind is not type_.kind:
                self.type_differs(type_.name, f"a type of kind {theirs.kind}", f"of kind {type_.kind}")
            elif type_.kind is TypeKind.ENUM:
                self.enum(type_, theirs, type_.name in goes_in, type_.name in comes_out)
            elif type_.kind is TypeKind.INPUT:
                self.given(f"{type_.name}.", "", type_.inputs, theirs.inputs, "PARTITION_MEMBER_INPUT_FIELD_MISSING")
            else:
                self.composite(type_, theirs)

    def types(self) -> Iterator[SubgraphType]:
        yield from self.contract.types.values()

    def inputs(self) -> Iterator[SubgraphValue]:
        for type_ in self.types():
            yield from type_.inputs.values()
            for one in type_.fields.values():
                yield from one.arguments.values()

    # Telling

    def hint(self, code: str, coordinate: str, message: str, remedy: str) -> None:
        self.findings.append(Finding(code, Severity.HINT, "", coordinate, message, remedy))

    def error(self, code: str, coordinate: str, message: str, remedy: str) -> None:
        self.findings.append(Finding(code, Severity.ERROR, "", coordinate, message, remedy))

    def type_differs(self, coordinate: str, theirs: str, wanted: str) -> None:
        self.error(
            "PARTITION_MEMBER_TYPE_DIFFERS",
            coordinate,
            f"{coordinate} is {theirs}, in the contract {wanted}.",
            f"Make {coordinate} {wanted} in the member.",
        )

    # What comes out

    def missing_type(self, type_: SubgraphType) -> None:
        """Scalars, enums and inputs are missed by the fields and arguments that have them."""
        if type_.kind in _COMPOSITE:
            self.lacks.add(type_.name)
            message = f"there is no type {type_.name}; what is asked of it, other members answer alone."
            self.hint("PARTITION_MEMBER_TYPE_MISSING", type_.name, message, f"Add the type {type_.name}.")

    def composite(self, type_: SubgraphType, theirs: SubgraphType) -> None:
        self.keys(type_, theirs)
        self.possible_types(type_)
        needed = {path[0] for key in type_.keys if key.fields.selections for path in field_paths(key.fields.selections)}
        for one in type_.fields.values():
            if one.external:
                continue
            other = theirs.fields.get(one.name)
            if other is None or other.external:
                self.missing_field(type_, one, one.name in needed)
            else:
                self.field(f"{type_.name}.{one.name}", one, other)

    def keys(self, type_: SubgraphType, theirs: SubgraphType) -> None:
        known = {_canonical(key.fields.selections) for key in theirs.keys if key.resolvable}
        for key in type_.keys:
            if key.resolvable and _canonical(key.fields.selections) not in known:
                self.error(
                    "PARTITION_MEMBER_KEY_MISSING",
                    type_.name,
                    f'{type_.name} cannot be found by its key "{key.fields.text}".',
                    f'Give {type_.name} @key(fields: "{key.fields.text}"), and resolve it in _entities.',
                )

    def possible_types(self, type_: SubgraphType) -> None:
        if type_.kind is TypeKind.OBJECT:
            return
        missing = self.contract.possible_types(type_.name) - self.member.possible_types(type_.name)
        for name in sorted(missing & self.member.types.keys()):
            self.lacks.add(f"{type_.name}|{name}")
            message = f"a {type_.name} is never a {name}."
            remedy = f"Let {name} be one of {type_.name}'s types, as in the contract."
            self.hint("PARTITION_MEMBER_POSSIBLE_TYPE_MISSING", type_.name, message, remedy)

    def missing_field(self, type_: SubgraphType, one: SubgraphField, is_key: bool) -> None:
        coordinate = f"{type_.name}.{one.name}"
        remedy = f"Add {coordinate}: {print_ast(one.type)}."
        if is_key or isinstance(one.type, NonNullTypeNode):
            message = f"{coordinate} is missing, and the contract promises a value of it."
            self.error("PARTITION_MEMBER_FIELD_MISSING", coordinate, message, remedy)
            return
        self.lacks.add(coordinate)
        message = f"{coordinate} is missing; it is null in this member's answers."
        self.hint("PARTITION_MEMBER_FIELD_MISSING", coordinate, message, remedy)

    def field(self, coordinate: str, ours: SubgraphField, theirs: SubgraphField) -> None:
        if not self.can_stand(theirs.type, ours.type):
            self.type_differs(coordinate, print_ast(theirs.type), print_ast(ours.type))
        self.given(f"{coordinate}(", ":)", ours.arguments, theirs.arguments, "PARTITION_MEMBER_ARGUMENT_MISSING")

    def can_stand(self, given: TypeNode, wanted: TypeNode) -> bool:
        """Whether a value of one type can stand where the other is promised."""
        if isinstance(wanted, NonNullTypeNode):
            return isinstance(given, NonNullTypeNode) and self.can_stand(given.type, wanted.type)
        if isinstance(given, NonNullTypeNode):
            return self.can_stand(given.type, wanted)
        if isinstance(wanted, ListTypeNode):
            return isinstance(given, ListTypeNode) and self.can_stand(given.type, wanted.type)
        if isinstance(given, ListTypeNode):
            return False
        name, promised = named_type(given), named_type(wanted)
        return name == promised or name in self.contract.possible_types(promised)

    # What goes in

    def given(
        self,
        before: str,
        after: str,
        ours: Mapping[str, SubgraphValue],
        theirs: Mapping[str, SubgraphValue],
        missing: str,
    ) -> None:
        """Arguments of a field, or fields of an input; `before` and `after` make a name a coordinate."""
        for name, one in ours.items():
            coordinate = f"{before}{name}{after}"
            other = theirs.get(name)
            if other is None:
                self.missing_input(coordinate, one, missing)
            else:
                self.input(coordinate, one, other)
        for name, other in theirs.items():
            if name not in ours and _is_required(other):
                coordinate = f"{before}{name}{after}"
                message = f"{coordinate} must be given, and the contract does not know it."
                remedy = f"Make {coordinate} optional, or give it a default."
                self.error("PARTITION_MEMBER_INPUT_REQUIRED", coordinate, message, remedy)

    def missing_input(self, coordinate: str, one: SubgraphValue, code: str) -> None:
        remedy = f"Add {coordinate} of type {print_ast(one.type)}."
        if _is_required(one):
            self.error(code, coordinate, f"{coordinate} is missing, and is always given.", remedy)
            return
        self.lacks.add(coordinate)
        self.hint(code, coordinate, f"{coordinate} is missing; who gives it gets no rows of this member.", remedy)

    def input(self, coordinate: str, ours: SubgraphValue, theirs: SubgraphValue) -> None:
        if not self.can_stand(ours.type, theirs.type):
            self.type_differs(coordinate, print_ast(theirs.type), print_ast(ours.type))
        elif ours.default is not None and _value(ours.default) != _value(theirs.default):
            wanted = print_ast(ours.default)
            is_now = "none" if theirs.default is None else print_ast(theirs.default)
            self.error(
                "PARTITION_MEMBER_DEFAULT_DIFFERS",
                coordinate,
                f"the default of {coordinate} is {is_now}, in the contract {wanted}.",
                f"Make the default of {coordinate} {wanted}.",
            )

    def enum(self, type_: SubgraphType, theirs: SubgraphType, goes_in: bool, comes_out: bool) -> None:
        """A value that a member never gives is no loss; one that it does not take is."""
        for name in type_.values if goes_in else ():
            if name not in theirs.values:
                coordinate = f"{type_.name}.{name}"
                self.lacks.add(coordinate)
                message = f"{coordinate} is missing; who gives it gets no rows of this member."
                self.hint("PARTITION_MEMBER_ENUM_VALUE_MISSING", coordinate, message, f"Add {coordinate}.")
        for name in theirs.values if comes_out else ():
            if name not in type_.values:
                coordinate = f"{type_.name}.{name}"
                message = f"{coordinate} is not in the contract; where the member gives it, the answer has null."
                remedy = f"Add {coordinate} to the contract, or do not give it."
                self.hint("PARTITION_MEMBER_ENUM_VALUE_UNKNOWN", coordinate, message, remedy)


def _is_required(one: SubgraphValue) -> bool:
    return isinstance(one.type, NonNullTypeNode) and one.default is None


def _value(node: Any) -> Any:
    return None if node is None else (untyped(node),)


def _canonical(selections: Any) -> str:
    return "" if selections is None else canonical_field_set(selections)
