"""The ledger through GraphQL: statement, journal, balances, reconciliation, and who may have which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from contract.identity import Identity
from overlay.store import tables
from overlay.store.database import Database
from tests.overlay.city import AUDITOR, BORROWING, CITY, CLERK, HEAD, KEEPER, LENDING, City
from tests.overlay.city import days as from_day
from tests.overlay.conftest import Api

APPLY = """mutation ($key: String!, $asset: ID!, $range: DateRangeInput!) {
  applyLoan(input: {idempotencyKey: $key, range: $range, purpose: "会议", lines: [{assetId: $asset}]}) { order { id } problems { code } }
}"""
APPROVE = "mutation ($key: String!, $id: ID!) { approveOrder(input: {idempotencyKey: $key, orderId: $id}) { problems { code } } }"
MOVE = """mutation ($key: String!, $id: ID!) {{
  {field}(input: {{idempotencyKey: $key, orderId: $id}}) {{ order {{ number }} problems {{ code }} }}
}}"""
STATEMENT = """query ($asset: ID!) { ledgerEntries(assetId: $asset) {
  nodes { lineage sequence movement orderNumber assetClass account { custody } quantity value balance balanceValue }
} }"""
BALANCES = """query ($filter: LedgerFilterInput, $day: Date) {
  ledgerBalances(by: [REGION, CUSTODY], filter: $filter, day: $day) {
    day lineages groups { regionCode unit custody quantity valuedQuantity value }
  }
}"""
START = """mutation ($key: String!) {
  startReconciliation(input: {idempotencyKey: $key}) { run { id } problems { code message } }
}"""
RUN = """query ($id: ID) { reconciliation(id: $id) { state assets compared matched regionsMissing counts { code count }
  differences(first: 10) { nodes { code assetId inLedger inStore } } } }"""
EXPORT = """mutation ($key: String!, $kind: LedgerExportKind!) {
  recordLedgerExport(input: {idempotencyKey: $key, kind: $kind, format: "csv"}) { problems { code } }
}"""


async def lent(api: Api, asset: str) -> str:
    applied = (await api.data(APPLY, CLERK, key="apply", asset=asset, range=from_day(1, 7)))["applyLoan"]
    order = applied["order"]["id"]
    for officer in (HEAD, LENDING, BORROWING):
        assert (await api.data(APPROVE, officer, key="approve", id=order))["approveOrder"]["problems"] == []
    for field, who in (("dispatchOrder", KEEPER), ("receiveOrder", CLERK)):
        moved = (await api.data(MOVE.format(field=field), who, key=field, id=order))[field]
        assert moved["problems"] == []
    return str(moved["order"]["number"])


async def test_a_statement_has_order_numbers_class_and_running_balances(api: Api, city: City) -> None:
    asset = city.add_asset("a", quantity="4", originalValue="100.00")
    number = await lent(api, asset)
    entries = (await api.data(STATEMENT, LENDING, asset=asset))["ledgerEntries"]["nodes"]
    assert {entry["orderNumber"] for entry in entries} == {number}
    assert {(entry["lineage"], entry["assetClass"]) for entry in entries} == {(asset, "A02020200")}
    shown = [
        (one["movement"], one["account"]["custody"], one["quantity"], one["balance"], one["balanceValue"])
        for one in entries
    ]
    assert shown == [
        ("OPENING", "OPENING", "-4", "-4", "-100.00"),
        ("OPENING", "IN_STORE", "4", "4", "100.00"),
        ("DISPATCH", "IN_STORE", "-1", "3", "75.00"),
        ("DISPATCH", "IN_TRANSIT", "1", "1", "25.00"),
        ("RECEIVE", "IN_TRANSIT", "-1", "0", "0.00"),
        ("RECEIVE", "LENT", "1", "1", "25.00"),
    ]  # fmt: skip


async def test_balances_are_for_officers_of_what_is_theirs(api: Api, city: City) -> None:
    await lent(api, city.add_asset("a", quantity="4", originalValue=None))
    store = {"regionCode": "330106", "custody": "IN_STORE", "quantity": "3"}
    out = {"regionCode": "330105", "custody": "LENT", "quantity": "1"}
    absent = {"unit": None, "valuedQuantity": "0", "value": None}
    for who, groups in ((AUDITOR, [out, store]), (LENDING, [store]), (HEAD, [out])):
        found = (await api.data(BALANCES, who))["ledgerBalances"]
        assert (found["day"], found["lineages"]) == ("2026-12-01", 1)
        assert found["groups"] == [group | absent for group in groups]
    refused = await api(BALANCES, CLERK)
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    before = (await api.data(BALANCES, AUDITOR, day="2026-11-30"))["ledgerBalances"]
    assert (before["groups"], before["lineages"]) == ([], 0)


async def test_the_journal_shows_each_what_they_may_see(api: Api, city: City) -> None:
    await lent(api, city.add_asset("a"))
    query = "{ ledgerJournal(first: 4) { nodes { id } pageInfo { hasNextPage } } }"
    for who, seen in ((AUDITOR, 4), (LENDING, 4), (CLERK, 4), (BORROWING, 4), (STRANGER, 0)):
        page = (await api.data(query, who))["ledgerJournal"]
        assert (len(page["nodes"]), page["pageInfo"]["hasNextPage"]) == (seen, seen == 4)


async def until_ended(api: Api, run: str) -> dict[str, Any]:
    """The run is a task beside the requests; each question gives it a turn."""
    while True:
        found: dict[str, Any] = (await api.data(RUN, CITY, id=run))["reconciliation"]
        if found["state"] == "DONE":
            return found


async def test_auditors_start_a_reconciliation_and_regions_see_their_own(api: Api, city: City) -> None:
    asset = city.add_asset("a")
    await lent(api, asset)
    city.assets[asset]["status"] = "IDLE"
    refused = (await api.data(START, LENDING, key="r"))["startReconciliation"]
    assert [one["code"] for one in refused["problems"]] == ["FORBIDDEN"]
    started = (await api.data(START, AUDITOR, key="r"))["startReconciliation"]
    assert started["problems"] == []
    assert (await api.data(START, AUDITOR, key="r"))["startReconciliation"] == started
    found = await until_ended(api, started["run"]["id"])
    difference = {"code": "STATUS_DIFFERS", "assetId": asset, "inLedger": "LENT", "inStore": "IDLE"}
    assert found == {
        "state": "DONE",
        "assets": 1,
        "compared": 1,
        "matched": 0,
        "regionsMissing": [],
        "counts": [{"code": "STATUS_DIFFERS", "count": 1}],
        "differences": {"nodes": [difference]},
    }
    own = (await api.data(RUN, LENDING))["reconciliation"]
    assert own == found
    others = (await api.data(RUN, BORROWING))["reconciliation"]
    assert (others["assets"], others["differences"]["nodes"]) == (0, [])
    assert (await api(RUN, CLERK))["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_an_export_is_in_the_audit_log_once(api: Api, url: str) -> None:
    for _ in range(2):
        answer = (await api.data(EXPORT, LENDING, key="e", kind="BALANCES"))["recordLedgerExport"]
        assert answer["problems"] == []
    refused = (await api.data(EXPORT, CLERK, key="e", kind="BALANCES"))["recordLedgerExport"]
    assert [one["code"] for one in refused["problems"]] == ["FORBIDDEN"]
    database = Database(url)
    async with database.read() as connection:
        rows = (await connection.execute(select(tables.audit_log).where(tables.audit_log.c.action == "EXPORT"))).all()
    await database.close()
    assert [(row.person, row.action, row.subject) for row in rows] == [("lending", "EXPORT", "ledger:balances")]


async def test_the_day_is_anchored_when_the_overlay_starts(api: Api, tmp_path: Path) -> None:
    query = "{ ledgerAnchors { day hash exportedAt } }"
    while not (anchors := (await api.data(query, AUDITOR))["ledgerAnchors"]) or anchors[0]["exportedAt"] is None:
        continue
    assert [one["day"] for one in anchors] == ["2026-12-01"]
    assert [file.name for file in (tmp_path / "anchors").iterdir()] == ["ledger-anchor-2026-12-01.json"]


STRANGER = Identity("stranger", "91330109MB0000004D", "330109", CLERK.roles)
