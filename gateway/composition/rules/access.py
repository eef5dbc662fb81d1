"""`@authenticated`, `@requiresScopes` and `@policy`: AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE,
MISSING_TRANSITIVE_AUTH_REQUIREMENTS.

A demand on an interface could be walked round by asking for its implementations; so it is said on these. And what a
field requires of others it may give away: whoever may see the field must be allowed to see these, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.composition.carried import Carried, Dnf, join_carried
from gateway.composition.merge.model import Merged
from gateway.composition.model import Report
from gateway.composition.subgraph import Marks, Subgraph, SubgraphField, TypeKind, walk
from gateway.supergraph.elements import named_type

__all__ = ["check_access_on_interfaces", "check_transitive_access"]


def check_access_on_interfaces(subgraph: Subgraph, report: Report) -> None:
    for type_ in subgraph.types.values():
        if type_.kind is not TypeKind.INTERFACE and not type_.is_interface_object:
            continue
        demanding = [(type_.name, type_.marks, type_.node)]
        demanding += [(f"{type_.name}.{one.name}", one.marks, one.node) for one in type_.fields.values()]
        for coordinate, marks, node in demanding:
            if _demands(marks):
                report.error(
                    "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE",
                    f'[{subgraph.name}] "{coordinate}" has @authenticated, @requiresScopes or @policy, which cannot be'
                    " applied on interfaces, interface objects or their fields: say it on the implementations.",
                    [(subgraph.name, node)],
                )


def _demands(marks: Marks) -> bool:
    carried = marks.carried
    return carried.authenticated or carried.scopes is not None or carried.policies is not None


def check_transitive_access(merged: Merged, subgraphs: tuple[Subgraph, ...], report: Report) -> None:
    for subgraph in subgraphs:
        for type_ in subgraph.types.values():
            for field in type_.fields.values():
                for told in _not_covered(merged, subgraph, type_.name, field):
                    report.error(
                        "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
                        f'[{subgraph.name}] Field "{type_.name}.{field.name}" does not specify the @authenticated,'
                        f' @requiresScopes or @policy demands of "{told}", which its @requires selects.',
                        [(subgraph.name, field.node)],
                    )


def _not_covered(merged: Merged, subgraph: Subgraph, type_name: str, field: SubgraphField) -> Iterator[str]:
    if field.requires is None or field.requires.selections is None:
        return
    given = join_carried(_demanded(merged, type_name, field.name))
    for at, selected in walk(subgraph, type_name, field.requires.selections):
        for owner in sorted(subgraph.possible_types(at) | {at}):
            needed = join_carried(_demanded(merged, owner, selected.name.value))
            if not _covers(given, needed):
                yield f"{owner}.{selected.name.value}"


def _demanded(merged: Merged, type_name: str, field_name: str) -> Iterator[Carried]:
    """What the field's type, the field itself and its value's type demand."""
    type_ = merged.types.get(type_name)
    field = type_.fields.get(field_name) if type_ is not None else None
    if type_ is None or field is None:
        return
    yield type_.marks.carried
    yield field.marks.carried
    value = merged.types.get(named_type(field.type))
    if value is not None:
        yield value.marks.carried


def _covers(given: Carried, needed: Carried) -> bool:
    return (
        (given.authenticated or not needed.authenticated)
        and _implies(given.scopes, needed.scopes)
        and _implies(given.policies, needed.policies)
    )


def _implies(given: Dnf | None, needed: Dnf | None) -> bool:
    """Each way to meet what is given meets what is needed."""
    if needed is None:
        return True
    return given is not None and all(any(set(one) <= set(way) for one in needed) for way in given)
