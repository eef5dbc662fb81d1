"""What lots are asked for, and what makes an answer equal to that of the one store: pages, totals, groups, folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from tests.horizontal.rows import FIELDS, Filter, Order, Row
from tests.horizontal.store import Page, Store

__all__ = [
    "CENSUS_PART",
    "PAGE",
    "PAGE_IN_ROOM",
    "PAGE_PARTS",
    "check_census",
    "check_page",
    "check_totals",
    "groups_of",
    "windowed",
    "written",
    "written_order",
]

PAGE_PARTS = """
fragment Rows on LotConnection {
  nodes { id name price count made seen grade depot { code } }
  edges { cursor node { id } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
}
fragment Totals on LotConnection {
  totalCount totalIsExact
  facets { grade count worth cheapest }
  sources { region status }
}
"""
PAGE = (
    """
query Page($filter: LotFilter, $orderBy: [LotOrder!], $first: Int, $after: String, $last: Int, $before: String) {
  lots(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    ...Rows ...Totals
  }
}
"""
    + PAGE_PARTS
)
PAGE_IN_ROOM = (
    """
query Page($orderBy: [LotOrder!], $first: Int, $after: String, $last: Int, $before: String) {
  room(id: "room:0") {
    lots(orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) { ...Rows ...Totals }
  }
}
"""
    + PAGE_PARTS
)
"""The same lots, as the first room shows them."""

CENSUS_PART = """
fragment Whole on Census {
  lots pieces worth cheapest dearest fewest most oldest lastSeen anyFine allPriced isExact currency
  byGrade { grade count worth cheapest }
  sources { region status }
}
"""


def written_order(order: Order) -> list[dict[str, str]]:
    return [{"field": field, "direction": direction} for field, direction in order]


def written(row: Row) -> dict[str, Any]:
    """A lot as a client reads it."""
    values = {name: getattr(row, name) for name in FIELDS.values()}
    return {"id": row.id, **values, "depot": {"code": row.depot}}


def check_page(found: Mapping[str, Any], expected: Page, *, backward: bool) -> None:
    """The same rows with the same values, and the truth about what follows them."""
    assert [node["id"] for node in found["nodes"]] == expected.ids
    assert found["nodes"] == [written(row) for row in expected.rows]
    assert [edge["node"]["id"] for edge in found["edges"]] == expected.ids
    info = found["pageInfo"]
    assert info["hasPreviousPage" if backward else "hasNextPage"] is expected.has_more
    if expected.rows:
        cursors = [edge["cursor"] for edge in found["edges"]]
        assert (info["startCursor"], info["endCursor"]) == (cursors[0], cursors[-1])


def check_totals(found: Mapping[str, Any], whole: Store) -> None:
    assert found["totalCount"] == len(whole.rows)
    assert groups_of(found["facets"], "grade", worth=Fraction, cheapest=Fraction) == {
        identity: {"count": len(same.rows), "worth": same.worth, "cheapest": same.least("price")}
        for identity, same in whole.groups("grade").items()
    }


def groups_of(found: list[dict[str, Any]], *by: str, **meanings: Any) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Groups by their identity, each of which may come only once; values as what they mean."""
    read: dict[tuple[Any, ...], dict[str, Any]] = {}
    for one in found:
        meant = {
            key: meanings[key](value) if key in meanings and value is not None else value for key, value in one.items()
        }
        identity = tuple(meant.pop(key) for key in by)
        assert identity not in read, f"the group {identity} comes twice"
        read[identity] = meant
    return read


def windowed(filter_: Filter | None, order: Order, **window: Any) -> dict[str, Any]:
    return {"filter": filter_, "orderBy": written_order(order), **window}


def least_written(whole: Store, name: str) -> str | None:
    """A date or time as it is written: each has one spelling."""
    return min((getattr(row, name) for row in whole.rows if getattr(row, name)), key=whole.meaning(name), default=None)


def greatest_written(whole: Store, name: str) -> str | None:
    return max((getattr(row, name) for row in whole.rows if getattr(row, name)), key=whole.meaning(name), default=None)


def check_census(found: Mapping[str, Any], whole: Store, depots: Sequence[str]) -> None:
    """`depots`: those whose rows it is made of."""
    assert (found["lots"], found["pieces"]) == (len(whole.rows), whole.pieces)
    assert Fraction(found["worth"]) == whole.worth
    for name, expected in (("cheapest", whole.least("price")), ("dearest", whole.greatest("price"))):
        assert (None if found[name] is None else Fraction(found[name])) == expected
    assert (found["fewest"], found["most"]) == (whole.least("count"), whole.greatest("count"))
    assert (found["oldest"], found["lastSeen"]) == (least_written(whole, "made"), greatest_written(whole, "seen"))
    assert found["anyFine"] is any(row.grade == "FINE" for row in whole.rows)
    is_whole = len(found["sources"]) == len(depots)
    assert found["allPriced"] is (is_whole and all(row.price is not None for row in whole.rows)), "of rows unseen too"
    assert found["currency"] == ("CNY" if depots else None)
    assert groups_of(found["byGrade"], "grade", worth=Fraction, cheapest=Fraction) == {
        identity: {"count": len(same.rows), "worth": same.worth, "cheapest": same.least("price")}
        for identity, same in whole.groups("grade").items()
    }
    assert [one["region"] for one in found["sources"] if one["status"] == "OK"] == list(depots)
    assert found["isExact"] is is_whole
