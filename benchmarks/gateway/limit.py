"""The limit: a program written by hand for just the two queries of the benchmark: `python -m benchmarks.gateway.limit PORT`.

No parser, no planner, no schema, no limits, no errors: what is left is what no gateway in Python on uvicorn, aiohttp and
orjson can do without: read the request, ask the subgraphs in as few rounds, put their answers together, write the
client's shape. A gateway is measured by how near it comes.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from typing import Any

import aiohttp
import orjson
import uvicorn

from benchmarks.gateway.market import PORTS

_JSON = {"content-type": "application/json", "accept": "application/json"}
_URLS = {name: f"http://127.0.0.1:{port}/graphql" for name, port in PORTS.items()}

SINGLE = "{topProducts(first:5){upc name price weight}}"
USERS = "{users{id username name}}"
TOP = "{topProducts(first:5){upc name price weight}}"
REVIEWS_OF_USERS = (
    "query($r:[_Any!]!){_entities(representations:$r){...on User{reviews{id body product{upc reviews{id body"
    " author{id username reviews{id body product{upc}}}}}}}}}"
)
REVIEWS_OF_PRODUCTS = (
    "query($r:[_Any!]!){_entities(representations:$r){...on Product{reviews{id body"
    " author{id username reviews{id body product{upc}}}}}}}"
)
PRODUCTS = "query($r:[_Any!]!){_entities(representations:$r){...on Product{name price weight}}}"
STOCK = "query($r:[_Any!]!){_entities(representations:$r){...on Product{inStock shippingEstimate}}}"
NAMES = "query($r:[_Any!]!){_entities(representations:$r){...on User{name}}}"

Object = dict[str, Any]


class Program:
    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message["body"]
            if not message.get("more_body"):
                break
        query = orjson.loads(body)["query"]
        data = await (self.single() if "Single" in query else self.nested())
        answer = orjson.dumps({"data": data})
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def ask(self, name: str, query: str, representations: list[Object] | None = None) -> Any:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        request: Object = {"query": query}
        if representations is not None:
            request["variables"] = {"r": representations}
        async with self._session.post(_URLS[name], data=orjson.dumps(request), headers=_JSON) as response:
            answer = orjson.loads(await response.read())
        return answer["data"] if representations is None else answer["data"]["_entities"]

    async def single(self) -> Object:
        data = await self.ask("products", SINGLE)
        return {"topProducts": [_shape_plain_product(one) for one in data["topProducts"]]}

    async def nested(self) -> Object:
        users, top = await asyncio.gather(self._users(), self._top())
        products = [review["product"] for user in users for review in user["reviews"]]
        deep = [review["product"] for one in (*products, *top) for review in _reviews_below(one)]
        authors = [review["author"] for one in (*products, *top) for review in one["reviews"]]
        await asyncio.gather(self._complete([*products, *deep], top), self._names(authors))
        return {"users": [_shape_user(one) for one in users], "topProducts": [_shape_product(one) for one in top]}

    async def _users(self) -> list[Object]:
        users: list[Object] = (await self.ask("accounts", USERS))["users"]
        found = await self.ask("reviews", REVIEWS_OF_USERS, [{"__typename": "User", "id": one["id"]} for one in users])
        for user, more in zip(users, found, strict=True):
            user.update(more)
        return users

    async def _top(self) -> list[Object]:
        top: list[Object] = (await self.ask("products", TOP))["topProducts"]
        keys = [{"__typename": "Product", "upc": one["upc"]} for one in top]
        for product, more in zip(top, await self.ask("reviews", REVIEWS_OF_PRODUCTS, keys), strict=True):
            product.update(more)
        return top

    async def _complete(self, products: list[Object], top: list[Object]) -> None:
        known = {one["upc"]: one for one in products}
        keys = [{"__typename": "Product", "upc": upc} for upc in known]
        found = dict(zip(known, await self.ask("products", PRODUCTS, keys), strict=True))
        for one in products:
            one.update(found[one["upc"]])
        every = {one["upc"]: one for one in (*products, *top)}
        needs = [
            {"__typename": "Product", "upc": upc, "price": one["price"], "weight": one["weight"]}
            for upc, one in every.items()
        ]
        stock = dict(zip(every, await self.ask("inventory", STOCK, needs), strict=True))
        for one in (*products, *top):
            one.update(stock[one["upc"]])

    async def _names(self, authors: list[Object]) -> None:
        every = list(dict.fromkeys(one["id"] for one in authors))
        found = await self.ask("accounts", NAMES, [{"__typename": "User", "id": one} for one in every])
        names = dict(zip(every, found, strict=True))
        for one in authors:
            one.update(names[one["id"]])


def _reviews_below(product: Object) -> Iterable[Object]:
    return (below for review in product["reviews"] for below in review["author"]["reviews"])


# The client's shape


def _shape_plain_product(one: Object) -> Object:
    return {"upc": one["upc"], "name": one["name"], "price": one["price"], "weight": one["weight"]}


def _shape_product(one: Object) -> Object:
    shaped = {
        "inStock": one["inStock"],
        "name": one["name"],
        "price": one["price"],
        "shippingEstimate": one["shippingEstimate"],
        "upc": one["upc"],
        "weight": one["weight"],
    }
    if "reviews" in one:
        shaped["reviews"] = [_shape_review(review) for review in one["reviews"]]
    return shaped


def _shape_review(one: Object) -> Object:
    shaped = {"id": one["id"], "body": one["body"]}
    if "author" in one:
        shaped["author"] = _shape_user(one["author"])
    if "product" in one:
        shaped["product"] = _shape_product(one["product"])
    return shaped


def _shape_user(one: Object) -> Object:
    return {
        "id": one["id"],
        "username": one["username"],
        "name": one["name"],
        "reviews": [_shape_review(review) for review in one["reviews"]],
    }


def main() -> None:
    uvicorn.run(
        Program(), host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", log_level="warning"
    )


if __name__ == "__main__":
    main()
