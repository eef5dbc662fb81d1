"""A split schema as data: what each subgraph has, on which terms."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.fuzz.whole import Whole
from tests.gateway.planning.support.universe import Data

__all__ = ["GField", "GType", "Graph", "Split"]


@dataclass
class GField:
    """A field as one subgraph has it."""

    name: str
    type: str
    target: str
    arguments: str = ""
    terms: dict[str, str] = field(default_factory=dict)
    """Directive → its arguments as text."""


@dataclass
class GType:
    name: str
    kind: str
    fields: dict[str, GField] = field(default_factory=dict)
    keys: dict[str, bool] = field(default_factory=dict)
    """Field set → whether it resolves."""
    interfaces: dict[str, None] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)
    is_interface_object: bool = False


@dataclass
class Graph:
    name: str
    types: dict[str, GType] = field(default_factory=dict)


@dataclass
class Split:
    whole: Whole
    graphs: dict[str, Graph]
    is_safe: bool
    labels: frozenset[str] = frozenset()
    data: Data = field(default_factory=Data)
    shareable: set[tuple[str, str]] = field(default_factory=set)
    """(type, field) that somebody else provides."""
    hidden: set[tuple[str, str]] = field(default_factory=set)
    """(type, field) that clients do not see."""
