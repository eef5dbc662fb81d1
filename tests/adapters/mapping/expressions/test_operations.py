"""What docs/mapping.md's table of operations does not show: edges, faults, exactness."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.mapping.expressions import Compiling, Unreadable
from adapters.mapping.expressions.load import read_expression
from adapters.mapping.expressions.patterns import read_pattern
from adapters.mapping.toml import MappingError, Section
from adapters.model import Issue

AMOUNTS = st.decimals(-(10**12), 10**12, places=6)


def evaluated(written: Any, **columns: Any) -> tuple[Any, list[Issue]]:
    expression = read_expression(Section({"expr": written}, "fields.x"), "expr")
    index = {column: at for at, column in enumerate(columns)}
    found: list[Issue] = []
    try:
        value = expression.compiled(Compiling(index, "x", "fields.x.expr"))(tuple(columns.values()), found)
    except Unreadable:
        value = Unreadable
    return value, found


@pytest.mark.parametrize(
    ("written", "columns", "value"),
    [
        ({"split": "a", "by": "/", "part": 4}, {"a": "x/y"}, None),
        ({"split": "a", "by": "/", "part": -3}, {"a": "x/y"}, None),
        ({"split": "a", "by": "/", "part": 2}, {"a": "x/ /y"}, None),
        ({"between": "a", "after": "("}, {"a": "台灯(旧"}, "旧"),
        ({"between": "a", "before": "("}, {"a": "台灯(旧"}, "台灯"),
        ({"between": "a", "after": "[", "before": "]"}, {"a": "台灯]旧["}, None),
        ({"substring": "a", "from": 9}, {"a": "台灯"}, None),
        ({"substring": "a", "length": 4}, {"a": 20190305}, "2019"),
        ({"concat": ["a", "b"], "separator": "-"}, {"a": None, "b": "  "}, None),
        ({"concat": ["a", "b"], "separator": "-"}, {"a": b"\xcc\xa8\xb5\xc6", "b": 3.0}, "台灯-3"),
        ({"case": "a", "of": {"1": "x"}}, {"a": None}, None),
        ({"case": "a", "of": {"1": "x"}}, {"a": "１ "}, "x"),
        ({"date": {"year": "a", "month": "b", "day": "b"}}, {"a": None, "b": " "}, None),
        ({"date": {"year": "a", "month": "b", "day": "c"}}, {"a": "2019", "b": None, "c": None}, "2019-00-00"),
        ({"quantity": "a"}, {"a": "台灯"}, None),
        ({"add": ["a", "b"]}, {"a": 1, "b": None}, None),
        ({"first": [{"mul": "a", "by": "2"}, "b"]}, {"a": None, "b": "7"}, "7"),
        ({"sub": ["a", "b"]}, {"a": 0.1, "b": 0.2}, Decimal("-0.1")),
        ({"add": ["a", "b"]}, {"a": "1" + "0" * 30, "b": "0." + "0" * 19 + "1"}, Decimal("1" + "0" * 30 + "." + "0" * 19 + "1")),
    ],
)  # fmt: skip
def test_an_edge(written: Any, columns: dict[str, Any], value: Any) -> None:
    assert evaluated(written, **columns) == (value, [])


@pytest.mark.parametrize(
    ("written", "raw", "code", "rule"),
    [
        ({"add": ["a", {"value": "1"}]}, "约三万", "INVALID_NUMBER", "add"),
        ({"mul": "a", "by": "2"}, True, "INVALID_NUMBER", "mul"),
        ({"mul": "a", "by": "2"}, Decimal("NaN"), "INVALID_NUMBER", "mul"),
        ({"mul": "a", "by": "2"}, float("inf"), "INVALID_NUMBER", "mul"),
        ({"case": "a", "of": {"1": "x"}}, "9", "UNKNOWN_CODE", "case"),
        ({"first": [{"case": "a", "of": {"1": "x"}}, {"default": "y"}]}, "9", "UNKNOWN_CODE", "case"),
    ],
)
def test_what_cannot_be_read_is_told_and_nothing_stands_in_for_it(written: Any, raw: Any, code: str, rule: str) -> None:
    value, found = evaluated(written, a=raw)
    assert value is Unreadable
    assert [(issue["code"], issue["field"], issue["rule"]) for issue in found] == [(code, "x", f"fields.x.expr.{rule}")]


def test_a_product_that_is_too_long_is_not_rounded() -> None:
    longest = "9" * 40 + "." + "9" * 20
    written: Any = "a"
    for _ in range(4):
        written = {"mul": written, "by": "0." + "3" * 20}
    assert evaluated(written, a=longest)[0] is Unreadable


@example(Decimal(1), "8", 2)
@example(Decimal(-1), "8", 2)
@example(Decimal(1), "-8", 2)
@given(AMOUNTS, st.sampled_from(["3", "7", "-3", "0.12", "365"]), st.integers(0, 6))
def test_a_quotient_is_rounded_half_up(amount: Decimal, by: str, places: int) -> None:
    value, _ = evaluated({"div": "a", "by": by, "places": places}, a=amount)
    exact, unit = Fraction(amount) / Fraction(by), Fraction(1, 10**places)
    assert abs(Fraction(value) - exact) * 2 <= unit
    if abs(Fraction(value) - exact) * 2 == unit:
        assert abs(Fraction(value)) > abs(exact)


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_arithmetic_is_exact(one: Decimal, two: Decimal, three: Decimal) -> None:
    value, _ = evaluated(
        {"div": {"sub": [{"mul": {"add": ["a", "b"]}, "by": "0.01"}, "c"]}, "by": "8"}, a=one, b=two, c=three
    )
    assert Fraction(value) == ((Fraction(one) + Fraction(two)) / 100 - Fraction(three)) / 8


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("#+", "第12号楼", "12"),
        ("@#+", "见A7与B88", "A7"),
        ("##-##", "1-23-45", "23-45"),
        ("\\#?+", "编号#甲乙", "#甲乙"),
        ("(?)", "(旧)", "(旧)"),
        ("#+7", "1237", None),  # a repetition takes the 7 too, and gives nothing back
        ("#", "１", None),
    ],
)
def test_a_pattern(pattern: str, text: str, found: str | None) -> None:
    assert read_pattern(pattern).first(text) == found


@pytest.mark.parametrize("pattern", ["", "+", "#++", "\\", "\\d"])
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(MappingError) as caught:
        evaluated({"extract": "a", "pattern": pattern}, a="x")
    assert caught.value.where == "fields.x.expr.pattern" and caught.value.remedy


@pytest.mark.parametrize(
    ("written", "where", "says"),
    [
        (3, "", "a table is expected"),
        ({}, "", "no operation is named"),
        ({"trim": "a", "width": "a"}, "", "trim and width stand together"),
        ({"trim": ["a"]}, ".trim", "a table is expected"),
        ({"first": "a"}, ".first", "a list of 1 to 32"),
        ({"first": []}, ".first", "a list of 1 to 32"),
        ({"concat": ["a", {"substring": "b", "from": 0}]}, ".concat[1].from", "from 1 to 1000"),
        ({"split": "a", "by": "", "part": 1}, ".by", "empty"),
        ({"split": "a", "by": "/"}, ".part", "which piece"),
        ({"between": "a"}, "", "neither after nor before"),
        ({"case": "a", "of": {}}, ".of", "no code"),
        ({"case": "a"}, ".of", "no code"),
        ({"mul": "a"}, ".by", "missing"),
        ({"mul": "a", "by": "0"}, ".by", "other than 0"),
        ({"add": ["a", {"value": "many"}]}, ".add[1]", "'many' is no number"),
        ({"date": {"year": "a", "month": "b"}}, ".date.day", "missing"),
        ({"first": [{"date": {"year": "a", "month": "b", "day": "c"}}, {"value": "x"}]}, ".first[1]", "a date is expected"),
        ({"mul": {"date": {"year": "a", "month": "b", "day": "c"}}, "by": "2"}, ".mul", "this gives a date"),
    ],
)  # fmt: skip
def test_a_wrong_expression(written: Any, where: str, says: str) -> None:
    with pytest.raises(MappingError) as caught:
        read_expression(Section({"expr": written}, "fields.x"), "expr")
    assert (caught.value.where, says in str(caught.value)) == (f"fields.x.expr{where}", True), str(caught.value)


def test_the_depth_is_bounded() -> None:
    written: Any = "a"
    for _ in range(9):
        written = {"trim": written}
    with pytest.raises(MappingError, match="make it simpler"):
        evaluated(written, a="x")
