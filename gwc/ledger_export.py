"""`gwc ledger export`: entries, balances or differences as a sheet, a page at a time.

All of it is asked of the gateway with a token, so each person gets what they may see and no more. Before the first row is
read the export is recorded in the audit log; without that record nothing is written.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from gwc.errors import CommandError
from gwc.quality.client import Endpoint, connect
from gwc.quality.sheet import Cell, Sheet, TooManyRows, open_sheet

__all__ = ["Wanted", "export_ledger"]

Json: TypeAlias = "dict[str, Any]"
Say: TypeAlias = "Callable[[str], None]"

_RECORD = """mutation ($input: RecordLedgerExportInput!) {
  recordLedgerExport(input: $input) { problems { code message remedy } }
}"""
_JOURNAL = """query ($filter: LedgerFilterInput, $first: Int!, $after: String) {
  ledgerJournal(filter: $filter, first: $first, after: $after) {
    nodes {
      at orderNumber movement assetId lineage sequence assetClass account { regionCode unit custody }
      quantity value balance balanceValue pair hash
    }
    pageInfo { hasNextPage endCursor }
  }
}"""
_BALANCES = """query ($filter: LedgerFilterInput, $day: Date) {
  ledgerBalances(by: [REGION, UNIT, CLASS, CUSTODY], filter: $filter, day: $day) {
    day groups { regionCode unit class custody quantity valuedQuantity value }
  }
}"""
_RUN = "query { reconciliation { id state finishedAt assets compared matched underWay regionsMissing } }"
_DIFFERENCES = """query ($id: ID!, $first: Int!, $after: String) {
  reconciliation(id: $id) {
    differences(first: $first, after: $after) {
      nodes { code regionCode assetId inLedger inStore } pageInfo { hasNextPage endCursor }
    }
  }
}"""
_JOURNAL_HEADINGS = (
    "时刻 at", "单号 order", "调动 movement", "资产 asset", "谱系 lineage", "序号 sequence", "分类 class", "区划 region",
    "单位 unit", "保管 custody", "数量 quantity", "价值 value", "结存数量 balance", "结存价值 balance value", "对 pair",
    "哈希 hash",
)  # fmt: skip
_BALANCE_HEADINGS = (
    "截至 as of", "区划 region", "单位 unit", "分类 class", "保管 custody", "数量 quantity", "有价值数量 valued quantity",
    "价值 value",
)  # fmt: skip
_DIFFERENCE_HEADINGS = (
    "核对 run", "完成时刻 finished", "原因 cause", "区划 region", "资产 asset", "台账 ledger", "存量系统 store",
)  # fmt: skip
_ABSENT = "无数据"


@dataclass(frozen=True, slots=True)
class Wanted:
    kind: str
    """journal, balances or differences."""
    assets: Sequence[str] = ()
    regions: Sequence[str] = ()
    day: str | None = None

    def filter(self) -> Json:
        given: Mapping[str, Sequence[str]] = {"assetIds": self.assets, "regions": self.regions}
        return {name: list(values) for name, values in given.items() if values}


async def export_ledger(wanted: Wanted, out: Path, encoding: str, url: str, token: str | None, say: Say) -> None:
    """Raises `CommandError` when the gateway does not answer or refuses; then no file is left."""
    writers = {"journal": _write_journal, "balances": _write_balances, "differences": _write_differences}
    async with connect(url, token, inside=False) as endpoint:
        await _record(endpoint, wanted, out)
        try:
            with open_sheet(out, encoding) as sheet:
                told = await writers[wanted.kind](endpoint, wanted, sheet)
        except TooManyRows as error:
            raise CommandError(
                f"This is too much for one workbook: {error}.", "Write a .csv, or name regions."
            ) from None
    say(f"{out}: {told}")


async def _record(endpoint: Endpoint, wanted: Wanted, out: Path) -> None:
    format_ = "xlsx" if out.suffix.lower() == ".xlsx" else "csv"
    input_: Json = {"idempotencyKey": uuid.uuid4().hex, "kind": wanted.kind.upper(), "format": format_}
    input_ |= {"filter": wanted.filter()} | ({} if wanted.day is None else {"day": wanted.day})
    answer = await endpoint.ask(_RECORD, {"input": input_})
    for problem in answer["recordLedgerExport"]["problems"]:
        raise CommandError(f"{problem['message']} ({problem['code']})", problem["remedy"])


async def _write_journal(endpoint: Endpoint, wanted: Wanted, sheet: Sheet) -> str:
    sheet.writerow(_JOURNAL_HEADINGS)
    rows = 0
    async for page in endpoint.pages(_JOURNAL, {"filter": wanted.filter()}, "ledgerJournal"):
        for node in page["nodes"]:
            rows += 1
            account = node["account"]
            sheet.writerow(
                [
                    *_texts(node, "at", "orderNumber", "movement", "assetId", "lineage"),
                    Decimal(node["sequence"]),
                    *_texts(node, "assetClass"),
                    *_texts(account, "regionCode", "unit", "custody"),
                    *_numbers(node, "quantity", "value", "balance", "balanceValue"),
                    *_texts(node, "pair", "hash"),
                ]
            )
    return f"{rows} entries"


async def _write_balances(endpoint: Endpoint, wanted: Wanted, sheet: Sheet) -> str:
    sheet.writerow(_BALANCE_HEADINGS)
    found = (await endpoint.ask(_BALANCES, {"filter": wanted.filter(), "day": wanted.day}))["ledgerBalances"]
    for group in found["groups"]:
        account = _texts(group, "regionCode", "unit", "class", "custody")
        sheet.writerow([found["day"], *account, *_numbers(group, "quantity", "valuedQuantity", "value")])
    return f"{len(found['groups'])} balances as of {found['day']}"


async def _write_differences(endpoint: Endpoint, _wanted: Wanted, sheet: Sheet) -> str:
    run = (await endpoint.ask(_RUN, {}))["reconciliation"]
    if run is None:
        raise CommandError("There was no reconciliation yet.", "Start one: the mutation startReconciliation.")
    sheet.writerow(_DIFFERENCE_HEADINGS)
    rows = 0
    async for page in endpoint.pages(_DIFFERENCES, {"id": run["id"]}, "reconciliation", "differences"):
        for node in page["nodes"]:
            rows += 1
            found = _texts(node, "code", "regionCode", "assetId", "inLedger", "inStore")
            sheet.writerow([run["id"], run["finishedAt"] or "", *found])
    missing = ", ".join(run["regionsMissing"]) or "none"
    return f"{rows} differences; {run['matched']} of {run['compared']} agree, of {run['assets']}; missing: {missing}"


def _texts(row: Json, *names: str) -> list[Cell]:
    return [row[name] or "" for name in names]


def _numbers(row: Json, *names: str) -> list[Cell]:
    return [_ABSENT if row[name] is None else Decimal(row[name]) for name in names]
