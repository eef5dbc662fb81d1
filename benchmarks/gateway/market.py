"""The market: four subgraphs as gateways are usually measured with (users, products, reviews, inventory), made small.

The data is made by rule, so that every run measures the same answer: `NESTED` comes to some 88 kB. Each subgraph is an
ordinary Federation v2 schema, resolved by graphql-core; `serve` keeps what it answered by the request's body, so that
while a gateway is measured its subgraphs cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import GraphQLSchema, build_schema, graphql_sync

__all__ = ["NESTED", "PORTS", "SDL", "SINGLE", "answer", "many_fields"]

PORTS = {"accounts": 4001, "inventory": 4002, "products": 4003, "reviews": 4004}
"""Offsets from the port that the run chose are not needed: the peers' files want fixed ones."""

USERS = 6
PRODUCTS = 9
REVIEWS_OF_A_PRODUCT = 3

LINK = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3",
  import: ["@key", "@external", "@requires", "@provides", "@shareable"])
"""
SDL: Mapping[str, str] = {
    "accounts": """
type Query { me: User  user(id: ID!): User  users: [User] }
type User @key(fields: "id") { id: ID!  name: String  username: String @shareable  birthday: Int }
""",
    "inventory": """
type Query { inventorySize: Int }
type Product @key(fields: "upc") {
  upc: String!
  weight: Int @external
  price: Int @external
  inStock: Boolean
  shippingEstimate: Int @requires(fields: "price weight")
}
""",
    "products": """
type Query { topProducts(first: Int = 5): [Product] }
type Product @key(fields: "upc") { upc: String!  name: String  price: Int  weight: Int }
""",
    "reviews": """
type Query { reviewCount: Int }
type Review @key(fields: "id") { id: ID!  body: String  author: User @provides(fields: "username")  product: Product }
type User @key(fields: "id") { id: ID!  username: String @external  reviews: [Review] }
type Product @key(fields: "upc") { upc: String!  reviews: [Review] }
""",
}

SINGLE = "query Single { topProducts(first: 5) { upc name price weight } }"
NESTED = """
fragment User on User { id username name }
fragment Review on Review { id body }
fragment Product on Product { inStock name price shippingEstimate upc weight }
query Nested {
  users {
    ...User
    reviews { ...Review product { ...Product reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } } } }
  }
  topProducts(first: 5) {
    ...Product
    reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } }
  }
}
"""


def many_fields(count: int = 300) -> str:
    """An operation of `count` fields, under aliases, over all four subgraphs."""
    part = (
        "topProducts(first: {i}) {{ a{i}: upc b{i}: name c{i}: inStock d{i}: shippingEstimate"
        " reviews {{ e{i}: id f{i}: body author {{ g{i}: name h{i}: username }} }} }}"
    )
    each = 11
    return "query Many {" + " ".join(f"p{i}: {part.format(i=i)}" for i in range(1, count // each + 1)) + "}"


# Data


@dataclass(frozen=True, slots=True)
class Review:
    id: int
    user: int
    product: int


REVIEWS = [
    Review(p * REVIEWS_OF_A_PRODUCT + i + 1, (p + i * 2) % USERS + 1, p + 1)
    for p in range(PRODUCTS)
    for i in range(REVIEWS_OF_A_PRODUCT)
]


def user(number: int) -> dict[str, Any]:
    return {
        "__typename": "User",
        "id": str(number),
        "name": f"User {number} of the market",
        "username": f"@user{number}",
        "birthday": 1980 + number,
        "reviews": lambda *_: [review(one) for one in REVIEWS if one.user == number],
    }


def product(number: int) -> dict[str, Any]:
    return {
        "__typename": "Product",
        "upc": str(number),
        "name": f"Product {number}",
        "price": number * 111,
        "weight": number * 7,
        "inStock": number % 2 == 0,
        "reviews": lambda *_: [review(one) for one in REVIEWS if one.product == number],
    }


def review(one: Review) -> dict[str, Any]:
    return {
        "__typename": "Review",
        "id": str(one.id),
        "body": f"Review {one.id}: it does what it says.",
        "author": lambda *_: user(one.user),
        "product": lambda *_: product(one.product),
    }


def entity(representation: Mapping[str, Any]) -> dict[str, Any] | None:
    match representation["__typename"]:
        case "User":
            return user(int(representation["id"]))
        case "Product":
            found = product(int(representation["upc"]))
            if "price" in representation:
                price, weight = representation["price"], representation["weight"]
                found["shippingEstimate"] = 0 if price > 1000 else price * weight // 2
            return found
        case "Review":
            return review(next(one for one in REVIEWS if str(one.id) == representation["id"]))
        case _:
            return None


ROOT: Mapping[str, Callable[..., Any]] = {
    "me": lambda *_: user(1),
    "user": lambda _, id: user(int(id)),
    "users": lambda *_: [user(number) for number in range(1, USERS + 1)],
    "topProducts": lambda _, first=5: [product(number) for number in range(1, min(first, PRODUCTS) + 1)],
    "_entities": lambda _, representations: [entity(one) for one in representations],
    "_service": lambda *_: {"sdl": ""},
}

_MACHINERY = """
scalar _Any
scalar FieldSet
directive @key(fields: FieldSet!, resolvable: Boolean = true) repeatable on OBJECT
directive @external on FIELD_DEFINITION
directive @requires(fields: FieldSet!) on FIELD_DEFINITION
directive @provides(fields: FieldSet!) on FIELD_DEFINITION
directive @shareable on FIELD_DEFINITION | OBJECT
type _Service { sdl: String }
extend type Query { _service: _Service  _entities(representations: [_Any!]!): [_Entity]! }
"""


@cache
def schema(name: str) -> GraphQLSchema:
    entities = [one for one in ("User", "Product", "Review") if f"type {one} @key" in SDL[name]]
    return build_schema(SDL[name] + _MACHINERY + f"union _Entity = {' | '.join(entities)}")


def answer(name: str, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What subgraph `name` answers."""
    result = graphql_sync(schema(name), query, root_value=ROOT, variable_values=dict(variables or {}))
    return dict(result.formatted)
