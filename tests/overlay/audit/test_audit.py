"""Every command and every read of somebody else's personal data is in the log before the answer leaves."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from overlay.store.database import Database
from tests.overlay.approvals.test_delegations import applied, lend
from tests.overlay.city import AUDITOR, BORROWING, CITY, CLERK, HEAD, LENDING, RIVAL, City, days
from tests.overlay.conftest import Api

LOG = """query ($filter: AuditFilter, $first: Int! = 50, $after: String) {
  auditLog(filter: $filter, first: $first, after: $after) {
    nodes { person regionCode action subject detail } pageInfo { hasNextPage endCursor } } }"""
PERSONS = "query ($id: ID!) { order(id: $id) { applicant { person } timeline { person } } }"


async def log(api: Api, by: Any = AUDITOR, **filter_: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.data(LOG, by, filter=filter_))["auditLog"]["nodes"]
    return found


async def reads(api: Api, order: str) -> list[str]:
    return [row["person"] for row in await log(api, subject=order, actions=["READ_PERSONAL"])]


async def test_a_read_of_somebody_elses_name_is_recorded(api: Api, city: City) -> None:
    order = await applied(api, city)
    assert await reads(api, order) == []
    shown = await api.data(PERSONS, HEAD, id=order)
    assert shown["order"]["applicant"]["person"] == "clerk"
    assert await reads(api, order) == ["head"]


async def test_own_names_and_hidden_ones_are_no_reads(api: Api, city: City) -> None:
    order = await applied(api, city)
    await api.data(PERSONS, CLERK, id=order)
    hidden = await api.data(PERSONS, LENDING, id=order)
    assert hidden["order"]["applicant"]["person"] is None
    await api.data("query ($id: ID!) { order(id: $id) { id } }", RIVAL, id=order)
    assert await reads(api, order) == []


async def test_names_that_cannot_be_recorded_are_not_told(api: Api, city: City, url: str) -> None:
    order = await applied(api, city)
    database = Database(url)
    async with database.write() as connection:
        await connection.execute(text("DROP TABLE audit_log"))
    await database.close()
    answer = await api(PERSONS, HEAD, id=order)
    assert answer["data"] is None and answer["errors"][0]["extensions"]["code"] == "NOT_RECORDED"
    assert (await api.data(PERSONS, CLERK, id=order))["order"] is not None, (
        "who reads only their own name is not held up"
    )


async def test_commands_and_refusals_are_recorded(api: Api) -> None:
    lent = await lend(api, HEAD, "stand-in", days(0, 10))
    await lend(api, HEAD, "stand-in", days(0, 10))
    await lend(api, HEAD, "head", days(0, 10), key="self")
    rows = await log(api, person="head")
    assert [(row["action"], row["subject"]) for row in rows] == [
        ("REFUSED", "-"),
        ("COMMAND", lent["delegation"]["id"]),
    ], "a repeated key is no second command"
    assert "INVALID_DELEGATE" in rows[0]["detail"] and "stand-in" in rows[1]["detail"]


async def test_commands_on_orders_are_recorded_with_their_order(api: Api, city: City) -> None:
    order = await applied(api, city)
    approve = 'mutation ($o: ID!) { approveOrder(input: { idempotencyKey: "a", orderId: $o }) { problems { code } } }'
    await api.data(approve, CLERK, o=order)
    await api.data(approve, HEAD, o=order)
    rows = [
        (row["person"], row["action"], row["detail"])
        for row in await log(api, subject=order, actions=["COMMAND", "REFUSED"])
    ]
    assert [(person, action) for person, action, _ in rows] == [
        ("head", "COMMAND"), ("clerk", "REFUSED"), ("clerk", "COMMAND"),
    ]  # fmt: skip
    assert "FORBIDDEN" in rows[1][2] and "APPLY" in rows[2][2]


async def test_who_may_read_the_log(api: Api, city: City) -> None:
    await lend(api, HEAD, "stand-in", days(0, 10))
    await lend(api, LENDING, "stand-in", days(0, 10), key="other")
    for role in (CLERK, HEAD):
        refused = await api(LOG, role)
        assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await api(LOG))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert {row["regionCode"] for row in await log(api, BORROWING)} == {"330105"}
    assert {row["regionCode"] for row in await log(api, CITY)} >= {"330105", "330106"}
    assert [row["person"] for row in await log(api, subject="audit-log", actions=["READ_PERSONAL"])] != []


async def test_the_log_is_paged_from_its_end(api: Api) -> None:
    for number in range(5):
        await lend(api, HEAD, "stand-in", days(0, 3), key=f"k{number}")
    seen: list[str] = []
    after = None
    while True:
        found = (await api.data(LOG, AUDITOR, filter={"person": "head"}, first=2, after=after))["auditLog"]
        seen += [row["subject"] for row in found["nodes"]]
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = found["pageInfo"]["endCursor"]
    assert len(seen) == len(set(seen)) == 5
