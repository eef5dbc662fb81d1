from __future__ import annotations

from tests.gateway.composition.composing import CONTEXTS, codes, error, errors


def test_a_value_type_that_only_another_subgraph_completes() -> None:
    """`V` has no key: whoever gets it from `a` cannot go on to `b`."""
    found = error(
        a="type Query { v: V } type V @shareable { x: Int }",
        b="type Query { other: V } type V @shareable { x: Int y: Int }",
    )
    assert found.code == "SATISFIABILITY_ERROR"
    assert (
        found.message
        == """The following supergraph API query:
{
  v {
    y
  }
}
cannot be satisfied by the subgraphs because:
- from subgraph "a":
  - cannot find field "V.y".
  - cannot move to subgraph "b", which has field "V.y", because type "V" has no @key defined there."""
    )


def test_keys_that_do_not_meet() -> None:
    found = errors(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int }',
        b='type P @key(fields: "sku") { sku: ID y: Int }',
    )
    assert [one.code for one in found] == ["SATISFIABILITY_ERROR"] * 2
    assert 'using key "sku", because the key field(s) cannot be resolved from here' in found[1].message


def test_a_third_subgraph_lends_the_key() -> None:
    assert not errors(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int }',
        b='type P @key(fields: "sku") { sku: ID y: Int }',
        c='type P @key(fields: "id") @key(fields: "sku") { id: ID sku: ID }',
    )


def test_a_key_that_is_not_resolvable() -> None:
    found = error(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int }',
        b='type P @key(fields: "id", resolvable: false) { id: ID y: Int }',
    )
    assert 'none of the @key of type "P" there are resolvable' in found.message


def test_a_nested_key() -> None:
    a = "type Query {{ p: P }} type P {{ owner: O }} type O {{ {} }}"
    b = 'type P @key(fields: "owner { id }") { owner: O y: Int } type O { id: ID @shareable }'
    assert not errors(a=a.format("id: ID @shareable").replace("owner: O", "owner: O @shareable"), b=b)


def test_a_requirement_that_cannot_be_had() -> None:
    found = errors(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int @external y: Int @requires(fields: "x") }',
        b='type P @key(fields: "id", resolvable: false) { id: ID x: Int }',
    )
    assert [one.code for one in found] == ["SATISFIABILITY_ERROR"] * 2
    assert 'cannot satisfy @require conditions on field "P.y": "x" cannot be resolved' in found[1].message


def test_requirements_that_wait_for_each_other() -> None:
    found = codes(
        a="""
        type Query { p: P }
        type P @key(fields: "id") { id: ID x: Int @external y: Int @requires(fields: "x") }
        """,
        b='type P @key(fields: "id") { id: ID y: Int @external x: Int @requires(fields: "y") }',
    )
    assert found == {"SATISFIABILITY_ERROR"}


def test_requirements_in_a_chain_are_fine() -> None:
    assert not errors(
        a='type Query { p: P } type P @key(fields: "id") { id: ID a: Int }',
        b='type P @key(fields: "id") { id: ID a: Int @external b: Int @requires(fields: "a") }',
        c='type P @key(fields: "id") { id: ID b: Int @external c: Int @requires(fields: "b") }',
    )


def test_what_is_provided_on_the_way_is_there() -> None:
    subgraphs = {
        "a": 'type Query { p: P @provides(fields: "x") q: P } type P @key(fields: "id") { id: ID x: Int @external }',
        "b": 'type P @key(fields: "id", resolvable: false) { id: ID x: Int @shareable }',
    }
    found = error(**subgraphs)
    assert found.code == "SATISFIABILITY_ERROR"
    assert "  q {" in found.message
    subgraphs["a"] = subgraphs["a"].replace(" q: P", "")
    assert not errors(**subgraphs)


def test_an_implementation_that_only_one_subgraph_can_complete() -> None:
    found = error(
        a="type Query { i: I } interface I { x: Int } type T implements I @shareable { x: Int }",
        b="type Query { t: T } type T @shareable { x: Int y: Int }",
    )
    assert "... on T" in found.message and '"T.y"' in found.message


def test_an_interface_object_needs_somebody_who_knows_the_types() -> None:
    stars = 'type Query { top: Media } type Media @interfaceObject @key(fields: "id") { id: ID! stars: Int }'
    media = """
    type Query {{ media: Media }}
    interface Media @key(fields: "id"{}) {{ id: ID! }}
    type Book implements Media @key(fields: "id"{}) {{ id: ID! pages: Int }}
    """
    assert not errors(a=media.format("", ""), b=stars)
    found = error(a=media.format(", resolvable: false", ", resolvable: false"), b=stars)
    assert found.code == "SATISFIABILITY_ERROR"


def test_both_sides_of_a_labelled_override_must_do() -> None:
    """While the label is off, `O` comes from `b`, which does not know `O.m`."""
    found = error(
        a="""
        type Query { p: P }
        type P @key(fields: "id") { id: ID o: O @override(from: "b", label: "half") }
        type O @shareable { n: Int m: Int }
        """,
        b='type P @key(fields: "id") { id: ID o: O } type O @shareable { n: Int }',
    )
    assert found.code == "SATISFIABILITY_ERROR"
    assert '"O.m"' in found.message


def test_mutations_start_where_they_are() -> None:
    assert not errors(
        a="type Query { a: Int }",
        b='type Mutation { make: P } type P @key(fields: "id") { id: ID }',
        c='type P @key(fields: "id") { id: ID x: Int }',
    )


