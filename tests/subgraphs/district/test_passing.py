"""A page that passes over keys is the page of a store without those rows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapters.model import KeyIn, Not, OrderTerm, PageRequest
from contract.order import Direction
from subgraphs.district.passing import page_passing
from tests.subgraphs.district.parts import MemoryStore, row

NATIVES = [f"{number:02}" for number in range(40)]
STORE = MemoryStore([row(native, netValue=f"{int(native) % 5}.00") for native in NATIVES])


@given(
    passed=st.frozensets(st.sampled_from([*NATIVES, "of nobody"])),
    limit=st.integers(1, 45),
    backward=st.booleans(),
    ordered=st.booleans(),
)
async def test_it_is_the_page_without_those_rows(
    passed: frozenset[str], limit: int, backward: bool, ordered: bool
) -> None:
    order = (OrderTerm("netValue", Direction.DESC),) if ordered else ()
    request = PageRequest(None, order, limit, backward)
    expected = await STORE.page(PageRequest(Not(KeyIn(tuple(passed))), order, limit, backward))
    found = await page_passing(STORE, request, passed)
    assert [one["native"] for one in found.rows] == [one["native"] for one in expected.rows]
    assert list(found.sort_values) == list(expected.sort_values)
    assert list(found.native_values) == list(expected.native_values)
    assert found.has_more == expected.has_more
