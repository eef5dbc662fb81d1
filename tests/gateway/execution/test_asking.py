"""How a call reaches its target when not all is well: again, elsewhere, twice, or not at all. Requests are counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.execution.answers import Answer, Asked, Failure, Outcome, Reason
from gateway.execution.asgi import AsgiClient
from gateway.execution.asking import Asker, Call, CallKind, Target
from gateway.execution.clients import HttpClient, HttpPool, SubgraphClient
from gateway.execution.limits import Deadline, ExecutionLimits
from gateway.execution.members import Member
from gateway.execution.resilience.breaker import FAILURES_MAX, OPEN_FIRST_S, BreakerState
from gateway.execution.resilience.budget import RATIO, TOKENS_MAX
from gateway.execution.resilience.latencies import NEEDED_MIN
from gateway.execution.resilience.retry import RETRIES_MAX
from gateway.execution.resilience.state import Resilience
from gateway.execution.run import Request, Run
from gateway.language.errors import Code
from tests.gateway.execution.resilience.clock import Clock
from tests.gateway.support.gateway import Gateway, codes, gateway
from tests.gateway.support.library import NAMES, Library
from tests.gateway.support.serving import Fault, Faulty, crash, cut, half_json, hang, says

BOOKS = "{ books(first: 50) { nodes { id } totalIsExact } }"
LEND = 'mutation { lend(input: { bookId: "book:n:1" }) { ok } }'
LEND_BY_KEY = 'mutation { lend(input: { bookId: "book:n:1", idempotencyKey: "k" }) { ok } }'
UNAVAILABLE = says(503, b"away")
LIMITED = says(429, b"", {"Retry-After": "0"})

PASSING = {
    "502": says(502, b"bad gateway"),
    "503": UNAVAILABLE,
    "504": says(504, b""),
    "429": LIMITED,
    "cut": cut,
}
FINAL = {"500": says(500, b"oops"), "crash": crash, "404": says(404, b""), "half json": half_json, "hang": hang}


class InTurn:
    """Each request meets the next fault (None: none); beyond the last, none. Counts them, with what each was told."""

    def __init__(self, *faults: Fault | None) -> None:
        self.faults = list(faults)
        self.requests = 0
        self.deadlines_ms: list[int] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send, app: Any) -> None:
        self.requests += 1
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.deadlines_ms.append(int(headers["gwc-deadline-ms"]))
        fault = self.faults.pop(0) if self.faults else None
        await (app(scope, receive, send) if fault is None else fault(scope, receive, send, app))


def always(fault: Fault) -> InTurn:
    return InTurn(*[fault] * 1000)


def n(library: Library) -> Member:
    [member] = library.group.now.by_code("n")
    return member


def attempts(answered: Any, region: str = "n") -> list[tuple[int, str, str]]:
    """As `extensions.partitions` tells them: address, reason, outcome."""
    [told] = [one for one in answered.extensions["partitions"] if one["region"] == region]
    return [(one["address"], one["reason"], one["outcome"]) for one in told.get("attempts", [])]


# Again


@pytest.mark.parametrize("kind", PASSING)
async def test_a_read_is_made_again_when_the_failure_may_pass(kind: str) -> None:
    async with gateway() as city:
        turns = city.library.members["n"].fault = InTurn(PASSING[kind])
        answered = await city.ask(BOOKS)
        assert answered.errors == ()
        assert len(answered.data["books"]["nodes"]) == 8
        assert turns.requests == 2
        [first, second] = attempts(answered)
        assert (first[1], second) == ("FIRST", (0, "RETRY", "OK"))
        assert [len(city.library.asked(branch)) for branch in "esw"] == [1, 1, 1]
        assert attempts(answered, "e") == []


@pytest.mark.parametrize("kind", FINAL)
async def test_a_read_is_made_once_when_the_failure_would_come_again(kind: str) -> None:
    async with gateway() as city:
        turns = city.library.members["n"].fault = always(FINAL[kind])
        answered = await city.ask(BOOKS, deadline_s=0.5)
        assert codes(answered) == ["PARTITION_UNAVAILABLE"]
        assert turns.requests == 1
        assert attempts(answered) == []


async def test_entities_and_plain_subgraphs_are_asked_again_too() -> None:
    async with gateway() as city:
        reviews = city.library.reviews.fault = InTurn(UNAVAILABLE)
        books = city.library.members["e"].fault = InTurn(UNAVAILABLE)
        answered = await city.data("{ reviews { book { title } } }")
        assert [one["book"]["title"] for one in answered["reviews"]] == ["Dream", "Anna", "Journey"]
        assert (reviews.requests, books.requests) == (2, 2)


async def test_it_ends_after_a_few_attempts() -> None:
    async with gateway() as city:
        turns = city.library.members["n"].fault = always(UNAVAILABLE)
        answered = await city.ask(BOOKS)
        assert codes(answered) == ["PARTITION_UNAVAILABLE"]
        assert turns.requests == 1 + RETRIES_MAX
        assert [one[1] for one in attempts(answered)] == ["FIRST", "RETRY", "RETRY"]


async def test_each_attempt_is_told_what_time_it_has() -> None:
    async with gateway() as city:
        turns = city.library.members["n"].fault = always(UNAVAILABLE)
        await city.ask(BOOKS, deadline_s=2)
        first, second, third = turns.deadlines_ms
        assert 1500 < first < 2000
        assert 0 < third <= second <= first


async def test_who_asks_for_more_time_than_there_is_is_not_asked_again() -> None:
    async with gateway() as city:
        turns = city.library.members["n"].fault = always(says(429, b"", {"Retry-After": "60"}))
        answered = await city.ask(BOOKS)
        [error] = answered.errors
        assert (error.code, error.extensions["cause"]) == ("PARTITION_UNAVAILABLE", "RATE_LIMITED")
        assert turns.requests == 1
        limited = city.library.reviews.fault = always(says(429, b"", {"Retry-After": "60"}))
        [told] = (await city.ask("{ anything }")).errors
        assert (told.code, limited.requests) == ("RATE_LIMITED", 1)
        assert "60 s" in told.message


# Changes


async def test_a_change_is_made_again_by_its_key_only() -> None:
    async with gateway() as city:
        turns = city.library.members["n"].fault = InTurn(UNAVAILABLE)
        assert codes(await city.ask(LEND)) == ["OUTCOME_UNKNOWN"]
        assert turns.requests == 1
        turns = city.library.members["n"].fault = InTurn(UNAVAILABLE)
        assert await city.data(LEND_BY_KEY) == {"lend": {"ok": True}}
        assert turns.requests == 2


async def test_a_change_that_was_refused_before_it_was_looked_at_is_made_again_without_a_key() -> None:
    async with gateway() as city:
        turns = city.library.members["n"].fault = InTurn(LIMITED)
        assert await city.data(LEND) == {"lend": {"ok": True}}
        assert turns.requests == 2


async def test_a_change_may_take_longer_than_a_read() -> None:
    async with gateway() as city:
        n(city.library).timeout_s = 1.0
        turns = city.library.members["n"].fault = InTurn()
        await city.data(LEND)
        await city.data('{ book(id: "book:n:1") { title } }')
        change_ms, read_ms = turns.deadlines_ms
        assert change_ms > 5000
        assert 500 < read_ms <= 1000


# The asker by itself, with clients that say what they are told to


class Scripted:
    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.requests = 0

    async def execute(
        self, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str], deadline: Deadline
    ) -> Outcome:
        self.requests += 1
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]

    def subscribe(self, operation: str, variables: Any, headers: Any) -> Any:
        raise NotImplementedError

    async def close(self) -> None:
        pass


ANSWER = Answer({"a": 1})
REFUSED = Failure(Code.SUBGRAPH_UNAVAILABLE, "refused", was_sent=False, may_pass=True)
BROKE = Failure(Code.SUBGRAPH_UNAVAILABLE, "broke", may_pass=True)
LIMITED_FAILURE = Failure(Code.RATE_LIMITED, "too often", was_sent=False, may_pass=True)


@dataclass
class Asking:
    """A member with these clients, asked without pauses."""

    clients: tuple[SubgraphClient, ...]

    def __post_init__(self) -> None:
        self.member = Member("n", "n", *self.clients)
        self.member.resilience = Resilience(len(self.clients), lambda: 100.0)
        self.asker = Asker(ExecutionLimits(), jitter=lambda: 0.0)

    async def ask(self, kind: CallKind = CallKind.READ, key: str | None = None) -> Asked:
        run = Run(None, Request(Deadline.after(5)))  # type: ignore[arg-type]
        return await self.asker.ask(Target.of("G", self.member), Call("{ a }", {}, 0, kind, key), run)


async def test_a_change_that_reached_somebody_once_stays_unknown_whatever_comes_later() -> None:
    asked = await Asking((Scripted(BROKE, REFUSED, REFUSED),)).ask(CallKind.CHANGE, "k")
    assert isinstance(asked.outcome, Failure)
    assert asked.outcome.was_sent
    assert len(asked.attempts) == 3


async def test_a_change_that_reached_nobody_is_known_not_to_be_made() -> None:
    asked = await Asking((Scripted(REFUSED),)).ask(CallKind.CHANGE)
    assert isinstance(asked.outcome, Failure)
    assert not asked.outcome.was_sent
    assert len(asked.attempts) == 3


async def test_when_all_fails_the_load_grows_by_a_tenth() -> None:
    client = Scripted(LIMITED_FAILURE)
    asking = Asking((client,))
    for _ in range(200):
        await asking.ask()
    assert 200 < client.requests <= 200 + TOKENS_MAX + 200 * RATIO


async def test_the_second_address_is_asked_when_the_first_refuses_at_no_cost_to_the_budget() -> None:
    first, second = Scripted(REFUSED), Scripted(ANSWER)
    asking = Asking((first, second))
    while asking.member.resilience.retries.withdraw():
        pass
    for _ in range(FAILURES_MAX):
        asked = await asking.ask()
        assert asked.outcome is ANSWER
        assert [(one.address, one.reason) for one in asked.attempts] == [(0, Reason.FIRST), (1, Reason.RETRY)]
    assert [one.address for one in (await asking.ask()).attempts] == [1], "the first one's breaker is open"
    assert (first.requests, second.requests) == (FAILURES_MAX, FAILURES_MAX + 1)
    assert asking.member.state.status == "OK"


async def test_a_failure_is_told_as_it_was_and_not_as_the_breaker_that_it_opened() -> None:
    asking = Asking((Scripted(REFUSED),))
    for _ in range(3):
        asked = await asking.ask()
    assert asked.outcome is not REFUSED
    assert isinstance(asked.outcome, Failure)
    assert asked.outcome.code is Code.CIRCUIT_OPEN
    assert asked.attempts[0].reason is Reason.REJECTED
    assert (asking.member.state.status, asking.member.state.failures_in_a_row) == ("SUBGRAPH_UNAVAILABLE", 2)


# Not at all


@asynccontextmanager
async def hung_member() -> AsyncIterator[tuple[Gateway, InTurn, Clock]]:
    """`n` hangs: for 50 ms, which its breaker takes for a minute."""
    clock = Clock()

    async def hang_for_long(scope: Scope, receive: Receive, send: Send, app: Any) -> None:
        clock.now += 60.0
        await hang(scope, receive, send, app)

    async with gateway() as city:
        n(city.library).timeout_s = 0.05
        n(city.library).resilience = Resilience(1, clock)
        turns = city.library.members["n"].fault = always(hang_for_long)
        yield city, turns, clock


async def test_a_hung_member_costs_its_timeout_once() -> None:
    async with hung_member() as (city, turns, _):
        [first] = (await city.ask(BOOKS)).errors
        assert first.extensions["cause"] == "SUBGRAPH_TIMEOUT"
        for _ in range(3):
            answered = await city.ask(BOOKS)
            assert len(answered.data["books"]["nodes"]) == 5
            assert answered.data["books"]["totalIsExact"] is False
            [error] = answered.errors
            assert (error.code, error.extensions["cause"]) == ("PARTITION_UNAVAILABLE", "CIRCUIT_OPEN")
            assert attempts(answered) == [(0, "REJECTED", "CIRCUIT_OPEN")]
        assert turns.requests == 1
        assert n(city.library).limiter.busy == 0


async def test_a_change_to_a_hung_member_is_refused_and_surely_not_made() -> None:
    async with hung_member() as (city, turns, _):
        await city.ask(BOOKS)
        assert codes(await city.ask(LEND)) == ["PARTITION_UNAVAILABLE"]
        assert turns.requests == 1


async def test_one_probe_finds_out_whether_it_is_back() -> None:
    async with hung_member() as (city, turns, clock):
        await city.ask(BOOKS)
        clock.now += OPEN_FIRST_S
        probed = await asyncio.gather(*(city.ask(BOOKS) for _ in range(5)))
        causes = sorted(error.extensions["cause"] for answered in probed for error in answered.errors)
        assert causes == ["CIRCUIT_OPEN"] * 4 + ["SUBGRAPH_TIMEOUT"]
        assert turns.requests == 2
        clock.now += 2 * OPEN_FIRST_S
        city.library.members["n"].fault = None
        assert len((await city.data(BOOKS))["books"]["nodes"]) == 8
        assert n(city.library).resilience.breaker_state is BreakerState.CLOSED


async def test_after_a_probe_whose_client_left_comes_another_one() -> None:
    async with hung_member() as (city, turns, clock):
        await city.ask(BOOKS)
        clock.now += OPEN_FIRST_S
        n(city.library).timeout_s = 5.0
        probing = asyncio.Event()

        async def probed(scope: Scope, receive: Receive, send: Send, app: Any) -> None:
            probing.set()
            await hang(scope, receive, send, app)

        city.library.members["n"].fault = probed
        asked = asyncio.create_task(city.ask(BOOKS))
        await probing.wait()
        asked.cancel()
        await asyncio.wait([asked])
        clock.now += OPEN_FIRST_S
        city.library.members["n"].fault = None
        assert len((await city.data(BOOKS))["books"]["nodes"]) == 8
        assert turns.requests == 1


async def test_any_healthy_member_answers_what_each_could_and_those_that_hang_share_the_time() -> None:
    async with gateway() as city:
        for branch in "ens":
            city.library.members[branch].fault = always(hang)
        turns = city.library.members["w"].fault = InTurn()
        assert await city.data("{ rules }", deadline_s=2) == {"rules": "as w says"}
        hung_ms = [city.library.members[branch].fault.deadlines_ms[0] for branch in "ens"]  # type: ignore[union-attr]
        assert hung_ms[0] < 1000
        assert hung_ms[2] < hung_ms[1] < hung_ms[0]
        assert turns.deadlines_ms[0] > 50


async def test_where_any_member_can_answer_the_next_one_is_asked_before_the_same_again() -> None:
    async with gateway() as city:
        turns = city.library.members["e"].fault = always(UNAVAILABLE)
        answered = await city.ask("{ rules }")
        assert (answered.data, answered.errors) == ({"rules": "as n says"}, ())
        assert (turns.requests, len(city.library.asked("n"))) == (1, 1)


# Twice


def two_urls(library: Library, first: SubgraphClient, second: SubgraphClient) -> Member:
    """`n` at two addresses, of which it is known that 95 % of answers take no time at all."""
    member = Member("n", NAMES["n"][0], first, second)
    for _ in range(NEEDED_MIN):
        member.resilience.latencies.record(0.0)
    library.group.replace([*(one for one in library.group.now.all if one.region != "n"), member])
    return member


async def test_a_slow_first_address_is_overtaken_by_the_second() -> None:
    async with gateway() as city:
        app = city.library.members["n"]
        slow, quick = always(hang), InTurn()
        member = two_urls(city.library, AsgiClient(Faulty(app, slow)), AsgiClient(Faulty(app, quick)))
        answered = await city.ask(BOOKS, explain=True)
        assert answered.errors == ()
        assert len(answered.data["books"]["nodes"]) == 8
        assert (slow.requests, quick.requests) == (1, 1)
        assert attempts(answered) == [(0, "FIRST", "CANCELLED"), (1, "HEDGE", "OK")]
        [traced] = [one for one in answered.extensions["explain"]["fetches"][0]["members"] if one["region"] == "n"]
        assert (traced["attempts"], traced["hedged"]) == (2, True)
        assert member.limiter.busy == 0
        await member.close()


class Slow(Scripted):
    """Takes some turns of the loop."""

    async def execute(self, *arguments: Any) -> Outcome:
        for _ in range(10):
            await asyncio.sleep(0)
        return await super().execute(*arguments)


async def test_hedges_have_a_budget() -> None:
    slow, quick = Slow(ANSWER), Scripted(ANSWER)
    asking = Asking((slow, quick))
    asking.member.resilience.latencies = _P95(0)
    for _ in range(200):
        assert (await asking.ask()).outcome is ANSWER
    hedged = asking.member.resilience.counted[Reason.HEDGE]
    assert TOKENS_MAX <= hedged <= TOKENS_MAX + 200 * RATIO
    assert (quick.requests, slow.requests) == (hedged, 200 - hedged)


async def test_a_change_is_never_made_twice_at_once() -> None:
    async with gateway() as city:
        app = city.library.members["n"]
        slow, quick = always(hang), InTurn()
        member = two_urls(city.library, AsgiClient(Faulty(app, slow)), AsgiClient(Faulty(app, quick)))
        assert codes(await city.ask(LEND_BY_KEY, deadline_s=0.1)) == ["OUTCOME_UNKNOWN"]
        assert (slow.requests, quick.requests) == (1, 0)
        await member.close()


async def test_a_member_whose_places_are_taken_is_not_asked_twice() -> None:
    async with gateway() as city:
        app = city.library.members["n"]
        slow, quick = always(hang), InTurn()
        member = two_urls(city.library, AsgiClient(Faulty(app, slow)), AsgiClient(Faulty(app, quick)))
        for _ in range(member.limiter.limit - 1):
            assert member.limiter.enter_now()
        answered = await city.ask(BOOKS, deadline_s=0.1)
        assert codes(answered) == ["PARTITION_UNAVAILABLE"]
        assert attempts(answered) == []
        assert (slow.requests, quick.requests) == (1, 0)
        await member.close()


# Nothing is left behind


class Sockets:
    """A server whose connections are counted; it reads and stays silent."""

    def __init__(self) -> None:
        self.opened = 0
        self.is_asked = asyncio.Event()
        self.all_closed = asyncio.Event()
        self._open = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self._open += 1
        self.all_closed.clear()
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.is_asked.set()
            await reader.read()
        finally:
            writer.close()
            self._open -= 1
            if not self._open:
                self.all_closed.set()


@asynccontextmanager
async def listening(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
    finally:
        server.close()


async def test_the_loser_of_a_race_leaves_no_socket_no_task_and_no_place() -> None:
    silent, pool = Sockets(), HttpPool()
    async with listening(silent) as url, gateway() as city:
        member = two_urls(city.library, HttpClient(url, pool), AsgiClient(city.library.members["n"]))
        member.resilience.latencies = _P95(0.05)
        before = asyncio.all_tasks()
        answered = await city.ask(BOOKS)
        assert answered.errors == ()
        assert attempts(answered) == [(0, "FIRST", "CANCELLED"), (1, "HEDGE", "OK")]
        await silent.all_closed.wait()
        assert member.limiter.busy == 0
        assert {
            task for task in asyncio.all_tasks() - before if task.get_coro().__qualname__ != "Sockets.__call__"
        } == set()  # type: ignore[union-attr]
        await pool.close()


class _P95:
    """Latencies of a member that is known well."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def p95(self) -> float:
        return self.seconds

    def record(self, seconds: float) -> None:
        pass


