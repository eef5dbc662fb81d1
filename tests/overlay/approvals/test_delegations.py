"""An office that is lent is held by the delegate, in its days, for its steps, and never for one's own order."""

from __future__ import annotations

from typing import Any

from contract.identity import Identity, Role
from tests.overlay.city import BORROWER, CLERK, HEAD, LENDING, City, ManualClock, days, someone
from tests.overlay.conftest import Api
from tests.overlay.test_api import APPLY

STANDIN = someone("stand-in", Role.APPLICANT, unit="11330113MB0000009D", region="330113")
LEND = """mutation ($key: String!, $to: String!, $range: DateRangeInput!) {
  lendOffice(input: { idempotencyKey: $key, delegate: $to, range: $range, reason: "出差" }) {
    delegation { id person delegate range { from to } revokedAt } problems { code } } }"""
APPROVE = """mutation ($key: String!, $order: ID!, $for: String) {
  approveOrder(input: { idempotencyKey: $key, orderId: $order, onBehalfOf: $for }) {
    order { state approvals { office state decidedBy onBehalfOf } } problems { code } } }"""
INBOX = "{ inbox { nodes { id allowed } } }"


async def lend(api: Api, by: Identity, to: str, window: Any, key: str = "lend") -> Any:
    return (await api.data(LEND, by, key=key, to=to, range=window))["lendOffice"]


async def applied(api: Api, city: City, by: Identity = CLERK) -> str:
    answer = await api.data(APPLY, by, input={"idempotencyKey": f"apply-{by.person}", "purpose": "会议", "range": days(1, 7),
                            "lines": [{"assetId": city.add_asset(f"p-{by.person}")}]})  # fmt: skip
    order: str = answer["applyLoan"]["order"]["id"]
    return order


async def test_a_delegate_decides_in_their_own_name_on_behalf_of_the_lender(api: Api, city: City) -> None:
    order = await applied(api, city)
    assert (await api.data(INBOX, STANDIN))["inbox"]["nodes"] == []
    lent = await lend(api, HEAD, "stand-in", days(0, 10))
    assert lent["problems"] == [] and lent["delegation"]["person"] == "head"
    waiting = (await api.data(INBOX, STANDIN))["inbox"]["nodes"]
    assert [one["id"] for one in waiting] == [order]
    assert {"APPROVE", "REJECT", "RETURN_FOR_CORRECTION"} == set(waiting[0]["allowed"])
    decided = (await api.data(APPROVE, STANDIN, key="a", order=order, **{"for": "head"}))["approveOrder"]
    assert decided["problems"] == []
    assert decided["order"]["approvals"][0] | {"office": "UNIT_HEAD"} == {
        "office": "UNIT_HEAD",
        "state": "APPROVED",
        "decidedBy": "stand-in",
        "onBehalfOf": None,  # personal data of a unit that is not the delegate's own
    }
    seen = (await api.data("query ($id: ID!) { order(id: $id) { approvals { onBehalfOf } } }", HEAD, id=order))["order"]
    assert seen["approvals"][0]["onBehalfOf"] == "head"
    assert (await api.data(INBOX, STANDIN))["inbox"]["nodes"] == [], "the next step is another office's"


async def test_without_saying_so_or_outside_the_days_nothing_is_lent(api: Api, city: City, clock: ManualClock) -> None:
    order = await applied(api, city)
    await lend(api, HEAD, "stand-in", days(1, 2))
    early = (await api.data(APPROVE, STANDIN, key="a", order=order, **{"for": "head"}))["approveOrder"]
    assert early["problems"][0]["code"] == "NOT_DELEGATED"
    clock.advance(days=1)
    silent = (await api.data(APPROVE, STANDIN, key="b", order=order))["approveOrder"]
    assert silent["problems"][0]["code"] in {"FORBIDDEN", "NOT_FOUND"}
    again = (await api.data(APPROVE, STANDIN, key="a", order=order, **{"for": "head"}))["approveOrder"]
    assert again["problems"] == [], "a refusal by the calendar is not kept"


async def test_what_was_taken_back_is_not_held(api: Api, city: City) -> None:
    order = await applied(api, city)
    id_ = (await lend(api, HEAD, "stand-in", days(0, 10)))["delegation"]["id"]
    revoke = "mutation ($id: ID!, $key: String!) { revokeOffice(input: { idempotencyKey: $key, id: $id }) { problems { code } } }"
    other = (await api.data(revoke, STANDIN, id=id_, key="r"))["revokeOffice"]
    assert other["problems"][0]["code"] == "DELEGATION_NOT_FOUND", "only the lender takes it back"
    assert (await api.data(revoke, HEAD, id=id_, key="r"))["revokeOffice"]["problems"] == []
    assert (await api.data(revoke, HEAD, id=id_, key="r"))["revokeOffice"]["problems"] == [], "the key's first result"
    refused = (await api.data(APPROVE, STANDIN, key="a", order=order, **{"for": "head"}))["approveOrder"]
    assert refused["problems"][0]["code"] == "NOT_DELEGATED"


async def test_nobodys_own_order_is_decided_by_delegation(api: Api, city: City) -> None:
    """Neither the delegate's, nor the lender's by way of the delegate."""
    theirs = await applied(api, city)
    await lend(api, HEAD, "clerk", days(0, 10))
    own = (await api.data(APPROVE, CLERK, key="a", order=theirs, **{"for": "head"}))["approveOrder"]
    assert own["problems"][0]["code"] == "OWN_ORDER"
    heads = await applied(api, city, HEAD)
    lenders = (await api.data(APPROVE, CLERK, key="b", order=heads, **{"for": "head"}))["approveOrder"]
    assert lenders["problems"][0]["code"] == "OWN_ORDER"
    assert (await api.data(INBOX, CLERK))["inbox"]["nodes"] == []


async def test_a_delegate_lends_nothing_on_and_sees_no_other_orders(api: Api, city: City) -> None:
    order = await applied(api, city)
    await lend(api, LENDING, "stand-in", days(0, 10))
    onward = await lend(api, STANDIN, "friend", days(0, 10))
    assert onward["problems"][0]["code"] == "FORBIDDEN"
    outsider = someone("outsider", Role.APPLICANT, unit=BORROWER, region="330182")
    assert (await api.data(INBOX, outsider))["inbox"]["nodes"] == []
    by_id = await api.data("query ($id: ID!) { order(id: $id) { id } }", STANDIN, id=order)
    assert by_id["order"] is not None, "it has a step of the lent office"


async def test_bad_input_is_refused_with_its_place(api: Api) -> None:
    for window, code in ((days(-1, 3), "INVALID_RANGE"), (days(0, 200), "DELEGATION_TOO_LONG")):
        refused = await lend(api, HEAD, "stand-in", window, key=code)
        assert refused["problems"][0]["code"] == code and refused["delegation"] is None
    assert (await lend(api, HEAD, "head", days(0, 3), key="self"))["problems"][0]["code"] == "INVALID_DELEGATE"
