from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_what_comes_out_may_be_sent_back() -> None:
    found = error(
        a="type Query { f(e: E): E } enum E { X Y }",
        b="enum E { X }",
    )
    assert found.code == "ENUM_VALUE_MISMATCH"
    assert 'value "Y"' in found.message


def test_an_output_enum_is_the_union() -> None:
    assert not errors(
        a="type Query { f: E } enum E { X Y }",
        b="enum E { X }",
    )
