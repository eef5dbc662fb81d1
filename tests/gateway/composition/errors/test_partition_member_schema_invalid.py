from __future__ import annotations

from gateway.supergraph.member_contract import Severity
from tests.gateway.composition.composing import fault, finding


def test_a_schema_that_is_none() -> None:
    found = finding("type Query { a: Int @gather(as: ONE) }", "type Query { a: Nowhere }")
    assert found.code == "PARTITION_MEMBER_SCHEMA_INVALID"
    assert found.severity is Severity.ERROR
    assert found.member == "r"
    assert "Nowhere" in found.message


def test_no_graphql_at_all() -> None:
    assert fault("type Query { a: Int @gather(as: ONE) }", "<html>") == ("PARTITION_MEMBER_SCHEMA_INVALID", "")
