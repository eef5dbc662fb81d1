"""What members said to one request, sorted by the fields that were asked for.

What a member said about a field is a value, a refusal (an error of its own, such as a bad argument), or nothing. Where
the client allows it, the last good answer of a member that cannot answer stands in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.execution.answers import Asked, Failure, Outcome, Reason, error_path
from gateway.execution.asking import Call, CallKind
from gateway.execution.members import Member
from gateway.execution.outdated import Fit, is_whole, lacks_identity
from gateway.execution.parts import Missing, Part, StoodIn
from gateway.execution.run import MemberReport
from gateway.execution.shapes import Shape
from gateway.execution.stale import Earlier
from gateway.execution.trace import MemberTrace, rows_of
from gateway.language.errors import Code
from gateway.language.paths import ResponsePath
from gateway.supergraph.model import GatherKind, SourceStatus

__all__ = [
    "FieldReplies",
    "Reply",
    "code_of",
    "entity_replies",
    "is_the_requests",
    "refused",
    "report_of",
    "root_replies",
    "status_of",
    "traced",
    "value_at",
]

OUTDATED_CODES = frozenset({"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"})
"""A member that does not know what the contract asks for."""
INABILITY_CODES = frozenset({"INTERNAL", "INTERNAL_SERVER_ERROR", "DEADLINE_EXCEEDED", Code.OVERLOADED})
"""A member whose store, or a part of it, is at fault; so are all codes that end in `_UNAVAILABLE`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What one member said to one request."""

    member: Member
    call: Call
    """As it was sent."""
    asked: Asked
    fit: Fit
    """What of it the member does not know, and was not asked."""
    earlier: Earlier | None = None
    """Brought back when it could not answer: may stand in for fields whose client allows it."""

    @property
    def outcome(self) -> Outcome:
        return self.asked.outcome

    @property
    def latency_ms(self) -> float:
        return self.asked.latency_ms

    @property
    def is_change(self) -> bool:
        return self.call.kind is CallKind.CHANGE

    @property
    def inability(self) -> str | None:
        """Why the member could not answer, or not all of it; None: it did, or would not."""
        if isinstance(self.outcome, Failure):
            return self.outcome.code
        inability = next((code for code in map(code_of, self.outcome.errors) if _is_inability(code)), None)
        return Code.PARTITION_OUTDATED if inability is None and self.fit.left_out else inability

    @property
    def stood_in(self) -> StoodIn | None:
        earlier = self.earlier
        return None if earlier is None else StoodIn(str(self.inability), earlier.at, earlier.age_s)


@dataclass(slots=True)
class FieldReplies:
    """What members said about one field: values, or why there is none."""

    parts: list[Part] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    refusals: list[tuple[Member, ResponsePath, Mapping[str, Any]]] = field(default_factory=list)
    """Members that refused by an error of their own (a bad argument, no right): (member, path below the field, it)."""
    carried: list[tuple[Member, ResponsePath, Mapping[str, Any]]] = field(default_factory=list)
    """Errors beside a value: (member, path below the field, the error)."""
    nulls: list[tuple[Member, Sequence[str]]] = field(default_factory=list)
    """Older members that gave a value, and what they do not know in it."""
    cut_short: list[Missing] = field(default_factory=list)
    """Members that gave rows, and failed when asked for the rest: the page ends before it."""

    @property
    def lost(self) -> list[Missing]:
        """Who gave no value, whether it could not or would not."""
        return [*self.missing, *(refused(member, raw) for member, _, raw in self.refusals)]


def refused(member: Member, raw: Mapping[str, Any]) -> Missing:
    """A member that gave an error of its own in place of a value."""
    code = code_of(raw)
    return Missing(member.name, SourceStatus.OUTDATED if code in OUTDATED_CODES else SourceStatus.UNAVAILABLE, code)


def status_of(failure: Failure) -> SourceStatus:
    return SourceStatus.OUTDATED if failure.code is Code.PARTITION_OUTDATED else SourceStatus.UNAVAILABLE


def report_of(reply: Reply) -> MemberReport:
    name, lacks = reply.member.name, reply.fit.lacks
    if isinstance(reply.outcome, Failure):
        return MemberReport(name, status_of(reply.outcome), reply.latency_ms, reply.outcome.code, lacks=lacks)
    return MemberReport(name, SourceStatus.OK, reply.latency_ms, lacks=lacks)


def traced(shapes: Iterable[Shape], reply: Reply, report: MemberReport) -> MemberTrace:
    attempts = reply.asked.attempts
    return MemberTrace(
        member=report.member,
        operation=reply.call.operation,
        milliseconds=reply.latency_ms,
        rows=rows_of(reply.outcome if reply.earlier is None else reply.earlier.answer, shapes),
        state=report.status,
        cause=report.cause,
        attempts=len(attempts),
        is_hedged=any(one.reason is Reason.HEDGE for one in attempts),
    )


def root_replies(shape: Shape, replies: Sequence[Reply], may_be_stale: bool) -> FieldReplies:
    return _sort(shape, ((reply, (shape.key,)) for reply in replies), may_be_stale)


def entity_replies(shape: Shape, replies: Sequence[tuple[Reply, int]], may_be_stale: bool) -> FieldReplies:
    return _sort(shape, ((reply, ("_entities", index, shape.key)) for reply, index in replies), may_be_stale)


def _sort(shape: Shape, answers: Iterable[tuple[Reply, ResponsePath]], may_be_stale: bool) -> FieldReplies:
    """Each member's answer about one field: a value, a refusal, or nothing."""
    found = FieldReplies()
    for reply, path in answers:
        member, outcome = reply.member, reply.outcome
        top = (shape.type_condition, shape.key)
        lacks = reply.fit.lacks_for(top) or lacks_identity(shape, reply.fit)
        if lacks:
            found.missing.append(Missing(member.name, SourceStatus.OUTDATED, Code.PARTITION_OUTDATED, None, lacks))
            continue
        if may_be_stale and reply.earlier is not None and _lacks(outcome, path):
            value = value_at(reply.earlier.answer.data, path)
            whole = is_whole(shape, reply.fit)
            found.parts.append(Part(member.name, value, reply.latency_ms, reply.stood_in, is_whole=whole))
            found.nulls.append((member, reply.fit.nulls_in(top)))
            continue
        if isinstance(outcome, Failure):
            cause: str = outcome.code
            if shape.route is not None and outcome.was_sent and reply.is_change:
                cause = Code.OUTCOME_UNKNOWN
            found.missing.append(Missing(member.name, SourceStatus.UNAVAILABLE, cause, reply.latency_ms))
            continue
        value = value_at(outcome.data, path)
        own = [raw for raw in outcome.errors if _concerns((error_path(raw) or ()), path)]
        if value is None and own:
            found.refusals.append((member, (error_path(own[0]) or ())[len(path) :], own[0]))
        elif value is None and shape.route is None and shape.kind in (GatherKind.CONNECTION, GatherKind.FOLD):
            found.missing.append(
                Missing(member.name, SourceStatus.UNAVAILABLE, Code.SUBGRAPH_BAD_RESPONSE, reply.latency_ms)
            )
        else:
            if value is not None:
                whole = is_whole(shape, reply.fit)
                found.parts.append(Part(member.name, value, reply.latency_ms, is_whole=whole))
                found.nulls.append((member, reply.fit.nulls_in(top)))
            found.carried.extend((member, (error_path(raw) or ())[len(path) :], raw) for raw in own)
    return found


def _lacks(outcome: Outcome, path: ResponsePath) -> bool:
    """Whether a member that could not answer gave nothing of the field at `path`."""
    if isinstance(outcome, Failure):
        return True
    own = (raw for raw in outcome.errors if _concerns((error_path(raw) or ()), path))
    return value_at(outcome.data, path) is None and any(_is_inability(code_of(raw)) for raw in own)


def value_at(value: Any, path: ResponsePath) -> Any:
    """What stands at a path of an answer; None: nothing."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step]
        else:
            return None
    return value


def _concerns(path: ResponsePath, field_path: ResponsePath) -> bool:
    """An error is about the field when it stands at, below or above it."""
    length = min(len(path), len(field_path))
    return path[:length] == field_path[:length]


def code_of(raw: Mapping[str, Any]) -> str:
    extensions = raw.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return code if isinstance(code, str) else Code.SUBGRAPH_ERROR


def _is_inability(code: str) -> bool:
    return code in INABILITY_CODES or code.endswith("_UNAVAILABLE")


def is_the_requests(code: str) -> bool:
    """Whether a refusal under this code speaks of the request, and not of the member."""
    return not _is_inability(code) and code not in OUTDATED_CODES
