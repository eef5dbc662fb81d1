"""Composition: the order of its stages stands here, once.

Every stage works on one `Draft` and reports into it; after a stage with errors no later one runs, because it would
only report consequences. The supergraph is loaded by the same code that serves it before it is handed out: what cannot
be read back is never published.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway.composition.access import check_access
from gateway.composition.merge import Merged, merge
from gateway.composition.model import Composition, Report, SubgraphSource
from gateway.composition.normalise import normalise
from gateway.composition.parse import ParsedSubgraph, parse_subgraph
from gateway.composition.printer import print_supergraph
from gateway.composition.rules import SUBGRAPH_RULES
from gateway.composition.rules.merged import MERGED_RULES
from gateway.composition.rules.names import check_names, graph_names
from gateway.composition.satisfiability import check_satisfiability
from gateway.composition.subgraph import Subgraph
from gateway.language.errors import SupergraphInvalid
from gateway.supergraph.load import load_supergraph
from gateway.supergraph.model import Supergraph

__all__ = ["STAGES", "Draft", "compose"]


@dataclass
class Draft:
    """A supergraph in the making: each stage fills in what the next one needs."""

    sources: tuple[SubgraphSource, ...]
    report: Report = field(default_factory=Report)
    parsed: tuple[ParsedSubgraph, ...] = ()
    subgraphs: tuple[Subgraph, ...] = ()
    merged: Merged | None = None
    sdl: str = ""
    supergraph: Supergraph | None = None


def _names(draft: Draft) -> None:
    check_names(draft.sources, draft.report)


def _parse(draft: Draft) -> None:
    parsed = (parse_subgraph(source, draft.report) for source in draft.sources)
    draft.parsed = tuple(one for one in parsed if one is not None)


def _normalise(draft: Draft) -> None:
    graphs = graph_names([one.name for one in draft.sources])
    draft.subgraphs = tuple(normalise(one, graphs[one.source.name], draft.report) for one in draft.parsed)


def _validate(draft: Draft) -> None:
    for subgraph in draft.subgraphs:
        for rule in SUBGRAPH_RULES:
            rule(subgraph, draft.report)


def _merge(draft: Draft) -> None:
    draft.merged = merge(draft.subgraphs, draft.report)


def _validate_merged(draft: Draft) -> None:
    assert draft.merged is not None
    for rule in MERGED_RULES:
        rule(draft.merged, draft.subgraphs, draft.report)


def _print(draft: Draft) -> None:
    assert draft.merged is not None
    draft.sdl = print_supergraph(draft.merged)


def _check_access(draft: Draft) -> None:
    assert draft.merged is not None
    check_access(draft.sdl, draft.merged, draft.report)


def _load(draft: Draft) -> None:
    try:
        draft.supergraph = load_supergraph(draft.sdl)
    except SupergraphInvalid as invalid:
        for error in invalid.errors:
            draft.report.error("INVALID_GRAPHQL", f"The merged schema cannot be used: {error.message}")


def _satisfiability(draft: Draft) -> None:
    assert draft.supergraph is not None
    check_satisfiability(draft.supergraph, draft.report)


STAGES: tuple[Callable[[Draft], None], ...] = (
    _names,
    _parse,
    _normalise,
    _validate,
    _merge,
    _validate_merged,
    _print,
    _check_access,
    _load,
    _satisfiability,
)


def compose(sources: Sequence[SubgraphSource]) -> Composition:
    """The supergraph of these subgraphs, or why there is none. The order of the sources does not matter."""
    draft = Draft(tuple(sorted(sources, key=lambda source: source.name)))
    for stage in STAGES:
        stage(draft)
        if draft.report.errors:
            return Composition(None, tuple(draft.report.errors), tuple(draft.report.hints))
    return Composition(draft.sdl, (), tuple(draft.report.hints))
