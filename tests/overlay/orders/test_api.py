"""The flows behind GraphQL, as clerks and offices see them."""

from __future__ import annotations

from tests.overlay.city import (
    BORROWING,
    BORROWING_FINANCE,
    BORROWING_KEEPER,
    CLERK,
    HEAD,
    KEEPER,
    LENDING,
    LENDING_FINANCE,
    OWNER_CLERK,
    OWNER_HEAD,
    City,
    days,
)
from tests.overlay.conftest import Api
from tests.overlay.orders.steps import Counter


async def test_a_reallocation_over_graphql(api: Api, city: City) -> None:
    give, asset = Counter(api), city.add_asset("p1")
    order = await give(CLERK, "applyReallocation", purpose="缺投影仪", lines=[{"assetId": asset}])
    assert (order["flow"], order["lines"][0]["quota"], order["allowed"]) == ("REALLOCATION", "NO_DATA", ["WITHDRAW"])
    order = await give.approved(order, HEAD, OWNER_HEAD, LENDING, BORROWING, LENDING_FINANCE, BORROWING_FINANCE)
    assert (await give(KEEPER, "dispatchOrder", orderId=order["id"]))["allowed"] == []
    order = await give(BORROWING_KEEPER, "arriveOrder", orderId=order["id"])
    assert order["allowed"] == ["RECEIVE", "RETURN_TO_OWNER"]
    order = await give(CLERK, "receiveOrder", orderId=order["id"])
    (successor,) = order["lines"][0]["successors"]
    assert (order["state"], successor["id"].split(":")[1]) == ("DONE", "330105")


async def test_an_extension_and_a_compensation_over_graphql(api: Api, city: City) -> None:
    give, asset = Counter(api), city.add_asset("p1")
    order = await give(
        CLERK, "applyLoan", range=days(1, 7), purpose="会议", lines=[{"assetId": asset}], acceptPartial=True
    )
    assert order["acceptsPartial"] is True
    order = await give.approved(order, HEAD, LENDING, BORROWING)
    await give(KEEPER, "dispatchOrder", orderId=order["id"])
    order = await give(CLERK, "receiveOrder", orderId=order["id"])
    order = await give(CLERK, "extendLoan", orderId=order["id"], to=days(1, 9)["to"], reason="延会")
    assert order["extensions"] == [{"number": 1, "to": "2026-12-11", "state": "ASKED"}]
    inbox = await api.data("{ inbox { nodes { id state allowed } } }", HEAD)
    assert inbox["inbox"]["nodes"] == [
        {"id": order["id"], "state": "EXTENDING", "allowed": ["RETURN_GOODS", "APPROVE", "REJECT", "WITHDRAW"]}
    ]
    order = await give.approved(order, HEAD, LENDING)
    assert (order["state"], order["lines"][0]["due"]) == ("LENT", "2026-12-11")
    back = await give(CLERK, "returnGoods", orderId=order["id"])
    line = back["lines"][0]["id"]
    found = [{"lineId": line, "outcome": "COMPENSATION", "amount": "1200.50"}]
    back = await give(KEEPER, "inspectReturn", orderId=back["id"], lines=found)
    back = await give.approved(back, LENDING)
    seen = await api.data("query O($id: ID!) { order(id: $id) { allowed } }", HEAD, id=back["id"])
    assert (back["state"], seen["order"]["allowed"]) == ("TO_COMPENSATE", ["AGREE_COMPENSATION"])
    await give(HEAD, "agreeCompensation", orderId=back["id"])
    back = await give(LENDING_FINANCE, "settleCompensation", orderId=back["id"], reference="2026-77")
    assert back["lines"][0]["compensation"] == {"amount": "1200.50", "agreedBy": None, "reference": "2026-77"}
    seen = await api.data(
        "query O($id: ID!) { order(id: $id) { lines { compensation { agreedBy } } } }", CLERK, id=back["id"]
    )
    assert seen["order"]["lines"] == [{"compensation": {"agreedBy": "head"}}], "personal data, for the own unit"


async def test_a_line_by_class_and_quantity_finds_its_assets(api: Api, city: City) -> None:
    give = Counter(api)
    desk_class = {"scheme": "2022", "code": "A05010100"}
    batch = city.add_asset("desks", quantity="30", **{"class": desk_class})
    named = city.add_asset("projector")
    want = {"classCode": "A0501", "quantity": "20"}
    lines = [{"want": want}, {"assetId": named}]
    order = await give(CLERK, "applyLoan", range=days(1, 7), purpose="会议", lines=lines)
    assert [(line["assetId"], line["quantity"], line["want"]) for line in order["lines"]] == [
        (batch, "20", 0), (named, "1", None),
    ]  # fmt: skip
    assert order["wants"] == [{"classCode": "A0501", "quantity": "20", "specification": None}]
    none = await give.ask(CLERK, "applyReallocation", purpose="开会", lines=[{"want": want}])
    assert [(one["code"], one["path"]) for one in none["problems"]] == [("NOT_ENOUGH", ["lines", "0"])]
    both = {"want": want, "assetId": named}
    unclear = await give.ask(CLERK, "applyLoan", range=days(20, 7), purpose="会议", lines=[both])
    assert [one["code"] for one in unclear["problems"]] == ["LINE_UNCLEAR"]
    beside = {"want": want, "quantity": "20"}
    unclear = await give.ask(CLERK, "applyLoan", range=days(20, 7), purpose="会议", lines=[beside])
    assert [(one["code"], one["path"]) for one in unclear["problems"]] == [("LINE_UNCLEAR", ["lines", "0"])]
    unclear = await give.ask(
        OWNER_CLERK, "surrenderAssets", purpose="x", ground="OVER_STANDARD", titleClear=True, lines=[{"want": want}]
    )
    assert [one["code"] for one in unclear["problems"]] == ["LINE_UNCLEAR"]


