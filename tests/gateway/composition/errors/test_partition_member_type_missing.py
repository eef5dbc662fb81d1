from __future__ import annotations

from tests.gateway.composition.composing import hint, member

CONTRACT = """
type Query { a: Int @gather(as: ONE) }
type View @key(fields: "id") { id: ID! a: Int @gather(as: ONE) }
scalar Date
enum E { A }
"""


def test_an_entity_that_an_older_member_does_not_know() -> None:
    published = "type Query { a: Int @gather(as: ONE) } scalar Date enum E { A }"
    assert hint(CONTRACT, published) == ("PARTITION_MEMBER_TYPE_MISSING", "View")
    assert member(CONTRACT, published).lacks == {"View"}


def test_what_only_stands_in_fields_is_missed_by_these() -> None:
    published = """
    type Query { a: Int @gather(as: ONE) }
    type View @key(fields: "id") { id: ID! a: Int @gather(as: ONE) }
    """
    assert member(CONTRACT, published).findings == ()
