from __future__ import annotations

from tests.gateway.composition.composing import CONTEXTS, composed, error, errors

TAKING = (
    CONTEXTS + 'type Query { t: T } type T @context(name: "t") { x: Int u: U }'
    ' type U @key(fields: "id") { id: ID! f(a: Int @fromContext(field: "$t { x }")): Int @shareable }'
)


def plain(argument: str) -> str:
    return CONTEXTS + f'type U @key(fields: "id") {{ id: ID! f({argument}): Int @shareable }}'


def test_required_elsewhere() -> None:
    found = error(a=TAKING, b=plain("a: Int!"))
    assert found.code == "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS"
    assert found.subgraphs == ("b",)


def test_optional_elsewhere_is_a_hint_and_no_argument_of_the_supergraph() -> None:
    for argument in ("a: Int", "a: Int! = 3"):
        found = composed(a=TAKING, b=plain(argument))
        assert [one.code for one in found.hints] == ["CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS"]
        assert found.supergraph_sdl is not None
        assert "  f: Int @join__field(graph: A" in found.supergraph_sdl


def test_no_such_argument_elsewhere() -> None:
    assert not errors(a=TAKING, b=CONTEXTS + 'type U @key(fields: "id") { id: ID! f: Int @shareable }')
