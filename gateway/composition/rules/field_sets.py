"""What `@key`, `@requires` and `@provides` have in common: their `fields` must be a selection that the subgraph has.

The codes differ only by their first word, so one check serves the three families; what only one of them forbids is in
its own file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from gateway.composition.model import Report
from gateway.composition.subgraph import FieldSet, Subgraph, SubgraphField, SubgraphType, TypeKind
from gateway.supergraph.elements import named_type

__all__ = ["COMPOSITE", "FieldSetCheck"]

COMPOSITE = frozenset({TypeKind.OBJECT, TypeKind.INTERFACE, TypeKind.UNION})


@dataclass(frozen=True, slots=True)
class FieldSetCheck:
    subgraph: Subgraph
    report: Report
    directive: str
    """`key`, `requires` or `provides`."""
    owner: str
    """What bears the directive, for the message: `type "Product"`."""
    field_set: FieldSet
    allows_arguments: bool = False
    on_field: Callable[[str, SubgraphField, FieldNode, bool], None] | None = None
    """Called with type name, field, selection, and whether an ancestor in the field set is external."""

    def refuse(self, suffix: str, message: str) -> None:
        code = f"{self.directive.upper()}_{suffix}"
        text = (
            f'[{self.subgraph.name}] On {self.owner}, for @{self.directive}(fields: "{self.field_set.text}"): {message}'
        )
        self.report.error(code, text, [(self.subgraph.name, self.field_set.node)])

    def run(self, type_name: str) -> None:
        if self.field_set.problem == "type":
            self.refuse("INVALID_FIELDS_TYPE", 'Invalid value for argument "fields": must be a string.')
        elif self.field_set.selections is None:
            self.refuse("INVALID_FIELDS", self.field_set.problem or "it is not a field set.")
        else:
            self.selections(type_name, self.field_set.selections, False)

    def selections(self, type_name: str, selections: SelectionSetNode, below_external: bool) -> None:
        for selection in selections.selections:
            if selection.directives:
                used = ", ".join(f"@{one.name.value}" for one in selection.directives)
                self.refuse(
                    "DIRECTIVE_IN_FIELDS_ARG",
                    f"cannot have directive applications in the @{self.directive}(fields:) argument but found {used}.",
                )
            if isinstance(selection, FieldNode):
                self.field(type_name, selection, below_external)
            elif isinstance(selection, InlineFragmentNode):
                self.fragment(type_name, selection, below_external)
            elif isinstance(selection, FragmentSpreadNode):
                self.refuse("INVALID_FIELDS", "cannot use named fragments.")

    def fragment(self, type_name: str, node: InlineFragmentNode, below_external: bool) -> None:
        condition = node.type_condition.name.value if node.type_condition else type_name
        type_ = self.subgraph.types.get(condition)
        if type_ is None or type_.kind not in COMPOSITE:
            self.refuse("INVALID_FIELDS", f'cannot select on "{condition}": it is no object, interface or union here.')
        elif not self.subgraph.possible_types(condition) & self.subgraph.possible_types(type_name):
            self.refuse("INVALID_FIELDS", f'a "{type_name}" is never a "{condition}" here.')
        else:
            self.selections(condition, node.selection_set, below_external)

    def field(self, type_name: str, node: FieldNode, below_external: bool) -> None:
        if node.alias is not None:
            self.refuse("INVALID_FIELDS", f'cannot use the alias "{node.alias.value}".')
        if node.name.value == "__typename":
            return
        type_ = self.subgraph.types.get(type_name)
        found = type_.fields.get(node.name.value) if type_ is not None else None
        if found is None:
            hint = " (if the field is defined in another subgraph, you need to add it to this subgraph with @external)"
            self.refuse("INVALID_FIELDS", f'Cannot query field "{node.name.value}" on type "{type_name}"{hint}.')
            return
        self.arguments(type_name, node, found)
        self.below(type_name, node, found, below_external)

    def arguments(self, type_name: str, node: FieldNode, found: SubgraphField) -> None:
        coordinate = f"{type_name}.{found.name}"
        given = {one.name.value for one in node.arguments or ()}
        if not self.allows_arguments and (given or found.arguments):
            self.refuse(
                "FIELDS_HAS_ARGS",
                f"field {coordinate} cannot be included because it has arguments (fields with argument are not"
                f" allowed in @{self.directive}).",
            )
            return
        for unknown in sorted(given - set(found.arguments)):
            self.refuse("INVALID_FIELDS", f'"{coordinate}" has no argument "{unknown}".')
        for name, argument in found.arguments.items():
            required = argument.type.kind == "non_null_type" and argument.default is None
            if required and name not in given:
                self.refuse("INVALID_FIELDS", f'"{coordinate}" needs its argument "{name}".')

    def below(self, type_name: str, node: FieldNode, found: SubgraphField, below_external: bool) -> None:
        target = self.subgraph.types.get(named_type(found.type))
        is_composite = target is not None and target.kind in COMPOSITE
        if is_composite and node.selection_set is None:
            self.refuse(
                "INVALID_FIELDS", f'Field "{found.name}" of type "{_name(target)}" needs a selection of subfields.'
            )
            return
        if not is_composite and node.selection_set is not None:
            self.refuse("INVALID_FIELDS", f'Field "{found.name}" has no subfields to select.')
            return
        if self.on_field is not None:
            self.on_field(type_name, found, node, below_external)
        if node.selection_set is not None:
            self.selections(_name(target), node.selection_set, below_external or found.says_external)


def _name(type_: SubgraphType | None) -> str:
    return type_.name if type_ is not None else ""
