"""Keys of many rows at once are the keys of each; what is not of its kind makes none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.order import Direction, Kind, SortValue, sort_key, sort_keys

VALUES: dict[Kind, st.SearchStrategy[SortValue]] = {
    Kind.TEXT: st.none() | st.text(max_size=3),
    Kind.NUMBER: st.none() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False).map(str),
    Kind.RANK: st.none() | st.integers(0, 9),
}
KINDS = st.lists(st.sampled_from(Kind), max_size=3)


@given(st.data(), KINDS, KINDS, st.lists(st.sampled_from("abc"), max_size=5))
def test_column_by_column_or_row_by_row(
    data: st.DataObject, kinds: list[Kind], native_kinds: list[Kind], regions: list[str]
) -> None:
    directions = [data.draw(st.sampled_from(Direction)) for _ in kinds]
    values = [[data.draw(VALUES[kind]) for kind in kinds] for _ in regions]
    natives = [[data.draw(VALUES[kind]) for kind in native_kinds] for _ in regions]
    each = [
        sort_key(row, kinds, directions, region, native, native_kinds)
        for row, region, native in zip(values, regions, natives, strict=True)
    ]
    assert sort_keys(values, kinds, directions, regions, natives, native_kinds) == each


def test_a_falling_number_keeps_all_its_digits() -> None:
    small, large = "1" * 40, "1" * 39 + "2"
    keys = sort_keys([[small], [large]], [Kind.NUMBER], [Direction.DESC], ["a", "a"], [[], []], [])
    assert keys[1] < keys[0]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.TEXT, 1),
        (Kind.RANK, "1"),
        (Kind.RANK, True),
        (Kind.NUMBER, 1.5),
        (Kind.NUMBER, "NaN"),
        (Kind.NUMBER, "Infinity"),
        (Kind.NUMBER, "x"),
        (Kind.NUMBER, []),
        (Kind.TEXT, {}),
    ],
)
def test_what_is_not_of_its_kind_is_refused(kind: Kind, value: Any) -> None:
    with pytest.raises(ValueError):
        sort_keys(
            [["ok"], [value]] if kind is Kind.TEXT else [[1], [value]], [kind], [Direction.ASC], "ab", [[], []], []
        )


def test_a_row_with_too_few_values_is_refused() -> None:
    with pytest.raises(ValueError):
        sort_keys([["a"], []], [Kind.TEXT], [Direction.ASC], ["a", "a"], [[], []], [])
