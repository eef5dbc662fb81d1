"""Rules of a mapping's own keep rows back: counted, shown with the rule, its reason and the value tested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters import open_store
from adapters.mapping import MappingError
from tests.adapters.support import ALL, mapping_of, table_of

FIELDS = {
    "name": "mc",
    "netValue": {"column": "jz", "unit": "元"},
    "acquiredOn": "rq",
    "shareable": "gx",
    "usefulLifeMonths": {"column": "nx", "unit": "years"},
}
ROWS: list[tuple[Any, ...]] = [
    ("1", "台灯", "100.00", "2019-03-05", "1", 5),
    ("2", "沙盘", "-1", "1979-12-31", "0", 50),
    ("3", "", "0", "不详", "0", None),
]
COLUMNS = "id TEXT PRIMARY KEY, mc TEXT, jz TEXT, rq TEXT, gx TEXT, nx INTEGER"


async def kept_back(folder: Path, when: dict[str, Any], why: str = "") -> list[tuple[str, list[Any]]]:
    table_of(folder, ROWS, COLUMNS)
    mapping = mapping_of(folder, fields=FIELDS, quarantine=[{"name": "own", "why": why, "when": when}])
    store = open_store(mapping)
    await store.open()
    try:
        quality, page = await store.quality(), await store.page(ALL)
        rows = await store.quarantine(10, None)
        assert (quality.listed, quality.quarantined) == (len(page.rows), len(rows))
        assert quality.listed + quality.quarantined == len(ROWS)
        found = [issue for row in rows for issue in row.issues if issue["code"] == "QUARANTINE_RULE"]
        return [
            (str(row.raw["id"]), [issue["field"], issue["raw"], issue["rule"]])
            for row, issue in zip(rows, found, strict=True)
        ]
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("when", "natives"),
    [
        ({"column": "mc", "in": ["沙盘"]}, ["2"]),
        ({"field": "netValue", "lt": "0"}, ["2"]),
        ({"field": "netValue", "lte": "0.0"}, ["2", "3"]),
        ({"field": "netValue", "gt": "20"}, ["1"]),
        ({"field": "netValue", "in": ["100", "7"]}, ["1"]),
        ({"field": "acquiredOn", "lt": "1980-01-01"}, ["2"]),
        ({"field": "acquiredOn", "is": "null"}, ["3"]),
        ({"field": "acquiredOn", "is": "not null"}, ["1", "2"]),
        ({"field": "acquiredOn", "not_in": ["2019-03-05"]}, ["2"]),
        ({"field": "shareable", "in": ["true"]}, ["1"]),
        ({"field": "usefulLifeMonths", "gte": "600"}, ["2"]),
        ({"field": "name", "gt": "台"}, ["1", "2"]),
    ],
)
async def test_a_rule(tmp_path: Path, when: dict[str, Any], natives: list[str]) -> None:
    assert [native for native, _ in await kept_back(tmp_path, when)] == natives


async def test_it_says_what_was_tested_and_why(tmp_path: Path) -> None:
    found = await kept_back(tmp_path, {"field": "netValue", "lt": "0"}, "净值不能为负")
    assert found == [("2", ["netValue", "-1.00", "quarantine.own: 净值不能为负"])]


@pytest.mark.parametrize(
    ("when", "where", "says"),
    [
        ({"field": "netvalue", "lt": "0"}, "quarantine[0].when.field", "did you mean 'netValue'"),
        ({"field": "netValue", "lt": "nothing"}, "quarantine[0].when.lt", "such as 100"),
        ({"field": "acquiredOn", "lt": "1980"}, "quarantine[0].when.lt", "such as 2022-01-31"),
        ({"field": "shareable", "in": ["yes"]}, "quarantine[0].when.in", "true, false"),
        ({"field": "shareable", "gt": "true"}, "quarantine[0].when.gt", "has no order"),
        ({"field": "brand", "is": "null"}, "quarantine[0].when.field", "not mapped"),
        ({"field": "classCode", "is": "null"}, "quarantine[0].when.field", "not mapped"),
    ],
)
def test_a_wrong_rule(tmp_path: Path, when: dict[str, Any], where: str, says: str) -> None:
    with pytest.raises(MappingError) as caught:
        mapping_of(tmp_path, fields=FIELDS, quarantine=[{"name": "own", "when": when}])
    assert caught.value.where == where
    assert says in str(caught.value)
