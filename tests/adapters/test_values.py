"""Dates, numbers and texts as legacy stores write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mapping import RowMapper, parse_mapping
from adapters.mapping.classes import class_name, to_2022
from adapters.mapping.dates import FORMATS, Fault, read_day, read_time
from adapters.mapping.fields import SideTables
from adapters.mapping.mapper import native_text, parse_native
from adapters.mapping.model import KeyPart
from adapters.mapping.numbers import plus, quantity_in_name, read_decimal
from adapters.mapping.values import is_mojibake, repair_mojibake, text_of, trimmed

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("value", "formats", "day"),
    [
        ("2019-03-05", ("ymd",), "2019-03-05"),
        ("2019/3/5 0:00:00", ("ymd",), "2019-03-05"),
        ("2019.3.5", ("ymd",), "2019-03-05"),
        ("２０１９年３月５日", ("ymd",), "2019-03-05"),
        ("2019-03-05T23:30:00Z", ("ymd",), "2019-03-06"),
        ("0000-00-00", ("ymd",), Fault.ZERO),
        ("2025-01-00", ("ymd",), Fault.PARTIAL),
        ("2025-01", ("ymd",), Fault.PARTIAL),
        ("2018年", ("ymd",), Fault.PARTIAL),
        ("2020年7月", ("ymd",), Fault.PARTIAL),
        ("2023-02-30", ("ymd",), Fault.INVALID),
        ("不详", ("ymd", "compact"), Fault.INVALID),
        ("20190305", ("compact",), "2019-03-05"),
        ("00000000", ("compact",), Fault.ZERO),
        ("201903", ("compact",), Fault.PARTIAL),
        (0, ("epoch_s",), Fault.ZERO),
        (1551715200, ("epoch_s",), "2019-03-05"),
        (1551715200000, ("epoch_ms",), "2019-03-05"),
        (10**18, ("epoch_s",), Fault.INVALID),
        (43529, ("excel",), "2019-03-05"),
        ("43529", ("excel",), "2019-03-05"),
        (60, ("excel", "ymd"), Fault.INVALID),
        (59, ("excel",), "1900-02-28"),
        (61, ("excel",), "1900-03-01"),
        (0, ("excel",), Fault.ZERO),
        ("2019.3", ("excel", "ymd"), Fault.PARTIAL),
        (None, ("ymd",), None),
        ("  ", ("ymd",), None),
        (date(2019, 3, 5), ("ymd",), "2019-03-05"),
        (datetime(2019, 3, 4, 16, tzinfo=UTC), ("ymd",), "2019-03-05"),
    ],
)
def test_days(value: object, formats: tuple[str, ...], day: object) -> None:
    assert read_day(value, formats, SHANGHAI) == day


def test_times_are_utc_in_whole_seconds() -> None:
    assert read_time("2024-05-01 12:33:10.123", ("ymd",), SHANGHAI) == "2024-05-01T04:33:10Z"
    assert read_time("2024-05-01T12:33:10+08:00", ("ymd",), UTC) == "2024-05-01T04:33:10Z"
    assert read_time(datetime(2024, 5, 1, 12, tzinfo=timezone(timedelta(hours=8))), ("ymd",), UTC) == (
        "2024-05-01T04:00:00Z"
    )


@given(st.one_of(st.text(max_size=20), st.floats(), st.integers(), st.binary(max_size=8), st.booleans()))
def test_nothing_is_a_traceback(value: object) -> None:
    day = read_day(value, FORMATS, SHANGHAI)
    assert day is None or isinstance(day, Fault) or date.fromisoformat(day)
    read_time(value, FORMATS, SHANGHAI)
    read_decimal(value)
    text_of(value)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("１２，３４５．００ ", Decimal("12345.00")),
        ("1,234,567.5", Decimal("1234567.5")),
        (0.1, Decimal("0.1")),
        (7, Decimal(7)),
        ("-0.50", Decimal("-0.50")),
        ("¥12", Decimal(12)),
        ("", None),
        (None, None),
        ("约三万", "约三万"),
        ("1,23", "1,23"),
        ("#REF!", "#REF!"),
        (float("inf"), "inf"),
    ],
)
def test_numbers(value: object, number: object) -> None:
    assert read_decimal(value) == number


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("台式电脑3台", (3, "台")),
        ("办公椅12把", (12, "把")),
        ("A4复印机", None),
        ("3台", None),
        ("柜0个", None),
        ("椅子", None),
    ],
)
def test_quantity_in_name(name: str, counted: object) -> None:
    assert quantity_in_name(name) == counted


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=8))
def test_mojibake_is_repaired(text: str) -> None:
    garbled = text.encode("gbk", "ignore").decode("latin-1")
    if garbled and is_mojibake(garbled):
        assert repair_mojibake(garbled) == text.encode("gbk", "ignore").decode("gbk")


@pytest.mark.parametrize("text", ["1920×1080", "25°C±0.5", "办公桌", "plain", "m²"])
def test_right_texts_are_no_mojibake(text: str) -> None:
    assert not is_mojibake(text)


def test_trim() -> None:
    assert trimmed("　 a b　\t") == "a b"
    assert trimmed(" 　 ") is None


def test_the_trap_of_2010_and_2022() -> None:
    assert class_name("2010", "A02010104") == "台式计算机"
    assert class_name("2022", "A02010104") == "服务器"
    assert to_2022("2010", "A02010104") == "A02010105"
    assert to_2022("2022", "A02010104") == "A02010104"
    assert to_2022("1994", "711701") == "A02010105"
    assert to_2022("1994", "A02010104") is None


parts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6), min_size=1, max_size=3)


@given(parts)
def test_native_keys_read_back(texts: list[str]) -> None:
    key = tuple(KeyPart(f"c{at}") for at in range(len(texts)))
    assert parse_native(native_text(tuple(texts)), key) == tuple(texts)


def test_another_spelling_of_a_key_is_no_key() -> None:
    two = (KeyPart("a"), KeyPart("b"))
    assert native_text(("0/1", "甲")) == "0%2F1/%E7%94%B2"
    assert parse_native("0%2f1/x", two) is None
    assert parse_native("a", two) is None
    assert parse_native("007", (KeyPart("a", "integer"),)) is None
    assert parse_native("7", (KeyPart("a", "integer"),)) == (7,)


def test_codes_mean_the_same_in_any_width() -> None:
    """A code as the engineer copied it out of the store, full width and all, is the store's code."""
    codes = {"（完好）": "GOOD", "全新": "NEW"}
    mapping = parse_mapping(
        {
            "mapping": 1,
            "region": "330109",
            "store": {"engine": "sqlite", "url": "x"},
            "source": {"table": "zc"},
            "secrecy": {"none_because": "a test"},
            "key": {"columns": ["id"]},
            "fields": {"name": "zcmc", "condition": {"column": "cs", "codes": codes, "empty": ["（无）"]}},
        },
        Path("x.toml"),
    )
    mapper = RowMapper(mapping, SideTables())
    seen = []
    for value in ("（完好）", "(完好)", " 全新　", "（无）", "(无)", "坏"):
        row = mapper.map(("1", "办公桌", value)).row
        assert row is not None
        seen.append((row["condition"], [found["code"] for found in row["issues"]]))
    assert seen == [("GOOD", []), ("GOOD", []), ("NEW", []), (None, []), (None, []), (None, ["UNKNOWN_CODE"])]


def test_what_a_document_nests_is_shown_as_json() -> None:
    """Not as Python writes it."""
    assert text_of({"型号": "X7", "年": 2019, "有": True, "无": None}) == '{"型号":"X7","年":2019,"有":true,"无":null}'
    assert text_of([1, Decimal("1.50"), date(2020, 1, 2), b"\xe6\xa1\x8c"]) == '[1,"1.50","2020-01-02","桌"]'


def test_sums_are_exact_beyond_28_digits() -> None:
    assert plus(Decimal(10**39), Decimal("0.01")) == Decimal(f"1{'0' * 39}.01")


def test_a_truth_value_is_no_number() -> None:
    assert (read_decimal(True), read_decimal(False)) == ("TRUE", "FALSE")
