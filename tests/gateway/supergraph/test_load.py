"""Supergraphs as other composers write them, join v0.1 to v0.5, and what is refused."""

from __future__ import annotations

import pytest

from gateway.language.errors import SupergraphInvalid
from gateway.language.selections import parse_field_set, print_selection_set
from gateway.supergraph.load import load_supergraph
from gateway.supergraph.model import FieldJoin, Graph, Supergraph, TypeJoin

GRAPHS = """
enum join__Graph {
  A @join__graph(name: "a", url: "http://a")
  B @join__graph(name: "b", url: "http://b")
}
"""


def v(version: str, links: str = "") -> str:
    return (
        f"""
    schema
      @link(url: "https://specs.apollo.dev/link/v1.0")
      @link(url: "https://specs.apollo.dev/join/{version}", for: EXECUTION)
      {links}
    {{ query: Query }}
    """
        + GRAPHS
    )


def code(sdl: str) -> str:
    with pytest.raises(SupergraphInvalid) as refused:
        load_supergraph(sdl)
    assert all(str(error.message) for error in refused.value.errors)
    return refused.value.errors[0].code


def has(supergraph: Supergraph, type_name: str, field: str) -> set[str]:
    return {join.graph for join in supergraph.field_joins[type_name, field]}


TYPES = """
type Query @join__type(graph: A) @join__type(graph: B) {
  p: P @join__field(graph: A, provides: "x")
  i: I @join__field(graph: B)
}
interface I @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", isInterfaceObject: true) {
  id: ID!
  stars: Int @join__field(graph: B)
}
type P implements I
  @join__implements(graph: A, interface: "I")
  @join__type(graph: A, key: "id")
  @join__type(graph: A, key: "sku owner { id }", resolvable: false)
  @join__type(graph: B, key: "id", extension: true)
{
  id: ID!
  sku: ID @join__field(graph: A)
  owner: P @join__field(graph: A)
  x: Int @join__field(graph: A, external: true) @join__field(graph: B, type: "Int!", overrideLabel: "half")
  y(n: Int = 3): Int @join__field(graph: B, requires: "x", override: "a", usedOverridden: true)
  stars: Int @join__field
}
union U @join__type(graph: A) @join__unionMember(graph: A, member: "P") = P
enum E @join__type(graph: A) @join__type(graph: B) {
  ONE @join__enumValue(graph: A) @join__enumValue(graph: B)
  TWO @join__enumValue(graph: B)
}
"""


def test_the_newest_join_is_read_without_loss() -> None:
    supergraph = load_supergraph(v("v0.5") + TYPES)
    assert dict(supergraph.graphs) == {"A": Graph("A", "a", "http://a"), "B": Graph("B", "b", "http://b")}
    assert supergraph.type_joins["P"] == (
        TypeJoin("A", parse_field_set("id")),
        TypeJoin("A", parse_field_set("sku owner { id }"), resolvable=False),
        TypeJoin("B", parse_field_set("id"), extension=True),
    )
    assert supergraph.type_joins["I"][1].is_interface_object
    assert supergraph.field_joins["P", "x"] == (
        FieldJoin("A", external=True),
        FieldJoin("B", type="Int!", override_label="half"),
    )
    assert supergraph.field_joins["P", "y"] == (
        FieldJoin("B", requires=parse_field_set("x"), override_from="a", used_overridden=True),
    )
    provides = supergraph.field_joins["Query", "p"][0].provides
    assert print_selection_set(provides) == "x"
    assert supergraph.implements["P"] == {"A": frozenset({"I"})}
    assert supergraph.union_members["U"] == {"A": frozenset({"P"})}
    assert supergraph.enum_values["E"] == {"A": frozenset({"ONE"}), "B": frozenset({"ONE", "TWO"})}


def test_a_field_without_terms_is_everywhere_and_one_without_a_graph_nowhere() -> None:
    supergraph = load_supergraph(v("v0.3") + TYPES)
    assert ("P", "id") not in supergraph.field_joins
    assert supergraph.field_joins["P", "stars"] == ()


def test_the_machinery_is_no_part_of_the_schema() -> None:
    definitions = """
    directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
    directive @join__type(graph: join__Graph!, key: join__FieldSet) repeatable on OBJECT
    scalar link__Import
    scalar join__FieldSet
    enum link__Purpose { SECURITY EXECUTION }
    directive @shout on FIELD
    """
    schema = load_supergraph(v("v0.5") + definitions + TYPES).schema
    assert not [name for name in schema.type_map if name.startswith(("join__", "link__"))]
    assert schema.get_directive("shout") and not schema.get_directive("link")


