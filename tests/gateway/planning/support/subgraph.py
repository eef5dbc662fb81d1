"""One subgraph over the universe, in memory, strict: it answers what its SDL promises and nothing else.

It resolves entities only by its own resolvable keys, gives `@external` fields only as key material or where they are
provided, and works out a field with `@requires` from what it was sent, or has at hand on the same terms. Whoever asks it
for more gets an error, and a *complaint* is noted: an answer that is right by luck does not pass.

A member of a partitioned graph has the rows of one region. It complains when it is asked for another's, or for what is
pruned to others.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    SelectionSetNode,
    execute,
    parse,
    validate,
)

from contract.cursors import InvalidCursor
from gateway.execution.answers import Outcome, read_answer
from gateway.execution.clients import request_body
from gateway.execution.limits import Deadline
from tests.gateway.planning.support.served import ROOTS, Offer, Served, named
from tests.gateway.planning.support.store import Astray, Store
from tests.gateway.planning.support.things import REGIONS, Row, Thing, canonical
from tests.gateway.planning.support.universe import Universe, fields_for, merged

__all__ = ["Asked", "Subgraph"]


@dataclass(frozen=True)
class Held:
    """An object as this subgraph holds it."""

    thing: Thing
    seen_as: str
    """Its type here: the interface, where that is an object here."""
    known: Mapping[str, Any] | None = None
    """The representation it was found by."""
    provided: tuple[SelectionSetNode, ...] = ()


@dataclass(frozen=True)
class Asked:
    graph: str
    operation: str
    variables: Mapping[str, Any]
    region: str | None = None
    """The member that was asked."""


@dataclass
class Subgraph:
    """A `SubgraphClient` that answers by itself."""

    served: Served
    universe: Universe
    log: list[Asked]
    complaints: list[str]
    uses: set[str]
    """What of federation was really at work."""
    region: str | None = None
    """Of a member: it has the rows of this region and no others."""
    _documents: dict[str, tuple[DocumentNode, str]] = field(default_factory=dict)

    async def execute(
        self, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str], deadline: Deadline
    ) -> Outcome:
        request = orjson.loads(request_body(operation, variables))
        return read_answer(200, orjson.dumps(self.answer(request["query"], request.get("variables") or {})))

    async def subscribe(
        self, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> AsyncGenerator[Outcome, None]:
        """One event."""
        yield await self.execute(operation, variables, headers, Deadline.after(10))

    async def close(self) -> None:
        """Nothing is open."""

    def answer(self, operation: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        self.log.append(Asked(self.served.name, operation, variables, self.region))
        document, fault = self._read(operation)
        if fault:
            self._complain(f"refuses {operation}: {fault}")
            return {"errors": [{"message": fault}]}
        result: Any = execute(
            self.served.schema,
            document,
            variable_values=dict(variables),
            field_resolver=self._resolve,
            type_resolver=lambda value, info, kind: value.seen_as,
        )
        written: dict[str, Any] = {"data": result.data}
        if result.errors:
            written["errors"] = [error.formatted for error in result.errors]
        return written

    def _read(self, operation: str) -> tuple[DocumentNode, str]:
        if operation not in self._documents:
            document = parse(operation)
            errors = validate(self.served.schema, document)
            self._documents[operation] = document, "; ".join(one.message for one in errors)
        return self._documents[operation]

    def _complain(self, what: str) -> GraphQLError:
        self.complaints.append(f"{self.served.name} {what}")
        return GraphQLError(what)

    # Fields

    def _resolve(self, parent: Any, info: Any, **arguments: Any) -> Any:
        name = info.field_name
        if parent is None:
            root = self.served.roots.get(info.parent_type.name, info.parent_type.name)
            if name == "_entities":
                return [self._find(one) for one in arguments["representations"]]
            parent = Held(Thing(root, root), root)
        offer = self.served.types[parent.seen_as].fields[name]
        self._check_served(parent, offer)
        self._note(parent, offer)
        thing = parent.thing
        if self.universe.is_missing(self.served.name, thing) and (thing.type, name) not in self.universe.key_fields:
            return None
        self.universe.fault(thing, name)
        if not offer.contextual.keys() <= arguments.keys():
            raise self._complain(f"was asked for {parent.seen_as}.{name} without {', '.join(offer.contextual)}")
        required = None if offer.requires is None else canonical(self._sent(parent, offer.requires))
        self._check_concerned(parent, offer, arguments)
        try:
            value = self.universe.value(thing, name, arguments, required, self.regions)
        except Astray as error:
            raise self._complain(str(error)) from None
        except InvalidCursor as error:
            raise self._complain(f"cannot read a cursor of {name}: {error}") from None
        return self._hold(value, offer, parent)

    @property
    def regions(self) -> tuple[str, ...]:
        return REGIONS if self.region is None else (self.region,)

    def _check_concerned(self, held: Held, offer: Offer, arguments: Mapping[str, Any]) -> None:
        """A root field only: of an entity's fields, one may concern a member and the next not."""
        if offer.gather is None or held.thing.type not in ROOTS or self.region is None:
            return
        if not Store(self.universe, self.served, self.regions).concerned(offer.gather, arguments, None):
            raise self._complain(f"was asked for {offer.name}, which concerns others only")

    def _check_served(self, held: Held, offer: Offer) -> None:
        if offer.external:
            is_key = offer.name in self.served.types[held.seen_as].key_fields
            if not is_key and all(each.name.value != offer.name for each in self._provided(held)):
                raise self._complain(f"was asked for {held.seen_as}.{offer.name}, which is external there")
        if not self.universe.is_in_force(self.served, held.seen_as, offer):
            raise self._complain(f"was asked for {held.seen_as}.{offer.name}, which is overridden")

    def _note(self, held: Held, offer: Offer) -> None:
        if offer.external and offer.name not in self.served.types[held.seen_as].key_fields:
            self.uses.add("provides")
        if offer.requires is not None:
            self.uses.add("requires nested" if _is_nested(offer.requires) else "requires")
        if offer.contextual:
            self.uses.add("context")
        if offer.override_from is not None:
            self.uses.add("override" if offer.label is None else "override with label")
        if held.seen_as != held.thing.type:
            self.uses.add("interface object")
        if len(self.universe.offers(held.thing.type, offer.name)) > 1:
            self.uses.add("shared root field" if held.thing.type == "Query" else "shared field")
        target = self.served.types.get(named(offer.type))
        if target is not None and target.kind != "object":
            self.uses.add(target.kind)

    def _provided(self, held: Held) -> list[FieldNode]:
        return [one for each in held.provided for one in fields_for(each, held.thing.type, self.served.possible)]

    def _hold(self, value: Any, offer: Offer, parent: Held) -> Any:
        if isinstance(value, list):
            return [self._hold(one, offer, parent) for one in value]
        if not isinstance(value, Thing):
            return value
        provided = [offer.provides] if offer.provides is not None else []
        own = (node.selection_set for node in self._provided(parent) if node.name.value == offer.name)
        provided += [one for one in own if one is not None]
        return Held(value, self._seen_as(named(offer.type), value), None, tuple(provided))

    def _seen_as(self, target: str, thing: Thing) -> str:
        kind = self.served.types.get(target)
        return target if kind is not None and kind.is_interface_object else thing.type

    # Entities

    def _find(self, representation: Mapping[str, Any]) -> Held | None:
        asked = representation.get("__typename")
        kind = self.served.types.get(asked) if isinstance(asked, str) else None
        if kind is None or not isinstance(asked, str):
            raise self._complain(f"knows no type of {dict(representation)!r}")
        names = self.universe.implementers.get(asked, frozenset((asked,)))
        candidates = [
            one
            for name in sorted(names)
            for one in self.universe.instances.get(name, ())
            if not isinstance(one, Row) or one.region in self.regions
        ]
        for key in kind.keys:
            for thing in candidates if key.resolvable else ():
                if _holds(representation, self.universe.read(thing, key.selection)):
                    self.uses.add(_kind_of_key(key.selection))
                    if self.universe.is_missing(self.served.name, thing):
                        self.uses.add("missing entity")
                        return None
                    return Held(thing, self._seen_as(asked, thing), representation)
        raise self._complain(f"knows no entity {dict(representation)!r}")

    def _sent(self, held: Held, selections: SelectionSetNode) -> dict[str, Any]:
        if self._is_at_hand(selections, held.thing.type, held.seen_as, self._provided(held)):
            return self.universe.read(held.thing, selections)
        if held.known is None:
            raise self._complain(f"was asked for what requires something of {held.thing.id}, and was not sent it")
        return self._sent_of(held.known, selections, held.thing.type)

    def _is_at_hand(
        self, selections: SelectionSetNode, type_name: str, seen_as: str, provided: list[FieldNode]
    ) -> bool:
        """Whether each required field is part of a key here or provided where this object was reached."""
        kind = self.served.types[seen_as]
        for one in fields_for(selections, type_name, self.universe.possible_types):
            if one.name.value in kind.key_fields and one.selection_set is None:
                continue
            own = [each for each in provided if each.name.value == one.name.value]
            if not own:
                return False
            if one.selection_set is None:
                continue
            target = named(kind.fields[one.name.value].type)
            for name in self.served.possible(target):
                below = [
                    f
                    for each in own
                    if each.selection_set
                    for f in fields_for(each.selection_set, name, self.served.possible)
                ]
                if not self._is_at_hand(one.selection_set, name, name, below):
                    return False
        return True

    def _sent_of(self, sent: Mapping[str, Any], selections: SelectionSetNode, type_name: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for one in fields_for(selections, type_name, self.universe.possible_types):
            name = one.name.value
            if name not in sent:
                raise self._complain(f"needs {type_name}.{name} and was sent {dict(sent)!r}")
            found = merged(found, {name: self._sent_below(sent[name], one, type_name)})
        return found

    def _sent_below(self, value: Any, node: FieldNode, parent: str) -> Any:
        if isinstance(value, list):
            return [self._sent_below(one, node, parent) for one in value]
        if not isinstance(value, Mapping) or node.selection_set is None:
            return value
        own = self.served.types.get(parent)
        target = named(own.fields[node.name.value].type) if own is not None and node.name.value in own.fields else ""
        told = value.get("__typename")
        kind = self.served.types.get(target)
        if kind is not None and kind.kind != "object" and told not in self.served.possible(target):
            raise self._complain(f"cannot tell of which type {dict(value)!r} is")
        return self._sent_of(value, node.selection_set, told or target)


def _holds(sent: Any, wanted: Any) -> bool:
    """Whether all that is wanted was sent, and is the same."""
    if isinstance(wanted, Mapping):
        return isinstance(sent, Mapping) and all(
            name in sent and _holds(sent[name], value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(sent, list) and len(sent) == len(wanted) and all(map(_holds, sent, wanted))
    return bool(sent == wanted)


def _is_nested(selections: SelectionSetNode) -> bool:
    return any(getattr(one, "selection_set", None) is not None for one in selections.selections)


def _kind_of_key(selections: SelectionSetNode) -> str:
    if _is_nested(selections):
        return "nested key"
    return "composite key" if len(selections.selections) > 1 else "simple key"
