"""Rows, orders and filters of the library, drawn at random."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.gateway.support.library import NAMES, Row

__all__ = ["FILTERS", "ORDERS", "ordered", "some_rows"]

TITLES = st.sampled_from([None, "", "a", "b", "中", "中文", "𠀀", "\uff41", "Ab"])
PRICES = st.sampled_from([None, "0.00", "-3.50", "7", "7.10", "100", "99999999999999999999.99"])
PAGES = st.sampled_from([None, -1, 0, 5, 5, 900])
ORDERS = st.lists(st.tuples(st.sampled_from(["TITLE", "PRICE", "PAGES"]), st.sampled_from(["ASC", "DESC"])), max_size=2)
FILTERS = st.one_of(
    st.none(),
    st.fixed_dictionaries({"title": st.sampled_from(["a", "中", "none"])}),
    st.fixed_dictionaries({"branch": st.fixed_dictionaries({"in": st.lists(st.sampled_from(sorted(NAMES)))})}),
    st.fixed_dictionaries({"branch": st.fixed_dictionaries({"eq": st.sampled_from(sorted(NAMES))})}),
)


@st.composite
def some_rows(draw: st.DrawFn) -> tuple[Row, ...]:
    drawn = draw(st.lists(st.tuples(st.sampled_from(sorted(NAMES)), TITLES, PRICES, PAGES), max_size=24))
    return tuple(Row(branch, key, title, price, pages) for key, (branch, title, price, pages) in enumerate(drawn))


def ordered(order: list[tuple[str, str]]) -> list[dict[str, str]]:
    """As an argument."""
    return [{"field": field, "direction": direction} for field, direction in order]
