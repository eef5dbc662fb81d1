from __future__ import annotations

from tests.gateway.composition.composing import error


def test_an_unknown_horizontal_version() -> None:
    found = error(
        a="""
extend schema @link(url: "https://specs.gongwucang.dev/horizontal/v9.0")
type Query { a: Int }
        """,
    )
    assert found.code == "UNKNOWN_LINK_VERSION"
