"""Each store, read by hand as its vendor's manual says, holds what the truth says. No adapter takes part."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections import Counter
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from unicodedata import normalize
from xml.etree import ElementTree
from zipfile import ZipFile

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from contract.decimals import format_money
from subgraphs.sample_city.shapes.base import mojibake
from subgraphs.sample_city.truth import read_summary, read_truth

_QUERIES = {
    "330100": "SELECT asset_id, original_value FROM asset WHERE secrecy IN ('NONE', 'INTERNAL')",
    "330102": "SELECT zcbh, zcjz FROM bgszichan WHERE mj IN (0, 1)"
    " AND NOT (xzqh = '330104' AND COALESCE(jd, '') NOT IN"
    " ('凯旋街道','采荷街道','闸弄口街道','四季青街道','笕桥街道','彭埠街道','九堡街道','丁兰街道'))",
    "330105": "SELECT BILLCODE, JIAZ FROM GAMS_CARD c JOIN GAMS_DICT d ON d.ID = c.MIJ AND d.DICTTYPE = 'MJ'"
    " WHERE ISLASTEST = 1 AND d.CODE IN ('0', '1')",
    "330106": "SELECT id, purchase_cost FROM asset WHERE confidential = 0 AND deleted_at IS NULL",
    "330109": "SELECT jlid, ROUND(zcyz * 10000, 2) FROM zc_jzcl WHERE cf7 IN ('无', '内部')",
    "330113": "SELECT asset_id, original_value_fen / 100.0 FROM asset"
    " WHERE secrecy IN ('NONE', 'INTERNAL') AND stock_kind = 'GENERAL'",
    "330114": 'SELECT "卡片号", "原值" FROM "资产卡片" WHERE TRIM("密级") IN (\'非密\', \'内部\')',
    "330122": "SELECT CASE WHEN TRIM(COALESCE(card_no, '')) = '' THEN NULL ELSE dept_no || '/' || card_no END, zcjz FROM gdzc"
    " WHERE mj IN (0, 1)",
    "330182": "SELECT asset_id, original_value FROM asset WHERE secrecy IN ('NONE', 'INTERNAL')",
}
"""Per SQL store: the open rows' native keys and original values, quarantined rows not yet taken out."""


def _amount(raw: Any) -> Decimal | None:
    text = normalize("NFKC", str(raw)).strip().replace(",", "")
    try:
        return Decimal(text).quantize(Decimal("0.01"))
    except ArithmeticError:
        return None


def _listed(pairs: list[tuple[Any, Any]]) -> dict[str, Decimal]:
    """Take out what the rules quarantine: blank and double keys, amounts that are none."""
    keys = Counter(str(key).strip() for key, _ in pairs if key is not None)
    found: dict[str, Decimal] = {}
    for key, raw in pairs:
        text, amount = str(key or "").strip(), _amount(raw)
        if text and keys[text] == 1 and amount is not None:
            found[text] = amount
    return found


def _expected(out: Path, region: str) -> dict[str, Decimal]:
    rows = (row.row for row in read_truth(out, region) if row.row is not None)
    return {row["native"]: Decimal(row["originalValue"]) for row in rows}


@pytest.mark.parametrize("region", _QUERIES)
def test_a_sql_store_holds_what_the_truth_says(region: str, small_city: Path) -> None:
    with closing(sqlite3.connect(small_city / "stores" / f"{region}.sqlite")) as connection:
        found = _listed(connection.execute(_QUERIES[region]).fetchall())
    assert found == _expected(small_city, region)
    assert format_money(sum(found.values(), Decimal(0))) == read_summary(small_city)["regions"][region]["originalValue"]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_documents_hold_what_the_truth_says(small_city: Path) -> None:
    folder = small_city / "stores" / "330108"
    documents = _lines(folder / "assets.jsonl")
    assert len(documents) == int((folder / "assets.ok").read_text())
    opened = [one for one in documents if one.get("secrecy") in ("NONE", "INTERNAL")]
    found = _listed([(one["assetNo"], one["card"]["value"]["original"]) for one in opened])
    assert found == _expected(small_city, "330108")
    assert {type(one["card"]["value"]["original"]) for one in opened} == {str, float}, "numbers are text in some"
    assert {type(one["card"].get("acquiredOn")) for one in opened} >= {str, dict}, "days are text in some"
    assert all(len(one["_id"]["$oid"]) == 24 for one in documents)
    assert any(one["movements"] for one in documents) and any(one["photos"] for one in documents)


def test_the_interfaces_records_hold_what_the_truth_says(small_city: Path) -> None:
    records = _lines(small_city / "stores" / "330110" / "assets.jsonl")
    opened = [
        one for one in records if one["confidential"] is False and not (one.get("deletedAt") or one.get("deleted_at"))
    ]
    found = _listed([(one["id"], one.get("purchaseCost", one.get("purchase_cost"))) for one in opened])
    assert found == _expected(small_city, "330110")
    named = [("updatedAt" in one, "updated_at" in one) for one in records]
    assert set(named) == {(True, False), (False, True)}, "two releases' names"
    assert any(one.get("assetTag") and one.get("asset_tag") for one in records), "and some under both"


