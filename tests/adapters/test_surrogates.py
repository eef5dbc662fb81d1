"""Half of a character, as JSON can write one: no index and no answer fails of it, and the field says so."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from adapters import open_store
from adapters.model import Store
from contract.identity import Identity, Role
from tests.adapters.rest.interface import PAGE_SIZE, Interface, opened, served
from tests.adapters.support import mapping_of
from tests.subgraphs.district.parts import AUDITOR, district

OFFICER = Identity(person="officer", region="330109", roles=frozenset({Role.REGION_OFFICER}))
HALF = "\ud83d"
ROWS: list[dict[str, Any]] = [
    {"id": "1", "mj": "公开", "mc": f"桌{HALF}", "xh": f"{HALF}T14", "zt": "1", "dw": "U1", "jz": "1.00"},
    {"id": "2", "mj": "公开", "mc": "椅", "xh": None, "zt": f"1{HALF}", "dw": f"U{HALF}", "jz": "2.00"},
    {"id": "3", "mj": "公开", "mc": "柜", "xh": {HALF: HALF}, "zt": "1", "dw": "U1", "jz": f"3{HALF}"},
    {"id": f"4{HALF}", "mj": "公开", "mc": "灯\ufffd", "xh": None, "zt": "1", "dw": "U1", "jz": "4.00", "rq": HALF},
    {"id": "5", "mj": f"公开{HALF}", "mc": "密", "xh": None, "zt": "1", "dw": "U1", "jz": "5.00"},
]
UNITS = [{"id": "U1", "mc": f"馆{HALF}"}]
TABLES: dict[str, Any] = {
    "secrecy": {"column": "mj", "open": ["公开"]},
    "fields": {
        "name": "mc",
        "model": "xh",
        "specification": {"expr": {"concat": ["mc", {"value": "！"}]}},
        "brand": {"column": "mc", "clean": ["trim", "mojibake"]},
        "status": {"column": "zt", "codes": {"1": "IDLE"}},
        "netValue": {"column": "jz", "unit": "元"},
        "acquiredOn": "rq",
        "owner": "dw",
        "shareable": {"value": "true"},
    },
    "units": {"key": "id", "name": "mc"},
}


@asynccontextmanager
async def from_lines(folder: Path) -> AsyncIterator[Store]:
    (folder / "drop").mkdir()
    for name, rows in (("zc", ROWS), ("dw", UNITS)):
        (folder / "drop" / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tables = {**TABLES, "units": {**TABLES["units"], "table": "dw"}}
    mapping = mapping_of(folder, store={"engine": "jsonl", "url": "drop"}, file={"settle_s": 0}, **tables)
    store = open_store(mapping, cache_dir=folder / "cache")
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def from_interface(folder: Path) -> AsyncIterator[Store]:
    async def answer(request: web.Request) -> web.StreamResponse:
        rows, start = UNITS if request.path == "/dw" else ROWS, (int(request.query["page"]) - 1) * PAGE_SIZE
        body = json.dumps({"data": {"list": rows[start : start + PAGE_SIZE]}})
        assert "\\ud83d" in body or start >= len(rows), "written as two, as servers do"
        return web.Response(text=body, content_type="application/json")

    interface = Interface([])
    interface.answers = dict.fromkeys(range(1, 1000), answer)
    async with served(interface):
        tables = {**TABLES, "units": {**TABLES["units"], "table": "/dw"}}
        async with opened(folder, interface, **tables) as found:
            yield found.store


QUERY = """{
  assets(first: 10, orderBy: [{ field: NAME, direction: ASC }]) {
    nodes { id name model brand specification status netValue acquiredOn owner { name } issues { code field raw } }
  }
}"""
QUARANTINE = "{ dataQuality { quarantine(first: 10) { nodes { raw issues { code field raw } } } } }"


@pytest.mark.parametrize("source", [from_lines, from_interface], ids=["jsonl", "rest"])
async def test_a_districts_answer(tmp_path: Path, source: Any) -> None:
    async with source(tmp_path) as store, district(tmp_path, store) as client:
        nodes = (await client.data(QUERY, None, AUDITOR))["assets"]["nodes"]
        kept = (await client.data(QUARANTINE, None, OFFICER))["dataQuality"]["quarantine"]["nodes"]
    found = {node["name"]: node for node in nodes}
    assert set(found) == {"桌\ufffd", "椅", "灯\ufffd"}
    told = {
        name: [(issue["code"], issue["field"]) for issue in node["issues"] if issue["field"] != "class"]
        for name, node in found.items()
    }
    desk, chair, lamp = (found[name] for name in ("桌\ufffd", "椅", "灯\ufffd"))
    assert (desk["model"], desk["brand"], desk["specification"]) == ("\ufffdT14", None, "桌\ufffd！")
    assert desk["owner"] == {"name": "馆\ufffd"}
    assert told["桌\ufffd"] == [("MOJIBAKE", field) for field in ("brand", "model", "name", "specification")]
    assert (chair["status"], chair["owner"]) == (None, None)
    assert told["椅"] == [("UNKNOWN_CODE", "owner"), ("UNKNOWN_CODE", "status")]
    assert lamp["id"].endswith("4\ufffd") or "%" in lamp["id"]
    assert told["灯\ufffd"] == [("INVALID_DATE", "acquiredOn"), ("MOJIBAKE", "brand")], (
        "a store's own � is a character as any other where mojibake is not cleaned"
    )
    (row,) = kept
    assert json.loads(row["raw"])["jz"] == "3\ufffd"
    assert [issue["field"] for issue in row["issues"] if issue["code"] == "UNMAPPABLE_AMOUNT"] == ["netValue"]
