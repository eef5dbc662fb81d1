"""A clerk asks for thirty desks and is told from where: what is free in the range, not their own, with fewest trips."""

from __future__ import annotations

from typing import Any

import pytest

from tests.overlay.city import BORROWER, CLERK, City, days
from tests.overlay.conftest import Api, Desk

QUERY = """query ($input: LoanSourcesInput!) { loanSources(input: $input) {
  sources { want assetId quantity regionCode } missing stops { regionCode place } isFewest unanswered } }"""
DESK = {"class": {"scheme": "2022", "code": "A05010201"}, "name": "办公桌"}


async def sources(api: Api, *wants: dict[str, str], window: Any = None) -> Any:
    found = await api.data(QUERY, CLERK, input={"range": window or days(1, 90), "wants": list(wants)})
    return found["loanSources"]


def desks(city: City, native: str, quantity: str, region: str = "330106", place: str | None = None, **more: Any) -> str:
    warehouse = {"id": f"warehouse:{region}:{place}"} if place else None
    return city.add_asset(native, region, quantity=quantity, warehouse=warehouse, **{**DESK, **more})


async def test_thirty_desks_come_from_the_one_place_that_has_them(api: Api, city: City) -> None:
    desks(city, "few", "20", place="a")
    enough = desks(city, "enough", "35", place="b")
    found = await sources(api, {"classCode": "A05010000", "quantity": "30"})
    assert found["sources"] == [{"want": 0, "assetId": enough, "quantity": "30", "regionCode": "330106"}]
    assert (found["missing"], found["isFewest"], found["unanswered"]) == (["0"], True, [])
    assert found["stops"] == [{"regionCode": "330106", "place": "warehouse:330106:b"}]


async def test_only_what_is_free_throughout_the_range_counts(desk: Desk, api: Api, city: City) -> None:
    batch = desks(city, "batch", "10", place="a")
    assert (await desk.apply(batch, window=days(1, 7), quantity="6")).problems == ()
    assert (await sources(api, {"classCode": "A0501", "quantity": "10"}, window=days(3, 7)))["missing"] == ["6"]
    assert (await sources(api, {"classCode": "A0501", "quantity": "10"}, window=days(8, 7)))["missing"] == ["6"], (
        "a day lies between"
    )
    assert (await sources(api, {"classCode": "A0501", "quantity": "10"}, window=days(9, 7)))["missing"] == ["0"]


async def test_class_specification_status_and_ownership_are_minded(api: Api, city: City) -> None:
    desks(city, "in-use", "9", status="IN_USE")
    desks(city, "unshared", "9", shareable=False)
    desks(city, "ends", "9", shareableUntil="2026-12-20")
    desks(city, "own", "9", owner={"id": "unit:330106:b", "uscc": BORROWER})
    city.add_asset("chair", quantity="9", **{"class": {"scheme": "2022", "code": "A05010301"}})
    right = desks(city, "right", "2", specification="实木 1400mm")
    found = await sources(api, {"classCode": "A05010201", "quantity": "5", "specification": "实木"})
    assert [one["assetId"] for one in found["sources"]] == [right] and found["missing"] == ["3"]


async def test_a_region_that_does_not_answer_is_named(api: Api, city: City) -> None:
    desks(city, "a", "5", "330106")
    desks(city, "b", "5", "330109")
    city.down.add("330109")
    found = await sources(api, {"classCode": "A0501", "quantity": "8"})
    assert (found["missing"], found["unanswered"]) == (["3"], ["330109"])


@pytest.mark.parametrize(
    ("want", "place"),
    [
        ({"classCode": "桌"}, "classCode"),
        ({"classCode": "A0501", "quantity": "0"}, "quantity"),
        ({"classCode": "A0501", "specification": "x" * 101}, "specification"),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_its_place(api: Api, want: dict[str, str], place: str) -> None:
    answer = await api(QUERY, CLERK, input={"range": days(1, 2), "wants": [want]})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert f"input.wants.0.{place}" in answer["errors"][0]["message"]


@pytest.mark.parametrize("range_", [days(-1, 2), days(1, 181), {"from": "9999-12-30", "to": "9999-12-31"}])
async def test_nothing_is_proposed_for_days_that_no_loan_may_have(api: Api, range_: dict[str, str]) -> None:
    answer = await api(QUERY, CLERK, input={"range": range_, "wants": [{"classCode": "A0501"}]})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "input.range" in answer["errors"][0]["message"]