async def test_of_a_want_a_part_is_taken_where_its_line_accepts_one(api: Api, city: City) -> None:
    give = Counter(api)
    desk_class = {"scheme": "2022", "code": "A05010100"}
    batch = city.add_asset("desks", quantity="30", **{"class": desk_class})
    much, other = {"classCode": "A0501", "quantity": "40"}, {"classCode": "A0601", "quantity": "1"}
    lines = [{"want": much, "acceptPartial": True}, {"want": other}]
    refused = await give.ask(CLERK, "applyLoan", range=days(1, 7), purpose="会议", lines=lines)
    assert [(one["code"], one["path"]) for one in refused["problems"]] == [("NOT_ENOUGH", ["lines", "1"])]
    order = await give(CLERK, "applyLoan", range=days(1, 7), purpose="会议", lines=lines[:1])
    assert [(line["assetId"], line["quantity"]) for line in order["lines"]] == [(batch, "30")]


async def test_surrender_and_repair_over_graphql(api: Api, city: City) -> None:
    give = Counter(api)
    idle, broken = city.add_asset("a", status="IDLE"), city.add_asset("b")
    order = await give(
        OWNER_CLERK, "surrenderAssets", purpose="闲置", ground="IDLE", since="2026-01-01", titleClear=True,
        lines=[{"assetId": idle}],
    )  # fmt: skip
    assert order["ground"] == "IDLE"
    order = await give.approved(order, OWNER_HEAD, LENDING, KEEPER)
    found = [{"lineId": order["lines"][0]["id"], "outcome": "PASSED", "finding": "完好"}]
    await give(KEEPER, "appraiseSurrender", orderId=order["id"], lines=found)
    order = await give(KEEPER, "storeSurrender", orderId=order["id"])
    assert (order["state"], order["lines"][0]["appraisal"]) == ("DONE", "完好")
    lines = [{"assetId": broken, "estimate": "900.00"}]
    order = await give.approved(await give(OWNER_CLERK, "applyRepair", purpose="不亮", lines=lines), KEEPER)
    line = order["lines"][0]["id"]
    found = [{"lineId": line, "outcome": "NEEDS_REPAIR", "cost": "850.00"}]
    await give(KEEPER, "diagnoseRepair", orderId=order["id"], lines=found)
    await give(KEEPER, "finishRepair", orderId=order["id"])
    order = await give(KEEPER, "inspectOrder", orderId=order["id"], lines=[{"lineId": line, "outcome": "PASSED"}])
    assert (order["state"], order["lines"][0]["estimate"], order["lines"][0]["cost"]) == ("DONE", "900.00", "850.00")


async def test_a_notice_over_graphql(api: Api, city: City) -> None:
    give, asset = Counter(api), city.add_asset("a", condition="BEYOND_REPAIR")
    order = await give(OWNER_CLERK, "applyDisposal", purpose="报废", lines=[{"assetId": asset}])
    assert (order["state"], order["noticeUntil"]) == ("PUBLIC_NOTICE", "2026-12-08")
    seen = await api.data("{ orders { nodes { state allowed applicant { person } } } }", CLERK)
    assert seen["orders"]["nodes"] == [{"state": "PUBLIC_NOTICE", "allowed": ["OBJECT"], "applicant": {"person": None}}]
    refused = await give.ask(CLERK, "objectToNotice", orderId=order["id"], reason=" ")
    assert [one["code"] for one in refused["problems"]] == ["INVALID_TEXT"]
    await give.ask(CLERK, "objectToNotice", orderId=order["id"], reason="我单位可用")
    seen = await api.data("{ orders { nodes { state } } }", OWNER_CLERK)
    assert seen["orders"]["nodes"] == [{"state": "RETURNED"}]
    gift = await give(OWNER_CLERK, "applyDonation", purpose="捐赠", recipient="小学", lines=[{"assetId": asset}])
    assert gift["recipient"] == "小学"


async def test_the_rest_of_a_loan_is_given_up_over_graphql(api: Api, city: City) -> None:
    give, lines = Counter(api), [{"assetId": city.add_asset(name)} for name in ("here", "lost")]
    order = await give(CLERK, "applyLoan", range=days(1, 7), purpose="会议", lines=lines)
    order = await give.approved(order, HEAD, LENDING, BORROWING)
    here, lost = (line["id"] for line in order["lines"])
    order = await give(KEEPER, "dispatchOrder", orderId=order["id"], lines=[{"lineId": here}])
    assert order["allowed"] == ["DISPATCH", "GIVE_UP_REST"]
    rest = {"orderId": order["id"], "lines": [{"lineId": lost, "quantity": "1"}]}
    order = await give(KEEPER, "giveUpRest", **rest, reason="库内找不到")
    given = [(line["asked"], line["quantity"], line["refusal"]) for line in order["lines"]]
    assert (order["state"], given) == ("IN_TRANSIT", [("1", "1", None), ("1", "0", "GIVEN_UP")])
    early = await give.ask(CLERK, "giveUpRest", orderId=order["id"], reason="x")
    assert [one["code"] for one in early["problems"]] == ["NOT_ALLOWED_IN_STATE"]
    assert "放弃剩余" in early["problems"][0]["message"]
