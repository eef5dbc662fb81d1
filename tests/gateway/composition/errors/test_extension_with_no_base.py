from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_nobody_defines_it() -> None:
    found = error(a='type Query { p: P } extend type P @key(fields: "id") { id: ID }')
    assert found.code == "EXTENSION_WITH_NO_BASE"


def test_somebody_does() -> None:
    assert not errors(
        a='type Query { p: P } extend type P @key(fields: "id") { id: ID }',
        b='type P @key(fields: "id") { id: ID }',
    )
