"""Pages of a list that moves while it is read: nothing is lost, nothing doubled, and what never rests is not believed."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from adapters.model import StoreUnavailable
from adapters.status import HealthState
from tests.adapters.rest.interface import Interface, Opened, answering, opened, reply, served
from tests.adapters.support import ALL


def rows(*numbers: int) -> list[Any]:
    return [{"id": f"A{number:03}", "mc": f"桌{number}"} for number in numbers]


def keys(*numbers: int) -> list[str]:
    return [f"A{number:03}" for number in numbers]


async def listed(found: Opened) -> list[str]:
    return [row["native"] for row in (await found.store.page(ALL)).rows]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 6, 10])
async def test_every_row_of_every_page_is_there_once(tmp_path: Path, count: int) -> None:
    interface = Interface(rows(*range(count)))
    async with served(interface), opened(tmp_path, interface) as found:
        assert await listed(found) == keys(*range(count))
        assert (await found.store.quality()).quarantined == 0


@pytest.mark.parametrize(
    "rest",
    [
        {"total_at": "data.total"},
        {"by": "offset"},
        {"by": "link", "next_at": "data.next"},
        {"by": "cursor", "next_at": "data.next", "size_parameter": ""},
    ],
    ids=["total", "offset", "link", "cursor"],
)
async def test_each_way_from_page_to_page(tmp_path: Path, rest: dict[str, Any]) -> None:
    interface = Interface(rows(*range(10)))
    interface.with_total = True
    interface.by_cursor = rest.get("by") == "cursor"
    async with served(interface), opened(tmp_path, interface, rest=rest) as found:
        assert await listed(found) == keys(*range(10))


async def test_a_server_that_gives_fewer_rows_than_asked_for_is_read_to_its_end(tmp_path: Path) -> None:
    interface = Interface(rows(*range(7)))

    async def short(request: web.Request) -> web.StreamResponse:
        page = int(request.query["page"])
        return reply({"data": {"list": interface.rows[(page - 1) * 2 : page * 2]}})

    interface.answers = dict.fromkeys(range(1, 100), short)
    async with served(interface), opened(tmp_path, interface, rest={"page_size": 500}) as found:
        assert await listed(found) == keys(*range(7))


async def test_a_server_that_answers_the_last_page_for_those_beyond_it(tmp_path: Path) -> None:
    interface = Interface(rows(*range(7)))
    interface.beyond_is_last = True
    async with served(interface), opened(tmp_path, interface) as found:
        assert await listed(found) == keys(*range(7))


async def test_a_row_deleted_behind_the_reader_hides_none_before_it(tmp_path: Path) -> None:
    """Page 1 is read; a row of it goes; what was the first row of page 2 is now in page 1, and would never be seen."""
    interface = Interface(rows(*range(9)))

    def change(number: int) -> None:
        if number == 2:
            del interface.rows[0]

    interface.before = change
    async with served(interface), opened(tmp_path, interface) as found:
        assert await listed(found) == keys(*range(1, 9))
        assert (await found.store.health()).state is HealthState.OK


async def test_a_row_inserted_behind_the_reader_doubles_none(tmp_path: Path) -> None:
    interface = Interface(rows(*range(9)))

    def change(number: int) -> None:
        if number == 3:
            interface.rows.insert(0, rows(500)[0])

    interface.before = change
    async with served(interface), opened(tmp_path, interface) as found:
        assert await listed(found) == keys(*range(9), 500)
        assert (await found.store.quality()).quarantined == 0


async def test_only_what_moved_is_read_again_from_a_safe_point(tmp_path: Path) -> None:
    interface = Interface(rows(*range(30)))

    def change(number: int) -> None:
        if number == 11:  # the first reading has come to its end
            del interface.rows[25]

    interface.before = change
    async with served(interface), opened(tmp_path, interface) as found:
        assert len(await listed(found)) == 29
        # forward 1–11, again 1–11, back to 8, and from 9 on to the end
        assert interface.pages[22:] == ["8", "9", "10", "11"]


async def test_rows_added_at_the_end_are_no_reason_to_read_again(tmp_path: Path) -> None:
    interface = Interface(rows(*range(8)))

    def change(number: int) -> None:
        if number == 6:
            interface.rows += rows(8, 9)

    interface.before = change
    async with served(interface), opened(tmp_path, interface) as found:
        assert await listed(found) == keys(*range(10))
        assert interface.pages == ["1", "2", "3", "4", "1", "2", "3", "4", "5"]


async def test_a_list_that_never_rests_leaves_the_last_good_state(tmp_path: Path) -> None:
    interface = Interface(rows(*range(9)))
    async with served(interface), opened(tmp_path, interface) as found:
        before = await listed(found)
        fresh = iter(range(100, 1000))
        interface.before = lambda number: interface.rows.insert(0, rows(next(fresh))[0])
        await found.store.refresh()
        assert await listed(found) == before
        health = await found.store.health()
        assert health.state is HealthState.DEGRADED and health.fault is not None
        assert health.fault.code == "PAGE_DRIFT"
        interface.before = lambda number: None
        await found.store.refresh()
        assert len(await listed(found)) == len(interface.rows)
        assert (await found.store.health()).state is HealthState.OK


@pytest.mark.parametrize("seed", range(12))
async def test_rows_that_were_there_all_the_time_are_there_whatever_moved(tmp_path: Path, seed: int) -> None:
    """Random deletions and insertions anywhere, for as long as the first 15 requests."""
    chance = random.Random(seed)
    interface = Interface(rows(*range(20)))
    steady = set(keys(*range(20)))
    fresh = iter(range(100, 1000))

    def change(number: int) -> None:
        if number > 15 or chance.random() < 0.6:
            return
        if chance.random() < 0.5:
            steady.discard(interface.rows.pop(chance.randrange(len(interface.rows)))["id"])
        else:
            interface.rows.insert(chance.randrange(len(interface.rows)), rows(next(fresh))[0])

    interface.before = change
    async with served(interface), opened(tmp_path, interface) as found:
        seen = await listed(found)
        assert steady <= set(seen)
        assert len(seen) == len(set(seen))
        assert (await found.store.quality()).quarantined == 0


async def test_a_row_that_came_and_went_doubles_none(tmp_path: Path) -> None:
    """It is there whenever page 2 is asked for, in both readings, and never with page 1: each page agrees with itself."""
    interface = Interface(rows(*range(5)))
    changes = {2: "in", 3: "out", 5: "in", 6: "out"}

    def change(number: int) -> None:
        if changes.get(number) == "in":
            interface.rows.insert(0, rows(500)[0])
        elif changes.get(number) == "out":
            del interface.rows[0]

    interface.before = change
    async with served(interface), opened(tmp_path, interface) as found:
        assert await listed(found) == keys(*range(5))
        assert (await found.store.quality()).quarantined == 0


async def test_what_the_store_has_twice_is_quarantined(tmp_path: Path) -> None:
    interface = Interface(rows(0, 1, 2, 3, 1, 4))
    async with served(interface), opened(tmp_path, interface) as found:
        assert await listed(found) == keys(0, 2, 3, 4)
        assert (await found.store.quality()).quarantined == 2


async def test_a_total_that_does_not_agree_is_not_believed(tmp_path: Path) -> None:
    interface = Interface(rows(*range(4)))

    async def lying(request: web.Request) -> web.StreamResponse:
        page = int(request.query["page"])
        return reply({"data": {"list": interface.rows[(page - 1) * 3 : page * 3], "total": 5}})

    interface.answers = dict.fromkeys(range(1, 100), lying)
    async with served(interface):
        with pytest.raises(StoreUnavailable, match="5 rows are announced, 4 came"):
            async with opened(tmp_path, interface, rest={"total_at": "data.total"}):
                pass


async def test_a_parameter_that_the_server_ignores_is_told(tmp_path: Path) -> None:
    interface = Interface(rows(*range(9)))
    async with served(interface):
        with pytest.raises(StoreUnavailable, match="does 'seite' count pages"):
            async with opened(tmp_path, interface, rest={"parameter": "seite"}):
                pass


async def test_a_list_that_is_suddenly_far_shorter_is_not_believed(tmp_path: Path) -> None:
    interface = Interface(rows(*range(9)))
    async with served(interface), opened(tmp_path, interface) as found:
        interface.rows = []
        await found.store.refresh()
        assert len(await listed(found)) == 9
        health = await found.store.health()
        assert health.fault is not None and health.fault.code == "EXPORT_SHRUNK"


async def test_what_is_no_row_is_quarantined_and_what_has_no_list_is_refused(tmp_path: Path) -> None:
    interface = Interface([*rows(1), "half a row", None])
    async with served(interface), opened(tmp_path, interface) as found:
        assert await listed(found) == keys(1)
        found_rows = await found.store.quarantine(10, None)
        assert [row.issues[0]["code"] for row in found_rows] == ["MALFORMED_ROW", "MALFORMED_ROW"]
        interface.answers = {len(interface.requests) + 1: answering(200, {"data": {"rows": []}})}
        await found.store.refresh()
        health = await found.store.health()
        assert health.fault is not None and "no list at data.list" in health.fault.message
        assert await listed(found) == keys(1)


async def test_two_names_of_a_column_and_what_they_say(tmp_path: Path) -> None:
    """One of them, both alike, both and different, and an object where a text is mapped."""
    interface = Interface(
        [
            {"id": "1", "mc": "桌"},
            {"id": "2", "assetName": "椅"},
            {"id": "3", "mc": "柜", "assetName": "柜"},
            {"id": "4", "mc": "柜", "assetName": "架"},
            {"id": "5", "mc": {"zh": "灯"}},
            {"id": ["6"], "mc": "箱"},
        ]
    )
    async with served(interface), opened(tmp_path, interface, rest={"columns": {"mc": ["mc", "assetName"]}}) as found:
        page = (await found.store.page(ALL)).rows
        assert [(row["native"], row["name"]) for row in page] == [
            ("1", "桌"), ("2", "椅"), ("3", "柜"), ("4", None), ("5", None),
        ]  # fmt: skip
        assert [issue["code"] for row in page[3:] for issue in row["issues"]] == ["NESTED_VALUE"] * 2
        (kept,) = await found.store.quarantine(10, None)
        assert [issue["code"] for issue in kept.issues if issue["blocking"]] == ["EMPTY_KEY"]


async def test_a_secrecy_that_two_names_tell_differently_is_secret(tmp_path: Path) -> None:
    interface = Interface(
        [{"id": "1", "mc": "桌", "mj": "公开"}, {"id": "2", "mc": "图", "mj": "公开", "secret": "机密"}]
    )
    rule = {"column": "mj", "open": ["公开"]}
    rest = {"columns": {"mj": ["mj", "secret"]}}
    async with served(interface), opened(tmp_path, interface, rest=rest, secrecy=rule) as found:
        assert await listed(found) == ["1"]
        assert (await found.store.quality()).rows == 1
