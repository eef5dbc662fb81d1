"""What the bench's members have: items with ten fields, ordered by value; and the contract that they answer.

A *set* is rows spread over members in one way:
- `uniform`: every member has values of the same range, so a page has rows of all;
- `skewed`: every member has a range of its own, so a page has rows of one;
- `few`: as uniform, and so few rows that one page can hold them all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from contract.cursors import Cursor, decode_cursor, encode_cursor, shape_hash
from contract.order import Direction, Kind

__all__ = ["FEW_EACH", "MEMBERS_MAX", "PAGE", "PAGE_SIZE", "SDL", "SETS", "Shelf", "region", "shelves"]

PAGE_SIZE = 50
MEMBERS_MAX = 56
DEEP_MEMBERS = 14
DEEP_EACH, SHALLOW_EACH, FEW_EACH = 3_600, 300, 38
"""Rows of one member. Fourteen deep ones have 1,000 pages of 50 between them."""
SETS = ("uniform", "skewed", "few")
VALUES = 10_000_000

SDL = """
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])
  @link(url: "https://specs.gongwucang.dev/horizontal/v1.0", import: ["@partitioned", "@gather", "@fold", "Gather", "Fold"])
directive @partitioned(key: String!, segment: Int, whole: Boolean) on OBJECT
directive @gather(as: Gather!, by: [String!], order: String, prune: [String!]) on FIELD_DEFINITION
directive @fold(with: Fold!) on FIELD_DEFINITION
enum Gather { CONNECTION LIST GROUPS FOLD ONE SOURCES }
enum Fold { SUM MIN MAX ANY ALL FIRST }
scalar Decimal
type Item @key(fields: "id") @partitioned(key: "id", segment: 1) {
  id: ID! name: String code: String status: String quantity: Int originalValue: Decimal netValue: Decimal
  acquiredOn: String condition: String class: String
}
type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type ItemEdge { cursor: String! node: Item! }
type ItemConnection { nodes: [Item!]! edges: [ItemEdge!]! pageInfo: PageInfo! totalCount: Int! @fold(with: SUM) }
enum ItemOrderField { VALUE }
enum OrderDirection { ASC DESC }
input ItemOrder { field: ItemOrderField! direction: OrderDirection! = ASC }
type Query {
  items(orderBy: [ItemOrder!], first: Int, after: String): ItemConnection @gather(as: CONNECTION, order: "orderBy")
}
"""

PAGE = """query Page($first: Int!, $after: String) {
  items(orderBy: [{ field: VALUE, direction: DESC }], first: $first, after: $after) {
    nodes { id name code status quantity originalValue netValue acquiredOn condition class }
    pageInfo { hasNextPage endCursor }
  }
}"""

_SHAPE = shape_hash([("VALUE", "DESC")], None)


def region(place: int) -> str:
    return f"{330100 + place}"


@dataclass(frozen=True)
class Shelf:
    """One member's rows of one set, in order, with what a page of them needs."""

    nodes: list[dict[str, Any]]
    cursors: list[str]
    keys: list[tuple[Any, ...]]

    def page(self, first: int, after: str | None) -> dict[str, Any]:
        start = 0 if after is None else bisect_right(self.keys, decode_cursor(after, _SHAPE).key)
        end = min(start + first, len(self.nodes))
        cursors = self.cursors[start:end]
        ends = {"startCursor": cursors[0] if cursors else None, "endCursor": cursors[-1] if cursors else None}
        info = {"hasNextPage": end < len(self.nodes), "hasPreviousPage": start > 0}
        nodes = self.nodes[start:end]
        edges = [{"cursor": cursor, "node": node} for cursor, node in zip(cursors, nodes, strict=True)]
        return {"nodes": nodes, "edges": edges, "pageInfo": {**info, **ends}, "totalCount": len(self.nodes)}


def shelves(place: int) -> Mapping[str, Shelf]:
    """By set. The same on every call."""
    deep = DEEP_EACH if place < DEEP_MEMBERS else SHALLOW_EACH
    span = VALUES // MEMBERS_MAX
    return {
        "uniform": _shelf(place, deep, 0, VALUES),
        "skewed": _shelf(place, deep, place * span, (place + 1) * span),
        "few": _shelf(place, FEW_EACH, 0, VALUES),
    }


def _shelf(place: int, count: int, least: int, most: int) -> Shelf:
    random = Random(place)
    rows = sorted(
        (
            (_cursor(place, key, f"{random.randrange(least, most)}.{random.randrange(100):02d}"), key)
            for key in range(count)
        ),
        key=lambda row: row[0].key,
    )
    return Shelf(
        [_node(place, key, str(cursor.values[0])) for cursor, key in rows],
        [encode_cursor(cursor) for cursor, _ in rows],
        [cursor.key for cursor, _ in rows],
    )


def _cursor(place: int, key: int, value: str) -> Cursor:
    return Cursor(_SHAPE, (Kind.NUMBER,), (Direction.DESC,), (value,), region(place), (key,), (Kind.NUMBER,))


def _node(place: int, key: int, value: str) -> dict[str, Any]:
    return {
        "id": f"item:{region(place)}:{key}",
        "name": f"台式计算机 {key}",
        "code": f"TY2020{key:06d}",
        "status": "IN_USE" if key % 3 else "IDLE",
        "quantity": key % 7 + 1,
        "originalValue": value,
        "netValue": value,
        "acquiredOn": f"20{key % 20 + 5:02d}-0{key % 9 + 1}-15",
        "condition": "GOOD",
        "class": "2010104",
    }
