"""A district engineer's day: a strange database, a mapping file, a subgraph to look at, and a place in the city."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import aiohttp

from tests.system.client import Client
from tests.system.conftest import City
from tests.system.processes import gwc

REGION = "330109"
ROWS = [
    (1, "ZC001", "投影机EPSON", "1.25", "20190305", "闲置", "公开", "B1", "是"),
    (2, "ZC002", "台式电脑3台", "约三万", "20190305", "在用", "公开", "B1", "否"),
    (3, "ZC003", "涉密电脑", "1.0", "20200101", "在用", "秘密", "B1", "是"),
    (4, "ZC004", "办公桌", "0.08", "00000000", "在库", "公开", "B2", "是"),
    (5, "ZC005", "椅子", "0.01", "20250100", "怪", "公开", "B9", "是"),
]
MAPPING = f"""
mapping = 1
region = "{REGION}"
[store]
engine = "sqlite"
url = "old.db"
[source]
table = "T_ZC"
[secrecy]
column = "MJ"
open = ["公开"]
[key]
columns = ["ZCID"]
integers = ["ZCID"]
[fields]
code = "ZCBH"
name = "ZCMC"
originalValue = {{ column = "SBYZ", unit = "万元" }}
acquiredOn = {{ column = "GRRQ", formats = ["compact"] }}
owner = "BMBH"
shareable = {{ column = "GX", codes = {{ "是" = "true", "否" = "false" }} }}
[fields.status]
column = "SYZK"
codes = {{ "闲置" = "IDLE", "在用" = "IN_USE", "在库" = "IN_STORE" }}
[units]
table = "T_BM"
key = "BMBH"
name = "BMMC"
"""
LOOK = """
{ assets { nodes { id name originalValue status acquiredOn owner { name } issues { code field raw } } }
  dataQuality { rows listed quarantined quarantine { nodes { raw issues { code raw } } } } }
"""


def strange_database(folder: Path) -> Path:
    with sqlite3.connect(folder / "old.db") as database:
        database.execute("CREATE TABLE T_ZC (ZCID, ZCBH, ZCMC, SBYZ, GRRQ, SYZK, MJ, BMBH, GX)")
        database.executemany("INSERT INTO T_ZC VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", ROWS)
        database.execute("CREATE TABLE T_BM (BMBH, BMMC)")
        database.executemany("INSERT INTO T_BM VALUES (?, ?)", [("B1", "教育局"), ("B2", "财政局")])
    database.close()
    mapping = folder / "mapping.toml"
    mapping.write_text(MAPPING, encoding="utf-8")
    return mapping


async def test_a_strange_database_joins_the_city(city: City, session: aiohttp.ClientSession, tmp_path: Path) -> None:
    mapping = strange_database(tmp_path)
    data_dir = ("--data-dir", str(city.data_dir))
    officer = city.token("REGION_OFFICER", region=REGION, inside=True)
    with gwc("district", "--mapping", str(mapping), "--port", "0", *data_dir) as (_, url):
        alone = (await Client(session, url)(LOOK, headers={"gwc-identity": officer})).data
        assert seen(alone) == {
            "1": ("投影机EPSON", "12500.00", "IDLE", "2019-03-05", "教育局", []),
            "4": ("办公桌", "800.00", "IN_STORE", None, "财政局", ["ZERO_DATE"]),
            "5": ("椅子", "100.00", None, None, None, ["PARTIAL_DATE", "UNKNOWN_CODE", "UNKNOWN_CODE"]),
        }
        quality = alone["dataQuality"]
        assert (quality["rows"], quality["listed"], quality["quarantined"]) == (4, 3, 1)
        (bad,) = quality["quarantine"]["nodes"]
        assert "ZC002" in bad["raw"]
        assert bad["issues"] == [{"code": "UNMAPPABLE_AMOUNT", "raw": "约三万"}]

        with gwc("up", "--port", "0", "--no-simulate", "--external", f"{REGION}={url}", *data_dir) as (_, whole):
            query = f'{{ assets(first: 50, filter: {{region: {{eq: "{REGION}"}}}}) {{ totalCount nodes {{ name }} }} }}'
            shared = (await Client(session, whole)(query)).data["assets"]
    assert shared["totalCount"] == 3
    assert {node["name"] for node in shared["nodes"]} == {"投影机EPSON", "办公桌", "椅子"}


def seen(data: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {
        node["id"].rsplit(":", 1)[1]: (
            node["name"], node["originalValue"], node["status"], node["acquiredOn"],
            node["owner"] and node["owner"]["name"], sorted(issue["code"] for issue in node["issues"]),
        )
        for node in data["assets"]["nodes"]
    }  # fmt: skip
