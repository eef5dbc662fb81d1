from __future__ import annotations

from tests.gateway.composition.composing import codes, error, errors, group

GROUPS = "type Query {{ groups: [Group!] @gather(as: GROUPS{}) }} type Group {{ kind: String n: Int @fold(with: SUM) }}"


def test_a_field_that_groups_do_not_have() -> None:
    found = codes(a=group(GROUPS.format(', by: ["colour"]')))
    assert "PARTITION_BY_UNKNOWN" in found


def test_groups_without_by_fields() -> None:
    assert "PARTITION_BY_UNKNOWN" in codes(a=group(GROUPS.format("")))


def test_only_groups_have_them() -> None:
    found = error(a=group('type Query { n: [Int] @gather(as: LIST, by: ["x"]) }'))
    assert found.code == "PARTITION_BY_UNKNOWN"


def test_groups_by_their_fields() -> None:
    assert not errors(a=group(GROUPS.format(', by: ["kind"]')))
