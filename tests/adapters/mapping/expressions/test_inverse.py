"""An inverse loses no row: whatever row gives a value fulfils one of the tests that the inverse names."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mapping.dates import read_day
from adapters.mapping.expressions import Compiling, Expression, NativeTest, Unreadable
from adapters.mapping.expressions.load import read_expression
from adapters.mapping.numbers import read_decimal
from adapters.mapping.toml import Section
from adapters.mapping.values import code_text, text_of, trimmed

COLUMNS = {"a": 0, "b": 1, "c": 2}
WORDS = st.sampled_from(
    ["", " ", "联想 T14", "T14/2层/台灯", "ZC-0071", "型号：T14；", "台灯3台", "1", "２", "2019", "12"]
)
NUMBERS = st.one_of(st.integers(-(10**9), 10**9), st.decimals(-(10**9), 10**9, places=4), st.floats(-1e6, 1e6))
RAW = st.one_of(st.none(), WORDS, NUMBERS, st.text("ab １/：；-台", max_size=6))


def expression(written: Any) -> Expression:
    return read_expression(Section({"expr": written}, "fields.x"), "expr")


def holds(test: NativeTest, raw: tuple[Any, ...]) -> bool:
    value = raw[COLUMNS[test.column]]
    text = trimmed(text_of(value))
    match test.test:
        case "is":
            return text == test.value
        case "starts":
            return text is not None and text.startswith(test.value)
        case "contains":
            return text is not None and test.value in text
        case "code":
            return code_text(value) == test.value
        case "number":
            number = read_decimal(value)
            return isinstance(number, Decimal) and number == Decimal(test.value)


LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["a", "b", "c"]),
    st.builds(lambda text: {"value": text}, st.sampled_from(["T14", "1", "2019"])),
)


def operations(part: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    constants = st.sampled_from(["T14", "1", "12", "0.5"])
    return st.one_of(
        *(st.builds(lambda part, name=name: {name: part}, part) for name in ("trim", "width", "upper", "lower")),
        st.builds(lambda part, at, length: {"substring": part, "from": at, "length": length}, part, *[st.integers(1, 4)] * 2),
        st.builds(lambda part, at: {"split": part, "by": "/", "part": at}, part, st.sampled_from([1, 2, -1])),
        st.builds(lambda part: {"between": part, "before": "；"}, part),
        st.builds(lambda part: {"between": part, "after": "：", "before": "；"}, part),
        st.builds(lambda part: {"extract": part, "pattern": "@+#+"}, part),
        st.builds(lambda part: {"replace": part, "old": "T", "new": "t"}, part),
        st.builds(lambda parts: {"concat": parts, "separator": " "}, st.lists(part, min_size=1, max_size=2)),
        st.builds(lambda parts, name: {name: parts}, st.lists(part, min_size=1, max_size=3), st.sampled_from(["first", "coalesce"])),
        st.builds(lambda part: {"case": part, "of": {"1": "T14", "２": "1"}, "otherwise": {"value": "else"}}, part),
        st.builds(lambda part: {"case": part, "of": {"1": "T14", "2": "T14"}}, part),
        st.builds(lambda part, by: {"mul": part, "by": by}, part, st.sampled_from(["3", "0.01", "-2"])),
        st.builds(lambda part: {"div": part, "by": "8"}, part),
        st.builds(lambda part: {"div": part, "by": "3", "places": 2}, part),
        st.builds(lambda part, text: {"add": [part, {"value": text}]}, part, st.sampled_from(["1", "0.5"])),
        st.builds(lambda one, two: {"add": [one, two]}, part, part),
        st.builds(lambda part: {"measure_word": part}, part),
        st.builds(lambda part, text: {"first": [part, {"default": text}]}, part, constants),
    )  # fmt: skip


WRITTEN = st.recursive(LEAVES, operations, max_leaves=4)


@given(WRITTEN, st.tuples(RAW, RAW, RAW))
def test_no_row_is_lost(written: Any, raw: tuple[Any, ...]) -> None:
    try:
        found = expression(written)
        value = found.compiled(Compiling(COLUMNS, "x", "fields.x.expr"))(raw, [])
    except (Unreadable, ValueError):  # no number; a type that the loader refuses
        return
    text = trimmed(text_of(value))
    if text is None:
        return
    tests = found.inverse(text)
    assert tests is None or any(holds(test, raw) for test in tests), (text, tests)


@given(st.tuples(RAW, RAW, RAW), st.tuples(st.integers(1990, 2030), st.integers(1, 12), st.integers(1, 28)))
def test_a_day_is_not_lost(raw: tuple[Any, ...], day: tuple[int, int, int]) -> None:
    found = expression({"date": {"year": "a", "month": "b", "day": "c"}})
    for row in (raw, day, tuple(f" {part:02}" for part in day)):
        value = found.compiled(Compiling(COLUMNS, "x", "fields.x.expr"))(row, [])
        read = read_day(value, ("ymd",), None)
        if isinstance(read, str):
            tests = found.inverse(read)
            assert tests is None or any(holds(test, row) for test in tests)


@pytest.mark.parametrize(
    ("written", "value", "tests"),
    [
        ("a", "T14", [("a", "is", "T14")]),
        ({"trim": "a"}, "T14", [("a", "is", "T14")]),
        ({"width": "a"}, "T14", [("a", "code", "T14")]),
        ({"substring": "a", "length": 3}, "T14", [("a", "starts", "T14")]),
        ({"split": "a", "by": "/", "part": 2}, "T14", [("a", "contains", "T14")]),
        ({"split": "a", "by": "/", "part": 2}, "T/14", []),
        ({"case": "a", "of": {"1": "x", "2": "y", "3": "x"}}, "x", [("a", "code", "1"), ("a", "code", "3")]),
        ({"case": "a", "of": {"1": "x"}, "otherwise": {"default": "y"}}, "y", None),
        ({"mul": "a", "by": "10000"}, "25000.00", [("a", "number", "2.5")]),
        ({"mul": "a", "by": "3"}, "1", []),
        ({"add": ["a", {"value": "5"}]}, "7", [("a", "number", "2")]),
        ({"mul": {"add": ["a", {"value": "5"}]}, "by": "2"}, "14", [("a", "number", "2")]),
        ({"div": "a", "by": "3", "places": 2}, "0.33", None),
        ({"first": ["a", "b"]}, "x", [("a", "is", "x"), ("b", "is", "x")]),
        ({"first": ["a", {"upper": "b"}]}, "x", None),
        ({"concat": ["a", "b"]}, "x", None),
        ({"value": "x"}, "y", []),
    ],
)
def test_what_can_be_inverted(written: Any, value: str, tests: list[tuple[str, str, str]] | None) -> None:
    found = expression(written).inverse(value)
    assert (None if found is None else [(test.column, test.test, test.value) for test in found]) == tests
