"""Stage 3a: from where is each field best had? A search over the query graph; it decides, `walk` carries out.

We hold an object at a node and want some fields of it. Each field has *options*: here, if the graph serves it; or
after a jump to another graph, at the price of collecting that graph's key (which may take jumps of its own) and what
the field `@requires`. What is selected below a field belongs to its price. `choose` takes, among the combinations of
jumps with the fewest rounds, the one with the fewest fetches: a jump that is made for one field serves all that can be
had there. Of several keys that lead there as well, the one is taken that adds the fewest fields to what is
selected anyway.

*Guards* keep the search from going round in circles: while a graph's key is collected no jump leads into that graph,
and while a field's requirements are collected the field itself is not asked for.

*Parts*: an object that is no entity cannot be looked up again, so when two graphs each know a half of it, its parent's
field is fetched from both, each with its half of the selection.

Results are kept by identity of selections: the same question is answered once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from gateway.language.errors import Code
from gateway.planning.bind import has_context
from gateway.planning.choices import Alternatives, Choice, Chosen, Option, pick, subsets, worth_a_jump
from gateway.planning.costs import (
    FETCH_COST,
    FIELD_COST,
    FREE,
    ROUND_COST,
    SEARCH_STEPS_MAX,
    Budget,
    Cost,
    refused,
)
from gateway.planning.keys import Keys, leaves
from gateway.query_graph import ROOT, FieldMove, KeyMove, Node, QueryGraph
from gateway.query_graph.selection import TYPENAME, Selected, SelectionSet

__all__ = ["Guard", "Search", "guard_key", "guard_requires"]

Guard: TypeAlias = frozenset[tuple[str, ...]]


def guard_key(target: Node) -> tuple[str, ...]:
    return ("key", target.graph, target.type)


def guard_requires(target: Node, field: str) -> tuple[str, ...]:
    return ("requires", target.graph, target.type, field)


class Search:
    def __init__(self, graph: QueryGraph, labels: frozenset[str]) -> None:
        self.graph = graph
        self.labels = labels
        self.budget = Budget(SEARCH_STEPS_MAX, "steps of search")
        self._chosen: dict[tuple[Node, tuple[Selected, ...], Guard], Chosen | None] = {}
        self._ways: dict[tuple[Node, Selected, Guard], tuple[Alternatives, ...] | None] = {}
        self._costs: dict[tuple[Node, SelectionSet, Guard], Cost | None] = {}
        self._keys: dict[tuple[Node, Node, Guard], tuple[tuple[KeyMove, Cost], ...]] = {}
        self._alone: dict[Selected, SelectionSet] = {}

    # What a selection costs

    def cost(self, node: Node, selections: SelectionSet, guard: Guard) -> Cost | None:
        """The price of `selections` on an object at `node`; None: they cannot all be had from there."""
        key = (node, selections, guard)
        if key not in self._costs:
            self._costs[key] = self._cost(node, selections, guard)
        return self._costs[key]

    def _cost(self, node: Node, selections: SelectionSet, guard: Guard) -> Cost | None:
        rounds = below = added = 0
        jumps: dict[str, int] = {}
        for narrowed, fields in self.views(node, selections):
            chosen = self.choose(narrowed, fields, guard)
            if chosen is None:
                return None
            rounds = max(rounds, chosen.rounds)
            below = max(below, chosen.below)
            added = max(added, chosen.fields)
            for target, fetches in chosen.jumps:
                jumps[target.graph] = max(jumps.get(target.graph, 0), fetches)
        return Cost(rounds, below + sum(jumps.values()), added)

    def views(self, node: Node, selections: SelectionSet) -> Iterator[tuple[Node, tuple[Selected, ...]]]:
        """The node as each type it may have, with what is selected on that type."""
        match self.graph.kind(node):
            case "object":
                yield node, selections.for_type(node.type)
            case "interface_object":
                yield node, selections.for_any_of(self.graph.possible(node), node.type)
            case "abstract":
                for name in sorted(self.graph.possible(node)):
                    yield self.graph.downcast(node, name), selections.for_type(name)
            case _:
                return

    # What to take from where

    def choose(self, node: Node, fields: tuple[Selected, ...], guard: Guard) -> Chosen | None:
        key = (node, fields, guard)
        if key not in self._chosen:
            self._chosen[key] = self._choose(node, fields, guard)
        return self._chosen[key]

    def _choose(self, node: Node, fields: tuple[Selected, ...], guard: Guard) -> Chosen | None:
        every: list[Alternatives] = []
        for one in fields:
            ways = self.ways(node, one, guard)
            if ways is None:
                return None
            every += ways
        if not every:
            return Chosen((), 0, 0, ())
        rounds_min = max(min(option.rounds for option in alternatives) for alternatives in every)
        affordable = [tuple(one for one in alternatives if one.rounds <= rounds_min) for alternatives in every]
        targets = worth_a_jump(affordable)
        best: tuple[tuple[int, ...], list[Option], dict[Node, KeyMove]] | None = None
        keys = Keys(self.graph, node, fields) if node.graph != ROOT else None
        for subset in subsets(targets, affordable):
            picked = [pick(alternatives, subset) for alternatives in affordable]
            options = [one for one in picked if one is not None]
            if len(options) < len(picked):
                continue
            fetches = sum(self.jump_fetches(node, one, guard) for one in subset) + sum(one.fetches for one in options)
            rounds = sum(one.rounds for one in options)
            if best is not None and (fetches, rounds) > best[0][:2]:
                continue
            vias, key_fields = keys.best({one: self.keys(node, one, guard) for one in subset}) if keys else ({}, 0)
            added = key_fields + sum(one.fields for one in options)
            weight = (fetches, rounds, added, len(subset))
            if best is None or weight < best[0]:
                best = (weight, options, vias)
        assert best is not None
        (_, _, added, _), options, vias = best
        used = dict.fromkeys(one.choice.target for one in options if one.choice.target is not None)
        return Chosen(
            choices=tuple(one.choice.by(vias) for one in options),
            rounds=max(one.rounds for one in options),
            below=sum(one.fetches for one in options),
            jumps=tuple((one, self.jump_fetches(node, one, guard)) for one in used),
            fields=added,
        )

    def jump_fetches(self, node: Node, target: Node, guard: Guard) -> int:
        if node.graph == ROOT:
            return FETCH_COST
        return FETCH_COST + self.keys(node, target, guard)[0][1].fetches

    # One field

    def ways(self, node: Node, one: Selected, guard: Guard) -> tuple[Alternatives, ...] | None:
        """The field's options; several groups of them when it has to be had in parts. None: there is no way."""
        key = (node, one, guard)
        if key not in self._ways:
            self.budget.spend()
            self._ways[key] = self._find_ways(node, one, guard)
        return self._ways[key]

    def _find_ways(self, node: Node, one: Selected, guard: Guard) -> tuple[Alternatives, ...] | None:
        options = tuple(self._options(node, one, guard))
        if options:
            return (options,)
        if one.children is None:
            return None
        return self._in_parts(node, one, guard)

    def _options(self, node: Node, one: Selected, guard: Guard) -> Iterator[Option]:
        if node.graph == ROOT:
            yield from self._root_options(node, one, guard)
            return
        if one.name == TYPENAME or self._asks_real_type(node, one):
            if self.graph.kind(node) != "interface_object":
                yield Option(Choice(one, None), 0, 0)
            else:
                yield from self._real_type_options(node, one, guard)
            return
        reason = self.graph.unsupported.get((node.type, one.name))
        if reason is not None:
            raise refused(Code.PLANNING_UNSUPPORTED, f'"{node.type}.{one.name}" cannot be planned: {reason}.')
        move = self.graph.field(node, one.name, self.labels)
        if move is not None and self._is_served_here(node, move, guard):
            below = self._below(move, one, guard)
            if below is not None:
                yield Option(Choice(one, move), *below)
                if below.is_here:
                    return  # Nothing is nearer; to weigh jumps for keys and the like would double the work at each.
        for target in self.targets(node, guard):
            yield from self._jump_options(node, target, one, guard)
        if self.graph.kind(node) == "interface_object":
            yield from self._real_type_options(node, one, guard)

    def _is_served_here(self, node: Node, move: FieldMove, guard: Guard) -> bool:
        """Without a jump: what the field requires, if anything, is provided here or part of the key."""
        if move.context_arguments or move.is_gathered:
            return False
        if move.requires is None:
            return True
        mark = guard_requires(node, move.name)
        if mark in guard:
            return False
        needs = self.cost(node, move.requires, guard | {mark})
        return needs is not None and needs.is_here

    def _asks_real_type(self, node: Node, one: Selected) -> bool:
        """Selected on some of an interface object's types only, so that the real type must be known first."""
        return (
            one.types is not None
            and self.graph.kind(node) == "interface_object"
            and not self.graph.possible(node) <= one.types
        )

    def _below(self, move: FieldMove, one: Selected, guard: Guard) -> Cost | None:
        return FREE if one.children is None else self.cost(move.target, one.children, guard)

    def _root_options(self, node: Node, one: Selected, guard: Guard) -> Iterator[Option]:
        if one.name == TYPENAME:
            yield Option(Choice(one, None), 0, 0)
            return
        reason = self.graph.unsupported.get((node.type, one.name))
        if reason is not None:
            raise refused(Code.PLANNING_UNSUPPORTED, f'"{node.type}.{one.name}" cannot be planned: {reason}.')
        for move in self.root_moves(node, one.name):
            below = None if move.is_sent else self._below(move, one, guard)
            if below is not None:
                target = Node(move.target.graph, node.type)
                yield Option(Choice(one, move, None, target), ROUND_COST + below.rounds, below.fetches, below.fields)

    def root_moves(self, node: Node, name: str) -> Iterator[FieldMove]:
        for move in self.graph.field_moves[node].get(name, ()):
            if move.label is None or (move.label.name in self.labels) is move.label.active:
                yield move

    def targets(self, node: Node, guard: Guard) -> Iterator[Node]:
        """Graphs' views of the same entity that can be asked for by a key, abstract ones left out."""
        seen: set[Node] = set()
        for jump in self.graph.key_moves(node):
            if jump.target in seen or self.graph.kind(jump.target) == "abstract":
                continue
            seen.add(jump.target)
            if guard_key(jump.target) not in guard:
                yield jump.target

    def _jump_options(self, node: Node, target: Node, one: Selected, guard: Guard) -> Iterator[Option]:
        move = self.graph.field(target, one.name, self.labels)
        if move is None or (target == Node(node.graph, node.type) and not move.is_sent):
            return
        if not all(has_context(one, each.context) for each in move.context_arguments):
            return
        if move.requires is not None and guard_requires(target, one.name) in guard:
            return
        keys = self.keys(node, target, guard)
        below = self._below(move, one, guard) if keys else None
        if below is None:
            return
        needs = FREE
        if move.requires is not None:
            found = self.cost(node, move.requires, guard | {guard_requires(target, one.name)})
            if found is None:
                return
            needs = Cost(found.rounds, found.fetches, found.fields + FIELD_COST * len(leaves(move.requires)))
        via, key = keys[0]
        rounds = max(key.rounds, needs.rounds) + ROUND_COST + below.rounds
        yield Option(Choice(one, move, via, target), rounds, needs.fetches + below.fetches, needs.fields + below.fields)

    def _real_type_options(self, node: Node, one: Selected, guard: Guard) -> Iterator[Option]:
        """From an interface object to the graphs that know the real types behind it."""
        alone = self._alone.setdefault(one, SelectionSet((one,)))
        for jump in self.graph.key_moves(node):
            target = jump.target
            if self.graph.kind(target) != "abstract" or guard_key(target) in guard:
                continue
            keys = self.keys(node, target, guard)
            below = self.cost(target, alone, guard)
            if keys and below is not None:
                via, key = keys[0]
                rounds = key.rounds + ROUND_COST + below.rounds
                yield Option(Choice(one, None, via, target), rounds, below.fetches, below.fields)

    def keys(self, node: Node, target: Node, guard: Guard) -> tuple[tuple[KeyMove, Cost], ...]:
        """The keys by which `target` can be asked for in the fewest rounds and fetches, the one of fewest fields first;
        none: it cannot be asked for."""
        known = (node, target, guard)
        if known not in self._keys:
            inner = guard | {guard_key(target)}
            found: list[tuple[KeyMove, Cost]] = []
            for jump in self.graph.key_moves(node):
                if jump.target == target:
                    cost = self.cost(node, jump.key, inner)
                    if cost is not None:
                        found.append((jump, cost))
            nearest = min(((cost.rounds, cost.fetches) for _, cost in found), default=None)
            found = [one for one in found if (one[1].rounds, one[1].fetches) == nearest]
            self._keys[known] = tuple(sorted(found, key=lambda one: one[1].fields + len(leaves(one[0].key))))
        return self._keys[known]

    # Parts

    def _in_parts(self, node: Node, one: Selected, guard: Guard) -> tuple[Alternatives, ...] | None:
        parts: list[Alternatives] = []
        rest = one
        for move in self._moves_to(node, one, guard):
            assert rest.children is not None
            covered, left = self.divide(move.target, rest.children, guard)
            if covered is None:
                continue
            part = rest.with_children(covered)
            options = tuple(self._options(node, part, guard))
            if not options:
                continue
            parts.append(options)
            if left is None:
                return tuple(parts)
            rest = rest.with_children(left)
        return None

    def _moves_to(self, node: Node, one: Selected, guard: Guard) -> Iterator[FieldMove]:
        if node.graph == ROOT:
            yield from self.root_moves(node, one.name)
            return
        for place in (node, *self.targets(node, guard)):
            move = self.graph.field(place, one.name, self.labels)
            if move is not None:
                yield move

    def divide(
        self, node: Node, selections: SelectionSet, guard: Guard
    ) -> tuple[SelectionSet | None, SelectionSet | None]:
        """What of `selections` can be had from `node`, and what is left."""
        covered: list[Selected] = []
        left: list[Selected] = []
        for one in selections.fields:
            good, bad = self._by_reach(node, one, guard)
            if not bad:
                covered.append(one)
                continue
            if good:
                covered.append(one.restricted(good))
            for name in sorted(bad):
                only = one.restricted(frozenset((name,))) if self.graph.kind(node) == "abstract" else one
                inner_covered, inner_left = self._divide_below(self.graph.downcast(node, name), one, guard)
                if inner_covered is not None:
                    covered.append(only.with_children(inner_covered))
                left.append(only.with_children(inner_left) if one.children is not None else only)
        return _as_set(covered), _as_set(left)

    def _divide_below(self, node: Node, one: Selected, guard: Guard) -> tuple[SelectionSet | None, SelectionSet | None]:
        move = self.graph.field(node, one.name, self.labels)
        if one.children is None or move is None or move.is_sent:
            return None, one.children
        return self.divide(move.target, one.children, guard)

    def _by_reach(self, node: Node, one: Selected, guard: Guard) -> tuple[frozenset[str], frozenset[str]]:
        """Types on which the field can be had as a whole, and those on which it cannot."""
        good: set[str] = set()
        bad: set[str] = set()
        for narrowed, _ in self.views(node, SelectionSet((one,))):
            if one.types is None or narrowed.type in one.types or self.graph.kind(node) == "interface_object":
                (bad if self.ways(narrowed, one, guard) is None else good).add(narrowed.type)
        return frozenset(good), frozenset(bad)


def _as_set(fields: list[Selected]) -> SelectionSet | None:
    return SelectionSet(tuple(fields)) if fields else None
