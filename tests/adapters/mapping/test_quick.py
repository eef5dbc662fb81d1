"""A quick reader answers as the field's own reader does, without an issue, or gives up; and it does answer the usual."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.canonical import CANONICAL_FIELDS
from adapters.mapping.fields import SideTables, build_reader
from adapters.mapping.model import FieldMapping
from adapters.mapping.quick import quick_readers, whole_readers
from adapters.model import Issue


def mapped(name: str, **how: Any) -> FieldMapping:
    return FieldMapping(CANONICAL_FIELDS[name], ("c",), **how)


MAPPED = {
    "yuan": mapped("originalValue", unit="元"),
    "wan": mapped("originalValue", unit="万元"),
    "fen": mapped("originalValue", unit="分"),
    "number": mapped("quantity"),
    "text": mapped("brand"),
    "clean text": mapped("name", clean=("trim", "width", "mojibake")),
    "day": mapped("acquiredOn", formats=("excel", "ymd")),
    "time": mapped("updatedAt", formats=("ymd",)),
    "utc": mapped("updatedAt", formats=("ymd",), zone="UTC"),
}
digits = st.text("0019", min_size=1, max_size=3)
amounts = st.tuples(st.sampled_from(["", "-", "+"]), digits, st.sampled_from([".", "", ","]), digits).map("".join)
plain = st.decimals(-(10**9), 10**9, places=2)
values = st.one_of(
    st.from_regex(r"\A0?[0-9]{1,2}\.[0-9]{2}\Z"),
    amounts,
    amounts.filter(lambda text: text.strip("+-.,") and "," not in text).map(Decimal),
    plain,
    plain.map(float),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(" 　a台Ａ°ì¹«\ufffd", max_size=4),
    st.from_regex(r"\A[0-9]{4}-[0-1][0-9]-[0-3][0-9][ T][0-2][0-9]:[0-6][0-9]:[0-6][0-9]\Z"),
    st.datetimes().map(lambda moment: moment.isoformat(" ", "seconds")),
    st.datetimes().map(str),
    st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    st.datetimes(),
    st.dates(),
    st.dates().map(str),
    st.sampled_from(["\u200b台", "\ud800", "2019-W01-1", "2019-02-30"]),
)


@pytest.mark.parametrize("name", MAPPED)
@settings(max_examples=400, deadline=None)
@given(value=values)
def test_quick_readers_equal_the_reader_or_give_up(name: str, value: Any) -> None:
    readers = quick_readers(MAPPED[name])
    assert readers is not None
    quick = readers.get(type(value))
    given_quickly = None if quick is None else quick(value)
    if given_quickly is None:
        return
    found: list[Issue] = []
    assert given_quickly == build_reader(MAPPED[name], {"c": 0}, SideTables())((value,), found)
    assert found == []


WHOLE = ("yuan", "number", "text", "clean text", "day", "utc")
alike = st.sampled_from([str, float, int]).flatmap(
    lambda kind: st.lists(values.filter(lambda value: type(value) is kind), min_size=1, max_size=4)
)


@pytest.mark.parametrize("name", WHOLE)
@settings(max_examples=400, deadline=None)
@given(column=st.one_of(alike, st.lists(st.one_of(plain.map(float), st.integers(0, 10**6)), min_size=1, max_size=4)))
def test_a_whole_column_is_read_as_its_values_are_or_given_up(name: str, column: list[Any]) -> None:
    read = build_reader(MAPPED[name], {"c": 0}, SideTables())
    for known in _known(name, column):
        found: list[Issue] = []
        assert list(known) == [read((value,), found) for value in column]
        assert found == []


def _known(name: str, column: list[Any]) -> list[Any]:
    """What the readers of whole columns give of this one, those that give something."""
    wholes = [whole for whole in whole_readers(MAPPED[name]) if set(map(type, column)) <= whole.classes]
    return [known for whole in wholes if (known := whole.read(column)) is not None]


@pytest.mark.parametrize(
    ("name", "column", "texts"),
    [
        ("yuan", [1234.5, 7, 0.29], ["1234.50", "7.00", "0.29"]),
        ("number", [2, 0, -7], ["2", "0", "-7"]),
        ("text", ["联想", "M 1"], ["联想", "M 1"]),
        ("text", [2, 30], ["2", "30"]),
        ("clean text", ["LED", "M 1"], ["LED", "M 1"]),
        ("day", ["2019-03-05", "2020-02-29"], ["2019-03-05", "2020-02-29"]),
        ("utc", ["2025-03-01 01:02:03", "2025-03-01T04:05:06"], ["2025-03-01T01:02:03Z", "2025-03-01T04:05:06Z"]),
    ],
)
def test_a_usual_column_is_read_at_once(name: str, column: list[Any], texts: list[str]) -> None:
    assert list(map(list, _known(name, column))) == [texts]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("yuan", 1234.5, "1234.50"),
        ("yuan", 1234, "1234.00"),
        ("yuan", "1234.50", "1234.50"),
        ("yuan", Decimal("0.05"), "0.05"),
        ("fen", 5, "0.05"),
        ("wan", 3, "30000.00"),
        ("number", 2.0, "2"),
        ("number", Decimal("5.5"), "5.5"),
        ("number", Decimal("5.500"), "5.5"),
        ("number", Decimal("10"), "10"),
        ("day", "2020-02-29", "2020-02-29"),
        ("day", date(2020, 2, 29), "2020-02-29"),
        ("utc", datetime(2025, 3, 1, 1, 2, 3, 400), "2025-03-01T01:02:03Z"),
        ("text", " 联想 ", "联想"),
        ("time", "2025-03-01 01:02:03", "2025-02-28T17:02:03Z"),
        ("utc", "2025-03-01 01:02:03", "2025-03-01T01:02:03Z"),
    ],
)
def test_the_usual_needs_no_reader(name: str, value: Any, text: str) -> None:
    readers = quick_readers(MAPPED[name])
    assert readers is not None
    assert readers[type(value)](value) == text
