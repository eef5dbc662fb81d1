from __future__ import annotations

import pytest

from tests.gateway.composition.composing import error


@pytest.mark.parametrize("url", ["https://specs.apollo.dev/federation/2.9", "https://specs.apollo.dev/federation"])
def test_a_specification_is_named_by_its_url_and_version(url: str) -> None:
    found = error(a=f'extend schema @link(url: "{url}") type Query {{ a: Int }}')
    assert found.code == "INVALID_LINK_IDENTIFIER"
    assert url in found.message
    assert [str(at) for at in found.locations] == ["a:1:15"]
