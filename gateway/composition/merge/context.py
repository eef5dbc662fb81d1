"""What every part of the merge needs to know of all subgraphs at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from gateway.composition.carried import join_carried
from gateway.composition.field_sets import external_uses, key_fields, provided_fields
from gateway.composition.model import Report, Where
from gateway.composition.subgraph import Marks, Subgraph, SubgraphType

__all__ = ["Context", "Source", "join_marks", "most_said", "quoted", "where"]

Source = tuple[Subgraph, SubgraphType]
"""One subgraph's declaration of a type."""


@dataclass(frozen=True)
class Context:
    subgraphs: tuple[Subgraph, ...]
    report: Report
    by_name: Mapping[str, Subgraph]
    implements: Mapping[str, frozenset[str]]
    """Type → its interfaces in any subgraph."""
    union_members: Mapping[str, frozenset[str]]
    keys: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    """By graph: coordinates of key fields."""
    provided: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    used: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    """By graph: coordinates that the subgraph itself needs, even where another one serves them."""

    @staticmethod
    def of(subgraphs: tuple[Subgraph, ...], report: Report) -> Context:
        implements: dict[str, set[str]] = {}
        members: dict[str, set[str]] = {}
        for subgraph in subgraphs:
            for type_ in subgraph.types.values():
                implements.setdefault(type_.name, set()).update(type_.interfaces)
                members.setdefault(type_.name, set()).update(type_.members)
        return Context(
            subgraphs=subgraphs,
            report=report,
            by_name={one.name: one for one in subgraphs},
            implements={name: frozenset(found) for name, found in implements.items()},
            union_members={name: frozenset(found) for name, found in members.items()},
            keys={one.graph: key_fields(one) for one in subgraphs},
            provided={one.graph: provided_fields(one) for one in subgraphs},
            used={one.graph: external_uses(one) for one in subgraphs},
        )


class _HasNode(Protocol):
    @property
    def node(self) -> object: ...


ElementT = TypeVar("ElementT")


def where(parts: Iterable[tuple[Subgraph, ElementT]]) -> list[Where]:
    return [(subgraph.name, getattr(part, "node", None)) for subgraph, part in parts]


def quoted(subgraphs: Iterable[Subgraph]) -> str:
    """`subgraph "a"` or `subgraphs "a" and "b"`, for messages."""
    names = [f'"{one.name}"' for one in subgraphs]
    if len(names) == 1:
        return f"subgraph {names[0]}"
    return f"subgraphs {', '.join(names[:-1])} and {names[-1]}"


def most_said(texts: Iterable[str | None]) -> str | None:
    """The description most subgraphs give; the first one where they are even."""
    counted = Counter(text for text in texts if text)
    return max(counted, key=lambda text: counted[text]) if counted else None


def join_marks(marks: Iterable[Marks]) -> Marks:
    """Hidden, tagged or deprecated anywhere is so in the supergraph."""
    given = list(marks)
    return Marks(
        inaccessible=any(one.inaccessible for one in given),
        tags=tuple(dict.fromkeys(tag for one in given for tag in one.tags)),
        deprecated=most_said(one.deprecated for one in given),
        carried=join_carried(one.carried for one in given),
        composed=tuple(dict.fromkeys(text for one in given for text in one.composed)),
    )
