"""One field of a scattered fetch, settled: from what its members said to its value, and what the client must be told.

What a member said about the field is a value, a refusal (an error of its own, such as a bad argument), or nothing.
Where the client allows it, the last good answer of a member that cannot answer stands in, and is named. When all that
answer refuse for one reason, the request is at fault and the error is told once; else who gave no value is missing and
named. What is left is gathered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract.cursors import InvalidCursor
from gateway.execution.answers import Asked, Failure, Outcome, error_path
from gateway.execution.asking import Call, CallKind
from gateway.execution.gather import GROUPS_MAX, TooManyGroups, gather
from gateway.execution.members import Member, MemberName, Roll
from gateway.execution.outdated import Fit, is_whole, lacks_identity
from gateway.execution.parts import GatherNotes, Missing, Moved, Part, StoodIn, Violation
from gateway.execution.run import MemberReport, Run, subgraph_error
from gateway.execution.scatter import UnknownRegion
from gateway.execution.shapes import Shape
from gateway.execution.stale import Earlier
from gateway.execution.trace import FetchTrace
from gateway.execution.trust import foreign_row
from gateway.execution.wishes import UnknownWish, wish_of
from gateway.language.errors import Code, GatewayError
from gateway.language.paths import ResponsePath
from gateway.supergraph.model import GatherKind, SourceStatus, Wish

__all__ = ["FieldReplies", "Reply", "Settlement", "entity_replies", "root_replies", "status_of"]

OUTDATED_CODES = frozenset({"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"})
"""A member that does not know what the contract asks for."""
UPGRADE = "Let the member serve the contract as it is now."
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
        inability = next((code for code in map(_code_of, self.outcome.errors) if _is_inability(code)), None)
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


@dataclass(frozen=True, slots=True)
class Settlement:
    """Settles fields; what it has to tell goes into the run."""

    roll: Roll
    service: str
    run: Run
    is_change: bool
    trace: FetchTrace | None = None
    no_good: set[str] = field(default_factory=set)
    """Regions of members whose answer gave no value for a field, or one that is wrong: not worth keeping."""

    def report(self, report: MemberReport) -> None:
        """A member whose answer came and is no good."""
        self.run.report(report)
        if self.trace is not None and report.cause is not None:
            self.trace.found_out(report.member, report.status, report.cause)

    def settle(self, shape: Shape, found: FieldReplies, path: ResponsePath) -> Any:
        """The field's value, with everything told that the client has to know."""
        try:
            wish = wish_of(shape, self.run.request)
        except UnknownWish as error:
            self.tell_unknown_wish(error, path)
            return None
        if self._is_refused(found, path):
            return None
        for member, _, raw in found.refusals:
            code = _code_of(raw)
            status = SourceStatus.OUTDATED if code in OUTDATED_CODES else SourceStatus.UNAVAILABLE
            found.missing.append(Missing(member.name, status, code))
        if shape.route is not None:
            return self._settle_routed(shape, found, path)
        notes = GatherNotes(self.run.request.variables, self.run.request.language, bool(found.carried))
        try:
            value = gather(shape, found.parts, found.missing, notes)
        except InvalidCursor as error:
            self.run.tell(GatewayError(Code.BAD_USER_INPUT, f"{error}.", path))
            return None
        except TooManyGroups:
            message = f"More than {GROUPS_MAX} groups come together here; narrow the filter."
            self.run.tell(GatewayError(Code.OPERATION_TOO_COMPLEX, message, path))
            return None
        self._tell_gathered(found, notes, path)
        lost = [one.member.region for one in found.missing] + [one.member.region for one in notes.violations]
        return None if self._is_too_little(wish, lost) else value

    def _settle_routed(self, shape: Shape, found: FieldReplies, path: ResponsePath) -> Any:
        for part in found.parts:
            foreign = foreign_row((part.value,), shape.row_keys, part.member.codes)
            if foreign is not None:
                message = f"{part.member.region} {part.member.name} gave {foreign}, which is another region's."
                self._tell_violation(Violation(part.member, (), Code.PARTITION_FOREIGN_ROW, message), path)
                return None
        self._tell_members(found, (), path)
        self._carry(found, [], path)
        return found.parts[0].value if found.parts else None

    def _tell_violation(self, violation: Violation, path: ResponsePath) -> None:
        self.no_good.add(violation.member.region)
        where = {"region": violation.member.region, "service": self.service}
        self.run.tell(GatewayError(violation.code, violation.message, (*path, *violation.path), (), where))
        self.report(MemberReport(violation.member, SourceStatus.UNAVAILABLE, None, violation.code))

    def _tell_gathered(self, found: FieldReplies, notes: GatherNotes, path: ResponsePath) -> None:
        self._tell_members(found, notes.violations, path)
        if notes.missed_earlier:
            self.run.missed_earlier |= notes.missed_earlier
            regions = sorted(notes.missed_earlier)
            message = f"The walk lacks rows of {', '.join(regions)}, which did not answer for each page of it."
            where_missed = {"regions": regions, "remedy": "Walk again from the start to see these rows."}
            self.run.tell(GatewayError(Code.PARTITION_MISSED_EARLIER, message, path, (), where_missed))
        self._carry(found, notes.moved, path)

    def _tell_members(self, found: FieldReplies, violations: Sequence[Violation], path: ResponsePath) -> None:
        """Who gave no value, or a wrong one, or one of an earlier answer."""
        for lost in found.missing:
            self.tell_missing(lost, path)
        for violation in violations:
            self._tell_violation(violation, path)
        cut_out = [violation.member for violation in violations]
        for part in found.parts:
            if part.stale is not None and part.member not in cut_out:
                self.tell_stale(part.member, part.stale, part.latency_ms, path)
        for member, lacks in found.nulls:
            self.tell_nulls(member, lacks, path)

    def _carry(self, found: FieldReplies, moved: Sequence[Moved], path: ResponsePath) -> None:
        for member, below, raw in found.carried:
            where = _moved(below, member.region, moved)
            if where is not None:
                self.run.tell(subgraph_error(raw, self.service, (*path, *where), region=member.region))

    def _is_refused(self, found: FieldReplies, path: ResponsePath) -> bool:
        """Whether the request is at fault: then every member that answered refused for one reason, told once.

        What a member cannot do, or does not know, says nothing of the request, unless all say the same.
        """
        if any(part.stale is None for part in found.parts):
            return False
        refusals = [one for one in found.refusals if _is_the_requests(_code_of(one[2]))]
        if not refusals and not found.missing and not found.parts:
            refusals = found.refusals
        if len({_code_of(raw) for _, _, raw in refusals}) != 1:
            return False
        member, below, raw = refusals[0]
        if len(refusals) == 1:
            self.run.tell(subgraph_error(raw, self.service, (*path, *below), region=member.region))
        else:
            self.run.tell(subgraph_error(raw, self.service, path))
        unable = [one for one in found.refusals if one not in refusals]
        missing = [Missing(member.name, SourceStatus.UNAVAILABLE, _code_of(raw)) for member, _, raw in unable]
        for lost in (*found.missing, *missing):
            self._report_missing(lost)
        return True

    def _is_too_little(self, wish: Wish, lost: Sequence[str]) -> bool:
        if not lost:
            return False
        if wish is Wish.ALL:
            return True
        return any(member.required for region in lost for member in self.roll.by_code(region))

    def _report_missing(self, lost: Missing) -> None:
        self.no_good.add(lost.member.region)
        self.report(MemberReport(lost.member, lost.status, lost.latency_ms, lost.cause, lacks=lost.lacks))

    def tell_stale(self, member: MemberName, stale: StoodIn, latency_ms: float, path: ResponsePath) -> None:
        self.run.report(MemberReport(member, SourceStatus.STALE, latency_ms, stale.cause, stale.age_s))
        if self.trace is not None:
            self.trace.stood_in(member, stale.cause, stale.age_s)
        age_s = round(stale.age_s, 1)
        message = (
            f"{member.region} {member.name} gave no answer ({stale.cause}); what stands here of it is {age_s} s old."
        )
        where = {"region": member.region, "cause": stale.cause, "ageSeconds": age_s, "service": self.service}
        self.run.tell(GatewayError(Code.PARTITION_STALE, message, path or None, (), where))

    def tell_missing(self, lost: Missing, path: ResponsePath, why: str = "") -> None:
        self._report_missing(lost)
        member = lost.member
        where: dict[str, Any] = {"region": member.region, "cause": str(lost.cause), "service": self.service}
        if self.is_change and lost.cause == Code.OUTCOME_UNKNOWN:
            message = f"Whether {member.region} {member.name} carried out the change is unknown."
            where["remedy"] = "Ask for the command's status by its idempotency key before sending it again."
            self.run.tell(GatewayError(Code.OUTCOME_UNKNOWN, message, path, (), where))
            return
        code = Code.PARTITION_OUTDATED if lost.status == SourceStatus.OUTDATED else Code.PARTITION_UNAVAILABLE
        reason = why or str(lost.cause)
        if lost.lacks:
            reason = f"it does not know {', '.join(lost.lacks)}"
            where |= {"lacks": list(lost.lacks), "remedy": UPGRADE}
        message = f"{member.region} {member.name} gave no answer ({reason}); its rows are missing here."
        self.run.tell(GatewayError(code, message, path or None, (), where))

    def tell_nulls(self, member: Member, lacks: Sequence[str], path: ResponsePath) -> None:
        """Fields that the member was not asked, and are null in the rows that it gave."""
        if lacks:
            message = f"{member.region} {member.name.name} does not know {', '.join(lacks)}: null in its rows."
            where = {"region": member.region, "lacks": list(lacks), "service": self.service, "remedy": UPGRADE}
            self.run.tell(GatewayError(Code.PARTITION_OUTDATED, message, path or None, (), where))

    def tell_unknown_wish(self, error: UnknownWish, path: ResponsePath) -> None:
        where = {"argument": error.argument, "service": self.service}
        self.run.tell(GatewayError(Code.BAD_USER_INPUT, f"{error}.", path, (), where))

    def tell_unknown_region(self, error: UnknownRegion, path: ResponsePath) -> None:
        where = {"value": error.value, "service": self.service}
        self.run.tell(GatewayError(Code.UNKNOWN_REGION, f"{error}.", path, (), where))


