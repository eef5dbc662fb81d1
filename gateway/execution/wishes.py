"""What the client wishes for one gathered field when a member gives no answer: its argument's word, else the request's."""

from __future__ import annotations

from typing import Any

from gateway.execution.run import Request
from gateway.execution.shapes import MISSING, Shape
from gateway.supergraph.model import Wish

__all__ = ["UnknownWish", "wish_of"]


class UnknownWish(Exception):
    """The argument says something that is no wish."""

    def __init__(self, argument: str, value: Any) -> None:
        super().__init__(f"`{argument}` must be {', '.join(Wish)}, not {value!r}")
        self.argument = argument


def wish_of(shape: Shape, request: Request) -> Wish:
    """Raises `UnknownWish`."""
    path = None if shape.gather is None else shape.gather.wish
    if path is None:
        return request.wish
    value = shape.arguments.at(path, request.variables)
    if value is MISSING and len(path) == 1:
        value = shape.arguments.get(path[0], request.variables)
    if value is MISSING or value is None:
        return request.wish
    try:
        return Wish(value)
    except ValueError:
        raise UnknownWish(".".join(path), value) from None
