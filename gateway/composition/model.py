"""What goes into composition and what comes out: sources, and a supergraph or errors; hints stand apart.

An error stops composition; a hint never does. Both name a stable code, the subgraphs concerned, and where in their
files to look.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from graphql import Node, get_location

__all__ = ["Composition", "CompositionError", "Hint", "Report", "SourceLocation", "SubgraphSource"]


@dataclass(frozen=True, slots=True)
class SubgraphSource:
    """One subgraph's schema as it publishes it."""

    name: str
    url: str
    sdl: str


@dataclass(frozen=True, slots=True, order=True)
class SourceLocation:
    """A position in a subgraph's SDL, counted from 1."""

    subgraph: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.subgraph}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class _Remark:
    code: str
    message: str
    subgraphs: tuple[str, ...] = ()
    locations: tuple[SourceLocation, ...] = ()

    def __str__(self) -> str:
        where = ", ".join(str(location) for location in self.locations) or ", ".join(self.subgraphs)
        return f"{self.code}: {self.message}" + (f" ({where})" if where else "")


@dataclass(frozen=True, slots=True)
class CompositionError(_Remark):
    """Why there is no supergraph. The codes are those of Apollo's documentation, and `PARTITION_…` of our own."""


@dataclass(frozen=True, slots=True)
class Hint(_Remark):
    """Something a schema's author may want to know; the supergraph is right nevertheless."""


@dataclass(frozen=True, slots=True)
class Composition:
    supergraph_sdl: str | None
    errors: tuple[CompositionError, ...] = ()
    hints: tuple[Hint, ...] = ()


Where = tuple[str, Node | None]
"""A subgraph's name and a node of its document."""


class Report:
    """Collects errors and hints while the stages run; the only thing that stages write to."""

    def __init__(self) -> None:
        self.errors: list[CompositionError] = []
        self.hints: list[Hint] = []

    def error(self, code: str, message: str, where: Iterable[Where] = ()) -> None:
        subgraphs, locations = _place(where)
        error = CompositionError(code, message, subgraphs, locations)
        if error not in self.errors:
            self.errors.append(error)

    def hint(self, code: str, message: str, where: Iterable[Where] = ()) -> None:
        subgraphs, locations = _place(where)
        hint = Hint(code, message, subgraphs, locations)
        if hint not in self.hints:
            self.hints.append(hint)


def _place(where: Iterable[Where]) -> tuple[tuple[str, ...], tuple[SourceLocation, ...]]:
    places = list(where)
    locations = []
    for subgraph, node in places:
        if node is not None and node.loc is not None:
            at = get_location(node.loc.source, node.loc.start)
            locations.append(SourceLocation(subgraph, at.line, at.column))
    return tuple(dict.fromkeys(subgraph for subgraph, _ in places)), tuple(dict.fromkeys(locations))
