import base64
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.cursors import Cursor, InvalidCursor, decode_cursor, encode_cursor, shape_hash
from contract.order import Direction, Kind


def cursor(values: tuple[str | int | None, ...] = ("电脑", "12.50", None), native: str = "TY1") -> Cursor:
    return Cursor(
        shape=shape_hash([("NAME", "ASC"), ("NET_VALUE", "DESC"), ("STATUS", "ASC")], {"text": "x"}),
        kinds=(Kind.TEXT, Kind.NUMBER, Kind.RANK),
        directions=(Direction.ASC, Direction.DESC, Direction.ASC),
        values=values,
        region="330106",
        native=(native,),
        native_kinds=(Kind.TEXT,),
        missed=frozenset({"330127"}),
    )


def test_a_cursor_comes_back_as_it_was() -> None:
    assert decode_cursor(encode_cursor(cursor())) == cursor()


@pytest.mark.parametrize("changed", [{"missed": [1]}, {"missed": "3301", "region": 5}])
def test_regions_are_texts(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(encode_cursor(replace(cursor(), **changed)))


def test_a_cursor_of_another_order_or_filter_is_refused() -> None:
    other = shape_hash([("NAME", "DESC")], None)
    with pytest.raises(InvalidCursor, match="another orderBy or filter"):
        decode_cursor(encode_cursor(cursor()), other)


@given(st.binary(max_size=80))
def test_garbage_is_refused_and_never_raises_another_error(garbage: bytes) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(base64.urlsafe_b64encode(garbage).decode())


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(encode_cursor(cursor(values=("电脑", "abc", None))))


VALUES = st.tuples(
    st.none() | st.text(max_size=3),
    st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-99, max_value=99).map(str),
    st.none() | st.integers(0, 3),
)


@given(st.lists(st.tuples(VALUES, st.sampled_from("ab")), max_size=12))
def test_keys_order_rows_as_the_contract_says(rows: list[tuple[tuple[str | int | None, ...], str]]) -> None:
    """Against a comparator of its own: values in their direction, nulls last in both, then the native key."""
    from decimal import Decimal
    from functools import cmp_to_key

    def compare(left: Cursor, right: Cursor) -> int:
        for position, kind in enumerate(left.kinds):
            a, b = left.values[position], right.values[position]
            if a == b and kind is not Kind.NUMBER:
                continue
            if a is None or b is None:
                if a is b:
                    continue
                return 1 if a is None else -1
            x, y = (Decimal(a), Decimal(b)) if kind is Kind.NUMBER else (a, b)
            if x == y:
                continue
            smaller = x < y  # type: ignore[operator]
            forward = left.directions[position] is Direction.ASC
            return -1 if smaller is forward else 1
        return (left.native > right.native) - (left.native < right.native)  # type: ignore[operator]

    cursors = [cursor(values, native) for values, native in rows]
    assert sorted(cursors, key=lambda c: c.key) == sorted(cursors, key=cmp_to_key(compare))
