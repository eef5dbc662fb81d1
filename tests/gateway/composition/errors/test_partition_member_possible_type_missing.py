from __future__ import annotations

from tests.gateway.composition.composing import hint, member


def test_a_type_that_the_members_union_does_not_have() -> None:
    contract = "type Query { a: [U] @gather(as: LIST) } union U = A | B type A { x: Int } type B { x: Int }"
    published = contract.replace("= A | B", "= A")
    assert hint(contract, published) == ("PARTITION_MEMBER_POSSIBLE_TYPE_MISSING", "U")
    assert member(contract, published).lacks == {"U|B"}


def test_an_object_that_is_no_implementation_there() -> None:
    contract = """
    type Query { a: [N] @gather(as: LIST) }
    interface N { x: Int } type A implements N { x: Int } type B implements N { x: Int }
    """
    assert member(contract, contract.replace("B implements N", "B")).lacks == {"N|B"}
