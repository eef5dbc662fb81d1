"""Two compositions of the same subgraphs, ours and the peer's: equal models, equal codes; where only one of them refuses
because of satisfiability, planning decides who is right, on the query that the refusal shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import pytest
from graphql import parse, validate

from gateway.composition import Composition, SubgraphSource, compose
from gateway.language.errors import PlanningRefused
from gateway.planning.planner import Planner
from gateway.supergraph.load import load_supergraph
from gateway.supergraph.model import Supergraph
from tests.gateway.composition.peer.losses import up_to_losses
from tests.gateway.composition.peer.peer import Peer, PeerError
from tests.gateway.supergraph.normal import applications, difference

__all__ = ["compare_seeds", "loaded"]


def loaded(composition: Composition) -> Supergraph:
    assert composition.supergraph_sdl is not None, [str(one) for one in composition.errors]
    return load_supergraph(composition.supergraph_sdl)


LATER = frozenset({"REFERENCED_INACCESSIBLE", "REQUIRED_INACCESSIBLE", "ONLY_INACCESSIBLE_CHILDREN"})
"""What we look for only when nothing before is wrong; the peer looks for everything at once."""
OURS_ONLY = frozenset({"SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES"})
"""Documented errors that the peer does not know."""


def compare_seeds(make: Callable[[int], list[SubgraphSource]], seeds: Iterable[int], peer: Peer) -> None:
    for seed in seeds:
        try:
            compare(make(seed), peer)
        except BaseException as failure:
            failure.add_note(f"seed {seed}")
            raise


def compare(sources: list[SubgraphSource], peer: Peer) -> None:
    ours, theirs = compose(sources), peer.compose(sources)
    codes = {one.code for one in ours.errors}
    if isinstance(theirs, str) and ours.supergraph_sdl is not None:
        check_equal(ours.supergraph_sdl, theirs)
    elif isinstance(theirs, str):
        if not codes <= OURS_ONLY:
            check_refused(ours, load_supergraph(theirs))
    elif ours.supergraph_sdl is not None:
        check_answered(load_supergraph(ours.supergraph_sdl), theirs)
    else:
        told = {one.code for one in theirs}
        assert codes - told <= OURS_ONLY
        assert codes & OURS_ONLY or told - codes <= LATER


def check_equal(ours: str, theirs: str) -> None:
    assert applications(ours) == applications(theirs)
    model, other = load_supergraph(ours), load_supergraph(theirs)
    if difference(model, other):
        assert not difference(up_to_losses(model), up_to_losses(other))


def check_refused(ours: Composition, other: Supergraph) -> None:
    """Only we refuse: then what we show cannot be planned over the peer's supergraph either."""
    assert {one.code for one in ours.errors} == {"SATISFIABILITY_ERROR"}
    for text in queries_of(one.message for one in ours.errors):
        with pytest.raises(PlanningRefused, match="PLANNING_IMPOSSIBLE"):
            plan(other, text)


def check_answered(model: Supergraph, theirs: tuple[PeerError, ...]) -> None:
    """Only the peer refuses: then what it shows is planned over our supergraph, under any labels."""
    assert {one.code for one in theirs} == {"SATISFIABILITY_ERROR"}, theirs
    for text in queries_of(one.message for one in theirs):
        plan(model, text)
        plan(model, text, labels_of(model))


def queries_of(messages: Iterable[str]) -> Iterator[str]:
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
