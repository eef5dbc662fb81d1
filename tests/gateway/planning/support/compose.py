"""Subgraph SDLs → a `Supergraph` by the product's own composition; the heads that every subgraph needs are added."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.composition.composer import compose
from gateway.composition.model import SubgraphSource
from gateway.supergraph.load import load_supergraph
from gateway.supergraph.model import Supergraph

__all__ = ["compose_for_test", "linked", "sources"]

FEDERATION = """
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: [
    "@key", "@requires", "@provides", "@external", "@extends", "@shareable", "@override", "@inaccessible",
    "@interfaceObject", "@context", "@fromContext"
  ])
"""
HORIZONTAL = """
  @link(url: "https://specs.gongwucang.dev/horizontal/v1.0", import: [
    "@partitioned", "@route", "@gather", "@fold", "Gather", "Fold"
  ])
"""
_IS_HORIZONTAL = re.compile("@(partitioned|route|gather)")


def compose_for_test(subgraphs: Mapping[str, str]) -> Supergraph:
    composition = compose(sources(subgraphs))
    assert composition.supergraph_sdl is not None, composition.errors
    return load_supergraph(composition.supergraph_sdl)


def sources(subgraphs: Mapping[str, str]) -> list[SubgraphSource]:
    return [SubgraphSource(name, f"http://{name}/", linked(sdl)) for name, sdl in subgraphs.items()]


def linked(sdl: str) -> str:
    return f"extend schema {FEDERATION} {HORIZONTAL if _IS_HORIZONTAL.search(sdl) else ''}\n{sdl}"
