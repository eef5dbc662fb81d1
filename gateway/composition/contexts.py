"""Reading `@context` and `@fromContext`: which types set a context, and what an argument takes from one.

    type Account @context(name: "account") { … }
    type Card @key(fields: "id") { fee(currency: String @fromContext(field: "$account { currency }")): Int }

`Card.fee` is asked for with the currency of the nearest account above the card, whatever client and subgraphs lie
between them. `$account` is followed by one field, or by one field for each type that may set the context.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from graphql import ConstDirectiveNode

from gateway.composition.subgraph import FromContext, Subgraph, SubgraphType
from gateway.language.selections import FieldSetSyntaxError, parse_field_set
from gateway.supergraph.links import string_argument

__all__ = ["context_setters", "contexts_of", "read_from_context"]

_IGNORED = r"(?:[\s,]|#[^\n\r]*(?:[\n\r]|$))*"
_FIELD = re.compile(
    rf"{_IGNORED}\${_IGNORED}(?P<context>[A-Za-z_]\w*)(?!\w){_IGNORED}(?P<selection>[^\s,#].*)", re.DOTALL
)


def read_from_context(node: ConstDirectiveNode) -> FromContext:
    text = string_argument(node, "field") or ""
    found = _FIELD.fullmatch(text)
    if found is None:
        return FromContext(text, None, None, "", node)
    context, selection = found["context"], found["selection"].strip()
    try:
        return FromContext(text, context, parse_field_set(selection), "", node)
    except FieldSetSyntaxError as error:
        return FromContext(text, context, None, str(error), node)


def contexts_of(subgraph: Subgraph, type_: SubgraphType) -> Iterator[tuple[str, ConstDirectiveNode]]:
    """The contexts that the type sets, under the subgraph's own names."""
    for node in type_.nodes:
        for directive in getattr(node, "directives", None) or ():
            if subgraph.directive_names.get(directive.name.value) == "context":
                yield string_argument(directive, "name") or "", directive


def context_setters(subgraph: Subgraph) -> dict[str, list[str]]:
    """Context → the types that set it."""
    found: dict[str, list[str]] = {}
    for type_ in subgraph.types.values():
        for name, _ in contexts_of(subgraph, type_):
            found.setdefault(name, []).append(type_.name)
    return found
