"""The end of a run: its data in the client's shape, its errors at the client's paths, and what stands beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from gateway.execution.completers import Notes
from gateway.execution.project import client_path
from gateway.execution.run import MemberReport, Result, Run
from gateway.language.errors import GatewayError
from gateway.language.paths import ResponsePath

__all__ = ["Introspect", "finish"]

Introspect: TypeAlias = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""(introspection operation, variables) → its data, from the API schema."""


def finish(run: Run, introspect: Introspect) -> Result:
    known = [replace(error, path=_client_path(error, run)) for error in run.errors]
    notes = Notes(known, _introspected(run, introspect))
    data = run.compiled.projection(run.request.variables)(run.data, notes)
    errors = (*known, *notes.errors)
    return Result(data, errors, _extensions(run) if run.members or run.trace is not None else {})


def _client_path(error: GatewayError, run: Run) -> ResponsePath | None:
    return None if error.path is None else client_path(run.compiled.plan.output, error.path)


def _introspected(run: Run, introspect: Introspect) -> Mapping[str, Any]:
    text = run.compiled.plan.introspection
    if text is None:
        return {}
    if "$" in text:
        return introspect(text, run.request.variables)
    if run.compiled.introspected is None:
        run.compiled.introspected = introspect(text, {})
    return run.compiled.introspected


def _report(run: Run, region: str) -> MemberReport:
    attempts = run.attempts.get(region)
    return run.members[region] if attempts is None else replace(run.members[region], attempts=attempts)


def _extensions(run: Run) -> dict[str, Any]:
    extensions: dict[str, Any] = {}
    if run.members:
        language = run.request.language
        extensions["partitions"] = [
            {**one.to_json(language), **({"missedEarlier": True} if region in run.missed_earlier else {})}
            for region, one in ((region, _report(run, region)) for region in sorted(run.members))
        ]
    if run.trace is not None:
        extensions["explain"] = run.trace.to_json(run.request.language)
    return extensions
