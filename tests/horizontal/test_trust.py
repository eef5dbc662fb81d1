"""Members that answer in time, in good GraphQL, and wrongly: they are found out and named, and cost their own rows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contract.cursors import decode_cursor, encode_cursor
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


# Pages whose cursors are well made, and whose rows are not what they say


def edges_of(lots: dict[str, Any]) -> list[dict[str, Any]]:
    """Whatever the gateway calls them."""
    return next(found for found in lots.values() if isinstance(found, list) and "cursor" in found[0])


def of_another_shape(data: dict[str, Any]) -> None:
    """All its cursors agree with one another, and with nobody else's."""
    for edge in edges_of(data["lots"]):
        edge["cursor"] = encode_cursor(replace(decode_cursor(edge["cursor"]), shape="liarsown"))


def with_anothers_keys(data: dict[str, Any]) -> None:
    """Rows of another depot under cursors of its own."""
    for node in data["lots"]["nodes"]:
        node["id"] = "lot:m:77"


def with_one_row_twice(data: dict[str, Any]) -> None:
    """The same native key, under two values that are in order."""
    for rows in data["lots"].values():
        if isinstance(rows, list):
            rows.append(dict(rows[0]))
    again = edges_of(data["lots"])[-1]
    cursor = decode_cursor(again["cursor"])
    again["cursor"] = encode_cursor(replace(cursor, values=(f"{cursor.values[0]}, again",)))


PAGES = "{ lots(orderBy: [{ field: NAME }]) { nodes { id } totalCount totalIsExact } }"


@pytest.mark.parametrize("change", [of_another_shape, with_anothers_keys, with_one_row_twice])
def test_a_page_that_lies_is_cut_out(change: Callable[[dict[str, Any]], None]) -> None:
    answered = asyncio.run(lying(change).ask(PAGES))
    nodes = [{"id": row.id} for row in ROWS if row.depot != LIAR]
    assert answered.data == {"lots": {"nodes": nodes, "totalCount": 2, "totalIsExact": False}}
    assert names_the_liar(answered)


# Rows by key


def another(key: str) -> Callable[[dict[str, Any]], None]:
    """A lot of another depot in place of the one that was asked for."""

    def change(data: dict[str, Any]) -> None:
        lot = {"id": "lot:m:77", "__typename": "Lot", "name": "another"}
        data[key] = [lot] if key == "_entities" else lot

    return change


def test_a_lookup_that_answers_another_row_is_no_answer() -> None:
    answered = asyncio.run(lying(another("lot")).ask(f'{{ lot(id: "{ROWS[0].id}") {{ id name }} }}'))
    assert answered.data == {"lot": None}
    assert names_the_liar(answered)


def test_an_entity_keeps_the_key_by_which_it_was_asked_for() -> None:
    """What was not asked for, such as a key that the gateway knows, is not taken from an answer."""
    id_ = ROWS[0].id
    answered = asyncio.run(lying(another("_entities")).ask(f'{{ noted(ids: ["{id_}"]) {{ id name }} }}'))
    assert answered.data["noted"][0]["id"] == id_


def test_a_list_with_rows_of_another_depot_is_cut_out() -> None:
    answered = asyncio.run(lying(gives([{"code": "m"}])).ask("{ depots { code } }"))
    assert answered.data == {"depots": [{"code": code} for code in HONEST]}
    assert names_the_liar(answered)
