from __future__ import annotations

import pytest

from tests.gateway.composition.composing import error, errors, group

ROWS = """
enum Wish {{ ALL PARTIAL STALE }}
enum Strict {{ ALL PARTIAL }}
enum Other {{ ALL NONE }}
input Options {{ wish: Wish }}
type Query {{ rows(wish: {}, options: Options): [Int] @gather(as: LIST, wish: "{}") }}
"""


@pytest.mark.parametrize("type_name", ["Wish", "Strict!", "String"])
def test_types_that_say_a_wish(type_name: str) -> None:
    assert not errors(a=group(ROWS.format(type_name, "wish")))
    assert not errors(a=group(ROWS.format(type_name, "options.wish")))


@pytest.mark.parametrize("type_name", ["Other", "Boolean", "[Wish]"])
def test_types_that_do_not(type_name: str) -> None:
    assert error(a=group(ROWS.format(type_name, "wish"))).code == "PARTITION_WISH_INVALID"


def test_inside_a_gathered_object_no_member_is_asked() -> None:
    total = """
    type Query { total: Total @gather(as: FOLD) }
    type Total { n(wish: String): [Int] @gather(as: LIST, wish: "wish") }
    """
    assert error(a=group(total)).code == "PARTITION_WISH_INVALID"
