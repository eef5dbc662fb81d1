"""Whatever stands in a SQLite column (it holds any type), pushed answers equal the mapper's, and nothing is lost."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters import open_store
from adapters.mapping import RowMapper, load_mapping
from adapters.mapping.mapper import Fate
from adapters.model import PageRequest
from tests.adapters.oracle import Keyed, check_counts, check_request, filters, requests

MAPPING = Path(__file__).parents[2] / "subgraphs" / "sample_city" / "mappings" / "330100.toml"
SCHEMA = """
CREATE TABLE unit (unit_id VARCHAR(20) PRIMARY KEY, name VARCHAR(100), uscc VARCHAR(18));
CREATE TABLE warehouse (warehouse_id VARCHAR(20) PRIMARY KEY, name VARCHAR(100), kind VARCHAR(10), address VARCHAR(200));
INSERT INTO unit VALUES ('U1', '一', NULL), ('2', '二', NULL);
CREATE TABLE asset (
  asset_id VARCHAR(60) PRIMARY KEY, code VARCHAR(40), name VARCHAR(200), class_code VARCHAR(16), specification VARCHAR(200),
  brand VARCHAR(60), model VARCHAR(60), serial_number VARCHAR(60), quantity DECIMAL(12,3), unit_of_measure VARCHAR(10),
  acquired_on DATE, acquisition VARCHAR(20), original_value DECIMAL(18,2), accumulated_depreciation DECIMAL(18,2),
  net_value DECIMAL(18,2), value_type VARCHAR(20), useful_life_months INTEGER, unit_id VARCHAR(20), keeper VARCHAR(40),
  user_name VARCHAR(40), warehouse_id VARCHAR(20), location VARCHAR(200), source VARCHAR(20), item_condition VARCHAR(20),
  status VARCHAR(20), shareable BOOLEAN, shareable_until DATE, secrecy VARCHAR(10), mass_kg DECIMAL(10,3),
  row_version INTEGER, updated_at TIMESTAMP);
"""

anything = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6),
    st.sampled_from(["", " ", "　", " a ", "ａｂ", "°ì¹«×À", "椅子", "\x1f"]),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False),
    st.binary(max_size=4),
)
amount = st.one_of(
    st.decimals(-1000, 10_000_000, places=2, allow_nan=False).map(float),
    st.integers(-5, 2**62),
    st.sampled_from(
        [0.1, 0.30000000000000004, 1e-200, 1e200, "约三万", "1,200.50", "１２", "", None, "¥5", b"7", -0.0]
    ),
    anything,
)
day = st.one_of(
    st.dates().map(str),
    st.sampled_from(
        ["0000-00-00", "2025-01-00", "2023-02-30", "2019/3/5", "2019年3月5日", "0000-01-01", 2019, 20190305]
    ),
    anything,
)


def of(*values: object) -> st.SearchStrategy[object]:
    return st.one_of(st.sampled_from(values), anything)


rows = st.fixed_dictionaries(
    {
        "asset_id": st.one_of(st.text("AB:/ 键", max_size=3), of("k1", 7, None)),
        "code": of("C1", "Ｃ1", " C1", "C2"),
        "name": of("台式计算机", "椅子", None),
        "class_code": of("A02010105", "A02010104", "A02999999", "Ａ02010105", None),
        "brand": anything,
        "quantity": amount,
        "acquired_on": day,
        "acquisition": of("PURCHASE", "purchase"),
        "original_value": amount,
        "accumulated_depreciation": amount,
        "net_value": amount,
        "unit_id": of("U1", "2", 2, "U1 ", "Ｕ1"),
        "status": of("IDLE", "IN_STORE", " IDLE", "UNDEFINED", "ＬＯＳＴ"),
        "item_condition": of("NEW", "GOOD"),
        "shareable": of(0, 1, True, "1", "true", 2, 1.0),
        "secrecy": of("NONE", "INTERNAL", "NONE ", "none", "SECRET"),
        "row_version": of(1, "2"),
        "updated_at": of("2025-03-01 01:02:03", "2025-03-01T01:02:03Z"),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=st.lists(rows, min_size=1, max_size=12), data=st.data())
def test_pushed_answers_equal_the_mapping(
    tmp_path_factory: object, table: list[dict[str, object]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("bad")  # type: ignore[attr-defined]
    asyncio.run(_check(folder, table, data))


async def _check(folder: Path, table: list[dict[str, object]], data: st.DataObject) -> None:
    (folder / "mappings").mkdir()
    (folder / "stores").mkdir()
    (folder / "mappings" / "330100.toml").write_text(MAPPING.read_text())
    database = sqlite3.connect(folder / "stores" / "330100.sqlite")
    database.executescript(SCHEMA)
    for row in table:
        marks = ", ".join("?" * len(row))
        database.execute(f"INSERT OR IGNORE INTO asset ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    database.commit()
    mapping = load_mapping(folder / "mappings" / "330100.toml")
    native = database.execute(f"SELECT {', '.join(mapping.columns)} FROM asset").fetchall()
    database.close()
    store = open_store(mapping)
    await store.open()
    try:
        report = await store.quality()
        listed = await store.page(PageRequest(None, (), 100))
        assert report.listed == len(listed.rows) == await store.count(None)
        open_rows = [raw for raw in native if raw[mapping.columns.index("secrecy")] in ("NONE", "INTERNAL")]
        assert report.rows == len(open_rows)
        mapper = RowMapper(mapping, (await store._fresh_mapper()).side)  # type: ignore[attr-defined]
        alone = [mapper.map(raw) for raw in open_rows]
        keys = [mapped.native for mapped in alone]
        wanted = sorted(
            mapped.row["native"]
            for mapped in alone
            if mapped.fate is Fate.LISTED and mapped.row and keys.count(mapped.native) == 1
        )
        assert sorted(row["native"] for row in listed.rows) == wanted
        everything: list[Keyed] = list(zip(listed.rows, listed.native_values, strict=True))
        if everything:
            for _ in range(4):
                await check_request(store, everything, data.draw(requests(everything)))
            await check_counts(store, everything, data.draw(st.one_of(st.none(), filters(everything))))
    finally:
        await store.close()
