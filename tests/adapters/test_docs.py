"""docs/mapping.md says what the loader does: the same keys, examples that load, messages as they come."""

from __future__ import annotations

import copy
import re
import sqlite3
import tomllib
from pathlib import Path
from typing import Any

import pytest

from adapters import open_store
from adapters.canonical import CANONICAL_FIELDS
from adapters.mapping import MappingError, load_mapping, parse_mapping
from adapters.mapping.dates import FORMATS
from adapters.mapping.expressions import Compiling
from adapters.mapping.expressions.load import OPERATIONS, read_expression
from adapters.mapping.model import CSV, JSONL, MONGODB, SQL_ENGINES, XLSX
from adapters.mapping.numbers import MEASURE_WORDS
from adapters.mapping.rest import REST
from adapters.mapping.toml import Section
from adapters.mapping.values import text_of, trimmed
from adapters.model import Issue, PageRequest

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "mapping.md").read_text(encoding="utf-8")
BLOCKS: list[str] = re.findall(r"^```toml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
SHORTEST = tomllib.loads(BLOCKS[0])
HERE = DOCS / "mapping.toml"
"""Where a mapping of the reference is taken to lie; relative urls need a place."""
NOWHERE = "zz_no_such_key"


def tables() -> list[tuple[str, list[list[str]]]]:
    """(the heading above it, its rows of cells) of every table of the reference."""
    found: list[tuple[str, list[list[str]]]] = []
    heading, inside = "", False
    for line in TEXT.splitlines():
        if line.startswith("#"):
            name = re.search(r"`(\[.*?\]+)`", line)
            heading = name[1].strip("[]") if name else line.rpartition(" · ")[2]
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if cells and not inside:
            found.append((heading, []))
        if cells and not set(line) <= set("|-"):
            found[-1][1].append(cells)
        inside = bool(cells)
    return found


def ticked(cell: str) -> list[str]:
    return re.findall(r"`([^`]*)`", cell)


def documented() -> dict[str, set[str]]:
    """Section → its keys, those of fields by field."""
    found: dict[str, set[str]] = {}
    for heading, rows in tables():
        if rows[0][:2] == ["key", "fields"]:
            for row in rows[1:]:
                for field in ticked(row[1]):
                    found.setdefault(f"fields.{field}", set()).update(ticked(row[0]))
        elif rows[0][0] == "key":
            found[heading] = {key for row in rows[1:] for key in ticked(row[0])}
    return found


def merged(data: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(data.get(key), dict):
            merged(data[key], value)
        else:
            data[key] = value
    return data


def accepted(more: dict[str, Any]) -> set[str]:
    """The keys that the loader names as known where a section holds one that it does not know."""
    with pytest.raises(MappingError) as caught:
        parse_mapping(merged(copy.deepcopy(SHORTEST), more), HERE)
    assert caught.value.problem == "this key is not known here", caught.value
    return set(re.split("[Kk]nown: ", caught.value.remedy)[1].split(", "))


UNKNOWN: dict[str, dict[str, Any]] = {
    "The top of the file": {NOWHERE: 1},
    "store": {"store": {NOWHERE: 1}},
    "guest": {"guest": {NOWHERE: 1}},
    "index": {"index": {NOWHERE: 1}},
    "feed": {"feed": {"by": "digest", NOWHERE: 1}},
    "capabilities": {"capabilities": {NOWHERE: 1}},
    "Field conditions": {
        "quarantine": [{"name": "x", "when": {"field": "name", "in": ["1"], NOWHERE: 1}}],
    },
    "quarantine": {"quarantine": [{"name": "x", "when": {"column": "c", "in": ["1"]}, NOWHERE: 1}]},
    "source": {"source": {NOWHERE: 1}},
    "source.joins": {"source": {"joins": [{"table": "t", "on": {"id": "t_id"}, NOWHERE: 1}]}},
    "Conditions": {"source": {"rows": [{"column": "c", "in": ["1"], NOWHERE: 1}]}},
    "secrecy": {"secrecy": {NOWHERE: 1}},
    "key": {"key": {NOWHERE: 1}},
    "class": {"class": {"column": "c", "scheme": "2010", NOWHERE: 1}},
    "lookups.*": {"lookups": {"x": {"table": "t", "key": "k", "value": "v", NOWHERE: 1}}},
    "units": {"units": {"table": "t", "key": "k", "name": "n", NOWHERE: 1}},
    "warehouses": {"warehouses": {"table": "t", "key": "k", "name": "n", NOWHERE: 1}},
    "region_rule": {"region_rule": {"column": "c", NOWHERE: 1}},
    "file": {"file": {NOWHERE: 1}},
    "file.captions.*": {"file": {"captions": {"x": {"after": "a", "before": "b", NOWHERE: 1}}}},
    "rest": {"store": {"engine": "rest", "url": "http://127.0.0.1"}, "rest": {NOWHERE: 1}},
    "write": {"write": {"status_column": "s", "version_column": "v", NOWHERE: 1}},
}


@pytest.mark.parametrize("section", UNKNOWN)
def test_the_keys_of_a_section(section: str) -> None:
    assert documented()[section] == accepted(UNKNOWN[section])


def test_no_section_is_left_out() -> None:
    sections = {name for name in documented() if not name.startswith("fields.")}
    assert sections == set(UNKNOWN)


def field_names() -> list[str]:
    return [name for _, rows in tables() if rows[0][0] == "field" for row in rows[1:] for name in ticked(row[0])]


def test_every_field_is_listed() -> None:
    with pytest.raises(MappingError) as caught:
        parse_mapping(merged(copy.deepcopy(SHORTEST), {"fields": {NOWHERE: "c"}}), HERE)
    assert caught.value.remedy == "known: " + ", ".join(field_names())


@pytest.mark.parametrize("field", field_names())
def test_the_keys_of_a_field(field: str) -> None:
    unit = "months" if field == "usefulLifeMonths" else "元"
    keys = documented()
    own = keys.get(f"fields.{field}", set())
    assert accepted({"fields": {field: {"column": "c", "unit": unit, NOWHERE: 1}}}) == keys["fields.*"] | own


OPERATIONS_SAID = [row for _, rows in tables() if rows[0][0] == "operation" for row in rows[1:]]


def test_every_operation_is_listed() -> None:
    assert [ticked(row[0]) for row in OPERATIONS_SAID] == [[name] for name in OPERATIONS]


@pytest.mark.parametrize("row", OPERATIONS_SAID, ids=[row[0] for row in OPERATIONS_SAID])
def test_an_operation_does_what_its_row_says(row: list[str]) -> None:
    """Its example, on the columns shown, gives the value and the issues shown; all its keys are told of."""
    (name,), (example,) = ticked(row[0]), ticked(row[1])
    data = tomllib.loads(f"expr = {example}")
    columns = tomllib.loads("\n".join(ticked(row[2])))
    section = Section(data, "fields.x")
    expression = read_expression(section, "expr")
    index = {column: at for at, column in enumerate(columns)}
    assert set(expression.columns) == set(index)
    found: list[Issue] = []
    value = expression.compiled(Compiling(index, "x", "fields.x.expr"))(tuple(columns.values()), found)
    told = ticked(row[3])
    assert (trimmed(text_of(value)), [issue["code"] for issue in found]) == (told[0] if told else None, told[1:])
    if name in data["expr"] and name != "date":
        keys = accepted({"fields": {"keeper": {"expr": {**data["expr"], NOWHERE: 1}}}})
        assert keys <= {*ticked(row[4]), *data["expr"]}


def test_every_value_is_listed() -> None:
    said = set(ticked(TEXT))
    for spec in CANONICAL_FIELDS.values():
        assert said.issuperset(spec.values), spec.name
    assert said.issuperset({*FORMATS, *SQL_ENGINES, CSV, XLSX, MONGODB, JSONL, REST, MEASURE_WORDS})


@pytest.mark.parametrize("block", BLOCKS, ids=[block.partition("\n")[0] for block in BLOCKS])
def test_an_example_loads(block: str, tmp_path: Path) -> None:
    """A whole mapping as it stands; a part of one together with the shortest."""
    if "mapping = 1" in block:
        (path := tmp_path / "example.toml").write_text(block, encoding="utf-8")
        load_mapping(path)
    else:
        parse_mapping(merged(copy.deepcopy(SHORTEST), tomllib.loads(block)), HERE)


async def test_the_shortest_mapping_answers(tmp_path: Path) -> None:
    (tmp_path / "330109.toml").write_text(BLOCKS[0], encoding="utf-8")
    with sqlite3.connect(tmp_path / "zichan.sqlite") as db:
        db.execute("CREATE TABLE zc (id INTEGER PRIMARY KEY, zcmc VARCHAR(60), mj VARCHAR(10))")
        db.execute("INSERT INTO zc VALUES (1, '办公桌', '公开'), (2, '沙盘', '秘密'), (3, '复印机', NULL)")
    db.close()
    store = open_store(load_mapping(tmp_path / "330109.toml"))
    await store.open()
    try:
        page = await store.page(PageRequest(None, (), 10))
        assert [(row["native"], row["name"], row["quantity"]) for row in page.rows] == [("1", "办公桌", "1")]
    finally:
        await store.close()


MESSAGES = [row for heading, rows in tables() if heading == "Messages" for row in rows[1:]]


@pytest.mark.parametrize(("written", "message"), MESSAGES)
def test_a_message(written: str, message: str) -> None:
    data, (change,), (wanted,) = copy.deepcopy(SHORTEST), ticked(written), ticked(message)
    if written.startswith("without"):
        del data[change]
    else:
        merged(data, tomllib.loads(change))
    with pytest.raises(MappingError) as caught:
        parse_mapping(data, HERE)
    got = str(caught.value)
    assert got.startswith(wanted.removesuffix("…")) if wanted.endswith("…") else got == wanted
