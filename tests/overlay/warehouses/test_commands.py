"""Changing and retiring virtual warehouses: rights, versions, circles, history, the audit log."""

from __future__ import annotations

import asyncio

import pytest

from contract.identity import Identity, Role
from overlay.store import tables
from overlay.warehouses.rules import CONDITIONS_MAX
from tests.overlay.city import AUDITOR, BORROWER, BORROWING, CITY, CLERK, HEAD, KEEPER, LENDING, RIVAL, someone
from tests.overlay.warehouses.conftest import Office, codes

DEAR = {"netValue": {"gte": "5000"}}


async def rule_of(office: Office, id_: str) -> object:
    (found,) = (await office.warehouses.by_ids(CITY, [id_])).values()
    return await office.warehouses.filter_of(found)


async def test_a_change_shows_in_all_that_build_on_it(office: Office) -> None:
    inner = await office.create()
    outer = await office.create(filter=None, unionWith=[inner])
    assert codes(await office.change(inner, filter=DEAR, name=" 贵重 ")) == []
    assert await rule_of(office, outer) == DEAR
    (found,) = (await office.warehouses.by_ids(CITY, [inner])).values()
    assert (found.name, found.version, found.scope) == ("贵重", 2, "ALL")


async def test_who_saw_an_older_version_changes_nothing(office: Office) -> None:
    id_ = await office.create()
    await office.change(id_, name="甲")
    late = await office.change(id_, expected=1, name="乙")
    assert codes(late) == ["WAREHOUSE_CHANGED"]
    assert late.problems[0].params == {"version": "2"}
    (found,) = (await office.warehouses.by_ids(CITY, [id_])).values()
    assert found.name == "甲"


async def test_one_of_two_changes_at_once_wins(office: Office) -> None:
    id_ = await office.create()
    answers = await asyncio.gather(*(office.change(id_, name=name) for name in ("甲", "乙")))
    assert sorted(codes(answer) for answer in answers) == [[], ["WAREHOUSE_CHANGED"]]


COLLEAGUE = someone("colleague", Role.APPLICANT, unit=BORROWER)
MOVED = Identity("clerk", "11330109MB0000003C", "330109", frozenset({Role.APPLICANT}))


@pytest.mark.parametrize(
    ("who", "code"),
    [
        (CLERK, None),
        (HEAD, None),
        (CITY, None),
        (COLLEAGUE, "FORBIDDEN"),
        (AUDITOR, "FORBIDDEN"),
        (RIVAL, "WAREHOUSE_NOT_FOUND"),
        (MOVED, "FORBIDDEN"),
        (LENDING, "WAREHOUSE_NOT_FOUND"),
    ],
)
async def test_who_may_change_what_a_clerk_made_for_the_unit(office: Office, who: Identity, code: str | None) -> None:
    id_ = await office.create(CLERK, "UNIT")
    for answer in (
        await office.change(id_, by=who, name="改名"),
        await office.retire(id_, 2 if code is None else 1, who),
    ):
        assert codes(answer) == ([] if code is None else [code])


async def test_an_officer_of_the_region_changes_what_the_region_made(office: Office) -> None:
    id_ = await office.create(KEEPER, "REGION")
    assert codes(await office.change(id_, by=LENDING, name="改名")) == []
    assert codes(await office.change(id_, 2, BORROWING, name="改名")) == ["WAREHOUSE_NOT_FOUND"]


async def test_nobody_shares_more_widely_than_their_role_does(office: Office) -> None:
    id_ = await office.create(CLERK, "UNIT")
    assert codes(await office.change(id_, by=HEAD, scope="ALL")) == ["SCOPE_TOO_WIDE"]
    assert codes(await office.change(id_, by=CITY, scope="ALL")) == []
    assert codes(await office.change(id_, 2, HEAD, name="改名")) == [], "the scope stays as the city's officer set it"
    assert await office.warehouses.by_ids(RIVAL, [id_])


async def test_narrowing_leaves_what_builds_on_it(office: Office) -> None:
    inner = await office.create(CLERK, "UNIT", filter=DEAR)
    await office.change(inner, by=CITY, scope="ALL")
    outer = await office.create(RIVAL, "UNIT", filter=None, unionWith=[inner])
    assert codes(await office.change(inner, 2, CLERK, scope="UNIT")) == []
    assert not await office.warehouses.by_ids(RIVAL, [inner])
    assert await rule_of(office, outer) == DEAR
    assert codes(await office.change(outer, by=RIVAL, name="改名")) == [], "a reference that stands is not judged again"


async def test_a_circle_is_refused_however_long(office: Office) -> None:
    a = await office.create()
    b = await office.create(filter=None, unionWith=[a])
    c = await office.create(filter=None, unionWith=[b])
    for reference in (a, b, c):
        assert codes(await office.change(a, without=[reference])) == ["RULE_CIRCULAR"]
    assert codes(await office.change(c, without=[a])) == [], "two ways to one are no circle"


