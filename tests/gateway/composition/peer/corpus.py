"""Subgraphs that both composers are given: what the planner is proved on, the benchmark's market, the city, the fuzzer's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

from graphql import ConstDirectiveNode, DirectiveDefinitionNode, EnumTypeDefinitionNode, parse, print_ast
from graphql.language import REMOVE, Visitor, VisitorAction, visit

from benchmarks.gateway import market
from gateway.composition import SubgraphSource, load_supergraph_config
from gateway.supergraph.links import HORIZONTAL, string_argument
from tests.fuzz.written import generate
from tests.gateway.planning.support.compose import sources
from tests.gateway.planning.support.golden import FOLDER, Golden, read_golden

__all__ = ["GOLDEN", "STANDING", "plain", "random_sources"]

CITY = Path(__file__).parents[4] / "schema" / "supergraph.yaml"

GOLDEN: Mapping[str, Golden] = {path.stem: read_golden(path) for path in sorted(FOLDER.glob("*.md"))}

STANDING: Mapping[str, list[SubgraphSource]] = {
    **{name: sources(golden.subgraphs) for name, golden in GOLDEN.items()},
    "the market": [SubgraphSource(name, f"http://{name}", market.LINK + sdl) for name, sdl in market.SDL.items()],
    "the city": load_supergraph_config(CITY),
}


def random_sources(seed: int) -> list[SubgraphSource]:
    return sources(generate(Random(seed)).subgraphs)


def plain(subgraphs: Iterable[SubgraphSource]) -> list[SubgraphSource]:
    """Without the horizontal specification, of which another composer knows nothing."""
    return [
        replace(one, sdl=print_ast(visit(parse(one.sdl), _WithoutHorizontal()))) if HORIZONTAL in one.sdl else one
        for one in subgraphs
    ]


class _WithoutHorizontal(Visitor):
    DIRECTIVES = frozenset({"partitioned", "route", "gather", "fold"})
    TYPES = frozenset({"Gather", "Fold"})

    def enter_directive(self, node: ConstDirectiveNode, *_: object) -> VisitorAction:
        links_it = (string_argument(node, "url") or "").startswith(f"{HORIZONTAL}/")
        return REMOVE if links_it or node.name.value in self.DIRECTIVES else None

    def enter_directive_definition(self, node: DirectiveDefinitionNode, *_: object) -> VisitorAction:
        return REMOVE if node.name.value in self.DIRECTIVES else None

    def enter_enum_type_definition(self, node: EnumTypeDefinitionNode, *_: object) -> VisitorAction:
        return REMOVE if node.name.value in self.TYPES else None
