"""What explain tells of a member whose answer did not come at the first asking; how rows are counted."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.execution.answers import Answer, Failure
from gateway.execution.members import MemberName
from gateway.execution.shapes import compile_shapes
from gateway.execution.trace import MemberTrace, rows_of
from gateway.language.errors import Code
from gateway.plan.nodes import GatherField, Route
from gateway.supergraph.model import Gather, GatherKind
from tests.gateway.support.gateway import gateway

NORTH = MemberName("n", "北馆", "North", frozenset({"n"}))


def test_a_member_that_answered_at_once_has_no_more_to_tell() -> None:
    told = MemberTrace(NORTH, "{ a }", 1.234, 2).to_json("en")
    assert told == {"region": "n", "name": "North", "state": "OK", "ms": 1.23, "rows": 2, "operation": "{ a }"}


def test_how_an_answer_came_about_is_told_where_it_took_more() -> None:
    told = MemberTrace(NORTH, "{ a }", 1, state="STALE", attempts=2, is_hedged=True, age_s=12.34).to_json("zh")
    assert (told["state"], told["attempts"], told["hedged"], told["ageSeconds"]) == ("STALE", 2, True, 12.3)


CONNECTION = "c { nodes { id } edges { cursor } totalCount }"


def field(key: str, kind: GatherKind | None, selection: str, type_condition: str | None = None) -> GatherField:
    gather = None if kind is None else Gather(kind)
    route = Route(("id",)) if kind is None else None
    return GatherField(key, key, gather, route, selection=selection, type_condition=type_condition)


@pytest.mark.parametrize(
    ("kind", "selection", "value", "rows"),
    [
        (GatherKind.CONNECTION, CONNECTION, {"nodes": [{}, {}], "edges": [{}, {}], "totalCount": 9}, 2),
        (GatherKind.CONNECTION, "c { totalCount }", {"totalCount": 9}, 0),
        (GatherKind.CONNECTION, CONNECTION, {"nodes": None, "edges": "?"}, 0),
        (GatherKind.CONNECTION, CONNECTION, None, 0),
        (GatherKind.LIST, "c", ["a", "b", "c"], 3),
        (GatherKind.GROUPS, "c { count }", [{"count": 5}], 1),
        (GatherKind.LIST, "c", "no list", 0),
        (GatherKind.FOLD, "c { sum }", {"sum": 5}, 1),
        (GatherKind.ONE, "c", "text", 1),
        (None, "c { id }", {"id": "1"}, 1),
        (None, "c { id }", None, 0),
    ],
)
def test_rows_of_root_fields(kind: GatherKind | None, selection: str, value: Any, rows: int) -> None:
    shapes = compile_shapes([field("c", kind, selection), field("other", GatherKind.LIST, "other")], {})
    assert rows_of(Answer({"c": value}), shapes) == rows


def test_rows_of_entities_are_what_is_gathered_for_them_or_they_themselves() -> None:
    shapes = compile_shapes([field("c", GatherKind.CONNECTION, CONNECTION, "Shelf")], {})
    shelf = {"c": {"nodes": [{}, {}, {}], "edges": [{}, {}, {}]}}
    assert rows_of(Answer({"_entities": [shelf, {"title": "Anna"}, None]}), shapes) == 4


def test_who_does_not_answer_has_sent_no_rows() -> None:
    assert rows_of(Failure(Code.SUBGRAPH_TIMEOUT, "it was slow"), ()) == 0
    assert rows_of(Answer(None), ()) == 0


async def test_nothing_is_noted_unless_it_is_asked_for() -> None:
    async with gateway() as city:
        answered = await city.ask("{ anything }")
        assert answered.extensions == {}
        assert (await city.ask("{ anything }", explain=True)).extensions.keys() == {"explain"}