def status_of(failure: Failure) -> SourceStatus:
    return SourceStatus.OUTDATED if failure.code is Code.PARTITION_OUTDATED else SourceStatus.UNAVAILABLE


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
            value = _at(reply.earlier.answer.data, path)
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
        value = _at(outcome.data, path)
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
    return _at(outcome.data, path) is None and any(_is_inability(_code_of(raw)) for raw in own)


def _at(value: Any, path: ResponsePath) -> Any:
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


def _moved(path: ResponsePath, region: str, moved: Sequence[Moved]) -> ResponsePath | None:
    """A path below the field in a member's answer, in the gathered one; None: the row is not on the page."""
    for one in moved:
        length = len(one.path)
        if one.region == region and path[:length] == one.path and len(path) > length:
            index = path[length]
            if not isinstance(index, int):
                return path
            if index not in one.indexes:
                return None
            return (*path[:length], one.indexes[index], *path[length + 1 :])
    for place, element in enumerate(path):
        if isinstance(element, int):
            return path[:place]
    return path


def _code_of(raw: Mapping[str, Any]) -> str:
    extensions = raw.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return code if isinstance(code, str) else Code.SUBGRAPH_ERROR


def _is_inability(code: str) -> bool:
    return code in INABILITY_CODES or code.endswith("_UNAVAILABLE")


def _is_the_requests(code: str) -> bool:
    """Whether a refusal under this code speaks of the request, and not of the member."""
    return not _is_inability(code) and code not in OUTDATED_CODES