def test_halves_of_an_object_cannot_lend_each_other_a_key() -> None:
    """The key comes with one half, what is required with the other: no subgraph holds both."""
    found = error(
        a="type Query { p: P! @shareable } type P { key: ID! @shareable }",
        b="type Query { p: P! @shareable } type P { size: Int! }",
        c='type P @key(fields: "key") { key: ID! size: Int! @external price: Int @requires(fields: "size") }',
    )
    assert found.code == "SATISFIABILITY_ERROR"
    assert '"P.price"' in found.message


def test_the_query_shown_has_the_arguments_that_it_needs() -> None:
    found = error(
        a="""
        type Query { v(of: In!, at: [Int!]!, how: How!, n: Int! = 3, m: Int): V }
        input In { text: String! free: Boolean more: In }
        enum How { SLOW FAST }
        type V @shareable { x: Int }
        """,
        b="""
        type Query { other: V }
        type V @shareable { x: Int y(id: ID!): V }
        """,
    )
    assert '  v(of: {text: "any"}, at: [], how: SLOW) {\n    y(id: "any") { ... }\n  }' in found.message


def test_what_one_of_its_subgraphs_can_never_return_is_never_returned() -> None:
    """`a` and `b` return the same object for `t`, and `a` knows no `W` there; so nobody has to complete a `W`."""
    shared = "type Query { t: U @shareable } union U = "
    subgraphs = {
        "a": shared + "V type V @shareable { x: Int }",
        "b": shared + "V | W type V @shareable { x: Int } type W @shareable { x: Int }",
        "c": "type Query { w: W } type W @shareable { x: Int y: Int }",
    }
    assert not errors(**subgraphs)
    found = error(b=subgraphs["b"], c=subgraphs["c"])
    assert '"W.y"' in found.message


TAKING = 'type U @key(fields: "id") { id: ID! f(a: Int @fromContext(field: "$t { x }")): Int }'


def test_a_way_on_which_no_object_sets_the_context() -> None:
    found = error(a=CONTEXTS + f'type Query {{ t: T u: U }} type T @context(name: "t") {{ x: Int u: U }} {TAKING}')
    assert found.code == "SATISFIABILITY_ERROR"
    assert (
        found.message
        == """The following supergraph API query:
{
  u {
    f
  }
}
cannot be satisfied by the subgraphs because:
- from subgraph "a":
  - cannot find the value of argument "a" of field "U.f": on this path no object sets the context "a__t", or the nearest that does cannot give "x"."""
    )


def test_an_object_is_not_around_itself() -> None:
    a = 'type Query { u: U } type U @key(fields: "id") @context(name: "t") { x: Int id: ID! f(a: Int @fromContext(field: "$t { x }")): Int }'
    assert codes(a=CONTEXTS + a) == {"SATISFIABILITY_ERROR"}


def test_one_of_an_interfaces_types_does_not_set_the_context() -> None:
    types = 'interface I { u: U } type T implements I @context(name: "t") { x: Int u: U } type S implements I { u: U }'
    found = error(a=CONTEXTS + f"type Query {{ i: I }} {types} {TAKING}")
    assert "... on S {" in found.message


def test_a_context_whose_value_cannot_be_had() -> None:
    a = f'type Query {{ t: T }} type T @context(name: "t") {{ x: Int @external u: U }} {TAKING}'
    found = errors(a=CONTEXTS + a, b=CONTEXTS + "type Query { other: T } type T { x: Int }")
    assert 'argument "a" of field "U.f"' in "".join(one.message for one in found)


def test_the_nearest_counts_even_if_it_cannot_give_the_value() -> None:
    outer = 'type Query { o: O } type O @context(name: "t") { x: Int t: T }'
    inner = 'type T @context(name: "t") { x: Int @external u: U }'
    found = errors(a=CONTEXTS + f"{outer} {inner} {TAKING}", b=CONTEXTS + "type Query { other: T } type T { x: Int }")
    assert any("    t {\n      u {\n        f" in one.message for one in found)


def test_a_context_given_by_another_subgraph() -> None:
    a = f'type Query {{ t: T }} type T @key(fields: "id") @context(name: "t") {{ id: ID! x: Int @external u: U }} {TAKING}'
    assert not errors(a=CONTEXTS + a, b=CONTEXTS + 'type T @key(fields: "id") { id: ID! x: Int }')


def test_a_context_through_a_third_subgraph() -> None:
    a = f'type Query {{ t: T }} type T @key(fields: "id") @context(name: "t") {{ id: ID! x: Int }} {TAKING}'
    b = 'type T @key(fields: "id") { id: ID! m: M } type M { u: U } type U @key(fields: "id") { id: ID! }'
    assert not errors(a=CONTEXTS + a, b=CONTEXTS + b)


def test_a_change_sets_no_context() -> None:
    a = f'type Query {{ q: Int }} type Mutation @context(name: "t") {{ x: Int u: U }} {TAKING}'
    assert codes(a=CONTEXTS + a) == {"SATISFIABILITY_ERROR"}


def test_a_requirement_that_takes_from_a_context_is_not_met() -> None:
    """What is required is asked for by itself, and nothing is around it."""
    a = f'type Query {{ t: T }} type T @context(name: "t") {{ x: Int u: U }} {TAKING}'
    b = 'type U @key(fields: "id") { id: ID! f: Int @external g: Int @requires(fields: "f") }'
    found = error(a=CONTEXTS + a, b=CONTEXTS + b)
    assert 'cannot satisfy @require conditions on field "U.g"' in found.message
