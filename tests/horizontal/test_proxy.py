"""Every fault against every kind of request: one depot is broken, on a real socket, and the others are not.

Of each pair the same is asked. The answer comes by the deadline. What the broken depot has is missing and nothing
else. The error names the depot, with a cause that fits the fault. And when the fault has gone, so has the damage.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.language.errors import GatewayError
from gateway.pipeline.answer import Answered
from tests.horizontal.proxy import (
    Fault,
    cut,
    delay,
    drip,
    garbage,
    half_status_line,
    hang,
    length_too_great,
    length_too_small,
    refuse,
    reset,
    says,
)
from tests.horizontal.rows import Row
from tests.horizontal.sockets import on_sockets
from tests.horizontal.store import Store, Window
from tests.horizontal.stub import Room

DEADLINE_S = 0.5
LATENESS = 4.0
"""Of the deadline, what a busy machine may add to it. Who waits for a hung member waits for ever."""

TIMED_OUT = frozenset({"SUBGRAPH_TIMEOUT"})
BROKE = frozenset({"SUBGRAPH_UNAVAILABLE"})
WRONG = frozenset({"SUBGRAPH_BAD_RESPONSE"})
REFUSED = frozenset({"RATE_LIMITED"})


@dataclass(frozen=True)
class Case:
    fault: Fault
    causes: frozenset[str]
    """Any of these is true to say."""


SLOW: Mapping[str, Case] = {
    "delay": Case(delay(60), TIMED_OUT),
    "hang": Case(hang, TIMED_OUT),
    "slow drip": Case(drip(0.05), TIMED_OUT),
    "length too great": Case(length_too_great, TIMED_OUT),
}
QUICK: Mapping[str, Case] = {
    "refuse": Case(refuse, BROKE),
    "reset": Case(reset, BROKE),
    "cut": Case(cut, BROKE),
    "garbage": Case(garbage, BROKE | WRONG),
    "half a status line": Case(half_status_line, BROKE | WRONG),
    "length too small": Case(length_too_small, BROKE | WRONG),
    "500": Case(says(500, b"<html>Internal Server Error</html>"), BROKE),
    "429": Case(says(429, b'{"error": "slow down"}', "retry-after: 1"), REFUSED),
    "html": Case(says(200, b"<html>Welcome</html>"), WRONG),
    "a list": Case(says(200, b"[]"), WRONG),
    "data is a number": Case(says(200, b'{"data": 7}'), WRONG),
}
FAULTS: Mapping[str, Case] = {**SLOW, **QUICK}

# The city: the broken depot stands first, so that it is also the one that is asked what any member can answer.

BROKEN, OTHERS = "A", ("B", "m", "z")
DEPOTS = (BROKEN, *OTHERS)
ROWS = tuple(
    Row(code, f"k{key}" if code in "Bz" else key, name, "1.50", 2, grade="FINE")
    for code in DEPOTS
    for key, name in enumerate("pqr")
)
ROOMS: tuple[Room, ...] = ((("A", "B"), None), (("m", "z"), "FINE"))
WHOLE, REST = Store(ROWS), Store(ROWS).of(OTHERS)
BY_NAME = (("NAME", "ASC"),)


def ids(store: Store) -> list[dict[str, str]]:
    return [{"id": id_} for id_ in store.page(BY_NAME, Window()).ids]


LOTS = "lots(first: 50, orderBy: [{ field: NAME }]) { nodes { id } totalCount totalIsExact }"
CENSUS = "census { lots pieces isExact byGrade { grade count } }"
LOST = ROWS[0].id
NOTED = [one.id for one in ROWS[::2]]


def lots(store: Store, *, exact: bool) -> dict[str, Any]:
    return {"nodes": ids(store), "totalCount": len(store.rows), "totalIsExact": exact}


def census(store: Store, *, exact: bool) -> dict[str, Any]:
    groups = [{"grade": "FINE", "count": len(store.rows)}]
    return {"lots": len(store.rows), "pieces": store.pieces, "isExact": exact, "byGrade": groups}


@dataclass(frozen=True)
class Kind:
    """A kind of request, and what it gives of a store with all depots, or with all but the broken one."""

    query: str
    data: Callable[[Store, bool], dict[str, Any]]
    """(what is left of the rows, whether that is all of them) → the answer's data."""


def _rooms(store: Store, whole: bool) -> dict[str, Any]:
    rooms = ((store.of("AB"), whole), (store.of("mz"), True))
    return {"rooms": [{"id": f"room:{at}", "lots": lots(of, exact=exact)} for at, (of, exact) in enumerate(rooms)]}


def _noted(store: Store, whole: bool) -> dict[str, Any]:
    found = [(id_, store.by_id(id_)) for id_ in NOTED]
    return {"noted": [{"id": id_, "note": f"noted: {id_}", "name": row and row.name} for id_, row in found]}


def _room(store: Store, whole: bool) -> dict[str, Any]:
    shown = store.of("AB")
    return {"room": {"census": census(shown, exact=whole), "lots": lots(shown, exact=whole)}}


def _lot(store: Store, whole: bool) -> dict[str, Any]:
    row = store.by_id(LOST)
    return {"lot": row and {"id": row.id, "name": row.name}}


