"""`@override` within one subgraph: OVERRIDE_FROM_SELF_ERROR, OVERRIDE_ON_INTERFACE, OVERRIDE_LABEL_INVALID and
OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE. What needs the other subgraph is judged in merging."""

from __future__ import annotations

import re

from gateway.composition.model import Report
from gateway.composition.subgraph import Subgraph, TypeKind

__all__ = ["check_override"]

_LABEL = re.compile(r"[a-zA-Z][a-zA-Z0-9_\-:./]*|percent\((\d{1,2}(\.\d{1,8})?|100(\.0{1,8})?)\)")


def check_override(subgraph: Subgraph, report: Report) -> None:
    for type_ in subgraph.types.values():
        for field in type_.fields.values():
            if field.override is None:
                continue
            coordinate = f'"{type_.name}.{field.name}"'
            where = [(subgraph.name, field.override.node)]
            on = f'@override cannot be used on field {coordinate} on subgraph "{subgraph.name}"'
            if type_.kind is TypeKind.INTERFACE:
                report.error(
                    "OVERRIDE_ON_INTERFACE", f"{on}: @override is not supported on interface type fields.", where
                )
            if field.override.source == subgraph.name:
                report.error(
                    "OVERRIDE_FROM_SELF_ERROR",
                    f'Source and destination subgraphs "{subgraph.name}" are the same for overridden field {coordinate}.',
                    where,
                )
            if field.override.label is not None and not _LABEL.fullmatch(field.override.label):
                report.error(
                    "OVERRIDE_LABEL_INVALID",
                    f'Invalid @override label "{field.override.label}" on field {coordinate} on subgraph'
                    f' "{subgraph.name}": labels must start with a letter and after that may contain alphanumerics,'
                    ' underscores, minuses, colons, periods, or slashes; or be "percent(x)" with x from 0 to 100.',
                    where,
                )
            if field.says_external:
                report.error(
                    "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
                    f'{on} since it is marked with directive "@external" there.',
                    where,
                )