def test_the_ledger_holds_what_the_truth_says(small_city: Path) -> None:
    workbook = CalamineWorkbook.from_path(small_city / "stores" / "330111.xlsx")
    pairs: list[tuple[Any, Any]] = []
    for name in workbook.sheet_names:
        if name in ("目录", "仓库"):
            continue
        rows = workbook.get_sheet_by_name(name).to_python()
        assert name in str(rows[0][0]) and "统一社会信用代码：" in str(rows[0][0])
        assert rows[2][:4] == ["序号", "资产编号", "资产名称", "分类代码"]
        assets = [row for row in rows[3:] if isinstance(row[0], float)]
        assert any(row[0] == "小计" for row in rows) and any(row[0] == "合计" for row in rows)
        pairs += [(row[1], row[10]) for row in assets if row[17] in ("非密", "内部")]
        for row in assets:
            if isinstance(row[10], float):  # the formulas bear the values that Excel had computed
                assert Decimal(str(row[12])) == Decimal(str(row[10])) - Decimal(str(row[11]))
    assert _listed(pairs) == _expected(small_city, "330111")


def test_the_ledger_is_a_workbook_that_others_read_too(small_city: Path) -> None:
    workbook = openpyxl.load_workbook(small_city / "stores" / "330111.xlsx")
    assert workbook.sheetnames[0] == "目录" and workbook.sheetnames[-1] == "仓库"
    sheet = workbook["富阳区财政局"]
    assert "A1:T1" in {str(cells) for cells in sheet.merged_cells.ranges}
    assert str(sheet["M4"].value) == "=K4-L4"
    with ZipFile(small_city / "stores" / "330111.xlsx") as archive:
        for name in archive.namelist():
            ElementTree.fromstring(archive.read(name))


@pytest.mark.parametrize(("region", "encoding"), [("330112", "gb18030"), ("330127", "utf-8")])
def test_the_drop_folder_holds_what_the_truth_says(region: str, encoding: str, small_city: Path) -> None:
    folder = small_city / "stores" / region
    complete = sorted(path for path in folder.glob("zichan_*.csv") if path.with_suffix(".ok").exists())
    newest = complete[-1]
    with newest.open(encoding=encoding, newline="") as file:
        heading, *lines = list(csv.reader(file))
    heading[0] = heading[0].lstrip("\ufeff")
    assert len(lines) == int(newest.with_suffix(".ok").read_text())
    whole = [dict(zip(heading, line, strict=True)) for line in lines if len(line) == len(heading)]
    found = _listed([(row["卡片号"], row["原值"]) for row in whole if row["涉密"] == "否"])
    assert found == _expected(small_city, region)
    torn = sum(len(line) != len(heading) for line in lines)
    assert torn == read_summary(small_city)["regions"][region]["issues"].get("MALFORMED_ROW/", 0)


def test_the_drop_folder_has_an_older_export_and_a_broken_one(small_city: Path) -> None:
    folder = small_city / "stores" / "330112"
    older, newest, broken = sorted(folder.glob("zichan_*.csv"))
    assert [path.with_suffix(".ok").exists() for path in (older, newest, broken)] == [True, True, False]
    assert older.read_bytes().startswith("\ufeff".encode("gb18030"))
    assert not newest.read_bytes().startswith("\ufeff".encode("gb18030"))
    assert not broken.read_bytes().endswith(b"\n")
    first_lines = {
        path.read_bytes().decode("gb18030", "ignore").lstrip("\ufeff").partition("\r\n")[0] for path in (older, newest)
    }
    assert len(first_lines) == 2, "the order of columns changes"


def test_mojibake_is_gbk_read_as_latin_1(small_city: Path) -> None:
    names = [row.name or "" for row in read_truth(small_city, "330102") if ("MOJIBAKE", "name") in row.issues]
    with closing(sqlite3.connect(small_city / "stores" / "330102.sqlite")) as connection:
        stored = {name for (name,) in connection.execute("SELECT zcmc FROM bgszichan")}
    assert names and all(mojibake(name) in stored and name not in mojibake(name) for name in names)


def test_two_columns_of_the_version_store_are_labelled_alike(small_city: Path) -> None:
    with closing(sqlite3.connect(small_city / "stores" / "330105.sqlite")) as connection:
        labels = Counter(label for (label,) in connection.execute("SELECT LABEL FROM GAMS_META"))
        assert [label for label, count in labels.items() if count > 1] == ["资产状态"]
        columns = {row[1] for row in connection.execute("PRAGMA table_info(GAMS_CARD)")}
        described = {name for (name,) in connection.execute("SELECT COLNAME FROM GAMS_META")}
    assert columns == described


def test_what_is_lent_follows_from_who_has_it(small_city: Path) -> None:
    lent = {row.row["native"] for row in read_truth(small_city, "330106") if row.row and row.row["status"] == "LENT"}
    with closing(sqlite3.connect(small_city / "stores" / "330106.sqlite")) as connection:
        assigned = connection.execute(
            "SELECT id FROM asset WHERE assigned_to IS NOT NULL AND deleted_at IS NULL AND confidential = 0"
        ).fetchall()
    assert lent and lent == {str(key) for (key,) in assigned}


def test_a_secret_row_may_share_its_key_with_a_listed_one(small_city: Path) -> None:
    rows = list(read_truth(small_city, "330102"))
    secret = {row.native for row in rows if row.outcome == "secret"}
    listed = {row.native for row in rows if row.outcome == "listed"}
    assert secret & listed
