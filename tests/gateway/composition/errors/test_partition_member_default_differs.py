from __future__ import annotations

import pytest

from gateway.supergraph.member_contract import Severity
from tests.gateway.composition.composing import finding, member

CONTRACT = "type Query { a(x: I = {n: [1, 2]}, y: Int): Int @gather(as: ONE) } input I { n: [Int!] }"


@pytest.mark.parametrize(("theirs", "said"), [("= {n: [2, 1]}", "{n: [2, 1]}"), ("", "none"), ("= null", "null")])
def test_another_default(theirs: str, said: str) -> None:
    found = finding(CONTRACT, CONTRACT.replace("= {n: [1, 2]}", theirs))
    assert (found.code, found.coordinate) == ("PARTITION_MEMBER_DEFAULT_DIFFERS", "Query.a(x:)")
    assert found.severity is Severity.ERROR
    assert f"is {said}, in the contract" in found.message


def test_a_default_where_the_contract_has_none() -> None:
    """What composition could not agree on is no default of the contract: then a member's own is its own affair."""
    assert member(CONTRACT, CONTRACT.replace("y: Int", "y: Int = 20")).findings == ()