def _names(store: Store, whole: bool) -> dict[str, Any]:
    return {"names": [{"name": name, "lots": len(same.rows)} for (name,), same in store.groups("name").items()]}


def _depots(store: Store, whole: bool) -> dict[str, Any]:
    return {"depots": [{"code": code, "lots": 3} for code in (DEPOTS if whole else OTHERS)]}


KINDS: Mapping[str, Kind] = {
    "scatter root": Kind(f"{{ {LOTS} }}", lambda store, whole: {"lots": lots(store, exact=whole)}),
    "gathered at depth": Kind(f"{{ rooms {{ id {LOTS} }} }}", _rooms),
    "entities by key": Kind(f"{{ noted(ids: {json.dumps(NOTED)}) {{ id note name }} }}", _noted),
    "entities of all": Kind(f'{{ room(id: "room:0") {{ {CENSUS} {LOTS} }} }}', _room),
    "routed lookup": Kind(f'{{ lot(id: "{LOST}") {{ id name }} }}', _lot),
    "list": Kind("{ depots { code lots } }", _depots),
    "groups": Kind("{ names { name lots } }", _names),
    "fold": Kind(f"{{ {CENSUS} }}", lambda store, whole: {"census": census(store, exact=whole)}),
}
CHANGE = f'mutation {{ move(input: {{ lotId: "{LOST}" }}) {{ moved }} }}'
ONE = "{ motto }"


async def asked_in_time(ask: Callable[..., Any], query: str) -> Answered:
    started = time.monotonic()
    answered: Answered = await ask(query, deadline_s=DEADLINE_S)
    late = (time.monotonic() - started) / DEADLINE_S - 1
    assert late <= LATENESS, f"later than the deadline by {late:.1f} of it"
    return answered


def names_the_broken_depot(error: GatewayError, causes: frozenset[str]) -> bool:
    told = error.extensions
    return BROKEN in error.message and told["region"] == BROKEN and told["cause"] in causes


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_the_damage_is_the_broken_depots_rows(fault: str, kind: str) -> None:
    case, asked = FAULTS[fault], KINDS[kind]
    async with on_sockets(DEPOTS, ROWS, ROOMS) as sockets:
        await sockets.proxies[BROKEN].inflict(case.fault)
        answered = await asked_in_time(sockets.city.ask, asked.query)
        assert answered.data == asked.data(REST, False)
        assert {str(error.code) for error in answered.errors} == {"PARTITION_UNAVAILABLE"}
        assert all(names_the_broken_depot(error, case.causes) for error in answered.errors), answered.errors
        await sockets.proxies[BROKEN].inflict(None)
        again = await sockets.city.ask(asked.query)
        assert (again.data, again.errors) == (asked.data(WHOLE, True), ())


@pytest.mark.parametrize("fault", QUICK)
async def test_what_any_member_can_answer_is_answered(fault: str) -> None:
    async with on_sockets(DEPOTS, ROWS) as sockets:
        await sockets.proxies[BROKEN].inflict(QUICK[fault].fault)
        answered = await asked_in_time(sockets.city.ask, ONE)
        assert (answered.data, answered.errors) == ({"motto": "each lot in its depot"}, ())
        assert sockets.proxies[BROKEN].afflicted == (fault != "refuse")


@pytest.mark.parametrize("fault", SLOW)
async def test_what_any_member_can_answer_waits_for_no_member_until_the_end(fault: str) -> None:
    """Some of the deadline is left for the next member, which takes a tenth of it."""
    async with on_sockets(DEPOTS, ROWS) as sockets:
        for code, proxy in sockets.proxies.items():
            await proxy.inflict(SLOW[fault].fault if code == BROKEN else delay(DEADLINE_S / 10))
        answered = await asked_in_time(sockets.city.ask, ONE)
        assert (answered.data, answered.errors) == ({"motto": "each lot in its depot"}, ())


NOT_DONE = frozenset({"refuse", "429"})


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_change_is_sent_once_and_its_outcome_is_told_as_it_is(fault: str) -> None:
    """Known not to have been carried out, when nobody heard it or it was turned away; else unknown, and not tried again."""
    case = FAULTS[fault]
    async with on_sockets(DEPOTS, ROWS) as sockets:
        await sockets.proxies[BROKEN].inflict(case.fault)
        answered = await asked_in_time(sockets.city.ask, CHANGE)
        assert answered.data == {"move": None}
        [error] = answered.errors
        assert error.code == ("PARTITION_UNAVAILABLE" if fault in NOT_DONE else "OUTCOME_UNKNOWN")
        assert names_the_broken_depot(error, case.causes | {"OUTCOME_UNKNOWN"})
        assert sockets.city.depot(BROKEN).moved[LOST] <= 1
        await sockets.proxies[BROKEN].inflict(None)
        again = await sockets.city.ask(CHANGE)
        assert (again.data, again.errors) == ({"move": {"moved": True}}, ())


async def test_changes_at_other_depots_do_not_notice() -> None:
    other = next(row.id for row in ROWS if row.depot != BROKEN)
    async with on_sockets(DEPOTS, ROWS) as sockets:
        await sockets.proxies[BROKEN].inflict(hang)
        answered = await sockets.city.ask(f'mutation {{ move(input: {{ lotId: "{other}" }}) {{ moved }} }}')
        assert (answered.data, answered.errors) == ({"move": {"moved": True}}, ())
