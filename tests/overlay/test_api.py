"""The overlay behind GraphQL, as the gateway and the office see it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, event

from contract.identity import Identity, Role
from contract.rules import RuleVerifier
from tests.overlay.city import (
    AUDITOR,
    BORROWER,
    BORROWING,
    CITY,
    CLERK,
    HEAD,
    KEEPER,
    LENDING,
    OWNER,
    RIVAL,
    RULE,
    City,
    days,
    someone,
)
from tests.overlay.conftest import Api

ORDER = """
order { id number flow state settlement overdue allowed applicant { regionCode unit person }
  range { from to lastDay } lines { id assetId asset { id } quantity hold lendingRegion }
  approvals { position office state clause decidedBy } timeline { command fromState toState person } }
problems { code path message remedy }
"""
APPLY = f"mutation A($input: ApplyLoanInput!) {{ applyLoan(input: $input) {{ {ORDER} }} }}"


def application(asset: str, key: str = "k-1") -> dict[str, Any]:
    return {"idempotencyKey": key, "range": days(1, 7), "purpose": "会议", "lines": [{"assetId": asset}]}


async def command(api: Api, name: str, by: Identity, **fields: Any) -> Any:
    type_ = name[0].upper() + name[1:] + "Input"
    query = f"mutation C($input: {type_}!) {{ {name}(input: $input) {{ {ORDER} }} }}"
    return (await api.data(query, by, input=fields))[name]


async def test_a_loan_over_graphql(api: Api, city: City) -> None:
    asset = city.add_asset("p1")
    payload = (await api.data(APPLY, CLERK, input=application(asset)))["applyLoan"]
    assert payload["problems"] == []
    order = payload["order"]
    assert order["range"] == {"from": "2026-12-02", "to": "2026-12-09", "lastDay": "2026-12-08"}
    assert (order["state"], order["settlement"], order["lines"][0]["hold"]) == ("IN_APPROVAL", "SETTLED", "ACTIVE")
    assert order["lines"][0]["asset"] == {"id": asset}
    assert order["allowed"] == ["WITHDRAW"]
    assert all(step["clause"] for step in order["approvals"])
    inbox = await api.data("{ inbox { totalCount nodes { id allowed } } }", HEAD)
    assert inbox["inbox"] == {
        "totalCount": 1,
        "nodes": [{"id": order["id"], "allowed": ["APPROVE", "REJECT", "RETURN_FOR_CORRECTION", "WITHDRAW"]}],
    }
    for number, officer in enumerate((HEAD, LENDING, BORROWING)):
        payload = await command(api, "approveOrder", officer, idempotencyKey=f"a{number}", orderId=order["id"])
        assert payload["problems"] == []
    assert payload["order"]["state"] == "TO_DISPATCH"
    payload = await command(api, "dispatchOrder", KEEPER, idempotencyKey="d", orderId=order["id"])
    payload = await command(api, "receiveOrder", CLERK, idempotencyKey="r", orderId=order["id"])
    assert (payload["order"]["state"], payload["order"]["allowed"]) == ("LENT", ["RETURN_GOODS", "EXTEND"])
    payload = await command(api, "returnGoods", CLERK, idempotencyKey="g", orderId=order["id"])
    back = payload["order"]
    assert (back["flow"], back["state"]) == ("RETURN", "TO_INSPECT")
    lines = [{"lineId": back["lines"][0]["id"], "outcome": "PASSED"}]
    payload = await command(api, "inspectReturn", KEEPER, idempotencyKey="i", orderId=back["id"], lines=lines)
    assert (payload["problems"], payload["order"]["state"]) == ([], "DONE")
    seen = await api.data(
        "query Q($id: ID!) { order(id: $id) { state returns { id loan { id } } timeline { toState } } }",
        CLERK,
        id=order["id"],
    )
    assert seen["order"]["returns"] == [{"id": back["id"], "loan": {"id": order["id"]}}]
    assert [entry["toState"] for entry in seen["order"]["timeline"]] == [
        "DRAFT", "IN_APPROVAL", "IN_APPROVAL", "IN_APPROVAL", "APPROVED", "TO_DISPATCH", "IN_TRANSIT", "LENT",
        "RETURNING", "DONE",
    ]  # fmt: skip
    page = "query L($id: ID!, $after: String) { ledgerEntries(assetId: $id, first: 4, after: $after) { nodes { sequence quantity account { custody } } pageInfo { hasNextPage endCursor } } }"
    sequences, after = [], None
    while True:
        entries = (await api.data(page, AUDITOR, id=asset, after=after))["ledgerEntries"]
        sequences += [entry["sequence"] for entry in entries["nodes"]]
        after = entries["pageInfo"]["endCursor"]
        if not entries["pageInfo"]["hasNextPage"]:
            break
    assert sequences == list(range(1, 11))


async def test_each_mutation_of_a_request_shows_what_it_did(api: Api, city: City) -> None:
    payload = await api.data(APPLY, CLERK, input=application(city.add_asset("p1")))
    id_ = payload["applyLoan"]["order"]["id"]
    shown = "order { state timeline { command } }"
    both = await api.data(
        f"""mutation B($approve: ApproveOrderInput!, $withdraw: WithdrawOrderInput!) {{
          approveOrder(input: $approve) {{ {shown} }} withdrawOrder(input: $withdraw) {{ {shown} }} }}""",
        HEAD,
        approve={"idempotencyKey": "a", "orderId": id_},
        withdraw={"idempotencyKey": "w", "orderId": id_},
    )
    first, second = both["approveOrder"]["order"], both["withdrawOrder"]["order"]
    assert [entry["command"] for entry in first["timeline"]] == ["APPLY", "APPLY", "APPROVE"]
    assert (second["state"], second["timeline"][-1]["command"]) == ("WITHDRAWN", "WITHDRAW")


async def test_orders_are_for_the_units_and_regions_concerned(api: Api, city: City) -> None:
    asset = city.add_asset("p1")
    order = (await api.data(APPLY, CLERK, input=application(asset)))["applyLoan"]["order"]
    query = "query Q($id: ID!) { order(id: $id) { applicant { person } } node(id: $id) { id } orders { totalCount } }"
    owner = someone("owner", Role.UNIT_OFFICER, unit=OWNER, region="330106")
    for person, sees_name in ((CLERK, True), (HEAD, True), (BORROWING, True), (CITY, True), (AUDITOR, True),
                              (LENDING, False), (KEEPER, False), (owner, False)):  # fmt: skip
        data = await api.data(query, person, id=order["id"])
        assert data["order"] == {"applicant": {"person": "clerk" if sees_name else None}}, person
        assert data["orders"]["totalCount"] == 1
    for person in (RIVAL, someone("far", Role.REGION_OFFICER, region="330182")):
        data = await api.data(query, person, id=order["id"])
        assert (data["order"], data["node"], data["orders"]["totalCount"]) == (None, None, 0)
    answer = await api("{ orders { totalCount } }")
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_refusals_speak_the_askers_language(api: Api, city: City) -> None:
    asset = city.add_asset("p1")
    body = application(asset) | {"range": days(1, 181)}
    chinese = (await api.data(APPLY, CLERK, input=body))["applyLoan"]
    english = (await api.data(APPLY, CLERK, "en", input=body))["applyLoan"]
    assert [p["code"] for p in chinese["problems"] + english["problems"]] == ["LOAN_TOO_LONG"] * 2
    assert "180" in chinese["problems"][0]["message"] and "借用" in chinese["problems"][0]["message"]
    assert english["problems"][0]["message"].startswith("A loan lasts at most 180 days")
    assert chinese["problems"][0]["path"] == ["range"]
    anonymous = (await api.data(APPLY, None, input=body))["applyLoan"]
    assert (anonymous["order"], [p["code"] for p in anonymous["problems"]]) == (None, ["SIGN_IN_REQUIRED"])
    keeper = (await api.data(APPLY, KEEPER, input=body))["applyLoan"]
    assert [p["code"] for p in keeper["problems"]] == ["FORBIDDEN"]


async def test_all_faults_of_an_application_are_named_at_once(api: Api, city: City) -> None:
    hidden = city.add_asset("hidden", shareable=False)
    mine = city.add_asset("mine", region="330105", owner={"id": "unit:330105:x", "uscc": BORROWER})
    lines = [{"assetId": hidden}, {"assetId": mine}, {"assetId": "asset:330106:none"}]
    payload = (await api.data(APPLY, CLERK, input=application(hidden) | {"lines": lines}))["applyLoan"]
    assert [(p["code"], p["path"][1]) for p in payload["problems"]] == [
        ("ASSET_NOT_AVAILABLE", "0"), ("OWN_ASSET", "1"), ("ASSET_NOT_AVAILABLE", "2"),
    ]  # fmt: skip
    wrong = application(hidden, "k-2") | {"purpose": " ", "range": {"from": "2026-11-01", "to": "2026-10-01"},
                                          "lines": [{"assetId": "x", "quantity": "0"}]}  # fmt: skip
    payload = (await api.data(APPLY, CLERK, input=wrong))["applyLoan"]
    assert [p["code"] for p in payload["problems"]] == [
        "INVALID_TEXT", "INVALID_RANGE", "INVALID_QUANTITY", "INVALID_ASSET_ID",
    ]  # fmt: skip
    answer = await api(APPLY, CLERK, input=application(hidden) | {"range": {"from": "2026-13-01", "to": "x"}})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_lent_asset_without_a_calendar_is_not_promised(api: Api, city: City) -> None:
    lent = city.add_asset("lent", status="LENT")
    payload = (await api.data(APPLY, CLERK, input=application(lent)))["applyLoan"]
    assert [p["code"] for p in payload["problems"]] == ["ASSET_NOT_AVAILABLE"]


async def test_orders_of_fifty_assets_are_one_query(api: Api, city: City) -> None:
    assets = [city.add_asset(f"a{number:02}") for number in range(50)]
    for number in range(3):
        body = application(assets[number], f"key-{number}") | {"lines": [{"assetId": a} for a in assets[number::3]]}
        assert (await api.data(APPLY, CLERK, input=body))["applyLoan"]["problems"] == []
    statements: list[str] = []

    def count(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    query = "query E($r: [_Any!]!) { _entities(representations: $r) { ... on Asset { id orders { id state lines { id } } } } }"
    keys = [{"__typename": "Asset", "id": asset} for asset in assets]
    event.listen(Engine, "before_cursor_execute", count)
    try:
        entities = (await api.data(query, CLERK, r=keys))["_entities"]
        anonymous = (await api.data(query, None, r=keys))["_entities"]
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert [entity["id"] for entity in entities] == assets
    assert all(len(entity["orders"]) == 1 for entity in entities)
    assert all(entity["orders"] == [] for entity in anonymous), "other units' holds show as busy, not by whom"
    assert len([s for s in statements if "order_lines" in s and "rank" in s]) == 2, "one for each of the two requests"
    assert len([s for s in statements if s.lstrip().startswith(("SELECT", "WITH"))]) <= 9, "lent offices are one more"


async def test_virtual_warehouses_are_seen_by_scope_and_signed(api: Api) -> None:
    listed = (await api.data("{ virtualWarehouses { nodes { id name nameEn scope builtIn } } }"))["virtualWarehouses"]
    seed = next(w for w in listed["nodes"] if w["nameEn"] == "Idle desks and computers, whole city")
    assert (seed["name"], seed["builtIn"]) == ("全市闲置桌椅和电脑", True)
    query = """query V($id: ID!, $w: DateRangeInput) { virtualWarehouse(id: $id, window: $w) {
        id warehouse { id ruleText } window { from to lastDay } rule } }"""
    view = (await api.data(query, None, id=seed["id"], w=days(0, 7)))["virtualWarehouse"]
    rule = RuleVerifier(RULE[1]).verify(view["rule"]["token"])
    assert (rule.window, rule.regions, view["rule"]["regions"]) == (("2026-12-01", "2026-12-08"), None, None)
    assert rule.filter == {"status": {"eq": "IDLE"}, "class": {"under": ["A020101", "A0501"]}}
    again = await api.data(
        "query E($r: [_Any!]!) { _entities(representations: $r) { ... on VirtualWarehouseView { id window { from } rule } } }",
        r=[
            {"__typename": "VirtualWarehouseView", "id": view["id"]},
            {"__typename": "VirtualWarehouseView", "id": "view:none:always"},
        ],
    )
    assert again["_entities"][0]["window"] == {"from": "2026-12-01"}
    assert again["_entities"][1] is None
    other = (await api.data(query, None, id=seed["id"], w=days(0, 8)))["virtualWarehouse"]
    assert other["id"] != view["id"], "two windows never overwrite each other in a client's cache"


async def test_a_warehouse_is_made_of_others_and_shared_by_scope(api: Api) -> None:
    create = """mutation C($input: CreateVirtualWarehouseInput!) { createVirtualWarehouse(input: $input) {
        virtualWarehouse { id ruleText view { id rule } } problems { code path message } } }"""
    body = {
        "idempotencyKey": "v1", "name": "西湖电脑", "scope": "UNIT",
        "filter": {"region": {"eq": "330106"}, "not": {"condition": {"in": ["BEYOND_REPAIR"]}}},
        "intersectWith": ["vw:lendable-equipment"], "without": ["vw:meeting-and-event"],
    }  # fmt: skip
    made = (await api.data(create, CLERK, input=body))["createVirtualWarehouse"]
    assert made["problems"] == []
    id_, rule = made["virtualWarehouse"]["id"], made["virtualWarehouse"]["view"]["rule"]
    verified = RuleVerifier(RULE[1]).verify(rule["token"])
    assert (rule["regions"], verified.regions) == (["330106"], ("330106",)), "no other member need be asked"
    signed = verified.filter
    assert signed["and"][0] == body["filter"]
    assert signed["and"][2] == {"not": {"source": {"eq": "EVENT"}, "shareable": True}}
    again = (await api.data(create, CLERK, input=body))["createVirtualWarehouse"]
    assert again["virtualWarehouse"]["id"] == id_
    changed = (await api.data(create, CLERK, input=body | {"name": "别的"}))["createVirtualWarehouse"]
    assert [p["code"] for p in changed["problems"]] == ["IDEMPOTENCY_KEY_REUSED"]
    query = "query Q($id: ID!) { virtualWarehouse(id: $id) { id } node(id: $id) { id } }"
    for person, sees in ((CLERK, True), (HEAD, True), (CITY, True), (RIVAL, False), (None, False)):
        data = await api.data(query, person, id=id_)
        assert (data["virtualWarehouse"] is not None, data["node"] is not None) == (sees, sees)
    for who, wrong, code in (
        (CLERK, {"scope": "ALL"}, "SCOPE_TOO_WIDE"),
        (AUDITOR, {}, "FORBIDDEN"),
        (CLERK, {"without": ["vw:none"]}, "WAREHOUSE_NOT_FOUND"),
        (RIVAL, {"without": [id_]}, "WAREHOUSE_NOT_FOUND"),
        (CLERK, {"filter": None, "intersectWith": None}, "RULE_EMPTY"),
        (CLERK, {"name": ""}, "INVALID_TEXT"),
    ):
        refused = await api.data(create, who, input=body | wrong | {"idempotencyKey": f"{code}-{who.person}"})
        assert [p["code"] for p in refused["createVirtualWarehouse"]["problems"]] == [code]


async def test_a_warehouse_is_changed_and_retired_over_graphql(api: Api) -> None:
    shown = (
        "virtualWarehouse { id name nameEn scope version notify mayChange updatedAt ruleText } problems { code path }"
    )
    create = f"mutation C($i: CreateVirtualWarehouseInput!) {{ createVirtualWarehouse(input: $i) {{ {shown} }} }}"
    update = f"mutation U($i: UpdateVirtualWarehouseInput!) {{ updateVirtualWarehouse(input: $i) {{ {shown} }} }}"
    retire = f"mutation R($i: RetireVirtualWarehouseInput!) {{ retireVirtualWarehouse(input: $i) {{ {shown} }} }}"
    body = {"name": "投影仪", "nameEn": "Projectors", "scope": "UNIT", "filter": {"usefulLifeMonths": {"gte": 72}}}
    made = (await api.data(create, CLERK, i={"idempotencyKey": "c", **body}))["createVirtualWarehouse"]
    assert made["problems"] == []
    id_ = made["virtualWarehouse"]["id"]
    change = {"id": id_, "expectedVersion": 1, "nameEn": None, "scope": None, "notify": True, "filter": None,
              "unionWith": ["vw:city-store"]}  # fmt: skip
    changed = (await api.data(update, HEAD, i={"idempotencyKey": "u", **change}))["updateVirtualWarehouse"]
    assert changed["problems"] == []
    found = changed["virtualWarehouse"]
    assert (found["name"], found["nameEn"], found["scope"], found["version"]) == ("投影仪", None, "UNIT", 2)
    assert (found["notify"], found["mayChange"]) == (True, True)
    assert found["updatedAt"] and "330100" in found["ruleText"]
    late = (await api.data(update, CLERK, i={"idempotencyKey": "l", **change}))["updateVirtualWarehouse"]
    assert [(one["code"], one["path"]) for one in late["problems"]] == [("WAREHOUSE_CHANGED", ["expectedVersion"])]
    history = "query H($id: ID!) { node(id: $id) { ... on VirtualWarehouse { mayChange history { version change person ruleText } } } }"
    told = (await api.data(history, CLERK, id=id_))["node"]["history"]
    assert [(one["version"], one["change"], one["person"]) for one in told] == [
        (2, "CHANGED", "head"), (1, "CREATED", "clerk"),
    ]  # fmt: skip
    assert "usefulLifeMonths" in told[1]["ruleText"]
    colleague = someone("colleague", Role.APPLICANT, unit=BORROWER)
    assert (await api.data(history, colleague, id=id_))["node"] == {"mayChange": False, "history": None}
    gone = {"idempotencyKey": "r", "id": id_, "expectedVersion": 2}
    for _ in range(2):
        retired = (await api.data(retire, CLERK, i=gone))["retireVirtualWarehouse"]
        assert retired == {"virtualWarehouse": None, "problems": []}
    assert (await api.data(history, CLERK, id=id_))["node"] is None


async def test_node_gives_stubs_by_prefix(api: Api) -> None:
    query = "query N($id: ID!) { node(id: $id) { __typename id } }"
    for id_, type_ in (
        ("asset:330106:TY1", "Asset"),
        ("unit:330106:9", "Unit"),
        ("warehouse:330100:w1", "Warehouse"),
        ("vw:city-store", "VirtualWarehouse"),
        ("view:city-store:always", "VirtualWarehouseView"),
    ):
        assert (await api.data(query, None, id=id_))["node"] == {"__typename": type_, "id": id_}
    for id_ in ("asset:x", "order:none", "vw:none", "view:city-store:never", "nothing", ""):
        assert (await api.data(query, None, id=id_))["node"] is None


async def test_pages_and_cursors_are_bounded(api: Api) -> None:
    for query in ("{ virtualWarehouses(first: 0) { nodes { id } } }", "{ virtualWarehouses(first: 101) { nodes { id } } }",
                  '{ virtualWarehouses(after: "b3JkZXI6MQ==") { nodes { id } } }'):  # fmt: skip
        answer = await api(query)
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    first = await api.data("{ virtualWarehouses(first: 3) { nodes { id } pageInfo { hasNextPage endCursor } } }")
    page = first["virtualWarehouses"]
    rest = await api.data(
        "query P($a: String) { virtualWarehouses(first: 3, after: $a) { nodes { id } pageInfo { hasNextPage } } }",
        a=page["pageInfo"]["endCursor"],
    )
    ids = [w["id"] for w in page["nodes"] + rest["virtualWarehouses"]["nodes"]]
    assert (len(ids), len(set(ids)), rest["virtualWarehouses"]["pageInfo"]["hasNextPage"]) == (4, 4, False)


async def test_a_loan_that_is_late_is_overdue(api: Api, city: City) -> None:
    order = (await api.data(APPLY, CLERK, input=application(city.add_asset("p1"))))["applyLoan"]["order"]
    for number, officer in enumerate((HEAD, LENDING, BORROWING)):
        await command(api, "approveOrder", officer, idempotencyKey=f"a{number}", orderId=order["id"])
    await command(api, "dispatchOrder", KEEPER, idempotencyKey="d", orderId=order["id"])
    query = "query Q($id: ID!) { order(id: $id) { overdue } }"
    city.clock.now = datetime(2026, 12, 8, 15, 59, tzinfo=UTC)
    assert (await api.data(query, CLERK, id=order["id"]))["order"] == {"overdue": False}
    city.clock.now = datetime(2026, 12, 8, 16, 1, tzinfo=UTC)
    assert (await api.data(query, CLERK, id=order["id"]))["order"] == {"overdue": True}, "9 December in Shanghai"
