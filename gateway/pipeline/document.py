"""Text → a parsed and valid document, kept by its text. Refusals are kept too, so a bad client costs little.

Bounds are checked before validation, whose cost they also bound: tokens, depth, aliases, fields, and how deep
selection sets and fragments stand inside each other (whoever walks a document recurses so deep). Fragments count where
they are spread; each is measured once, so a bomb of nested fragments is found without being unfolded.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    parse,
    validate,
)

from gateway.language.errors import Code, GatewayError, RequestRefused
from gateway.pipeline.rules import RULES

__all__ = ["DocumentLimits", "Documents"]


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    characters_max: int = 200_000
    tokens_max: int = 10_000
    depth_max: int = 30
    levels_max: int = 60
    """Selection sets inside each other, those of fragments too, which add no depth to the answer."""
    aliases_max: int = 200
    fields_max: int = 5_000
    """Fields after all fragments are put in."""
    errors_max: int = 50
    kept_max: int = 1_000


class Documents:
    """Parsed and validated documents of one schema."""

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits | None = None) -> None:
        self._schema = schema
        self._limits = limits or DocumentLimits()
        self._kept: OrderedDict[str, DocumentNode | RequestRefused] = OrderedDict()

    def read(self, text: str) -> DocumentNode:
        """Raises `RequestRefused`."""
        kept = self._kept.get(text)
        if kept is None:
            kept = self._judge(text)
            if len(text) <= self._limits.characters_max:
                self._kept[text] = kept
                if len(self._kept) > self._limits.kept_max:
                    self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(text)
        if isinstance(kept, RequestRefused):
            raise RequestRefused(kept.errors)
        return kept

    def _judge(self, text: str) -> DocumentNode | RequestRefused:
        limits = self._limits
        if len(text) > limits.characters_max:
            return _too_complex(f"The document is longer than {limits.characters_max} characters.")
        try:
            document = parse(text, max_tokens=limits.tokens_max)
        except GraphQLSyntaxError as error:
            if "tokens. Parsing aborted" in error.message:
                return _too_complex(f"The document has more than {limits.tokens_max} tokens.")
            if "nested too deeply" in error.message:
                return _too_complex(f"The document is nested deeper than {limits.depth_max} levels.")
            return RequestRefused([GatewayError.from_graphql(error, Code.GRAPHQL_PARSE_FAILED)])
        refusal = _measure_all(document, limits)
        if refusal is not None:
            return _too_complex(refusal)
        errors = validate(self._schema, document, RULES, max_errors=limits.errors_max)
        if errors:
            return RequestRefused([_told(error) for error in errors])
        return document


def _told(error: GraphQLError) -> GatewayError:
    return GatewayError.from_graphql(error, Code.GRAPHQL_VALIDATION_FAILED)


def _too_complex(message: str) -> RequestRefused:
    remedy = {"remedy": "Ask for less at once, or in several requests."}
    return RequestRefused([GatewayError(Code.OPERATION_TOO_COMPLEX, message, extensions=remedy)])


@dataclass(frozen=True, slots=True)
class _Size:
    depth: int
    aliases: int
    fields: int


def _measure_all(document: DocumentNode, limits: DocumentLimits) -> str | None:
    """What is too large about the document, if anything."""
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    measure = _Measure(fragments, limits.levels_max)
    try:
        sizes = _sizes(document, measure)
    except _TooManyLevels:
        return f"Selections and fragments stand more than {limits.levels_max} levels deep inside each other."
    for size in sizes:
        if size.depth > limits.depth_max:
            return f"The operation is nested {size.depth} levels deep; at most {limits.depth_max} are allowed."
        if size.aliases > limits.aliases_max:
            return f"The operation has {size.aliases} aliases; at most {limits.aliases_max} are allowed."
        if size.fields > limits.fields_max:
            return f"The operation has {size.fields} fields; at most {limits.fields_max} are allowed."
    return None


def _sizes(document: DocumentNode, measure: _Measure) -> list[_Size]:
    """Of every operation; and of every fragment, for validation walks those nobody spreads, too."""
    return [
        measure.fragment(one.name.value)
        if isinstance(one, FragmentDefinitionNode)
        else measure.selections(one.selection_set)
        for one in document.definitions
        if isinstance(one, (FragmentDefinitionNode, OperationDefinitionNode))
    ]


class _TooManyLevels(Exception):
    pass


class _Measure:
    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], levels_max: int) -> None:
        self._fragments = fragments
        self._levels_left = levels_max
        self._sizes: dict[str, _Size] = {}

    def selections(self, selections: SelectionSetNode | None) -> _Size:
        if self._levels_left == 0:
            raise _TooManyLevels
        self._levels_left -= 1
        sizes = list(self._each(selections))
        self._levels_left += 1
        return _Size(
            max((one.depth for one in sizes), default=0),
            sum(one.aliases for one in sizes),
            sum(one.fields for one in sizes),
        )

    def _each(self, selections: SelectionSetNode | None) -> Iterator[_Size]:
        for selection in selections.selections if selections is not None else ():
            yield self._one(selection)

    def _one(self, selection: SelectionNode) -> _Size:
        match selection:
            case FieldNode():
                below = self.selections(selection.selection_set)
                return _Size(below.depth + 1, below.aliases + (selection.alias is not None), below.fields + 1)
            case InlineFragmentNode():
                return self.selections(selection.selection_set)
            case FragmentSpreadNode():
                return self.fragment(selection.name.value)
            case _:
                return _Size(0, 0, 0)

    def fragment(self, name: str) -> _Size:
        kept = self._sizes.get(name)
        if kept is None:
            fragment = self._fragments.get(name)
            self._sizes[name] = _Size(0, 0, 0)  # A cycle ends here; validation refuses it with its own words.
            kept = self._sizes[name] = self.selections(fragment.selection_set if fragment else None)
        return kept
