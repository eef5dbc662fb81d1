"""`gwc quality report`: every issue of a region, row by row: the quarantine first, then what is listed with issues.

One line for each issue, streamed a page at a time. Raw rows and raw values are shown to officers of the region alone:
the members see to that, and without such a token nothing is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from gwc.quality.client import Endpoint, connect
from gwc.quality.sheet import Sheet, open_sheet

__all__ = ["HEADINGS", "write_report"]

Json: TypeAlias = "dict[str, Any]"
Say: TypeAlias = "Callable[[str], None]"

HEADINGS = (
    "区划 region", "状态 state", "标识 id", "资产编码 code", "名称 name", "问题 issue", "字段 field", "原始值 raw value",
    "规则 rule", "说明 meaning", "阻断 blocking", "原始行 raw row",
)  # fmt: skip
_ISSUE = "issues { code field raw rule message blocking }"
_QUARANTINE = f"""query ($regions: [ID!], $first: Int!, $after: String) {{
  dataQuality(regions: $regions) {{
    quarantine(first: $first, after: $after) {{
      nodes {{ region raw {_ISSUE} }} pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}"""
_LISTED = f"""query ($regions: [ID!], $first: Int!, $after: String) {{
  assets(filter: {{ region: {{ in: $regions }}, hasIssues: true }}, first: $first, after: $after) {{
    nodes {{ id code name {_ISSUE} }} pageInfo {{ hasNextPage endCursor }}
  }}
}}"""
_COUNTS = "query ($regions: [ID!]) { dataQuality(regions: $regions) { rows listed quarantined } }"


def write_report(region: str, out: Path, encoding: str, url: str, token: str | None, inside: bool, say: Say) -> None:
    """Raises `CommandError` when the endpoint does not answer, refuses, or lacks a member; then no file is left."""
    asyncio.run(_write(region, out, encoding, url, token, inside, say))


async def _write(region: str, out: Path, encoding: str, url: str, token: str | None, inside: bool, say: Say) -> None:
    async with connect(url, token, inside) as endpoint:
        with open_sheet(out, encoding) as sheet:
            sheet.writerow(HEADINGS)
            kept_back = await _quarantined(endpoint, region, sheet)
            flawed = await _listed(endpoint, region, sheet)
            counts = (await endpoint.ask(_COUNTS, {"regions": [region]}))["dataQuality"]
    say(f"{out}: {kept_back} rows in quarantine and {flawed} listed with issues, of {counts['rows']} in the store")
    if kept_back != counts["quarantined"]:
        say(f"the store has changed meanwhile: {counts['quarantined']} rows are in quarantine now")


async def _quarantined(endpoint: Endpoint, region: str, sheet: Sheet) -> int:
    rows = 0
    async for page in endpoint.pages(_QUARANTINE, {"regions": [region]}, "dataQuality", "quarantine"):
        for node in page["nodes"]:
            rows += 1
            _lines(sheet, (region, "隔离 quarantined", "", "", ""), node["issues"], node["raw"])
    return rows


async def _listed(endpoint: Endpoint, region: str, sheet: Sheet) -> int:
    rows = 0
    async for page in endpoint.pages(_LISTED, {"regions": [region]}, "assets"):
        for node in page["nodes"]:
            rows += 1
            row = (region, "列示 listed", node["id"], node["code"] or "", node["name"] or "")
            _lines(sheet, row, node["issues"], "")
    return rows


def _lines(sheet: Sheet, row: Sequence[str], issues: Sequence[Json], raw: str) -> None:
    for issue in issues:
        blocking = "是 yes" if issue["blocking"] else "否 no"
        found = [issue["code"], issue["field"] or "", issue["raw"] or "", issue["rule"], issue["message"]]
        sheet.writerow([*row, *found, blocking, raw])
