"""Who is believed: members whose values of a gathered field break a rule are cut out before anything is merged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from gateway.execution.folds import COMPARED, is_value
from gateway.execution.pages import MemberPage, PageRequest, PageViolation, common_form, read_page
from gateway.execution.parts import GatherNotes, Missing, Part, Violation
from gateway.execution.shapes import ConnectionKeys, Shape
from gateway.execution.trust import foreign_row, repeated_row
from gateway.language.errors import Code
from gateway.language.paths import ResponsePath
from gateway.supergraph.model import GatherKind, SourceStatus

__all__ = ["Jury"]

Verdict: TypeAlias = tuple[Part, str, Code]
"""Who is cut out, why, and under which code."""


@dataclass(slots=True)
class Jury:
    """Hears what members gave for one field, and cuts out those that broke a rule: they are missing from then on."""

    good: Sequence[Part]
    missing: Sequence[Missing]
    notes: GatherNotes
    path: ResponsePath

    def cut(self, verdicts: Iterable[Verdict]) -> None:
        found_out = {id(part): (reason, code) for part, reason, code in verdicts}
        lost = [part for part in self.good if id(part) in found_out]
        self.good = [part for part in self.good if id(part) not in found_out]
        for part in lost:
            reason, code = found_out[id(part)]
            message = f"{part.member.region} {part.member.name} was left out: {reason}."
            violation = Violation(part.member, self.path, code, message)
            if violation not in self.notes.violations:
                self.notes.violations.append(violation)
            self.missing = [*self.missing, Missing(part.member, SourceStatus.UNAVAILABLE, code, part.latency_ms)]

    def forms(self, shape: Shape) -> None:
        """Cuts out who gave what no value of the field can look like."""
        reason = f"its {shape.name} has not the form that the contract says"
        self.cut((part, reason, Code.PARTITION_BAD_VALUE) for part in self.good if not _has_form(part.value, shape))

    def pages(self, keys: ConnectionKeys, request: PageRequest) -> list[MemberPage]:
        """The pages of those that are believed, in their order."""
        pages: dict[int, MemberPage] = {}
        wrong: list[Verdict] = []
        for part in self.good:
            try:
                pages[id(part)] = read_page(part.member.region, part.member.codes, part.value, keys, request)
            except PageViolation as violation:
                wrong.append((part, str(violation), violation.code))
        self.cut(wrong)
        self._other_forms([(part, pages[id(part)]) for part in self.good])
        return [pages[id(part)] for part in self.good]

    def _other_forms(self, read: Sequence[tuple[Part, MemberPage]]) -> None:
        form = common_form([page for _, page in read])
        reason = "its cursors are of another order or filter than most members'"
        if form is None:
            reason = "members disagree on the order or filter of their cursors, and none has more on its side"
        self.cut(
            (part, reason, Code.PARTITION_ORDER_VIOLATION)
            for part, page in read
            if page.form is not None and page.form != form
        )

    def rows(self, shape: Shape) -> None:
        """Cuts out who gave a row of another region's, or one row twice, in a list."""
        for part in self.good:
            foreign = foreign_row(part.value, shape.row_keys, part.member.codes)
            if foreign is not None:
                self.cut([(part, f"it gave {foreign}, which is another region's", Code.PARTITION_FOREIGN_ROW)])
                continue
            repeated = repeated_row(part.value, shape.row_keys)
            if repeated is not None:
                self.cut([(part, f"it gave {repeated!r} twice", Code.PARTITION_ORDER_VIOLATION)])

    def numbers(self, shape: Shape) -> None:
        """Cuts out who gave something to sum or compare that is no value of its kind."""
        for key, child in shape.children.items():
            if child.fold in COMPARED:
                reason = f"its {child.name} is no value that can be summed or compared"
                self.cut(
                    (part, reason, Code.PARTITION_BAD_VALUE)
                    for part in self.good
                    if isinstance(part.value, dict) and not is_value(part.value.get(key), child)
                )


def _has_form(value: Any, shape: Shape) -> bool:
    match shape.kind:
        case GatherKind.CONNECTION | GatherKind.FOLD:
            return _is_object(value, shape)
        case GatherKind.GROUPS:
            return isinstance(value, list) and all(_is_object(one, shape) for one in value)
        case GatherKind.LIST:
            items_are_objects = bool(shape.fields)
            return isinstance(value, list) and all(
                one is None or isinstance(one, dict) is items_are_objects for one in value
            )
        case _:
            return True


def _is_object(value: Any, shape: Shape) -> bool:
    return isinstance(value, dict) and all(key in value for key, _ in shape.fields)
