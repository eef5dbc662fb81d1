"""One execution of one plan: what the request brings, and what the fetches leave behind.

`Request` is what the caller says and never changes. `Run` is the only thing that grows while a plan is walked: the
merged data, the errors (with paths of the merged data until the end), the members' states, and, when it was asked for,
the trace. A graph's membership may change meanwhile; the run keeps to the roll that it took first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import FieldNode, OperationDefinitionNode, parse

from gateway.execution.answers import Attempt, Failure
from gateway.execution.compiled import CompiledPlan
from gateway.execution.limits import Deadline
from gateway.execution.members import MemberName, Members, Roll
from gateway.execution.trace import Trace
from gateway.language.errors import Code, GatewayError
from gateway.language.paths import ResponsePath
from gateway.language.selections import response_key
from gateway.supergraph.model import SourceStatus, Wish

__all__ = ["MemberReport", "Request", "Result", "Run", "root_keys", "subgraph_error"]

ERRORS_MAX = 1000
_NOT_CARRIED = frozenset({"code", "exception", "stacktrace"})
"""What a subgraph's error extensions may hold and a client must not see."""
_SEVERITY = {
    status: rank
    for rank, status in enumerate(
        (SourceStatus.OK, SourceStatus.STALE, SourceStatus.OUTDATED, SourceStatus.UNAVAILABLE)
    )
}


@dataclass(frozen=True, slots=True)
class Request:
    deadline: Deadline
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Coerced, defaults filled in."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent to every subgraph: identity, language."""
    wish: Wish = Wish.PARTIAL
    """When a member gives no answer; a field's own argument may say otherwise."""
    who: str | None = None
    """Equal for requests of equal rights and language; None: not known, so nothing is kept for it."""
    language: str = "zh"
    explain: bool = False


@dataclass(frozen=True, slots=True)
class MemberReport:
    """For `extensions.partitions`."""

    member: MemberName
    status: SourceStatus
    latency_ms: float | None = None
    cause: str | None = None
    age_s: float | None = None
    """Of an earlier answer that stands in: how old it is."""
    rows: int | None = None
    """How many rows it gave."""
    attempts: tuple[Attempt, ...] = ()
    lacks: tuple[str, ...] = ()
    """What it does not know of what was asked (schema coordinates)."""

    def to_json(self, language: str) -> dict[str, Any]:
        written: dict[str, Any] = {
            "region": self.member.region,
            "name": self.member.name_in(language),
            "status": self.status,
            "latencyMs": None if self.latency_ms is None else round(self.latency_ms, 1),
        }
        known = {
            "cause": self.cause,
            "ageSeconds": None if self.age_s is None else round(self.age_s, 1),
            "rows": self.rows,
            "attempts": [one.to_json() for one in self.attempts] or None,
            "lacks": list(self.lacks) or None,
        }
        return written | {key: value for key, value in known.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Result:
    """The client's answer, before it is written down. Errors have client paths, not yet locations."""

    data: dict[str, Any] | None
    errors: tuple[GatewayError, ...] = ()
    extensions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Run:
    compiled: CompiledPlan
    request: Request
    data: dict[str, Any] = field(default_factory=dict)
    errors: list[GatewayError] = field(default_factory=list)
    members: dict[str, MemberReport] = field(default_factory=dict)
    missed_earlier: set[str] = field(default_factory=set)
    trace: Trace | None = None
    """For explain."""
    rolls: dict[str, Roll] = field(default_factory=dict)
    attempts: dict[str, tuple[Attempt, ...]] = field(default_factory=dict)
    """Region → of calls that took more than one attempt, or were not made: all of them."""

    def roll(self, graph: str, members: Members) -> Roll:
        """The members of a partitioned graph, the same for all fetches of this run."""
        return self.rolls.setdefault(graph, members.now)

    def note_attempts(self, region: str, attempts: tuple[Attempt, ...]) -> None:
        if attempts:
            self.attempts[region] = self.attempts.get(region, ()) + attempts

    def tell(self, error: GatewayError) -> None:
        if len(self.errors) < ERRORS_MAX:
            self.errors.append(error)

    def tell_failure(self, failure: Failure, service: str, path: ResponsePath, is_change: bool = False) -> None:
        """A whole fetch failed: one error, about everything below `path`."""
        code = failure.code
        message = f"Subgraph {service!r} gave no answer: {failure.message}."
        if is_change and failure.was_sent:
            code = Code.OUTCOME_UNKNOWN
            message = f"Whether {service!r} carried out the change is unknown: {failure.message}."
        self.tell(GatewayError(code, message, path or None, (), {"service": service}))

    def report(self, report: MemberReport) -> None:
        """The worst state of a member in this answer stands; of equal ones the first. What it lacked adds up."""
        kept = self.members.get(report.member.region)
        if kept is None:
            self.members[report.member.region] = report
            return
        stands = report if _SEVERITY[kept.status] < _SEVERITY[report.status] else kept
        if report.lacks or kept.lacks:
            stands = replace(stands, lacks=tuple(dict.fromkeys((*kept.lacks, *report.lacks))))
        self.members[report.member.region] = stands

    def variables(self, names: tuple[str, ...], constants: Mapping[str, object]) -> dict[str, Any]:
        given = self.request.variables
        chosen = {name: given[name] for name in names if name in given}
        chosen.update(constants)
        return chosen


def root_keys(operation: str) -> tuple[str, ...]:
    """The response keys of a fetch's root fields: what its failure is about. Needed for errors only."""
    definition = next(
        one for one in parse(operation, no_location=True).definitions if isinstance(one, OperationDefinitionNode)
    )
    fields = [one for one in definition.selection_set.selections if isinstance(one, FieldNode)]
    return tuple(response_key(one) for one in fields if one.name.value != "__typename")


def subgraph_error(raw: Mapping[str, Any], service: str, path: ResponsePath | None, **more: Any) -> GatewayError:
    """A subgraph's own error, carried over with the right path; its locations mean nothing to the client."""
    extensions = raw.get("extensions")
    carried = dict(extensions) if isinstance(extensions, dict) else {}
    code = carried.get("code")
    kept = {key: value for key, value in carried.items() if key not in _NOT_CARRIED}
    message = raw.get("message")
    return GatewayError(
        code=code if isinstance(code, str) else Code.SUBGRAPH_ERROR,
        message=message if isinstance(message, str) else "The subgraph gave an error without a message.",
        path=path,
        extensions={**kept, "service": service, **more},
    )
