"""The same subgraphs, composed by us and by another composer, load to equal models."""

from __future__ import annotations

from dataclasses import replace

import pytest
from graphql import parse

from gateway.composition import compose
from gateway.language.errors import PlanningRefused
from gateway.plan.text import print_plan
from gateway.planning.planner import Planner
from gateway.supergraph.load import load_supergraph
from gateway.supergraph.model import Supergraph
from tests.gateway.composition.peer.comparing import compare_seeds, loaded
from tests.gateway.composition.peer.corpus import GOLDEN, STANDING, plain, random_sources
from tests.gateway.composition.peer.losses import up_to_losses
from tests.gateway.composition.peer.merging import differing_sources
from tests.gateway.composition.peer.peer import Peer
from tests.gateway.planning.support.golden import Golden
from tests.gateway.supergraph.normal import difference

SEEDS = 160
SEEDS_AT_ONCE = 40
_QUERY_ROOT = "a field that gives the query root leads to the root fields of its own subgraph only, for want of a key"
UNREAD = {
    "requires-interface-object": (
        "FAULT",
        "it takes an interface object for an object where a field refers to it before it is declared",
    ),
    "introspection-below-the-query-root": ("SATISFIABILITY_ERROR", _QUERY_ROOT),
    "query-root-below-a-list": ("SATISFIABILITY_ERROR", _QUERY_ROOT),
    "query-root-below-a-mutation": ("SATISFIABILITY_ERROR", _QUERY_ROOT),
    "torn-requires-list": ("SATISFIABILITY_ERROR", "a requirement through an interface is not looked for type by type"),
}
"""Subgraphs that the peer does not compose, with which code and why, and we do."""
LOSING = {"interface-object-requires", "context-interface-object", "torn-one-type"}
"""Subgraphs of whose supergraph the peer leaves out what `losses` tells."""
PLANNED = [
    name for name, golden in GOLDEN.items() if not any("@partitioned" in sdl for sdl in golden.subgraphs.values())
]
"""A scattered fetch needs the horizontal specification."""


def without_partitions(model: Supergraph) -> Supergraph:
    """Of the horizontal specification only we know."""
    return replace(model, partitions={})


@pytest.mark.parametrize("name", sorted(STANDING.keys() - UNREAD.keys()))
def test_both_load_to_equal_models(name: str, peer: Peer) -> None:
    theirs = peer.compose(plain(STANDING[name]))
    assert isinstance(theirs, str), theirs
    ours = without_partitions(loaded(compose(STANDING[name])))
    other = load_supergraph(theirs)
    if name in LOSING:
        assert difference(ours, other), "the peer has been mended"
        ours, other = up_to_losses(ours), up_to_losses(other)
    assert not difference(ours, other)


@pytest.mark.parametrize("name", sorted(UNREAD))
def test_what_the_peer_does_not_read(name: str, peer: Peer) -> None:
    theirs = peer.compose(plain(STANDING[name]))
    code, _ = UNREAD[name]
    assert not isinstance(theirs, str)
    assert {one.code for one in theirs} == {code}


@pytest.mark.parametrize("name", sorted(set(PLANNED) - UNREAD.keys() - LOSING))
def test_plans_over_the_peers_supergraph_are_the_golden_ones(name: str, peer: Peer) -> None:
    golden = GOLDEN[name]
    theirs = peer.compose(STANDING[name])
    assert isinstance(theirs, str), theirs
    assert planned(load_supergraph(theirs), golden) == golden.plan


def planned(model: Supergraph, golden: Golden) -> str:
    try:
        plan = Planner(model).plan(parse(golden.operation), None, labels=golden.labels, client_name=golden.client)
    except PlanningRefused as refused:
        return f"{refused}\n"
    return print_plan(plan) + "\n"


@pytest.mark.parametrize("first", range(0, SEEDS, SEEDS_AT_ONCE))
def test_random_schemas(first: int, peer: Peer) -> None:
    compare_seeds(random_sources, range(first, first + SEEDS_AT_ONCE), peer)


@pytest.mark.parametrize("first", range(0, SEEDS, SEEDS_AT_ONCE))
def test_subgraphs_that_differ(first: int, peer: Peer) -> None:
    compare_seeds(differing_sources, range(first, first + SEEDS_AT_ONCE), peer)
