"""What hiding elements does to the API: the faults of `@inaccessible`, with the subgraphs' positions."""

from __future__ import annotations

from graphql import GraphQLError, build_ast_schema, parse

from gateway.composition.merge.model import Merged, MergedField
from gateway.composition.model import Report, Where
from gateway.supergraph.inaccessible import find_faults, find_hidden
from gateway.supergraph.links import read_links
from gateway.supergraph.strip import strip_machinery

__all__ = ["check_access"]


def check_access(sdl: str, merged: Merged, report: Report) -> None:
    document = parse(sdl, no_location=True)
    hidden = find_hidden(document, "inaccessible")
    if not hidden:
        return
    try:
        schema = build_ast_schema(strip_machinery(document, read_links(document)), assume_valid_sdl=True)
    except (GraphQLError, TypeError):
        return  # Loading, the next stage, says what is wrong with the schema itself.
    for fault in find_faults(schema, hidden):
        report.error(fault.code, fault.message, _where(merged, fault.coordinates))


def _where(merged: Merged, coordinates: tuple[str, ...]) -> list[Where]:
    found: list[Where] = []
    for coordinate in coordinates:
        type_name, _, rest = coordinate.partition(".")
        member, _, argument = rest.partition("(")
        type_ = merged.types.get(type_name)
        if type_ is None:
            continue
        element = type_.fields.get(member) or type_.inputs.get(member)
        if isinstance(element, MergedField) and argument.rstrip(":)") in element.arguments:
            found += element.arguments[argument.rstrip(":)")].where
        else:
            found += element.where if element is not None else type_.where
    return found
