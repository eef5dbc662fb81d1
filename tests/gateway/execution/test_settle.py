"""Who is at fault when members refuse: the request, or the members."""

from __future__ import annotations

import pytest

from gateway.pipeline.answer import Answered
from tests.gateway.support.gateway import codes, gateway
from tests.gateway.support.serving import crash, errors

TOO_MANY = "{ books(first: 501) { nodes { id } } }"
BOOKS = "{ books(first: 50) { nodes { id } } }"


def states(answered: Answered) -> dict[str, str]:
    return {one["region"]: one["status"] for one in answered.extensions["partitions"]}


@pytest.mark.parametrize("down", ["n", "ns", "nse"])
async def test_a_bad_argument_is_told_once_though_members_are_down(down: str) -> None:
    async with gateway() as city:
        for branch in down:
            city.library.members[branch].fault = crash
        answered = await city.ask(TOO_MANY)
        assert answered.data == {"books": None}
        [error] = answered.errors
        assert (error.code, error.message, error.path) == ("BAD_USER_INPUT", "first is at most 500", ("books",))
        assert [region for region, state in states(answered).items() if state == "UNAVAILABLE"] == sorted(down)


async def test_a_bad_argument_is_told_once_though_a_store_is_down() -> None:
    async with gateway() as city:
        city.library.members["n"].fault = errors("STORE_UNAVAILABLE")
        answered = await city.ask(TOO_MANY)
        assert codes(answered) == ["BAD_USER_INPUT"]
        assert states(answered) == {"e": "OK", "n": "UNAVAILABLE", "s": "OK", "w": "OK"}


async def test_who_refuses_what_others_answer_is_missing() -> None:
    async with gateway() as city:
        for branch in "ns":
            city.library.members[branch].fault = errors("BAD_USER_INPUT")
        answered = await city.ask(BOOKS)
        assert [row["id"][5] for row in answered.data["books"]["nodes"]] == ["e", "e", "w"]
        assert codes(answered) == ["PARTITION_UNAVAILABLE"] * 2


@pytest.mark.parametrize(
    ("code", "told"),
    [("STORE_UNAVAILABLE", "PARTITION_UNAVAILABLE"), ("GRAPHQL_VALIDATION_FAILED", "PARTITION_OUTDATED")],
)
async def test_what_members_cannot_do_or_do_not_know_is_not_the_requests_fault(code: str, told: str) -> None:
    async with gateway() as city:
        for branch in "esw":
            city.library.members[branch].fault = errors(code)
        city.library.members["n"].fault = crash
        answered = await city.ask(BOOKS)
        assert answered.data == {"books": {"nodes": []}}
        assert sorted(codes(answered)) == sorted([told] * 3 + ["PARTITION_UNAVAILABLE"])


async def test_members_that_refuse_for_several_reasons_are_each_missing() -> None:
    async with gateway() as city:
        for branch, code in zip("ensw", ["FORBIDDEN", "BAD_USER_INPUT", "FORBIDDEN", "FORBIDDEN"], strict=True):
            city.library.members[branch].fault = errors(code)
        answered = await city.ask(BOOKS)
        assert codes(answered) == ["PARTITION_UNAVAILABLE"] * 4
        assert sorted(error.extensions["cause"] for error in answered.errors) == ["BAD_USER_INPUT"] + ["FORBIDDEN"] * 3
