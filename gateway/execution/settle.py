"""One field of a scattered fetch, settled: from what its members said to its value, and what the client must be told.

When all members that answer refuse for one reason, the request is at fault and the error is told once; else who gave no
value is missing and named, and so is whose earlier answer stands in. What is left is gathered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from contract.cursors import InvalidCursor
from gateway.execution.gather import GROUPS_MAX, TooManyGroups, gather
from gateway.execution.members import Member, MemberName, Roll
from gateway.execution.parts import GatherNotes, Missing, Moved, StoodIn, Violation
from gateway.execution.replies import FieldReplies, code_of, is_the_requests
from gateway.execution.run import MemberReport, Run, subgraph_error
from gateway.execution.scatter import UnknownRegion
from gateway.execution.shapes import Shape
from gateway.execution.trace import FetchTrace
from gateway.execution.trust import foreign_row
from gateway.execution.wishes import UnknownWish, wish_of
from gateway.language.errors import Code, GatewayError
from gateway.language.paths import ResponsePath
from gateway.supergraph.model import SourceStatus, Wish

__all__ = ["Gathered", "Settlement"]

UPGRADE = "Let the member serve the contract as it is now."


@dataclass(frozen=True, slots=True)
class Gathered:
    """A field's value, or the error that is told in its place."""

    value: Any
    notes: GatherNotes
    error: tuple[Code, str] | None = None


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

    def gathered(self, shape: Shape, found: FieldReplies) -> Gathered:
        """Tells nothing yet: it is done again when more rows have come."""
        notes = GatherNotes(self.run.request.variables, self.run.request.language, bool(found.carried))
        try:
            return Gathered(gather(shape, found.parts, found.lost, notes), notes)
        except InvalidCursor as error:
            return Gathered(None, notes, (Code.BAD_USER_INPUT, f"{error}."))
        except TooManyGroups:
            message = f"More than {GROUPS_MAX} groups come together here; narrow the filter."
            return Gathered(None, notes, (Code.OPERATION_TOO_COMPLEX, message))

    def settle(self, shape: Shape, found: FieldReplies, path: ResponsePath, gathered: Gathered | None = None) -> Any:
        """The field's value, with everything told that the client has to know. `gathered`: when that was done before."""
        try:
            wish = wish_of(shape, self.run.request)
        except UnknownWish as error:
            self.tell_unknown_wish(error, path)
            return None
        if self._is_refused(found, path):
            return None
        if shape.route is not None:
            return self._settle_routed(shape, found, path)
        if gathered is None:
            gathered = self.gathered(shape, found)
        if gathered.error is not None:
            code, message = gathered.error
            self.run.tell(GatewayError(code, message, path))
            return None
        self._tell_gathered(found, gathered.notes, path)
        lost = [one.member.region for one in (*found.lost, *found.cut_short)]
        lost += [one.member.region for one in gathered.notes.violations]
        return None if self._is_too_little(wish, lost) else gathered.value

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
        for lost in found.lost:
            self.tell_missing(lost, path)
        for lost in found.cut_short:
            self._tell_cut_short(lost, path)
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
        refusals = [one for one in found.refusals if is_the_requests(code_of(one[2]))]
        if not refusals and not found.missing and not found.parts:
            refusals = found.refusals
        if len({code_of(raw) for _, _, raw in refusals}) != 1:
            return False
        member, below, raw = refusals[0]
        if len(refusals) == 1:
            self.run.tell(subgraph_error(raw, self.service, (*path, *below), region=member.region))
        else:
            self.run.tell(subgraph_error(raw, self.service, path))
        unable = [one for one in found.refusals if one not in refusals]
        missing = [Missing(member.name, SourceStatus.UNAVAILABLE, code_of(raw)) for member, _, raw in unable]
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

    def _tell_cut_short(self, lost: Missing, path: ResponsePath) -> None:
        """What it gave before is good, and stays."""
        member = lost.member
        self.run.report(MemberReport(member, lost.status, lost.latency_ms, lost.cause))
        message = f"{member.region} {member.name} gave no more rows ({lost.cause}); the page ends before them."
        where = {"region": member.region, "cause": str(lost.cause), "service": self.service}
        self.run.tell(GatewayError(Code.PARTITION_CUT_SHORT, message, path, (), where))

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
