from __future__ import annotations

from gateway.supergraph.member_contract import Severity
from tests.gateway.composition.composing import finding, hint, member

CONTRACT = """
type Query { a: [Row] @gather(as: LIST) }
type Row @key(fields: "code") { code: ID title: String pages: Int! }
"""


def test_an_optional_field() -> None:
    published = CONTRACT.replace("title: String", "")
    assert hint(CONTRACT, published) == ("PARTITION_MEMBER_FIELD_MISSING", "Row.title")
    assert member(CONTRACT, published).lacks == {"Row.title"}


def test_a_field_that_the_contract_promises() -> None:
    found = finding(CONTRACT, CONTRACT.replace("pages: Int!", ""))
    assert (found.severity, found.coordinate) == (Severity.ERROR, "Row.pages")
    assert found.remedy == "Add Row.pages: Int!."


def test_a_field_of_the_key() -> None:
    keyless = CONTRACT.replace("code: ID ", "").replace('@key(fields: "code")', "")
    errors = [(one.code, one.coordinate) for one in member(CONTRACT, keyless).errors]
    assert ("PARTITION_MEMBER_FIELD_MISSING", "Row.code") in errors


def test_a_field_that_the_member_only_knows_from_others() -> None:
    contract = """
    type Query { a: Int @gather(as: ONE) }
    type View @key(fields: "id") { id: ID! name: String a: Int @gather(as: ONE) @requires(fields: "name") }
    """
    published = contract.replace("name: String", "name: String @external")
    assert member(contract, published).lacks == {"View.name"}
    assert member(published, contract.replace("name: String", "")).findings == ()
