from __future__ import annotations

from tests.gateway.composition.composing import error


def test_an_object_here_and_an_interface_there() -> None:
    found = error(
        a="type Query { t: T } type T { x: Int }",
        b="interface T { x: Int }",
    )
    assert found.code == "TYPE_KIND_MISMATCH"
    assert 'Object Type in subgraph "a" but Interface Type in subgraph "b"' in found.message
    assert [at.subgraph for at in found.locations] == ["a", "b"]
