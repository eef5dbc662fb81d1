"""Members join, leave, move and are upgraded while queries run: each answer is right for one roll that was in force.

What a run sees is drawn: when it takes its roll, when each member's answer comes, and what happens to the membership in
between. The library's applications wait at the transport until the drawn order lets them answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from gateway.execution.asgi import AsgiClient
from gateway.execution.members import Member
from tests.gateway.support.ages import StrictApp, changed, contract_of
from tests.gateway.support.gateway import Gateway
from tests.gateway.support.library import NAMES, ROWS, Library, MemberData, member_schema, sort_rows
from tests.gateway.support.serving import Faulty

NO_PAGES = {"  pages: Int\n": ""}
QUERY = """{
  books { totalCount totalIsExact nodes { id pages } sources { region status } }
  reviews { book { id price } }
}"""
"""One round of members, and beside it two: the second asks those that have the books of the first reviews."""
REVIEWED = ROWS[:3]

Roll = dict[str, bool]
"""Region → whether its member knows `Book.pages`."""


@dataclass
class Gate:
    """Holds requests at the members until they are let through, one at a time, in a drawn order."""

    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    async def hold(self, scope: Scope, receive: Receive, send: Send, app: Callable[..., Awaitable[None]]) -> None:
        turn = asyncio.get_running_loop().create_future()
        self.waiting.append(turn)
        await turn
        await app(scope, receive, send)

    def let_through(self, which: int) -> None:
        if self.waiting:
            self.waiting.pop(which % len(self.waiting)).set_result(None)


@dataclass
class City:
    library: Library
    gate: Gate
    rolls: list[Roll] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)

    def member(self, region: str, knows_pages: bool) -> Member:
        changes = {} if knows_pages else NO_PAGES
        data = MemberData(region, [row for row in ROWS if row.branch == region])
        app = Faulty(StrictApp(member_schema(changed(changes)), data), self.gate.hold)
        member = Member(region, NAMES[region][0], AsgiClient(app))
        member.contract = contract_of(changes, region)
        return member

    def put(self, roll: Roll, moved: Sequence[str] = ()) -> None:
        """The roll in place; whose entry did not change keeps its object, as the watcher does it."""
        last = self.rolls[-1] if self.rolls else {}
        for region, knows in roll.items():
            if region in moved or last.get(region) is not knows:
                self.members[region] = self.member(region, knows)
        self.rolls.append(dict(roll))
        self.library.group.replace(self.members[region] for region in roll)


def expected(roll: Roll) -> dict[str, Any]:
    rows = sort_rows([row for row in ROWS if row.branch in roll], [])
    return {
        "books": {
            "totalCount": len(rows),
            "totalIsExact": True,
            "nodes": [{"id": row.id, "pages": row.pages if roll[row.branch] else None} for row in rows],
            "sources": [{"region": region, "status": "OK"} for region in sorted(roll)],
        },
        "reviews": [{"book": {"id": row.id, "price": row.price if row.branch in roll else None}} for row in REVIEWED],
    }


def expected_errors(roll: Roll) -> list[tuple[str, str]]:
    """(code, the region or the row that it is about)."""
    outdated = [("PARTITION_OUTDATED", region) for region, knows in roll.items() if not knows]
    unknown = [("UNKNOWN_REGION", row.id) for row in REVIEWED if row.branch not in roll]
    return sorted(outdated + unknown)


ROLLS = st.dictionaries(st.sampled_from(sorted(NAMES)), st.booleans(), min_size=1)
STEPS = st.one_of(
    st.tuples(st.just("ask"), st.none()),
    st.tuples(st.just("answer"), st.integers(0, 7)),
    st.tuples(st.just("roll"), st.tuples(ROLLS, st.lists(st.sampled_from(sorted(NAMES)), max_size=2))),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROLLS, st.lists(STEPS, min_size=3, max_size=20))
def test_each_answer_is_right_for_one_roll_that_was_in_force(first: Roll, steps: list[tuple[str, Any]]) -> None:
    asyncio.run(interleave(first, steps))


async def interleave(first: Roll, steps: Sequence[tuple[str, Any]]) -> None:
    async with Library() as library:
        city = City(library, Gate())
        library.reviews.fault = city.gate.hold
        city.put(first)
        gateway = Gateway(library)
        asked: list[tuple[asyncio.Task[Any], int]] = []
        for step, drawn in steps:
            if step == "ask":
                asked.append((asyncio.create_task(gateway.ask(QUERY)), len(city.rolls) - 1))
            elif step == "answer":
                city.gate.let_through(drawn)
            else:
                roll, moved = drawn
                city.put(roll, moved)
            await turns()
        while not all(task.done() for task, _ in asked):
            city.gate.let_through(0)
            await turns()
        for task, at in asked:
            judge(task.result(), city.rolls[at:])


async def turns() -> None:
    """Let everything that can go on go on, until the next request stands at the gate."""
    for _ in range(20):
        await asyncio.sleep(0)


def judge(answered: Any, rolls: Sequence[Roll]) -> None:
    """`rolls`: those in force since the question, in part perhaps after its answer."""
    errors = sorted(
        (error.code, error.extensions.get("region") or error.extensions["value"]) for error in answered.errors
    )
    given = (answered.data, errors)
    assert given in [(expected(roll), expected_errors(roll)) for roll in rolls]
