"""Any valid mapping over any rows: never a traceback, never a row that is lost, never a value that nobody recorded."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from adapters.canonical import CANONICAL_FIELDS, DERIVED
from adapters.index import IndexBuilder, SourceStamp
from adapters.mapping import Fate, MappingError, RowMapper, parse_mapping
from adapters.mapping.compiled import CompiledMapper
from adapters.mapping.dates import FORMATS
from adapters.mapping.fields import SideTables
from adapters.mapping.mapper import native_text, parse_native
from adapters.mapping.model import Mapping
from adapters.mapping.values import trimmed
from adapters.model import FieldKind, FieldSpec, Issue, PageRequest, Row
from adapters.snapshot import Snapshot
from contract.decimals import format_decimal, format_money, parse_decimal
from tests.adapters.mapping.expressions.test_inverse import WRITTEN

COLUMNS = ("a", "b", "c")
PATH = Path("/city/330109.toml")
SIDE = SideTables(
    {"codes": {"1": ("2", "x"), "2": (None, None), "在库": ("IN_STORE", None)}},
    {"1": {"native": "1"}, "2": {"native": "2"}},
    {"1": {"native": "1"}},
)
TODAY = date(2026, 1, 1)

# --- rows -----------------------------------------------------------------------------------------------------------

PLAIN = st.sampled_from(
    ["1", "2", "0", "在库", "是", "公开", "台灯3台", "2019-03-05", "20190305", "1,234.50", "IN_USE"]
)
HOSTILE: list[Any] = [
    None, "", " ", "\x00", "a\x00b", "\ud800", "台\udfff灯", "\ufffe", "\U0010ffff", "é" * 3, "x" * 10_000, "１２",
    "0000-00-00", "0000-01-01", "10000-01-01", "9999-12-31", "0001-01-01", "2019-13-45", "9999-12-31T23:59:59+23:59",
    "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "NaN", "Infinity", "-inf", "1e99", "1e-99", "9" * 400,
    "9" * 40 + "." + "9" * 20, "-0", "1.", ".", "+", "0x10", "=1+1", "²", "１e5", "٣", "９９９９９",
    b"", b"\x00\xff\xfe", b"\xcc\xa8\xb5\xc6", bytearray(b"1"), memoryview(b"2"),
    0, -1, 2**63, -(2**63) - 1, 10**30, 10**400, True, False,
    0.0, -0.0, 1e308, 5e-324, 1e40, 1e-40, math.nan, math.inf, -math.inf, 1e22, 0.1,
    Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), Decimal("1E+6000"), Decimal("1E-6000"), Decimal("-0.00"),
    Decimal("1E+5"), Decimal("1" * 60), Decimal("0." + "1" * 60), Decimal("12.50"), Decimal("12." + "0" * 40), Decimal("0E-400"),
    date.min, date.max, datetime.min, datetime.max, datetime(2019, 3, 5, 8, tzinfo=UTC),
    datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), datetime.max.replace(tzinfo=timezone(-timedelta(hours=12))),
    datetime.max.replace(tzinfo=UTC), time(8, 30), timedelta(days=-1), UUID(int=7), 1j, frozenset({1}),
    {}, [], {"a": 1}, {1: {"b": [b"\xff", math.nan, Decimal("NaN")]}}, [[["\ud800"]]], {"d": datetime.max, (1, 2): None},
]  # fmt: skip
EDGES = st.sampled_from(HOSTILE)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(st.text(max_size=3), st.integers()), inner, max_size=3)
    )


VALUES = st.one_of(
    PLAIN,
    PLAIN,
    EDGES,
    st.recursive(st.one_of(EDGES, st.text(max_size=5)), nested, max_leaves=4),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(st.characters(), max_size=8),
    st.binary(max_size=8),
    st.datetimes(timezones=st.none() | st.just(UTC)),
)
ROWS = st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=6)

# --- mappings -------------------------------------------------------------------------------------------------------

COLUMN = st.sampled_from(COLUMNS)
CODES = st.sampled_from(["1", "2", "0", "在库", "是", ""])


def table(required: dict[str, Any], optional: dict[str, Any] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional or {})


TEXTS = st.lists(CODES, min_size=1, max_size=3)
CONDITION = st.one_of(
    table({"column": COLUMN, "in": TEXTS}),
    table({"column": COLUMN, "not_in": TEXTS}),
    table({"column": COLUMN, "is": st.sampled_from(["null", "not null"])}),
)


def constant(spec: FieldSpec) -> st.SearchStrategy[str]:
    if spec.kind is FieldKind.BOOLEAN:
        return st.sampled_from(["true", "false"])
    if spec.values:
        return st.sampled_from(spec.values)
    money = spec.name.endswith("Value") or spec.name == "accumulatedDepreciation"
    known = {FieldKind.DATE: "2022-01-31", FieldKind.DATETIME: "2022-01-31T00:00:00Z", FieldKind.INTEGER: "60"}
    return st.just(known.get(spec.kind, "1.50" if money else "1"))


def field(spec: FieldSpec) -> st.SearchStrategy[dict[str, Any]]:
    value = constant(spec)
    optional: dict[str, Any] = {
        "empty": TEXTS,
        "when": CONDITION,
        "cases": st.lists(st.builds(lambda when, value: {**when, "value": value}, CONDITION, value), max_size=2),
        "lookup": st.just("codes"),
        "codes": st.dictionaries(CODES, value, max_size=3),
        "clean": st.lists(st.sampled_from(["trim", "width", "mojibake"]), max_size=3),
    }
    required: dict[str, Any] = {}
    if spec.kind not in (FieldKind.DATE, FieldKind.DATETIME, FieldKind.INTEGER):
        optional["default"] = value
    if spec.kind in (FieldKind.DATE, FieldKind.DATETIME):
        optional["formats"] = st.lists(st.sampled_from(FORMATS), min_size=1, max_size=5)
        optional["zone"] = st.sampled_from(["UTC", "Asia/Shanghai"])
    if spec.name in ("originalValue", "accumulatedDepreciation", "netValue"):
        required["unit"] = st.sampled_from(["元", "万元", "分"])
    if spec.name == "usefulLifeMonths":
        required["unit"] = st.sampled_from(["months", "years"])
    if spec.name == "owner":
        optional["uscc"] = st.booleans()
    sources: list[st.SearchStrategy[dict[str, Any]]] = [
        table({**required, "column": COLUMN}, optional),
        table({**required, "columns": st.lists(COLUMN, min_size=1, max_size=3)}, optional),
        table({**required, "expr": WRITTEN}, optional),
        table({**required, "value": value}),
    ]
    if spec.name in ("originalValue", "accumulatedDepreciation", "netValue"):
        sources.append(table({**required, "column": COLUMN, "minus": COLUMN}))
    if spec.name in ("quantity", "unitOfMeasure"):
        sources.append(table({"from_name": st.just(True)}))
    if spec.name == "version":
        sources.append(table({"digest": st.just(True)}))
    return st.one_of(sources)


FIELDS = {name: field(spec) for name, spec in CANONICAL_FIELDS.items() if name not in DERIVED and name != "observedAt"}
NAME = FIELDS.pop("name")
RULE = st.one_of(
    table({"name": st.just("own"), "when": CONDITION}),
    table({"name": st.just("own"), "when": table({"field": st.just("name"), "is": st.just("null")})}),
    table(
        {"name": st.just("own"), "why": st.just("x"), "when": table({"field": st.just("name"), "lt": st.just("台")})}
    ),
)
TABLE = {"table": "t", "key": "k", "name": "n"}
DATA = table(
    {
        "mapping": st.just(1),
        "region": st.just("330109"),
        "store": st.just({"engine": "sqlite", "url": "x.sqlite"}),
        "source": table({"table": st.just("zc")}, {"rows": st.lists(CONDITION, max_size=1)}),
        "secrecy": st.one_of(
            st.just({"none_because": "x"}),
            table({"column": COLUMN, "open": TEXTS}, {"lookup": st.just("codes")}),
        ),
        "key": table({"columns": st.lists(COLUMN, min_size=1, max_size=2, unique=True)}, {"trim": st.booleans()}),
        "fields": st.fixed_dictionaries({"name": NAME}, optional=FIELDS),
        "lookups": st.just({"codes": {"table": "t", "key": "k", "value": "v"}}),
        "units": st.just(TABLE),
        "warehouses": st.just(TABLE),
    },
    {
        "class": table(
            {"column": COLUMN, "scheme": st.sampled_from(["1994", "2010", "2022"])},
            {"prefix": st.just("A0"), "name_column": COLUMN, "lookup": st.just("codes")},
        ),
        "region_rule": table({"column": COLUMN}, {"street_column": COLUMN}),
        "quarantine": st.lists(RULE, max_size=2),
    },
)


@st.composite
def mappings(draw: st.DrawFn) -> Mapping:
    data = draw(DATA)
    if draw(st.booleans()):
        data["key"]["integers"] = data["key"]["columns"][:1]
    try:
        return parse_mapping(data, PATH)
    except MappingError:  # an expression of another type than its field
        assume(False)
        raise


# --- what must hold -------------------------------------------------------------------------------------------------


def is_canonical(spec: FieldSpec, value: Any) -> bool:
    match spec.kind:
        case FieldKind.DECIMAL:
            number = parse_decimal(value)
            return value in (format_decimal(number), format_money(number))
        case FieldKind.DATE:
            return date.fromisoformat(value).isoformat() == value
        case FieldKind.DATETIME:
            return datetime.fromisoformat(value).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0") == value
        case FieldKind.ENUM:
            return value in spec.values
        case FieldKind.BOOLEAN:
            return isinstance(value, bool)
        case FieldKind.INTEGER:
            return isinstance(value, int)
        case FieldKind.REFERENCE:
            return value in (SIDE.units if spec.name == "owner" else SIDE.warehouses)
        case FieldKind.TEXT:
            return isinstance(value, str) and (spec.name == "version" or trimmed(value) == value)


def check_row(mapping: Mapping, row: Row, raw: tuple[Any, ...]) -> None:
    for name, value in row.items():
        spec = CANONICAL_FIELDS.get(name)
        assert spec is None or value is None or is_canonical(spec, value), (name, value)
    index = dict(zip(mapping.columns, raw, strict=True))
    issues: list[Issue] = row["issues"]
    for name, mapped in mapping.fields.items():
        columns = [*mapped.columns, *(mapped.expr.columns if mapped.expr else ())]
        if mapped.constant is not None or mapped.cases or mapped.digest or mapped.from_name or not columns:
            continue
        if any(index[column] is not None for column in columns) or (mapped.expr and "'" in repr(mapped.expr)):
            continue
        told = any(issue["code"] == "DEFAULTED" and issue["field"] == name for issue in issues)
        assert row[name] in (None, False, "") or told, f"{name} is {row[name]!r}, and nobody recorded it"


EVERY_FIELD: dict[str, Any] = {
    "mapping": 1,
    "region": "330109",
    "store": {"engine": "sqlite", "url": "x.sqlite"},
    "source": {"table": "zc"},
    "secrecy": {"none_because": "x"},
    "units": TABLE,
    "warehouses": TABLE,
    "class": {"column": "a", "scheme": "2010"},
    "fields": {
        name: {"column": "a"}
        | ({"unit": "years"} if name == "usefulLifeMonths" else {})
        | ({"unit": "元"} if name in ("originalValue", "accumulatedDepreciation", "netValue") else {})
        | ({"formats": list(FORMATS)} if spec.kind in (FieldKind.DATE, FieldKind.DATETIME) else {})
        for name, spec in CANONICAL_FIELDS.items()
        if name not in DERIVED and name != "observedAt"
    },
}
HUGE = [10**5000, -(10**5000)]
"""Python itself refuses to write these, so no example of hypothesis may hold them."""


@pytest.mark.parametrize(
    "key", [{"columns": ["b"]}, {"columns": ["b", "c"]}, {"columns": ["a"]}, {"columns": ["b"], "integers": ["b"]}]
)
@pytest.mark.parametrize("clean", [["trim"], ["width", "mojibake"]])
def test_every_hostile_value_in_every_kind_of_field(key: dict[str, Any], clean: list[str]) -> None:
    fields = {**EVERY_FIELD["fields"], "brand": {"column": "a", "clean": clean}}
    mapping = parse_mapping({**EVERY_FIELD, "key": key, "fields": fields}, PATH)
    mapper = RowMapper(mapping, SIDE, TODAY)
    compiled = CompiledMapper(mapper)
    for value in [*HOSTILE, *HUGE]:
        for row in ({"a": value, "b": "1", "c": "2"}, {"a": "x", "b": value, "c": "2"}):
            raw = tuple(row[column] for column in mapping.columns)
            mapped = mapper.map(raw)
            assert mapped.row is not None
            check_row(mapping, mapped.row, raw)
            orjson.dumps([mapped.row, mapper.raw_of(raw)])
            if mapped.native:
                assert parse_native(mapped.row["native"], mapping.key) == mapped.native
            assert compiled.map([raw]) == [mapped]


@given(mappings(), ROWS)
@settings(max_examples=150, deadline=None)
def test_every_row_has_its_fate(mapping: Mapping, rows: list[tuple[Any, ...]]) -> None:
    raws = [tuple(dict(zip(COLUMNS, row, strict=True))[column] for column in mapping.columns) for row in rows]
    mapper = RowMapper(mapping, SIDE, TODAY)
    fates: Counter[Fate] = Counter()
    kept = []
    for raw in raws:
        judged = mapper.judge(raw)
        fates[judged.fate] += 1
        if judged.row is None:
            assert judged.fate in (Fate.SECRET, Fate.IGNORED)
            continue
        kept.append(raw)
        orjson.dumps(judged.row)
        orjson.dumps(mapper.raw_of(raw))
        check_row(mapping, judged.row, raw)
        if judged.fate is Fate.LISTED:
            assert judged.row["native"] == native_text(judged.native)
            assert parse_native(judged.row["native"], mapping.key) == judged.native
        else:
            assert any(issue["blocking"] for issue in judged.row["issues"])
    assert CompiledMapper(mapper).map(kept) == [mapper.map(raw) for raw in kept]
    snapshot = Snapshot(mapper, kept, 100)
    quality = snapshot.quality()
    assert (
        quality.rows
        == fates[Fate.LISTED] + fates[Fate.QUARANTINED]
        == len(raws) - fates[Fate.SECRET] - fates[Fate.IGNORED]
    )
    assert quality.listed + quality.quarantined == quality.rows


@given(mappings(), ROWS)
@settings(max_examples=40, deadline=None)
def test_an_index_holds_what_memory_holds(tmp_path_factory: Any, mapping: Mapping, rows: list[tuple[Any, ...]]) -> None:
    raws = [tuple(dict(zip(COLUMNS, row, strict=True))[column] for column in mapping.columns) for row in rows]
    mapper = RowMapper(mapping, SIDE, TODAY)
    wanted = Snapshot(mapper, [raw for raw in raws if not mapper.is_secret(raw) and not mapper.is_ignored(raw)], 100)
    path = tmp_path_factory.mktemp("index") / "index.sqlite"
    builder = IndexBuilder(path, RowMapper(mapping, SIDE, TODAY))
    builder.add(raws)
    builder.finish(SourceStamp("1", datetime(2026, 1, 1, tzinfo=UTC)), "digest")
    db = sqlite3.connect(path)
    try:
        listed = {native for (native,) in db.execute("SELECT json_extract(row, '$[0]') FROM asset")}
        (kept_back,) = db.execute("SELECT count(*) FROM kept").fetchone()
    finally:
        db.close()
    assert (listed, kept_back) == (set(natives(wanted)), len(wanted.quarantined))


def natives(snapshot: Snapshot) -> Sequence[str]:
    return [row["native"] for row in snapshot.page(PageRequest(None, (), 100)).rows]
