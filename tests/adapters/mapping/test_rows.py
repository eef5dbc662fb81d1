"""What each part of the language makes of rows in a live store: joins, filters, keys, code tables, classes, secrecy."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from adapters import open_store
from adapters.mapping import MappingError
from adapters.model import Compare, Filter, Row
from tests.adapters.support import ALL, mapping_of

SQL = """
CREATE TABLE zc (bm TEXT, kh INTEGER, mc TEXT, mx INTEGER, fl TEXT, zt TEXT, mj TEXT, dw TEXT, ck TEXT, je TEXT, sc TEXT);
CREATE TABLE model (id INTEGER PRIMARY KEY, name TEXT, maker INTEGER);
CREATE TABLE maker (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE dict (kind TEXT, id TEXT, code TEXT, title TEXT);
CREATE TABLE unit (id TEXT, name TEXT, uscc TEXT);
CREATE TABLE room (id TEXT, name TEXT, lx TEXT);
INSERT INTO model VALUES (1, 'T14', 7), (2, 'X1', 9);
INSERT INTO maker VALUES (7, '联想');
INSERT INTO dict VALUES ('zt', '01', '1', '在用'), ('zt', '02', '2', '闲置'), ('zt', '03', '1', 'x'), ('zt', '03', '2', 'y'),
  ('mj', 'a', '公开', ''), ('mj', 'b', '公开', ''), ('mj', 'b', '秘密', ''), ('mj', 'c', '秘密', '');
INSERT INTO unit VALUES ('U1', '教育局', '11330109MB0000000X');
INSERT INTO room VALUES ('R1', '中心仓', '仓');
"""
ROW = {
    "bm": "甲/乙", "kh": 1, "mc": "台灯", "mx": None, "fl": None, "zt": None, "mj": "a", "dw": None, "ck": None, "je": None,
    "sc": None,
}  # fmt: skip
KEY = {"columns": ["bm", "kh"], "integers": ["kh"]}


async def counted(folder: Path, filter_: Filter, **tables: Any) -> int:
    """How many rows of the store made last satisfy the condition: by whatever way the store takes."""
    store = open_store(mapping_of(folder, key=KEY, **tables))
    await store.open()
    try:
        return await store.count(filter_)
    finally:
        await store.close()


async def answered(folder: Path, *rows: dict[str, Any], **tables: Any) -> tuple[list[Row], list[list[str]], int]:
    """The rows listed; the blocking codes of those in quarantine; how many rows are counted."""
    with sqlite3.connect(folder / "zc.sqlite") as db:
        db.executescript(SQL)
        for row in rows:
            whole = {**ROW, **row}
            db.execute(
                f"INSERT INTO zc ({', '.join(whole)}) VALUES ({', '.join('?' * len(whole))})", tuple(whole.values())
            )
    db.close()
    store = open_store(mapping_of(folder, key=KEY, **tables))
    await store.open()
    try:
        quality = await store.quality()
        kept_back = [
            [issue["code"] for issue in row.issues if issue["blocking"]] for row in await store.quarantine(100, None)
        ]
        return list((await store.page(ALL)).rows), kept_back, quality.rows
    finally:
        await store.close()


def codes(row: Row) -> list[tuple[str, str | None]]:
    return [(issue["code"], issue["field"]) for issue in row["issues"]]


async def test_a_key_of_two_columns(tmp_path: Path) -> None:
    """Its parts are told apart whatever they hold; one that is missing or no integer keeps the row back."""
    rows, kept_back, counted = await answered(
        tmp_path, {}, {"bm": "a b"}, {"bm": None}, {"kh": "x"}, {"bm": "c"}, {"bm": "c"}
    )
    assert [row["native"] for row in rows] == ["a%20b/1", "%E7%94%B2%2F%E4%B9%99/1"]
    assert sorted(kept_back) == [["DUPLICATE_KEY"], ["DUPLICATE_KEY"], ["EMPTY_KEY"], ["EMPTY_KEY"]]
    assert counted == 6


async def test_joins_two_tables_away(tmp_path: Path) -> None:
    source = {
        "table": "zc",
        "joins": [{"table": "model", "on": {"id": "mx"}}, {"table": "maker", "as": "m", "on": {"id": "model.maker"}}],
    }
    rows, kept_back, _ = await answered(
        tmp_path,
        {"kh": 1, "mx": 1},
        {"kh": 2, "mx": 2},
        {"kh": 3, "mx": 99},
        {"kh": 4},
        source=source,
        fields={"model": "model.name", "brand": "m.name"},
    )
    assert kept_back == []
    assert [(row["model"], row["brand"]) for row in rows] == [("T14", "联想"), ("X1", None), (None, None), (None, None)]


async def test_rows_that_are_no_assets_leave_no_trace(tmp_path: Path) -> None:
    source = {"table": "zc", "rows": [{"column": "sc", "is": "null"}, {"column": "zt", "not_in": ["9"]}]}
    rows, kept_back, counted = await answered(
        tmp_path,
        {"kh": 1, "zt": "1"},
        {"kh": 2, "zt": "9"},
        {"kh": 3, "zt": "1", "sc": "2024-01-01"},
        {"kh": 4, "zt": None},
        {"bm": None, "zt": "9"},
        source=source,
    )
    assert ([row["native"][-1] for row in rows], kept_back, counted) == (["1"], [], 1)


async def test_a_code_table_of_the_store_then_one_of_the_mapping(tmp_path: Path) -> None:
    """A key with two meanings decides nothing; the mapping's own codes come after the store's."""
    status = {"column": "zt", "lookup": "zt", "codes": {"1": "IN_USE"}}
    lookups = {"zt": {"table": "dict", "key": "id", "value": "code", "rows": [{"column": "kind", "in": ["zt"]}]}}
    rows, _, _ = await answered(
        tmp_path,
        *({"kh": number, "zt": code} for number, code in enumerate(("01", " ０１ ", "02", "03", "04", None))),
        lookups=lookups,
        fields={"status": status},
    )
    unknown = [("UNKNOWN_CODE", "status")]
    assert [(row["status"], codes(row)) for row in rows] == [
        ("IN_USE", []), ("IN_USE", []), (None, unknown), (None, unknown), (None, unknown), (None, []),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("scheme", "prefix", "code", "placed"),
    [
        ("1994", "", "711701", ("A02010105", "台式计算机")),
        ("2010", "", "A02010104", ("A02010105", "台式计算机")),
        ("2010", "A0", "2010104", ("A02010105", "台式计算机")),
        ("2022", "", "A02010104", ("A02010104", "服务器")),
        ("2022", "", " Ａ０２０１０１０４ ", ("A02010104", "服务器")),
        ("2010", "", "711701", (None, None)),
        ("1994", "", "A02010104", (None, None)),
    ],
)
async def test_a_class_of_three_generations(
    tmp_path: Path, scheme: str, prefix: str, code: str, placed: tuple[str | None, str | None]
) -> None:
    class_ = {"column": "fl", "scheme": scheme, "prefix": prefix}
    rows, _, _ = await answered(tmp_path, {"kh": 1, "fl": code}, {"kh": 2}, **{"class": class_})
    assert (rows[0]["classCode"], rows[0]["className"]) == placed
    assert codes(rows[0]) == ([] if placed[0] else [("CLASS_UNTRANSLATABLE", "class")])
    assert codes(rows[1]) == [("CLASS_MISSING", "class")]


async def test_a_table_of_classes_of_ones_own(tmp_path: Path) -> None:
    """Asked before the built-in one, which still serves for what it lacks."""
    (tmp_path / "fl.csv").write_text(
        "\ufeffcode,code2022,name2022\nA02010104,A02010999,其他计算机\nZZ1,A0502,\n", "utf-8"
    )
    class_ = {"column": "fl", "scheme": "2010", "table": "fl.csv"}
    rows, _, _ = await answered(
        tmp_path,
        *({"kh": number, "fl": code} for number, code in enumerate(("A02010104", "ZZ1", "A02010105", "ZZ2"))),
        **{"class": class_},
    )
    assert [(row["classCode"], row["className"]) for row in rows] == [
        ("A02010999", "其他计算机"), ("A0502", None), ("A02010108", "便携式计算机"), (None, None),
    ]  # fmt: skip
    for code, count in (("A02010999", 1), ("A02010105", 0), ("A0502", 1), ("A02010108", 1)):
        assert await counted(tmp_path, Compare("classCode", "eq", code), **{"class": class_}) == count


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read"),
        ("code,name\n", "no column code2022, name2022"),
        ("code,code2022,name2022\nA,711701,x\n", "line 2: '711701' is no class of 2022"),
        ("code,code2022,name2022\nA,A01,x\nA,A02,x\n", "line 3: 'A' stands twice"),
        ("code,code2022,name2022\nA\n", "line 2: '' is no class"),
        ("code,code2022,name2022\n" + "x" * 200_000 + ",A01,x\n", "line 2"),
    ],
)
def test_a_wrong_table_of_classes(tmp_path: Path, text: str | None, says: str) -> None:
    if text is not None:
        (tmp_path / "fl.csv").write_text(text, "utf-8")
    with pytest.raises(MappingError) as caught:
        mapping_of(tmp_path, **{"class": {"column": "fl", "scheme": "2010", "table": "fl.csv"}})
    assert caught.value.where == "class.table"
    assert says in str(caught.value)


async def test_money_of_every_unit_and_defaults_that_say_so(tmp_path: Path) -> None:
    amounts = {name: {"column": "je", "unit": unit} for name, unit in (("originalValue", "万元"), ("netValue", "分"))}
    fields = {**amounts, "brand": {"column": "sc", "default": "无"}, "keeper": {"value": "馆长"}}
    rows, kept_back, _ = await answered(
        tmp_path, {"kh": 1, "je": "1.23456"}, {"kh": 2, "je": "约三"}, {"kh": 3, "sc": "联想"}, fields=fields
    )
    assert [(row["originalValue"], row["netValue"], row["brand"], codes(row)) for row in rows] == [
        ("12345.60", "0.0123456", "无", [("DEFAULTED", "brand")]),
        (None, None, "联想", []),
    ]
    assert kept_back == [["UNMAPPABLE_AMOUNT", "UNMAPPABLE_AMOUNT"]]


async def test_what_is_not_said_to_be_open_is_secret(tmp_path: Path) -> None:
    """Null, unknown, another width or case, a code with two meanings: no row, no count, no duplicate."""
    lookups = {"mj": {"table": "dict", "key": "id", "value": "code", "rows": [{"column": "kind", "in": ["mj"]}]}}
    rows, kept_back, counted = await answered(
        tmp_path,
        *({"kh": number, "mj": code} for number, code in enumerate(("a", "b", "c", "d", None, "", "A", "ａ", " a"))),
        {"kh": 0, "mj": "c"},
        lookups=lookups,
        secrecy={"column": "mj", "lookup": "mj", "open": ["公开"]},
    )
    assert ([row["native"][-1] for row in rows], kept_back, counted) == (["0"], [], 1)


async def test_units_and_warehouses_must_be_there(tmp_path: Path) -> None:
    rows, _, _ = await answered(
        tmp_path,
        {"kh": 1, "dw": "U1", "ck": " R1"},
        {"kh": 2, "dw": "U9", "ck": "R9"},
        {"kh": 3},
        fields={"owner": "dw", "warehouse": "ck"},
        units={"table": "unit", "key": "id", "name": "name"},
        warehouses={"table": "room", "key": "id", "name": "name"},
    )
    assert [(row["owner"], row["warehouse"], codes(row)) for row in rows] == [
        ("U1", "R1", []),
        (None, None, [("UNKNOWN_CODE", "owner"), ("UNKNOWN_CODE", "warehouse")]),
        (None, None, []),
    ]