def test_before_v0_3_members_and_values_are_wherever_their_types_are() -> None:
    supergraph = load_supergraph(
        v("v0.2")
        + """
        type Query @join__type(graph: A) { u: U e: E }
        union U @join__type(graph: A) @join__type(graph: B) = P | Q
        type P @join__type(graph: A) @join__type(graph: B) { x: Int }
        type Q @join__type(graph: B) { x: Int }
        enum E @join__type(graph: A) { ONE TWO }
        """
    )
    assert supergraph.union_members["U"] == {"A": frozenset({"P"}), "B": frozenset({"P", "Q"})}
    assert supergraph.enum_values["E"] == {"A": frozenset({"ONE", "TWO"})}


def test_join_v0_1_of_federation_1() -> None:
    supergraph = load_supergraph(
        """
        schema
          @core(feature: "https://specs.apollo.dev/core/v0.2")
          @core(feature: "https://specs.apollo.dev/join/v0.1", for: EXECUTION)
        { query: Query }
        """
        + GRAPHS
        + """
        type Query { p: P @join__field(graph: A) v: V @join__field(graph: A) }
        type P @join__owner(graph: A) @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID! @join__field(graph: A)
          x: Int
          y: Int @join__field(graph: B, requires: "x")
        }
        type V { n: Int }
        """
    )
    assert has(supergraph, "P", "id") == {"A", "B"}, "a graph knows its own key"
    assert supergraph.field_joins["P", "x"] == (FieldJoin("A"), FieldJoin("B", external=True))
    assert supergraph.type_joins["P"][1].extension
    assert {join.graph for join in supergraph.type_joins["V"]} == {"A"}, "only what a graph returns is known to it"


def test_join_may_have_another_name() -> None:
    sdl = v("v0.5").replace("for: EXECUTION", 'as: "j", for: EXECUTION').replace("join__", "j__")
    supergraph = load_supergraph(sdl + "type Query @j__type(graph: A) { a: Int }")
    assert supergraph.type_joins["Query"] == (TypeJoin("A"),)


def test_the_version_follows_the_text() -> None:
    one, other = v("v0.5") + "type Query { a: Int }", v("v0.5") + "type Query { b: Int }"
    assert load_supergraph(one).version == load_supergraph(one).version != load_supergraph(other).version


QUERY = "type Query @join__type(graph: A) { a: Int }"


@pytest.mark.parametrize(
    ("sdl", "expected"),
    [
        ("type Query {", "SUPERGRAPH_SYNTAX"),
        ("", "SUPERGRAPH_SYNTAX"),
        ("type Query { a: Int }", "SUPERGRAPH_NOT_A_SUPERGRAPH"),
        (v("v0.9") + QUERY, "SUPERGRAPH_VERSION_UNKNOWN"),
        (v("v0.5", '@link(url: "https://example.com/x/v1.0", for: SECURITY)') + QUERY, "SUPERGRAPH_FEATURE_UNKNOWN"),
        (
            v("v0.5", '@link(url: "https://specs.apollo.dev/connect/v0.1", for: EXECUTION)') + QUERY,
            "SUPERGRAPH_FEATURE_UNKNOWN",
        ),
        (v("v0.5", "@link(as: 3)") + QUERY, "SUPERGRAPH_INVALID"),
        (v("v0.5").replace(GRAPHS, "") + "type Query { a: Int }", "SUPERGRAPH_INVALID"),
        (v("v0.5") + "type Query @join__type(graph: C) { a: Int }", "SUPERGRAPH_INVALID"),
        (v("v0.5") + 'type Query @join__type(graph: A, key: "id {") { a: Int }', "SUPERGRAPH_INVALID"),
        (v("v0.5") + "type Query @join__type(graph: A) { a: Missing }", "SUPERGRAPH_INVALID"),
        (v("v0.5") + "type Query @join__type(graph: A) { a: Int } type Query { b: Int }", "SUPERGRAPH_INVALID"),
        (v("v0.5") + "type T @join__type(graph: A) { a: Int }", "SUPERGRAPH_INVALID"),
    ],
)
def test_garbage_is_refused_with_a_code(sdl: str, expected: str) -> None:
    assert code(sdl) == expected


def test_a_feature_without_a_purpose_may_be_passed_over() -> None:
    assert load_supergraph(v("v0.5", '@link(url: "https://example.com/notes/v1.0")') + QUERY).api_schema.query_type
