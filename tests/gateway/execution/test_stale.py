"""Last good answers: who may see them, how they show, what a client chooses, and where they are kept.

That their rows are the right ones is compared with one store in `tests/horizontal/test_stale.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.execution.stale import ENTRY_BYTES, MemoryStale
from gateway.pipeline.answer import Answered, PipelineOptions
from gateway.supergraph.model import Wish
from tests.gateway.support.ages import age
from tests.gateway.support.gateway import Gateway, codes, gateway
from tests.gateway.support.library import ROWS, Library
from tests.gateway.support.serving import alters, crash, cut, errors, hang, says

MIB = 1 << 20
NO_PAGES = {"  pages: Int\n": ""}
MORE = {"type Facet { title: String ": "type Facet { more: Int title: String "}
AGE_MAX_S = 900.0


class Clock:
    """Seconds since 1970, as the test says."""

    def __init__(self) -> None:
        self.now = 1_780_000_000.0  # 2026-05-28T20:26:40Z

    def __call__(self) -> float:
        return self.now


class City(Gateway):
    """A gateway that keeps last good answers, and the clock of its store."""

    def __init__(self, library: Library) -> None:
        self.clock = Clock()
        self.store = MemoryStale(MIB, AGE_MAX_S, self.clock)
        super().__init__(library, PipelineOptions(stale=self.store))

    async def stale(self, query: str, variables: Any = None, **caller: Any) -> Answered:
        return await self.ask(query, variables, wish=Wish.STALE, **caller)


@asynccontextmanager
async def city(library: Library | None = None) -> AsyncIterator[City]:
    async with library or Library() as opened:
        yield City(opened)


def states(answered: Answered) -> dict[str, str]:
    return {one["region"]: one["status"] for one in answered.extensions["partitions"]}


def ids(answered: Answered) -> list[str]:
    return [one["id"] for one in answered.data["books"]["nodes"]]


ALL_IDS = [row.id for row in ROWS]
PAGE = "{ books(first: 50) { nodes { id } totalCount totalIsExact sources { region status latencyMs asOf } } }"


# How it shows


async def test_a_dead_members_rows_come_from_its_last_good_answer_and_all_channels_say_so() -> None:
    async with city() as one:
        assert (await one.stale(PAGE)).errors == ()
        one.clock.now += 12.34
        one.library.members["n"].fault = crash
        answered = await one.stale(PAGE)
        assert ids(answered) == ALL_IDS
        books = answered.data["books"]
        assert (books["totalCount"], books["totalIsExact"]) == (8, False)
        assert [source["status"] for source in books["sources"]] == ["OK", "STALE", "OK", "OK"]
        assert books["sources"][1]["asOf"] == "2026-01-01", "what it said of its data's age stands"
        [error] = answered.errors
        assert (error.code, error.path) == ("PARTITION_STALE", ("books",))
        assert (error.extensions["region"], error.extensions["ageSeconds"]) == ("n", 12.3)
        assert error.extensions["cause"] == "SUBGRAPH_UNAVAILABLE"
        [told] = [each for each in answered.extensions["partitions"] if each["region"] == "n"]
        assert (told["status"], told["ageSeconds"], told["cause"]) == ("STALE", 12.3, "SUBGRAPH_UNAVAILABLE")
        assert states(answered) == {"e": "OK", "n": "STALE", "s": "OK", "w": "OK"}


async def test_data_of_unknown_age_is_as_old_as_the_answer_it_came_with() -> None:
    def of_unknown_age(answer: dict[str, Any]) -> dict[str, Any]:
        answer["data"]["books"]["sources"][0]["asOf"] = None
        return answer

    async with city() as one:
        one.library.members["n"].fault = alters(of_unknown_age)
        await one.stale(PAGE)
        one.clock.now += 60
        one.library.members["n"].fault = crash
        [_, source, *_] = (await one.stale(PAGE)).data["books"]["sources"]
        assert (source["status"], source["asOf"]) == ("STALE", "2026-05-28T20:26:40Z")


async def test_a_member_that_answers_again_is_no_longer_stale() -> None:
    async with city() as one:
        await one.stale(PAGE)
        one.library.members["n"].fault = crash
        assert codes(await one.stale(PAGE)) == ["PARTITION_STALE"]
        one.library.members["n"].fault = None
        answered = await one.stale(PAGE)
        assert (answered.errors, answered.data["books"]["totalIsExact"]) == ((), True)


@pytest.mark.parametrize("fault", [crash, cut, hang, says(503, b""), errors("STORE_UNAVAILABLE"), errors("INTERNAL")])
async def test_whatever_a_member_cannot_do(fault: Any) -> None:
    async with city() as one:
        await one.stale(PAGE)
        one.library.members["n"].fault = fault
        answered = await one.stale(PAGE, deadline_s=0.5)
        assert (ids(answered), codes(answered)) == (ALL_IDS, ["PARTITION_STALE"])
        assert states(answered)["n"] == "STALE"


@pytest.mark.parametrize("code", ["FORBIDDEN", "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED", "WHATEVER"])
async def test_what_a_member_will_not_do_is_not_passed_over(code: str) -> None:
    async with city() as one:
        await one.stale(PAGE)
        one.library.members["n"].fault = errors(code)
        answered = await one.stale(PAGE)
        assert "book:n:1" not in ids(answered)
        assert codes(answered) != ["PARTITION_STALE"]


async def test_of_one_answer_only_what_the_member_cannot_do_is_brought_back() -> None:
    def half(answer: dict[str, Any]) -> dict[str, Any]:
        refused = {"books": "FORBIDDEN", "stock": "STORE_UNAVAILABLE"}
        errors = [{"message": "no", "path": [key], "extensions": {"code": code}} for key, code in refused.items()]
        return {"data": dict.fromkeys(refused), "errors": errors}

    query = "{ books(first: 50) { nodes { id } } stock { books } }"
    async with city() as one:
        await one.stale(query)
        one.library.members["n"].fault = alters(half)
        answered = await one.stale(query)
        assert "book:n:1" not in ids(answered)
        assert answered.data["stock"] == {"books": 8}
        assert {error.path: str(error.code) for error in answered.errors} == {
            ("books",): "PARTITION_UNAVAILABLE",
            ("stock",): "PARTITION_STALE",
        }


async def test_explain_tells_the_age_and_the_rows() -> None:
    async with city() as one:
        await one.stale(PAGE)
        one.clock.now += 5
        one.library.members["n"].fault = crash
        answered = await one.stale(PAGE, explain=True)
        [fetch] = answered.extensions["explain"]["fetches"]
        told = {member["region"]: member for member in fetch["members"]}
        assert (told["n"]["state"], told["n"]["ageSeconds"], told["n"]["rows"]) == ("STALE", 5.0, 3)
        assert told["n"]["cause"] == "SUBGRAPH_UNAVAILABLE"
        assert (told["e"]["state"], "ageSeconds" in told["e"]) == ("OK", False)


# Who may see it


async def test_nobody_sees_what_was_kept_for_another() -> None:
    async with city() as one:
        await one.stale(PAGE, who="officer")
        one.library.members["n"].fault = crash
        assert codes(await one.stale(PAGE, who="clerk")) == ["PARTITION_UNAVAILABLE"]
        assert codes(await one.stale(PAGE, headers={"accept-language": "en"})) == ["PARTITION_UNAVAILABLE"]
        assert codes(await one.stale(PAGE, who="officer")) == ["PARTITION_STALE"]


async def test_only_the_same_question_is_answered() -> None:
    query = "query($first: Int) { books(first: $first) { nodes { id } } }"
    async with city() as one:
        await one.stale(query, {"first": 50})
        one.library.members["n"].fault = crash
        assert codes(await one.stale(query, {"first": 51})) == ["PARTITION_UNAVAILABLE"]
        assert codes(await one.stale("{ books(first: 50) { nodes { title } } }")) == ["PARTITION_UNAVAILABLE"]
        assert codes(await one.stale(query, {"first": 50})) == ["PARTITION_STALE"]


async def test_without_a_store_stale_is_partial() -> None:
    async with gateway() as plain:
        plain.library.members["n"].fault = crash
        assert codes(await plain.ask(PAGE, wish=Wish.STALE)) == ["PARTITION_UNAVAILABLE"]


async def test_a_member_of_another_age_does_not_speak_for_itself_of_before() -> None:
    async with city() as one:
        age(one.library, "n", {})
        await one.stale(PAGE)
        age(one.library, "n", MORE)
        one.library.members["n"].fault = crash
        assert codes(await one.stale(PAGE)) == ["PARTITION_UNAVAILABLE"]


async def test_what_an_older_member_does_not_know_is_named_though_it_is_stale() -> None:
    query = "{ books(first: 50) { nodes { id pages } } }"
    async with city() as one:
        age(one.library, "n", NO_PAGES)
        await one.stale(query)
        one.library.members["n"].fault = crash
        answered = await one.stale(query)
        assert [row["pages"] for row in answered.data["books"]["nodes"] if ":n:" in row["id"]] == [None] * 3
        assert sorted(codes(answered)) == ["PARTITION_OUTDATED", "PARTITION_STALE"]


# What is kept


async def test_an_answer_with_an_error_is_not_kept() -> None:
    query = "{ books(first: 50) { nodes { id secret } } }"
    async with city() as one:
        await one.stale(query)
        one.library.members["n"].fault = crash
        assert "PARTITION_UNAVAILABLE" in codes(await one.stale(query))


async def test_an_answer_with_an_error_does_not_take_the_place_of_a_good_one() -> None:
    def complains(answer: dict[str, Any]) -> dict[str, Any]:
        answer["errors"] = [{"message": "no price", "path": ["books", "nodes", 0, "price"]}]
        return answer

    async with city() as one:
        await one.stale(PAGE)
        one.library.members["n"].fault = alters(complains)
        await one.stale(PAGE)
        one.library.members["n"].fault = crash
        assert ids(await one.stale(PAGE)) == ALL_IDS


async def test_an_answer_that_is_found_out_does_not_take_the_place_of_a_good_one() -> None:
    def reverse(answer: dict[str, Any]) -> dict[str, Any]:
        for rows in answer["data"]["books"].values():
            if isinstance(rows, list):
                rows.reverse()
        return answer

    async with city() as one:
        await one.stale(PAGE)
        one.library.members["n"].fault = alters(reverse)
        assert codes(await one.stale(PAGE)) == ["PARTITION_ORDER_VIOLATION"]
        one.library.members["n"].fault = crash
        assert ids(await one.stale(PAGE)) == ALL_IDS


async def test_joins_leave_what_is_kept_alone() -> None:
    query = "{ books(first: 50) { nodes { id rating } } }"
    async with city() as one:
        before = await one.stale(query)
        one.library.members["n"].fault = crash
        assert (await one.stale(query)).data == before.data


async def test_nothing_of_a_change_is_kept_or_brought_back() -> None:
    change = 'mutation { lend(input: { bookId: "book:n:1", idempotencyKey: "k" }) { ok } }'
    async with city() as one:
        assert (await one.stale(change)).errors == ()
        assert len(one.store) == 0
        one.library.members["n"].fault = cut
        answered = await one.stale(change)
        assert (answered.data, codes(answered)) == ({"lend": None}, ["OUTCOME_UNKNOWN"])


async def test_what_joins_a_change_is_as_it_is_now() -> None:
    change = 'mutation { review(bookId: "book:n:1", text: "x") { book { id title } } }'
    async with city() as one:
        assert (await one.stale(change)).errors == ()
        one.library.members["n"].fault = crash
        answered = await one.stale(change)
        assert answered.data["review"]["book"]["title"] is None
        assert codes(answered) == ["PARTITION_UNAVAILABLE"]


# Every way to gather

OTHERS = {
    "a fold": "{ stock { books worth isExact byTitle { title count } sources { region status } } }",
    "a list": "{ branches { code name } }",
    "a routed read": '{ book(id: "book:n:1") { id title } }',
    "entities of one member": "{ reviews { book { id title } } }",
    "a fold of an entity": '{ shelf(id: "n+s") { label stock { books worth isExact } books(first: 9) { nodes { id } } } }',
    "under an alias": "{ a: books(first: 2) { nodes { id } } b: stock { books } }",
}


@pytest.mark.parametrize("query", OTHERS.values(), ids=OTHERS.keys())
async def test_every_kind_of_field_is_as_it_was(query: str) -> None:
    def inexact(value: Any) -> Any:
        """What a client is told of a stale member beside its rows."""
        if isinstance(value, dict):
            return {key: False if key == "isExact" else inexact(each) for key, each in value.items()}
        if isinstance(value, list):
            return [inexact(each) for each in value]
        return value

    async with city() as one:
        before = await one.stale(query)
        one.library.members["n"].fault = crash
        answered = await one.stale(query)
        expected = inexact(before.data)
        for source in expected.get("stock", {}).get("sources", ()):
            source["status"] = "STALE" if source["region"] == "n" else "OK"
        assert answered.data == expected
        assert set(codes(answered)) == {"PARTITION_STALE"}
        assert states(answered)["n"] == "STALE"


async def test_any_healthy_member_is_better_than_an_earlier_answer() -> None:
    async with city() as one:
        assert (await one.stale("{ rules }")).data == {"rules": "as e says"}
        one.library.members["e"].fault = crash
        answered = await one.stale("{ rules }")
        assert (answered.data, answered.errors) == ({"rules": "as n says"}, ())
        assert states(answered) == {"e": "UNAVAILABLE", "n": "OK"}
        for member in one.library.members.values():
            member.fault = errors("STORE_UNAVAILABLE")
        answered = await one.stale("{ rules }")
        assert answered.data["rules"] in ("as e says", "as n says")
        assert codes(answered) == ["PARTITION_STALE"]


async def test_a_required_member_may_be_stale() -> None:
    async with city(Library(required=["n"])) as one:
        await one.stale(PAGE)
        one.library.members["n"].fault = crash
        assert ids(await one.stale(PAGE)) == ALL_IDS
        assert (await one.ask(PAGE)).data == {"books": None}


async def test_a_walk_goes_on_over_kept_pages() -> None:
    query = "query($after: String) { books(first: 3, after: $after) { nodes { id } pageInfo { endCursor } } }"
    async with city() as one:
        first = await one.stale(query)
        after = first.data["books"]["pageInfo"]["endCursor"]
        second = await one.stale(query, {"after": after})
        one.library.members["n"].fault = crash
        again = await one.stale(query)
        assert again.data["books"]["pageInfo"]["endCursor"] == after, "who is stale was there"
        assert ids(await one.stale(query, {"after": after})) == ids(second)


# The client's choice


@pytest.mark.parametrize("by_header", list(Wish))
async def test_the_arguments_word_wins_over_the_headers(by_header: Wish) -> None:
    query = "query($w: Answers) { books(first: 50, partial: $w) { nodes { id } } stock { books } }"
    async with city() as one:
        for wish in Wish:
            await one.ask(query, {"w": wish})
        one.library.members["n"].fault = crash
        told = {wish: await one.ask(query, {"w": wish}, wish=by_header) for wish in Wish}
        assert told[Wish.ALL].data["books"] is None
        assert ids(told[Wish.PARTIAL]) == [each for each in ALL_IDS if ":n:" not in each]
        assert ids(told[Wish.STALE]) == ALL_IDS
        of_the_other_field = {Wish.ALL: None, Wish.PARTIAL: {"books": 5}, Wish.STALE: {"books": 8}}
        assert told[Wish.STALE].data["stock"] == of_the_other_field[by_header]


async def test_fields_of_one_request_to_a_member_choose_each_for_themselves() -> None:
    query = "{ books(first: 50, partial: STALE) { nodes { id } } stock { books isExact } }"
    async with city() as one:
        await one.ask(query)
        one.library.members["n"].fault = crash
        answered = await one.ask(query)
        assert ids(answered) == ALL_IDS
        assert answered.data["stock"] == {"books": 5, "isExact": False}
        assert {error.path: str(error.code) for error in answered.errors} == {
            ("books",): "PARTITION_STALE",
            ("stock",): "PARTITION_UNAVAILABLE",
        }
        assert states(answered)["n"] == "UNAVAILABLE", "the worst stands"


async def test_a_field_of_an_entity_chooses_too() -> None:
    query = '{ shelf(id: "n+s") { books(first: 9, partial: %s) { nodes { id } } } }'
    async with city() as one:
        for wish in Wish:
            await one.ask(query % wish)
        one.library.members["n"].fault = crash
        told = {wish: (await one.ask(query % wish)).data["shelf"]["books"] for wish in Wish}
        assert told[Wish.ALL] is None
        assert [each["id"][5] for each in told[Wish.PARTIAL]["nodes"]] == ["s", "s"]
        assert [each["id"][5] for each in told[Wish.STALE]["nodes"]] == ["n", "n", "n", "s", "s"]


async def test_a_wish_that_is_none_is_refused_before_anybody_is_asked() -> None:
    async with city() as one:
        answered = await one.ask('{ stock(wish: "SOME") { books } rules }')
        assert answered.data == {"stock": None, "rules": "as e says"}
        [error] = answered.errors
        assert (error.code, error.path, error.extensions["argument"]) == ("BAD_USER_INPUT", ("stock",), "wish")
        assert not one.library.asked("n")


async def test_a_null_wish_is_the_headers() -> None:
    async with city() as one:
        one.library.members["n"].fault = crash
        query = "query($w: String) { stock(wish: $w) { books } }"
        assert (await one.ask(query, {"w": None}, wish=Wish.ALL)).data == {"stock": None}
        assert (await one.ask(query, wish=Wish.ALL)).data == {"stock": None}


# The store


def body(size: int) -> bytes:
    return b"x" * size


async def test_what_was_used_the_longest_ago_goes_first_when_bytes_run_out() -> None:
    store = MemoryStale(3 * (100 + ENTRY_BYTES), AGE_MAX_S, Clock())
    for key in "abc":
        store.put(key, body(100))
    assert await store.get("a") is not None
    store.put("d", body(100))
    assert [key for key in "abcd" if await store.get(key)] == ["a", "c", "d"]
    assert store.bytes == 3 * (100 + ENTRY_BYTES)
    store.put("a", body(10_000))
    assert [key for key in "abcd" if await store.get(key)] == ["c", "d"], "what does not fit costs nobody else"


async def test_what_is_too_old_is_gone() -> None:
    clock = Clock()
    store = MemoryStale(MIB, 60, clock)
    store.put("a", b"a")
    clock.now += 60
    found = await store.get("a")
    assert found is not None
    assert (found.body, found.age_s, found.at) == (b"a", 60, clock.now - 60)
    clock.now += 1
    assert await store.get("a") is None
    assert (len(store), store.bytes) == (0, 0)
    store.put("a", b"a")
    clock.now += 61
    store.put("b", b"b")
    assert len(store) == 1, "nobody need ask for what is too old"


async def test_a_newer_answer_takes_the_place_of_the_older() -> None:
    clock = Clock()
    store = MemoryStale(MIB, 60, clock)
    store.put("a", b"old")
    clock.now += 50
    store.put("a", b"new")
    clock.now += 50
    found = await store.get("a")
    assert found is not None
    assert (found.body, found.age_s) == (b"new", 50)
    assert store.bytes == 3 + ENTRY_BYTES
