"""A root list of whose items no subgraph knows all: two give the list, each a half of every item.

By chance alone this is met once in hundreds of schemas, because whatever else led to such an item would have to lead to
both of its halves. Only here lists are merged item by item.
"""

from __future__ import annotations

from tests.fuzz.model import GType
from tests.fuzz.split import Splitter
from tests.fuzz.whole import Field, Type, chance

__all__ = ["add_halves"]

PERCENT = 20
ITEM, LIST = "H0", "qh"
HALVES = ("left", "right")
WRAPPED = ("[H0]", "[H0!]", "[H0!]!", "[[H0!]]")


def add_halves(at: Splitter) -> None:
    if len(at.graphs) < 2 or not chance(at.random, PERCENT):
        return
    item = at.whole.types[ITEM] = Type(ITEM, "half")
    for name in HALVES:
        leaf = at.random.choice(["Int", "String", "Boolean"])
        item.fields[name] = Field(name, leaf, leaf)
    at.whole.types["Query"].fields[LIST] = Field(LIST, ITEM, at.random.choice(WRAPPED))
    for graph, name in zip(at.random.sample(list(at.graphs), 2), HALVES, strict=True):
        types = at.graphs[graph].types
        types[ITEM] = GType(ITEM, "object")
        at.put(graph, ITEM, name)
        types.setdefault("Query", GType("Query", "object"))
        at.put(graph, "Query", LIST)
