"""Subscriptions through the gateway: each event joined with the other subgraphs' fields, in order, cleaned up."""

from __future__ import annotations

import asyncio
from itertools import count

from gateway.pipeline.answer import Answered, Caller, GraphQLRequest
from gateway.subscriptions.hub import Listener
from tests.gateway.support.gateway import Gateway, codes, gateway
from tests.gateway.support.serving import crash

NEWS = GraphQLRequest("subscription { loans { at book { id title rating branch { name } } } }")
SHORT = GraphQLRequest("subscription($n: Int) { loans(count: $n) { at } }", None, {"n": 2})


async def after(city: Gateway, listener: Listener[Answered], *keys: int) -> list[Answered]:
    for key in keys:
        city.library.loans.put_nowait(key)
    return [(await anext(listener)).item for _ in keys]


async def upstreams_closed(city: Gateway) -> None:
    async with asyncio.timeout(2):
        await city.library.reviews.app.idle.wait()  # type: ignore[attr-defined]


async def test_each_event_is_completed_by_the_other_subgraphs_and_order_is_kept() -> None:
    async with gateway() as city:
        listener = city.pipeline.subscribe(NEWS, Caller())
        answers = await after(city, listener, 0, 2, 5, 7, 1)
        assert [one.data["loans"]["at"] for one in answers] == [0, 2, 5, 7, 1]
        assert answers[1].data["loans"]["book"] == {
            "id": "book:n:1",
            "title": "Journey",
            "rating": 4.5,
            "branch": {"name": "北馆"},
        }
        listener.close()
        await upstreams_closed(city)


async def test_each_event_is_explained_by_its_own_fetches() -> None:
    async with gateway() as city:
        listener = city.pipeline.subscribe(NEWS, Caller(explain=True))
        for answer in await after(city, listener, 0, 2):
            told = answer.extensions["explain"]
            assert told["plan"].startswith("QueryPlan {\n  Subscription")
            [fetch] = told["fetches"]
            assert (fetch["service"], fetch["paths"]) == ("libraries", ["loans.book"])
        listener.close()
        await upstreams_closed(city)


async def test_a_broken_member_costs_its_fields_of_the_event_only() -> None:
    async with gateway() as city:
        titles = GraphQLRequest("subscription { loans { at book { title rating } } }")
        listener = city.pipeline.subscribe(titles, Caller())
        city.library.members["n"].fault = crash
        [one, two] = await after(city, listener, 2, 0)
        assert one.data["loans"] == {"at": 2, "book": {"title": None, "rating": 4.5}}
        assert codes(one) == ["PARTITION_UNAVAILABLE"]
        assert two.data["loans"]["book"]["title"] == "Dream"
        listener.close()
        await upstreams_closed(city)


async def test_the_stream_ends_when_the_upstream_ends() -> None:
    async with gateway() as city:
        listener = city.pipeline.subscribe(SHORT, Caller())
        await after(city, listener, 1, 2)
        assert [one async for one in listener] == []
        await upstreams_closed(city)


async def test_equal_subscriptions_share_one_upstream_and_other_people_have_their_own() -> None:
    async with gateway() as city:
        one, two = city.pipeline.subscribe(NEWS, Caller()), city.pipeline.subscribe(NEWS, Caller())
        [first] = await after(city, one, 3)
        assert (await anext(two)).item is first
        other = city.pipeline.subscribe(NEWS, Caller(headers={"gwc-identity": "somebody"}))
        assert city.pipeline.hub.upstreams == 2
        for listener in (one, two, other):
            listener.close()
        assert city.pipeline.hub.listeners == 0
        await upstreams_closed(city)


async def test_an_upstream_that_cannot_be_opened_is_told_and_ends() -> None:
    async with gateway() as city:
        city.library.reviews.fault = crash
        listener = city.pipeline.subscribe(NEWS, Caller())
        [one] = [delivered.item async for delivered in listener]
        assert one.data is None
        assert codes(one) == ["SUBGRAPH_UNAVAILABLE"]


async def test_a_fault_of_ours_while_reading_ends_the_stream() -> None:
    async with gateway() as city:
        turns = count()

        def renewed() -> dict[str, str]:
            if next(turns):
                raise ValueError("no key")
            return {}

        listener = city.pipeline.subscribe(NEWS, Caller(renewed=renewed))
        async with asyncio.timeout(2):
            [broken] = await after(city, listener, 1)
            assert codes(broken) == ["INTERNAL_SERVER_ERROR"]
            assert [one async for one in listener] == []


async def test_the_identity_reaches_the_upstream() -> None:
    async with gateway() as city:
        listener = city.pipeline.subscribe(SHORT, Caller(headers={"gwc-identity": "me"}))
        await after(city, listener, 1)
        assert city.library.reviews.app.headers[0]["gwc-identity"] == "me"  # type: ignore[attr-defined]
        listener.close()
        await upstreams_closed(city)


async def test_each_event_is_completed_with_a_token_that_has_not_run_out() -> None:
    numbers = count(1)
    caller = Caller(
        headers={"gwc-identity": "token 0"}, renewed=lambda: {"gwc-identity": f"token {next(numbers)}"}, who="me"
    )
    async with gateway() as city:
        listener = city.pipeline.subscribe(NEWS, caller)
        await after(city, listener, 2)
        await after(city, listener, 2)
        first, second = city.library.members["n"].app.headers  # type: ignore[attr-defined]
        assert first["gwc-identity"] != second["gwc-identity"]
        listener.close()
        await upstreams_closed(city)


async def test_one_person_shares_an_upstream_whatever_the_token_says() -> None:
    async with gateway() as city:
        one = city.pipeline.subscribe(NEWS, Caller(headers={"gwc-identity": "token 1"}, who="me"))
        two = city.pipeline.subscribe(NEWS, Caller(headers={"gwc-identity": "token 2"}, who="me"))
        other = city.pipeline.subscribe(NEWS, Caller(headers={"gwc-identity": "token 2"}, who="she"))
        assert city.pipeline.hub.upstreams == 2
        for listener in (one, two, other):
            listener.close()
