"""The one parser of `AssetFilter`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.evaluate import predicate
from adapters.model import And, Compare, Filter, In, IsNull, KeyIn, Not, Nothing, TextMatch, UnderClass
from subgraphs.district.filters import fields_of, normal_form, parse_filter
from subgraphs.kit.errors import BadInput
from tests.subgraphs.district.parts import REGION, row

NAME_A = Compare("name", "eq", "a")
NAMED = {"name": {"eq": "a"}}


@pytest.mark.parametrize(
    ("filter_", "parsed"),
    [
        (None, None),
        ({}, None),
        ({"name": None, "and": []}, None),
        ({"or": []}, Nothing()),
        ({"not": {}}, Nothing()),
        ({"not": {"or": []}}, None),
        ({"name": {"eq": "a"}}, NAME_A),
        ({"name": {"eq": "a", "isNull": False}}, And((NAME_A, Not(IsNull("name"))))),
        ({"or": [{"name": {"eq": "a"}}, {"region": {"eq": "330102"}}]}, NAME_A),
        ({"or": [{"name": {"eq": "a"}}, {"region": {"eq": REGION}}]}, None),
        ({"region": {"in": ["330102", "330105"]}}, Nothing()),
        ({"not": {"region": {"eq": "330102"}}}, None),
        ({"id": {"in": [f"asset:{REGION}:A%2F1", "asset:330102:B"]}}, KeyIn(("A/1",))),
        ({"id": {"eq": "asset:330102:B"}}, Nothing()),
        ({"owner": {"eq": f"unit:{REGION}:U1"}}, In("owner", ("U1",))),
        ({"warehouse": {"in": ["warehouse:330102:W"]}}, Nothing()),
        ({"netValue": {"gte": "10.50"}}, Compare("netValue", "gte", Decimal("10.50"))),
        ({"acquiredOn": {"lt": "2020-01-01"}}, Compare("acquiredOn", "lt", "2020-01-01")),
        ({"shareableUntil": {"isNull": True}}, IsNull("shareableUntil")),
        ({"updatedAt": {"gte": "2022-07-01T08:00:00+08:00"}}, Compare("updatedAt", "gte", "2022-07-01T00:00:00Z")),
        ({"updatedAt": {"lt": "2022-07-01T00:00:00.000Z"}}, Compare("updatedAt", "lt", "2022-07-01T00:00:00Z")),
        ({"usefulLifeMonths": {"lte": 72}}, Compare("usefulLifeMonths", "lte", 72)),
        ({"massKg": {"gt": "20"}}, Compare("massKg", "gt", Decimal(20))),
        ({"acquisition": {"in": ["DONATION"]}}, In("acquisition", ("DONATION",))),
        ({"valueType": {"eq": "NOMINAL"}}, Compare("valueType", "eq", "NOMINAL")),
        ({"location": {"eq": "3-201"}}, Compare("location", "eq", "3-201")),
        ({"class": {"under": ["A02", "A05"]}}, UnderClass(("A02", "A05"))),
        ({"class": {"under": []}}, Nothing()),
        ({"class": {"isNull": True}}, IsNull("classCode")),
        ({"status": {"in": ["IDLE", "IN_STORE"]}}, In("status", ("IDLE", "IN_STORE"))),
        ({"status": {"in": []}}, Nothing()),
        ({"shareable": True}, Compare("shareable", "eq", True)),
        ({"text": "  "}, None),
        ({"text": "联想　Ｍ７２０"}, TextMatch((("联想",), ("m720",)))),
    ],
)
def test_parse(filter_: Any, parsed: Filter | None) -> None:
    assert parse_filter(filter_, REGION) == parsed


def nested(depth: int) -> Any:
    return {"not": nested(depth - 1)} if depth else {}


@pytest.mark.parametrize(
    ("filter_", "where"),
    [
        ([], "filter must be an object"),
        ({"colour": {"eq": "red"}}, "filter.colour"),
        ({"keeper": {"eq": "张三"}}, "filter.keeper"),
        ({"usefulLifeMonths": {"eq": True}}, "filter.usefulLifeMonths.eq must be a whole number"),
        ({"updatedAt": {"eq": "2022-07-01T00:00:00.5Z"}}, "whole seconds"),
        ({"and": {"name": {"eq": "a"}}}, "filter.and must be a list"),
        ({"or": [{}, {"name": {"like": "a"}}]}, r"filter.or\[1\].name.like"),
        ({"name": "a"}, "filter.name must be an object"),
        ({"name": {"eq": 1}}, "filter.name.eq must be a text"),
        ({"netValue": {"gt": "1e3"}}, "filter.netValue.gt"),
        ({"acquiredOn": {"gt": "2020-13-01"}}, "filter.acquiredOn.gt"),
        ({"status": {"eq": "SLEEPING"}}, "filter.status.eq"),
        ({"id": {"eq": "unit:330106:1"}}, "filter.id.eq"),
        ({"hasIssues": 1}, "filter.hasIssues"),
        (nested(20), "deeper"),
        ({"name": {"in": ["x"] * 1001}}, "1000"),
        ({"or": [{"name": {"eq": "x"}}] * 501}, "500 conditions"),
        ({"text": "x " * 150}, "200"),
        ({"text": " ".join(map(str, range(17)))}, "16 words"),
    ],
)
def test_what_is_wrong_is_named(filter_: Any, where: str) -> None:
    with pytest.raises(BadInput, match=where):
        parse_filter(filter_, REGION)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("电脑", True),
        ("台式电脑", True),
        ("PC 联想", True),
        ("电脑 惠普", False),
        ("笔记本", False),
        ("ｍ７２０", True),
    ],
)
def test_text_finds_by_synonyms(text: str, found: bool) -> None:
    assert predicate(parse_filter({"text": text}, REGION))(row("1", name="计算设备")) is found


# --- the parser against the meaning of the filter, told again in one function ------------------------------------------

conditions = st.one_of(
    st.builds(lambda v: {"name": {"eq": v}}, st.sampled_from("abc")),
    st.builds(lambda v: {"netValue": {"gte": v}}, st.sampled_from(["1", "2.50"])),
    st.builds(lambda v: {"region": {"in": v}}, st.lists(st.sampled_from([REGION, "330102"]), max_size=2)),
    st.builds(lambda v: {"model": {"isNull": v}}, st.booleans()),
    st.just({}),
)
filters = st.recursive(
    conditions,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"and": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda parts: {"or": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
        st.builds(lambda a, b: {**a, **b}, inner, inner),
    ),
    max_leaves=8,
)


def means(filter_: Any, one: dict[str, Any]) -> bool:
    def holds(name: str, value: Any) -> bool:
        match name:
            case "and":
                return all(means(part, one) for part in value)
            case "or":
                return any(means(part, one) for part in value)
            case "not":
                return not means(value, one)
            case "region":
                return REGION in value["in"]
            case "model":
                return (one["model"] is None) is value["isNull"]
            case "netValue":
                return one["netValue"] is not None and Decimal(one["netValue"]) >= Decimal(value["gte"])
        return bool(one["name"] == value["eq"])

    return all(holds(name, value) for name, value in filter_.items())


@given(filters, st.sampled_from("abcd"), st.sampled_from([None, "1.00", "2.50", "10.00"]), st.sampled_from([None, "M"]))
def test_a_parsed_filter_means_what_it_says(filter_: Any, name: str, net: str | None, model: str | None) -> None:
    one = row("1", name=name, netValue=net, model=model)
    assert predicate(parse_filter(filter_, REGION))(one) is means(filter_, one)


def test_normal_form_drops_what_says_nothing() -> None:
    assert normal_form({"name": None, "code": {}, "or": [{"name": {"eq": "a"}}]}) == {"or": [{"name": {"eq": "a"}}]}
    assert normal_form({}) is None
    assert normal_form({"status": {"eq": None}}) is None


@pytest.mark.parametrize("filter_", [{"or": [{}, NAMED]}, {"not": {}}, {"not": {"name": {}}}, {"and": []}, {"or": []}])
def test_normal_form_keeps_the_meaning_of_what_is_empty(filter_: Any) -> None:
    """Below `and`, `or` and `not` the empty filter means every row."""
    assert parse_filter(normal_form(filter_), REGION) == parse_filter(filter_, REGION)


@given(filters)
def test_normal_form_means_the_same(filter_: Any) -> None:
    assert parse_filter(normal_form(filter_), REGION) == parse_filter(filter_, REGION)


def test_fields_are_found_at_any_depth() -> None:
    filter_ = {"and": [{"or": [{"not": {"serialNumber": {"eq": "x"}}}]}], "name": {"eq": "y"}, "code": None}
    assert fields_of(filter_) == {"serialNumber", "name"}