async def test_two_changes_at_once_close_no_circle(office: Office) -> None:
    a, b = await office.create(), await office.create()
    answers = await asyncio.gather(office.change(a, without=[b]), office.change(b, without=[a]))
    assert sorted(codes(answer) for answer in answers) == [[], ["RULE_CIRCULAR"]]


async def test_what_builds_on_it_stays_within_its_bounds(office: Office) -> None:
    many = {"or": [{"name": {"eq": str(number)}} for number in range(CONDITIONS_MAX // 2 + 1)]}
    a = await office.create()
    await office.create(filter=None, unionWith=[a], without=[a])
    assert codes(await office.change(a, filter=many)) == ["DEPENDENT_TOO_LARGE"]
    twice = {"or": [many, many]}
    assert codes(await office.change(a, filter=twice)) == ["RULE_TOO_LARGE"]


async def test_a_rule_may_not_be_emptied(office: Office) -> None:
    id_ = await office.create()
    assert codes(await office.change(id_, filter=None)) == ["RULE_EMPTY"]
    assert codes(await office.change(id_, filter=None, unionWith=["vw:city-store"])) == []


async def test_what_others_build_on_is_not_retired_and_only_visible_ones_are_named(office: Office) -> None:
    inner = await office.create(CLERK, "UNIT")
    await office.create(HEAD, "UNIT", name="看得见", filter=None, unionWith=[inner])
    hidden = await office.create(CITY, "CITY", name="看不见", filter=None, unionWith=[inner])
    assert codes(await office.change(hidden, scope="REGION")) == []
    refused = await office.retire(inner, by=CLERK)
    assert codes(refused) == ["WAREHOUSE_IN_USE"]
    assert refused.problems[0].params == {"count": "2", "names": "看得见"}


async def test_a_retired_one_is_gone_but_for_its_history(office: Office) -> None:
    id_ = await office.create(CLERK, "UNIT")
    key = office.key()
    first = await office.commands.retire(CLERK, key, id_, {"expectedVersion": 1})
    assert codes(first) == []
    assert await office.commands.retire(CLERK, key, id_, {"expectedVersion": 1}) == first
    assert not await office.warehouses.by_ids(CITY, [id_])
    assert codes(await office.change(id_, 2, name="又来")) == ["WAREHOUSE_NOT_FOUND"]
    assert codes(
        await office.commands.create(CITY, office.key(), {"name": "x", "scope": "ALL", "unionWith": [id_]})
    ) == ["WAREHOUSE_NOT_FOUND"]
    assert [one.change for one in await office.warehouses.history(id_, 5)] == ["RETIRED", "CREATED"]


async def test_retiring_and_building_upon_it_at_once(office: Office) -> None:
    inner = await office.create()
    body = {"name": "新", "scope": "ALL", "unionWith": [inner]}
    retired, made = await asyncio.gather(office.retire(inner), office.commands.create(CITY, "race", body))
    assert sorted([codes(retired), codes(made)]) in ([[], ["WAREHOUSE_IN_USE"]], [[], ["WAREHOUSE_NOT_FOUND"]])


async def test_built_in_ones_stay(office: Office) -> None:
    assert codes(await office.change("vw:city-store", name="x")) == ["WAREHOUSE_BUILT_IN"]
    assert codes(await office.retire("vw:city-store")) == ["WAREHOUSE_BUILT_IN"]


async def test_a_repeat_gives_the_first_result_and_changes_nothing_more(office: Office) -> None:
    id_ = await office.create()
    body = {"expectedVersion": 1, "name": "改名"}
    first = await office.commands.change(CITY, "again", id_, body)
    assert await office.commands.change(CITY, "again", id_, body) == first
    assert codes(await office.commands.change(CITY, "again", id_, {**body, "name": "别的"})) == [
        "IDEMPOTENCY_KEY_REUSED"
    ]
    assert len(await office.warehouses.history(id_, 10)) == 2


async def test_history_tells_who_and_when_and_the_audit_log_what(office: Office) -> None:
    id_ = await office.create(CLERK, "UNIT")
    await office.change(id_, by=HEAD, filter=DEAR)
    await office.change(id_, by=RIVAL, filter=DEAR)
    newest, oldest = await office.warehouses.history(id_, 10)
    assert (newest.person, newest.definition.filter, newest.version) == ("head", DEAR, 2)
    assert (oldest.person, oldest.change) == ("clerk", "CREATED")
    assert newest.at > oldest.at
    logged = [(row["person"], row["data"]) for row in await office.rows(tables.audit_log) if row["subject"] == id_]
    assert logged == [
        ("clerk", {"command": "CREATE_WAREHOUSE", "changed": ["filter", "name", "scope"]}),
        ("head", {"command": "CHANGE_WAREHOUSE", "changed": ["filter"]}),
    ]
