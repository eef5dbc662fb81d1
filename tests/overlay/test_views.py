"""A view's id says warehouse and window, and says them in one way only."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overlay.warehouses.views import InvalidView, ViewId, format_view_id, parse_view_id


@given(
    st.from_regex(r"vw:[a-z0-9-]{1,40}", fullmatch=True),
    st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.integers(1, 366),
)
def test_an_id_gives_the_view_back(warehouse: str, first: date | None, length: int) -> None:
    view = ViewId(warehouse, None if first is None else (first, first + timedelta(days=length)))
    assert parse_view_id(format_view_id(view)) == view


@pytest.mark.parametrize(
    "text",
    ["", "view:", "view::always", "vw:x:always", "view:x", "view:x:2026-12-01", "view:x:2026-12-08_2026-12-01",
     "view:x:20261201_20261208", "view:x:2026-12-01_2026-12-08_2026-12-09"],
)  # fmt: skip
def test_other_texts_are_no_views(text: str) -> None:
    with pytest.raises(InvalidView):
        parse_view_id(text)
