from __future__ import annotations

from tests.gateway.composition.composing import error, errors, group


def test_arguments_that_make_no_sense() -> None:
    row = 'type Query {{ rows: [Row] @gather(as: LIST) }} type Row @key(fields: "id") @partitioned(key: "id"{}) {{ id: ID! }}'
    for arguments in ("", ", segment: 1, whole: true", ", segment: -1"):
        assert error(a=group(row.format(arguments))).code == "PARTITION_DIRECTIVE_INVALID"
    assert not errors(a=group(row.format(", whole: true")))


def test_a_way_to_gather_that_does_not_exist() -> None:
    found = error(a=group("type Query { n: [Int] @gather(as: SHUFFLE) }"))
    assert found.code == "PARTITION_DIRECTIVE_INVALID"
    assert "CONNECTION, LIST" in found.message
