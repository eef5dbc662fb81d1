"""Members that answer in time, in good GraphQL, and wrongly: they are found out and named, and cost their own rows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.pipeline.answer import Answered
from tests.horizontal.city import City, city
from tests.horizontal.rows import Row
from tests.horizontal.stub import Request

DEPOTS = ("A", "m", "z")
LIAR, HONEST = "A", ("m", "z")
"""The liar stands first: what it says is read before anybody contradicts it."""
ROWS = [Row(code, "k" if code == "z" else 1, f"of {code}", "1.00", 1, grade="FINE") for code in DEPOTS]


def lying(change: Callable[[dict[str, Any]], None]) -> City:
    """A city whose first depot changes the data of its answers."""
    here = city().settle(DEPOTS, ROWS, [(DEPOTS, None)])
    depot = here.depot(LIAR)

    def answer(request: Request) -> dict[str, Any]:
        said = depot(request)
        change(said["data"])
        return said

    here.stubs[LIAR].server = answer
    return here


def names_the_liar(answered: Answered) -> bool:
    return bool(answered.errors) and all(error.extensions.get("region") == LIAR for error in answered.errors)


def gives(value: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        data.update(dict.fromkeys(data, value))

    return change


GATHERED = {
    "CONNECTION": ("{ lots { nodes { depot { code } } } }", {"nodes": [{"depot": {"code": code}} for code in HONEST]}),
    "CONNECTION without rows": ("{ lots { totalCount totalIsExact } }", {"totalCount": 2, "totalIsExact": False}),
    "LIST": ("{ depots { code } }", [{"code": code} for code in HONEST]),
    "GROUPS": ("{ names { name } }", [{"name": f"of {code}"} for code in HONEST]),
    "FOLD": ("{ census { lots isExact } }", {"lots": 2, "isExact": False}),
}


@pytest.mark.parametrize("value", [7, "all", [7], {"nodes": 7}], ids=str)
@pytest.mark.parametrize("kind", GATHERED)
def test_a_value_of_another_shape_is_no_value(kind: str, value: Any) -> None:
    query, rest = GATHERED[kind]
    answered = asyncio.run(lying(gives(value)).ask(query))
    [found] = answered.data.values()
    assert found == rest
    assert names_the_liar(answered)
