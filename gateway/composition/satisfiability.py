"""SATISFIABILITY_ERROR: every field a client may ask for can be served, by every path on which it can be asked.

The idea: walk the API from its roots and keep, for every type reached, *where* its object may be standing: a set of
positions. A position is a graph that returned the object, as which type it did, and what it provided on the way. From
a set of positions a field can be served if some graph that can be *reached* from one of them resolves it. A graph is reached by a key
whose fields can themselves be served from the positions already reached; so reach grows until it grows no more. A field
with `@requires` is served only where its requirements can be, from that same reach.

Two paths that lead to the same type with the same positions and the same around are one case, which is why the walk ends. Vocabulary:
- *position*: (graph, type as that graph sees it, provided field set);
- *reach*: all positions that an object's start positions lead to by keys;
- *around*: what objects above can give to contextual arguments (`@fromContext`); of one context, the nearest that sets it;
- *interface object*: a graph sees `Media` where the object is a `Book`; before a graph that knows the interface has been
  asked, nobody knows that it is a `Book`, and keys of `Book` are of no use.

A labelled override is decided at run time, so the walk is done for every combination of labels.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import product

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
)

from gateway.composition.example_query import FRAGMENT
from gateway.composition.model import Report
from gateway.composition.satisfiability_message import explain
from gateway.composition.serving import NOTHING_AROUND, Around, Position, Serving
from gateway.supergraph.model import Supergraph

__all__ = ["check_satisfiability"]

_LABELS_MAX = 6
"""2^6 walks; more labels at once are refused, for each doubles the work."""
_STATES_MAX = 200_000
"""Cases (type, positions) of one walk; only a schema built to blow up has more."""
_ERRORS_MAX = 20
"""Of one kind, more would only bury the first."""


@dataclass(frozen=True, slots=True)
class Step:
    """How a case was reached: the parent's step and the selection that led here, for the message's query."""

    parent: Step | None
    selection: str
    """`Query` at the start, else a field name or `... on Type`."""


def check_satisfiability(supergraph: Supergraph, report: Report, states_max: int = _STATES_MAX) -> None:
    labels = sorted({j.override_label for joins in supergraph.field_joins.values() for j in joins if j.override_label})
    if len(labels) > _LABELS_MAX:
        report.error(
            "UNSUPPORTED_FEATURE",
            f"More than {_LABELS_MAX} labels of @override at the same time are not supported: {', '.join(labels)}.",
        )
        return
    for states in product((False, True), repeat=len(labels)):
        active = frozenset(label for label, is_active in zip(labels, states, strict=True) if is_active)
        _Walk(supergraph, Serving(supergraph, active), report).run(states_max)
        if report.errors:
            return


Case = tuple[str, frozenset[Position], Around]


class _Walk:
    def __init__(self, supergraph: Supergraph, serving: Serving, report: Report) -> None:
        self.supergraph = supergraph
        self.serving = serving
        self.report = report
        self.seen: set[Case] = set()
        self.told: set[tuple[str, str]] = set()
        self.queue: deque[tuple[Case, Step]] = deque()

    def run(self, states_max: int) -> None:
        schema = self.supergraph.api_schema
        for root in (schema.query_type, schema.mutation_type, schema.subscription_type):
            if root is not None:
                start = (root.name, self.serving.everywhere(root.name), NOTHING_AROUND)
                self.enter(start, Step(None, root.name))
        while self.queue and len(self.told) < _ERRORS_MAX:
            if len(self.seen) > states_max:
                self.report.error(
                    "MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED",
                    f"The check of satisfiability was given up after {states_max} cases: the schemas have too many ways"
                    " through them.",
                )
                return
            case, step = self.queue.popleft()
            self.visit(case, step)

    def enter(self, case: Case, step: Step) -> None:
        if case not in self.seen:
            self.seen.add(case)
            self.queue.append((case, step))

    def visit(self, case: Case, step: Step) -> None:
        type_name, positions, around = case
        type_ = self.supergraph.api_schema.type_map[type_name]
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            self.visit_abstract(type_, positions, around, step)
        elif isinstance(type_, GraphQLObjectType):
            self.visit_object(type_, positions, around, step)

    def visit_abstract(
        self, type_: GraphQLInterfaceType | GraphQLUnionType, positions: frozenset[Position], around: Around, step: Step
    ) -> None:
        for possible in self.supergraph.api_schema.get_possible_types(type_):
            if not self.serving.can_be(positions, possible.name):
                continue
            narrowed = self.serving.narrow(positions, possible.name)
            if narrowed:
                self.enter((possible.name, narrowed, around), Step(step, f"{FRAGMENT}{possible.name}"))

    def visit_object(
        self, type_: GraphQLObjectType, positions: frozenset[Position], around: Around, step: Step
    ) -> None:
        reaches = self.serving.reaches(type_.name, positions)
        reach: frozenset[Position] = frozenset().union(*reaches)
        if all(one.type != type_.name for one in reach):  # Only interface objects: nobody can tell its type.
            self.refuse(type_.name, "__typename", reach, around, step)
            return
        below = self.serving.around_below(type_.name, reaches, around)
        for name, field in type_.fields.items():
            next_positions = self.serving.serve(type_.name, name, reaches, around)
            if not next_positions:
                self.refuse(type_.name, name, reach, around, step)
            elif is_composite_type(get_named_type(field.type)):
                self.enter((get_named_type(field.type).name, next_positions, below), Step(step, name))

    def refuse(self, type_name: str, field: str, reach: frozenset[Position], around: Around, step: Step) -> None:
        if (type_name, field) in self.told:
            return
        self.told.add((type_name, field))
        graphs = self.supergraph.graphs
        self.report.error(
            "SATISFIABILITY_ERROR",
            explain(self.supergraph, self.serving, type_name, field, reach, around, _way(step)),
            [(graphs[graph].name, None) for graph in dict.fromkeys(one.graph for one in sorted(reach))],
        )


def _way(step: Step | None) -> list[str]:
    way: list[str] = []
    while step is not None:
        way.append(step.selection)
        step = step.parent
    return way[::-1]
