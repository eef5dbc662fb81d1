"""`gwc ledger export`: what the token may see, as a sheet that opens right; nothing without its record."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from openpyxl import load_workbook
from sqlalchemy import select

from contract.identity import Identity
from gwc.errors import CommandError
from gwc.ledger_export import Wanted, export_ledger
from overlay.store import tables
from overlay.store.database import Database
from tests.endpoint import served
from tests.overlay.city import AUDITOR, CLERK, LENDING, City
from tests.overlay.conftest import Api
from tests.overlay.ledger.test_api import START, lent, until_ended

PEOPLE = {"auditor": AUDITOR, "lending": LENDING, "clerk": CLERK}


@pytest.fixture
async def endpoint(api: Api) -> AsyncIterator[str]:
    """The overlay by HTTP, as the gateway would stand before it: who carries which token is known here."""

    async def answer(request: web.Request) -> web.Response:
        body = await request.json()
        who: Identity = PEOPLE[request.headers["authorization"].removeprefix("Bearer ")]
        return web.json_response(await api(body["query"], who, **body["variables"]))

    async with served(web.post("/graphql", answer)) as url:
        yield f"{url}/graphql"


async def export(endpoint: str, out: Path, kind: str, who: str = "auditor", encoding: str = "utf-8-sig") -> str:
    told: list[str] = []
    await export_ledger(Wanted(kind), out, encoding, endpoint, who, told.append)
    return told[-1]


def rows_of(path: Path, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(encoding), newline="")))


async def test_the_journal_in_both_encodings(api: Api, city: City, endpoint: str, tmp_path: Path) -> None:
    asset = city.add_asset("a", quantity="4", originalValue="100.00")
    number = await lent(api, asset)
    await export(endpoint, tmp_path / "j.csv", "journal")
    await export(endpoint, tmp_path / "g.csv", "journal", encoding="gb18030")
    assert (tmp_path / "j.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    rows = rows_of(tmp_path / "j.csv")
    assert rows == rows_of(tmp_path / "g.csv", "gb18030")
    assert [(row["调动 movement"], row["数量 quantity"], row["结存价值 balance value"]) for row in rows] == [
        ("OPENING", "-4", "-100.00"),
        ("OPENING", "4", "100.00"),
        ("DISPATCH", "-1", "75.00"),
        ("DISPATCH", "1", "25.00"),
        ("RECEIVE", "-1", "0.00"),
        ("RECEIVE", "1", "25.00"),
    ]
    assert {row["单号 order"] for row in rows} == {number}


async def test_balances_as_a_workbook_with_numbers_as_numbers(
    api: Api, city: City, endpoint: str, tmp_path: Path
) -> None:
    await lent(api, city.add_asset("a", quantity="4", originalValue=None))
    await export(endpoint, tmp_path / "b.xlsx", "balances", "lending")
    sheet: Any = load_workbook(tmp_path / "b.xlsx").active
    heading, row = sheet.iter_rows(values_only=True)
    found = dict(zip(heading, row, strict=True))
    assert (found["区划 region"], found["数量 quantity"], found["价值 value"]) == ("330106", 3, "无数据")


async def test_differences_with_the_figures(api: Api, city: City, endpoint: str, tmp_path: Path) -> None:
    asset = city.add_asset("a")
    await lent(api, asset)
    city.assets[asset]["status"] = "IDLE"
    run = (await api.data(START, AUDITOR, key="r"))["startReconciliation"]["run"]["id"]
    await until_ended(api, run)
    told = await export(endpoint, tmp_path / "d.csv", "differences")
    assert "1 differences; 0 of 1 agree, of 1; missing: none" in told
    (row,) = rows_of(tmp_path / "d.csv")
    assert (row["原因 cause"], row["资产 asset"]) == ("STATUS_DIFFERS", asset)


async def test_who_may_not_see_it_gets_no_file_and_who_may_is_on_record(
    api: Api, endpoint: str, url: str, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="FORBIDDEN"):
        await export(endpoint, tmp_path / "b.csv", "balances", "clerk")
    assert list(tmp_path.glob("*.csv")) == []
    await export(endpoint, tmp_path / "b.csv", "balances", "lending")
    database = Database(url)
    async with database.read() as connection:
        log = (await connection.execute(select(tables.audit_log).where(tables.audit_log.c.action == "EXPORT"))).all()
    await database.close()
    assert [(row.person, row.action, row.subject) for row in log] == [("lending", "EXPORT", "ledger:balances")]
