"""A field that is an expression goes on as a column's would: codes, formats, units, defaults, issues."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters import open_store
from adapters.mapping import RowMapper
from adapters.mapping.fields import SideTables
from adapters.mapping.model import Mapping
from adapters.model import Compare, PageRequest
from tests.adapters.support import ALL, mapping_of, table_of


def mapped(mapping: Mapping, **columns: Any) -> tuple[dict[str, Any], list[tuple[str, str | None, str | None, str]]]:
    raw = tuple(columns.get(column) for column in mapping.columns)
    found = RowMapper(mapping, SideTables()).map(raw)
    assert found.row is not None
    issues = [(issue["code"], issue["field"], issue["raw"], issue["rule"]) for issue in found.row["issues"]]
    return found.row, issues


DATE = {"date": {"year": "n", "month": "y", "day": "r"}}


@pytest.mark.parametrize(
    ("field", "written", "columns", "value", "issues"),
    [
        ("status", {"expr": {"split": "zt", "by": "-", "part": 1}, "codes": {"1": "IN_USE"}}, {"zt": "1-在用"}, "IN_USE", []),
        ("status", {"expr": {"trim": "zt"}, "codes": {"1": "IN_USE"}}, {"zt": "9"}, None, [("UNKNOWN_CODE", "status", "9", "fields.status.codes")]),
        ("condition", {"expr": {"case": "cs", "of": {"1": "NEW"}}}, {"cs": "２"}, None, [("UNKNOWN_CODE", "condition", "２", "fields.condition.expr.case")]),
        ("condition", {"expr": {"first": ["cs", {"default": "GOOD"}]}}, {}, "GOOD", [("DEFAULTED", "condition", None, "fields.condition.expr.default")]),
        ("condition", {"expr": {"trim": "cs"}, "default": "GOOD"}, {"cs": " "}, "GOOD", [("DEFAULTED", "condition", None, "fields.condition.default")]),
        ("acquiredOn", {"expr": DATE}, {"n": 2019, "y": 3, "r": 5}, "2019-03-05", []),
        ("acquiredOn", {"expr": DATE}, {"n": 2019, "y": 3}, None, [("PARTIAL_DATE", "acquiredOn", "2019-3-00", "fields.acquiredOn.date")]),
        ("acquiredOn", {"expr": DATE}, {"n": 0, "y": 0, "r": 0}, None, [("ZERO_DATE", "acquiredOn", "0000-00-00", "fields.acquiredOn.date")]),
        ("acquiredOn", {"expr": DATE}, {"n": 2019, "y": 2, "r": 30}, None, [("INVALID_DATE", "acquiredOn", "2019-2-30", "fields.acquiredOn.date")]),
        ("acquiredOn", {"expr": {"substring": "bm", "from": 3, "length": 8}, "formats": ["compact"]}, {"bm": "ZC20190305"}, "2019-03-05", []),
        ("originalValue", {"expr": {"add": ["a", "b"]}, "unit": "万元"}, {"a": "1.5", "b": "0.25"}, "17500.00", []),
        ("originalValue", {"expr": {"add": ["a", "b"]}, "unit": "元"}, {"a": "约三万", "b": "1"}, None, [("UNMAPPABLE_AMOUNT", "originalValue", "约三万", "fields.originalValue.expr.add")]),
        ("usefulLifeMonths", {"expr": {"between": "nx", "before": "年"}, "unit": "years"}, {"nx": "5年"}, 60, []),
        ("quantity", {"expr": {"first": ["sl", {"quantity": "mc"}]}}, {"mc": "椅子4把"}, "4", [("QUANTITY_IN_NAME", "quantity", "椅子4把", "fields.quantity.expr.quantity")]),
        ("shareable", {"expr": {"trim": "gx"}, "codes": {"是": "true"}}, {"gx": "是"}, True, []),
        ("shareable", {"expr": {"case": "gx", "of": {"是": "true"}}}, {"gx": "或许"}, False, [("UNKNOWN_CODE", "shareable", "或许", "fields.shareable.expr.case")]),
        ("brand", {"expr": {"upper": "pp"}, "when": {"column": "zt", "in": ["1"]}}, {"pp": "dell", "zt": "2"}, None, []),
        ("brand", {"expr": {"upper": "pp"}, "empty": ["N/A"]}, {"pp": "n/a"}, None, []),
        ("brand", {"expr": {"concat": ["pp", "xh"]}, "clean": ["width"]}, {"pp": "ＤＥＬＬ"}, "DELL", []),
    ],
)  # fmt: skip
def test_a_field(
    tmp_path: Path, field: str, written: dict[str, Any], columns: dict[str, Any], value: Any, issues: list[Any]
) -> None:
    mapping = mapping_of(tmp_path, fields={field: written})
    row, found = mapped(mapping, id="1", **({"mc": "台灯"} | columns))
    assert (row[field], found) == (value, issues)


async def test_a_live_store_answers_by_expressions(tmp_path: Path) -> None:
    """Not pushed down, and not passed over: an amount that is none keeps its row back, filters and orders hold."""
    table_of(
        tmp_path,
        [("1", "a-台灯", "2"), ("2", "b-沙盘", "约三"), ("3", "c-桌", "10"), ("4", "d-椅", None)],
        "id TEXT PRIMARY KEY, mc TEXT, jz TEXT",
    )
    amount = {"expr": {"mul": "jz", "by": "2"}, "unit": "元"}
    name = {"expr": {"split": "mc", "by": "-", "part": 2}}
    store = open_store(mapping_of(tmp_path, fields={"name": name, "netValue": amount}))
    await store.open()
    try:
        rows = (await store.page(ALL)).rows
        assert [(row["native"], row["name"], row["netValue"]) for row in rows] == [
            ("1", "台灯", "4.00"),
            ("3", "桌", "20.00"),
            ("4", "椅", None),
        ]
        assert await store.count(None) == 3
        page = await store.page(PageRequest(Compare("name", "eq", "桌"), (), 10))
        assert [row["native"] for row in page.rows] == ["3"]
        assert (await store.quality()).issues == {("UNMAPPABLE_AMOUNT", "netValue"): 1}
    finally:
        await store.close()
