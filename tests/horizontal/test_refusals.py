"""Members that refuse: when all that can be heard refuse for one reason, the request is at fault and is told so once."""

from __future__ import annotations

import asyncio

import pytest

from tests.horizontal.city import city
from tests.horizontal.rows import Row

DEPOTS = ("A", "m", "z")
ROWS = [Row("A", "k"), Row("m", 1), Row("z", "k")]
TOO_MANY = "{ lots(first: 5000) { nodes { id } } }"


@pytest.mark.parametrize("down", ["", "A", "z", "Am"])
def test_a_bad_argument_is_told_once_whoever_is_down(down: str) -> None:
    here = city().settle(DEPOTS, ROWS)
    for code in down:
        here.stubs[code].is_down = True
    answered = asyncio.run(here.ask(TOO_MANY))
    assert answered.data == {"lots": None}
    assert [error.message for error in answered.errors if error.code == "BAD_USER_INPUT"] == [
        "a page has at most 1000 rows"
    ]
    others = {error.extensions["region"] for error in answered.errors if error.code != "BAD_USER_INPUT"}
    assert others <= set(down)
