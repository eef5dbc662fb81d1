"""What a member of another age can be asked. Pure: it rewrites a call, others send it.

A member's contract says which coordinates it lacks. A field that it does not know is left out of its operation and is
null in its answer. An argument, input field or enum value that it does not know would make it answer another question
than the others, so the whole top field is left out, and the member counts as missing there; but an argument whose
variable the client does not give is not in use, and only goes.

An operation is looked through once for each version of a contract: what it lacks, where, under which conditions and by
which variables (`examine`). A call then adds its variables, the only place where values of enums and input fields can
still hide.

A *top* field is one that is settled by itself: a root field, or a field of an entity, with that entity's type.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.execution.answers import Answer, Asked, Failure, Outcome
from gateway.execution.asking import Call
from gateway.execution.examine import ENTITIES, TYPENAME, Top, examine
from gateway.execution.shapes import Shape
from gateway.language.errors import Code
from gateway.language.paths import ResponsePath
from gateway.supergraph.member_contract import MemberContract

__all__ = ["Fit", "fit_call", "is_whole", "lacks_identity"]


@dataclass(frozen=True, slots=True)
class Fit:
    """A call as one member can be asked it."""

    call: Call | None
    """None: nothing is left to ask."""
    refused: tuple[str, ...] = ()
    """The member does not fit the contract at all: because of these coordinates."""
    left_out: Mapping[Top, tuple[str, ...]] = field(default_factory=dict)
    """Top fields that it is not asked, each with what it lacks for it."""
    nulls: Mapping[tuple[Top, ResponsePath], str] = field(default_factory=dict)
    """Fields that it is not asked, by their path below the top field (which begins it)."""

    def lacks_for(self, top: Top) -> tuple[str, ...]:
        """Why the member gives nothing for a top field; empty: it was asked."""
        return self.refused or self.left_out.get(top, ())

    def nulls_in(self, top: Top) -> tuple[str, ...]:
        """What is null below a top field."""
        return tuple(dict.fromkeys(one for (where, _), one in self.nulls.items() if where == top))

    def lacks_of(self, types: Container[str]) -> tuple[str, ...]:
        """What is null in entities of these types, themselves or below."""
        left_out = (one for top, found in self.left_out.items() if top[0] in types for one in found)
        nulls = (one for (top, _), one in self.nulls.items() if top[0] in types)
        return tuple(dict.fromkeys((*left_out, *nulls)))

    @property
    def lacks(self) -> tuple[str, ...]:
        """All that kept it from being asked everything."""
        left_out = (one for found in self.left_out.values() for one in found)
        return self.refused or tuple(dict.fromkeys((*left_out, *self.nulls.values())))

    @property
    def refusal(self) -> Asked:
        """In place of an answer, when nothing is left to ask."""
        message = f"it does not know {', '.join(self.lacks)}"
        return Asked(Failure(Code.PARTITION_OUTDATED, message, was_sent=False))

    def fill(self, outcome: Outcome) -> None:
        """Null into the answer where the member was not asked."""
        if isinstance(outcome, Answer) and outcome.data is not None:
            for top in self.left_out:
                _put_null(outcome.data, top, (top[1],))
            for top, path in self.nulls:
                _put_null(outcome.data, top, path)


def fit_call(call: Call, contract: MemberContract | None) -> Fit:
    """`contract` is None while the member has not been checked: then it is asked as the others are."""
    if contract is None or not contract.findings:
        return Fit(call)
    if contract.errors:
        return Fit(None, tuple(one.coordinate or "its schema" for one in contract.errors))
    examined = examine(call.operation, contract, frozenset())
    in_use = tuple(examined.in_use(call.variables, contract))
    left_out: dict[Top, tuple[str, ...]] = {}
    for lack in in_use:
        if not lack.path:
            left_out[lack.top] = tuple(dict.fromkeys((*left_out.get(lack.top, ()), lack.coordinate)))
    if left_out:
        examined = examine(call.operation, contract, frozenset(left_out))
    if examined.text is None:
        return Fit(None, left_out=left_out)
    nulls = {(lack.top, lack.path): lack.coordinate for lack in in_use if lack.path and lack.top not in left_out}
    variables = {name: value for name, value in call.variables.items() if name in examined.variables}
    return Fit(replace(call, operation=examined.text, variables=variables), left_out=left_out, nulls=nulls)


def _put_null(data: dict[str, Any], top: Top, path: ResponsePath) -> None:
    if top[0] is None:
        _null_at(data, path)
        return
    entities = data.get(ENTITIES)
    for one in entities if isinstance(entities, list) else ():
        if isinstance(one, dict) and one.get(TYPENAME, top[0]) == top[0]:
            _null_at(one, path)


def _null_at(value: Any, path: ResponsePath) -> None:
    if isinstance(value, list):
        for one in value:
            _null_at(one, path)
    elif isinstance(value, dict):
        if len(path) == 1:
            value.setdefault(path[0], None)
        else:
            _null_at(value.get(path[0]), path[1:])


# What it means for a gathered field


def lacks_identity(shape: Shape, fit: Fit) -> tuple[str, ...]:
    """What tells groups below the field apart and the member does not know: its groups would be merged with others."""
    return tuple(coordinate for inner, key, coordinate in _nulls_at(shape, fit) if key in inner.by)


def is_whole(shape: Shape, fit: Fit) -> bool:
    """Whether the member knows all that is summed, compared or gathered below the field."""
    return not any(key in inner.children for inner, key, _ in _nulls_at(shape, fit))


def _nulls_at(shape: Shape, fit: Fit) -> Iterator[tuple[Shape, str, str]]:
    """(the object that is gathered, the key of a null in it, its coordinate); nulls in rows are none of these."""
    for (top, path), coordinate in fit.nulls.items():
        if top == (shape.type_condition, shape.key):
            inner: Shape | None = shape
            for key in path[1:-1]:
                inner = inner.children.get(str(key)) if inner is not None else None
            if inner is not None:
                yield inner, str(path[-1]), coordinate
