"""What the peer leaves out, in the smallest: when it is mended, its entry goes."""

from __future__ import annotations

import pytest

from gateway.composition import compose
from gateway.supergraph.load import load_supergraph
from tests.gateway.composition.peer import losses
from tests.gateway.composition.peer.losses import LOSSES, Loss
from tests.gateway.composition.peer.peer import Peer
from tests.gateway.planning.support.compose import sources
from tests.gateway.supergraph.normal import difference

SMALLEST = [
    (
        losses.provided_by_root_fields,
        {
            "a": 'type Query { t: T @shareable @provides(fields: "x") } type T @key(fields: "id") { id: ID! x: Int @external }',
            "b": 'type Query { t: T @shareable } type T @key(fields: "id") { id: ID! x: Int @shareable }',
        },
    ),
    (
        losses.external_on_interfaces,
        {
            "a": """
            type Query { i: I }
            interface I @key(fields: "id") { id: ID! x: Int }
            type T implements I @key(fields: "id") { id: ID! x: Int }
            """,
            "b": """
            type I @key(fields: "id") @interfaceObject { id: ID! x: Int @external y: Int @requires(fields: "x") }
            """,
        },
    ),
    (
        losses.types_on_interfaces,
        {
            "a": "type Query { i: I } interface I { x: Int! } type T implements I @shareable { x: Int! }",
            "b": "interface I { x: Int } type T implements I @shareable { x: Int! }",
        },
    ),
    (
        losses.contexts_of_interface_objects,
        {
            "a": """
            type Query { t: T }
            type T @key(fields: "id") @context(name: "t") { id: ID! x: Int }
            type I @key(fields: "id") @interfaceObject { id: ID! y(a: Int @fromContext(field: "$t { x }")): Int }
            """,
            "b": """
            type T @key(fields: "id") { id: ID! i: I }
            interface I @key(fields: "id") { id: ID! }
            type O implements I @key(fields: "id") { id: ID! }
            """,
        },
    ),
    (
        losses.overridden_and_still_used,
        {
            "a": """
            type Query { t: T }
            type T @key(fields: "id") { id: ID! x: Int u: U @external y: Int @requires(fields: "u { ... on T { x } }") }
            union U = T
            """,
            "b": 'type T @key(fields: "id") { id: ID! x: Int @override(from: "a") u: U } union U = T',
        },
    ),
]


@pytest.mark.parametrize(("loss", "subgraphs"), SMALLEST, ids=[loss.__name__ for loss, _ in SMALLEST])
def test_it_is_still_lost(loss: Loss, subgraphs: dict[str, str], peer: Peer) -> None:
    composition, theirs = compose(sources(subgraphs)), peer.compose(sources(subgraphs))
    assert composition.supergraph_sdl is not None, composition.errors
    assert isinstance(theirs, str), theirs
    ours, other = load_supergraph(composition.supergraph_sdl), load_supergraph(theirs)
    assert difference(ours, other), "the peer has been mended"
    assert not difference(loss(ours), loss(other))


def test_each_loss_has_its_example() -> None:
    assert [loss for loss, _ in SMALLEST] == list(LOSSES)


def test_inaccessible_input_fields_that_not_all_know_are_left_out(peer: Peer) -> None:
    """Nobody can send one, so it may stay for the sake of the subgraph that knows it; ours does."""
    query = "type Query { f(i: I): Int @shareable } "
    subgraphs = {"a": query + "input I { x: Int h: Int @inaccessible }", "b": query + "input I { x: Int }"}
    composition, theirs = compose(sources(subgraphs)), peer.compose(sources(subgraphs))
    assert isinstance(theirs, str), theirs
    ours = load_supergraph(composition.supergraph_sdl or "")
    assert set(ours.schema.type_map["I"].fields) == {"x", "h"}
    assert set(load_supergraph(theirs).schema.type_map["I"].fields) == {"x"}
