"""The facts of many assets: few questions, and nobody suffers from another's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Any

from contract.identity import TokenIssuer
from overlay.group.custody import Custody
from overlay.group.endpoint import GroupAnswer
from overlay.group.facts import AssetFacts, Unavailable
from tests.overlay.city import INTERNAL, City, ManualClock

WEEK = (date(2026, 12, 2), date(2026, 12, 9))


class Counting(City):
    """Notes what it is asked; a region that is slow answers when it is let go."""

    def __init__(self) -> None:
        super().__init__(ManualClock())
        self.asked: list[str] = []
        self.slow: dict[str, asyncio.Event] = {}

    async def execute(self, document: str, variables: Mapping[str, Any], **how: Any) -> GroupAnswer:
        self.asked.append(document.split("(")[0].removeprefix("query "))
        for id_ in variables.get("ids") or [variables["id"]]:
            if (event := self.slow.get(id_.split(":")[1])) is not None:
                await event.wait()
        if "asset:330106:%" in variables.get("ids", ()):
            return {"data": None, "errors": [{"message": "no id", "extensions": {"code": "BAD_USER_INPUT"}}]}
        return await super().execute(document, variables, **how)


def custody(city: City) -> Custody:
    return Custody(city, TokenIssuer(INTERNAL[0]))


async def test_many_assets_of_a_region_are_one_question() -> None:
    city = Counting()
    ids = [city.add_asset(f"p{n}", name=f"n{n}") for n in range(20)] + [city.add_asset("q", "330105", name="q")]
    reader = custody(city)
    found = await asyncio.gather(*(reader.facts(id_, WEEK) for id_ in [*ids, ids[0], "asset:330106:nothing"]))
    assert [one.id if isinstance(one, AssetFacts) else one for one in found] == [*ids, ids[0], None]
    assert sorted(city.asked) == ["AssetFacts", "AssetFacts", "FactsOfAssets"], "what the page lacks is asked for alone"


async def test_those_who_come_while_others_are_about_to_be_asked_for_are_answered_too() -> None:
    city = Counting()
    asset, reader = city.add_asset("p1"), custody(city)

    async def after(steps: int) -> AssetFacts | Unavailable | None:
        for _ in range(steps):
            await asyncio.sleep(0)
        return await reader.facts(asset, WEEK)

    found = await asyncio.gather(*(after(steps) for steps in range(12)))
    assert all(isinstance(one, AssetFacts) for one in found)


async def test_nobody_waits_for_what_was_cancelled() -> None:
    city = Counting()
    city.slow["330106"] = asyncio.Event()
    reader, id_ = custody(city), city.add_asset("p1")
    waiting = [asyncio.create_task(reader.facts(id_, WEEK)) for _ in range(2)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert city.asked
    for task in asyncio.all_tasks() - {asyncio.current_task(), *waiting}:
        task.cancel()
    assert all(
        isinstance(one, asyncio.CancelledError) for one in await asyncio.gather(*waiting, return_exceptions=True)
    )


async def test_nothing_is_kept() -> None:
    city = Counting()
    asset, reader = city.add_asset("p1"), custody(city)
    await reader.facts(asset, WEEK)
    city.assets[asset]["name"] = "幕布"
    again = await reader.facts(asset, WEEK)
    assert isinstance(again, AssetFacts)
    assert again.name == "幕布"


async def test_each_is_told_how_busy_it_is_in_the_days_it_asked_for() -> None:
    city = Counting()
    asset = city.add_asset("p1", quantity="10")
    for day, quantity in ((3, "4"), (20, "7")):
        held = {"idempotencyKey": f"k{day}", "assetId": asset, "orderId": "o", "quantity": quantity,
                "range": {"from": f"2026-12-{day:02}", "to": f"2026-12-{day + 2:02}"}, "lifeSeconds": 600}  # fmt: skip
        assert city._place(held)["problems"] == []
    windows = [WEEK, (date(2026, 12, 19), date(2026, 12, 25))]
    windows += [(date(2027, 1, day), date(2027, 1, 31)) for day in range(1, 9)]
    reader = custody(city)
    found = await asyncio.gather(*(reader.facts(asset, window) for window in [WEEK, *windows]))
    assert len(city.asked) == 3
    assert [one.free(WEEK) for one in found[:1] if isinstance(one, AssetFacts)] == [6]
    busy = [[period.quantity for period in one.busy] for one in found[1:] if isinstance(one, AssetFacts)]
    assert busy == [[4], [7], *([[]] * 8)]


async def test_an_id_that_its_region_cannot_read_spoils_nothing_for_others() -> None:
    city = Counting()
    good, reader = city.add_asset("p1"), custody(city)
    found = await asyncio.gather(reader.facts(good, WEEK), reader.facts("asset:330106:%", WEEK))
    assert isinstance(found[0], AssetFacts)
    assert found[1] is None


async def test_a_former_id_and_what_cannot_be_read_spoil_nothing_for_others() -> None:
    city = Counting()
    good, former, wrong = city.add_asset("p1"), city.add_asset("p2"), city.add_asset("p3", quantity="many")
    city.unlisted.add(former)
    reader = custody(city)
    found = await asyncio.gather(*(reader.facts(id_, WEEK) for id_ in (good, former, wrong)))
    assert [one.id for one in found if isinstance(one, AssetFacts)] == [good, former]
    assert isinstance(found[2], Unavailable)


async def test_a_region_that_is_down_is_asked_once_and_said_to_be() -> None:
    city = Counting()
    ids = [city.add_asset(f"p{n}") for n in range(9)]
    city.down.add("330106")
    reader = custody(city)
    found = await asyncio.gather(*(reader.facts(id_, WEEK) for id_ in ids))
    assert found == [Unavailable("UNAVAILABLE")] * 9
    assert city.asked == ["FactsOfAssets"]


async def test_nobody_waits_for_a_region_that_is_slow_but_who_asked_it() -> None:
    city = Counting()
    slow, quick = city.add_asset("p1"), city.add_asset("p1", "330105")
    city.slow["330106"] = asyncio.Event()
    reader = custody(city)
    waiting = [asyncio.create_task(reader.facts(slow, WEEK)) for _ in range(2)]
    assert isinstance(await reader.facts(quick, WEEK), AssetFacts)
    waiting[0].cancel()
    late = asyncio.create_task(reader.facts(slow, WEEK))
    city.slow["330106"].set()
    assert isinstance(await waiting[1], AssetFacts), "who hangs up takes nothing from others"
    assert isinstance(await late, AssetFacts)
