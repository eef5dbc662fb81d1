from __future__ import annotations

from tests.gateway.composition.composing import error, errors, group


def test_kinds_that_do_not_fit_the_field() -> None:
    for type_name, kind in (("Int", "LIST"), ("[Int]", "FOLD"), ("Int", "SOURCES"), ("Int", "CONNECTION")):
        found = error(a=group(f"type Query {{ f: {type_name} @gather(as: {kind}) }}"))
        assert found.code == "PARTITION_GATHER_TYPE"


def test_a_connection_has_edges_with_cursors() -> None:
    rows = """
    type Query {{ rows: Rows @gather(as: CONNECTION) }}
    type Rows {{ edges: [Edge!]! nodes: [Int!]! pageInfo: PageInfo! }}
    type Edge {{ {}node: Int! }}
    type PageInfo {{ hasNextPage: Boolean! }}
    """
    assert not errors(a=group(rows.format("cursor: String! ")))
    assert error(a=group(rows.format(""))).code == "PARTITION_GATHER_TYPE"
