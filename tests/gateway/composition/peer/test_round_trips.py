"""The same subgraphs, composed by us and by another composer, load to equal models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from graphql import parse, validate

from gateway.composition import Composition, SubgraphSource, compose
from gateway.language.errors import PlanningRefused
from gateway.plan.text import print_plan
from gateway.planning.planner import Planner
from gateway.supergraph.load import load_supergraph
from gateway.supergraph.model import Supergraph
from tests.gateway.composition.peer.corpus import GOLDEN, STANDING, plain, random_sources
from tests.gateway.composition.peer.losses import LOSSES
from tests.gateway.composition.peer.peer import Peer, PeerError
from tests.gateway.planning.support.golden import Golden
from tests.gateway.supergraph.normal import difference

SEEDS = 240
SEEDS_AT_ONCE = 40
UNREAD = {
    "requires-interface-object": "it takes an interface object for an object where a field refers to it before it is declared",
}
"""Subgraphs that the peer fails on with a fault of its own."""
LOSING = {"interface-object-requires"}
"""Subgraphs of whose supergraph the peer leaves out what `losses` tells."""
PLANNED = [
    name for name, golden in GOLDEN.items() if not any("@partitioned" in sdl for sdl in golden.subgraphs.values())
]
"""A scattered fetch needs the horizontal specification."""


def without_partitions(model: Supergraph) -> Supergraph:
    """Of the horizontal specification only we know."""
    return replace(model, partitions={})


def loaded(composition: Composition) -> Supergraph:
    assert composition.supergraph_sdl is not None, [str(one) for one in composition.errors]
    return load_supergraph(composition.supergraph_sdl)


def up_to_losses(model: Supergraph) -> Supergraph:
    for loss in LOSSES:
        model = loss(model)
    return model


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
    assert not isinstance(theirs, str) and [one.code for one in theirs] == ["FAULT"]


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
    for seed in range(first, first + SEEDS_AT_ONCE):
        compare(random_sources(seed), peer, seed)


def compare(sources: list[SubgraphSource], peer: Peer, seed: int) -> None:
    ours, theirs = compose(sources), peer.compose(sources)
    if isinstance(theirs, str) and ours.supergraph_sdl is not None:
        model, other = loaded(ours), load_supergraph(theirs)
        if difference(model, other):
            assert not difference(up_to_losses(model), up_to_losses(other)), f"seed {seed}"
    elif isinstance(theirs, str):
        check_refused(ours, load_supergraph(theirs), seed)
    elif ours.supergraph_sdl is not None:
        check_answered(loaded(ours), theirs, seed)
    else:
        assert {one.code for one in ours.errors} == {one.code for one in theirs}, f"seed {seed}"


def check_refused(ours: Composition, other: Supergraph, seed: int) -> None:
    """Only we refuse: then what we show cannot be planned over the peer's supergraph either."""
    assert {one.code for one in ours.errors} == {"SATISFIABILITY_ERROR"}, f"seed {seed}"
    for text in queries_of(one.message for one in ours.errors):
        with pytest.raises(PlanningRefused, match="PLANNING_IMPOSSIBLE"):
            plan(other, text)


def check_answered(model: Supergraph, theirs: tuple[PeerError, ...], seed: int) -> None:
    """Only the peer refuses: then what it shows is planned over our supergraph, under any labels."""
    assert {one.code for one in theirs} == {"SATISFIABILITY_ERROR"}, f"seed {seed}: {theirs}"
    for text in queries_of(one.message for one in theirs):
        plan(model, text)
        plan(model, text, labels_of(model))


def queries_of(messages: Iterator[str]) -> Iterator[str]:
    """What a message on satisfiability shows, with something in the place of `...`."""
    for message in messages:
        shown = re.search(r"API query:\n(.*?)\ncannot be satisfied", message, re.DOTALL)
        assert shown is not None, message
        yield re.sub(r"\.\.\.(?=\s*[\n}])", "__typename", shown[1])


def plan(model: Supergraph, text: str, labels: frozenset[str] = frozenset()) -> None:
    document = parse(text)
    assert not validate(model.api_schema, document), text
    Planner(model).plan(document, None, labels=labels)


def labels_of(model: Supergraph) -> frozenset[str]:
    return frozenset(one.override_label for joins in model.field_joins.values() for one in joins if one.override_label)