async def test_a_client_that_leaves_takes_both_requests_with_it() -> None:
    first, second, pool = Sockets(), Sockets(), HttpPool()
    async with listening(first) as one, listening(second) as two, gateway() as city:
        member = two_urls(city.library, HttpClient(one, pool), HttpClient(two, pool))
        asked = asyncio.create_task(city.ask('{ book(id: "book:n:1") { title } }'))
        await first.is_asked.wait()
        await second.is_asked.wait()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await first.all_closed.wait()
        await second.all_closed.wait()
        assert member.limiter.busy == 0
        assert (first.opened, second.opened) == (1, 1)
        await pool.close()


async def test_a_client_that_leaves_during_a_pause_leaves_nothing_behind() -> None:
    paused = asyncio.Event()

    class Pausing(Scripted):
        async def execute(self, *_: Any) -> Outcome:
            paused.set()
            return Failure(Code.RATE_LIMITED, "too often", was_sent=False, may_pass=True, retry_after_s=3.0)

    asking = Asking((Pausing(ANSWER),))
    asked = asyncio.create_task(asking.ask())
    await paused.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert asking.member.limiter.busy == 0


async def test_a_refused_connection_is_made_good_by_the_second_url() -> None:
    pool = HttpPool()
    async with listening(Sockets()) as nobody:
        pass
    async with gateway() as city:
        member = Member("n", NAMES["n"][0], HttpClient(nobody, pool), AsgiClient(city.library.members["n"]))
        city.library.group.replace([*(one for one in city.library.group.now.all if one.region != "n"), member])
        answered = await city.ask(BOOKS)
        assert len(answered.data["books"]["nodes"]) == 8
        assert attempts(answered) == [(0, "FIRST", "SUBGRAPH_UNAVAILABLE"), (1, "RETRY", "OK")]
        assert await city.data(LEND) == {"lend": {"ok": True}}, "a change that surely was not sent goes there too"
        await pool.close()
