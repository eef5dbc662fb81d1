"""What a store says of itself and is held to: capabilities, units and warehouses, the age of its data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from adapters.kit.conformance.check import Check
from adapters.kit.conformance.report import Findings
from adapters.kit.conformance.subject import Subject
from adapters.model import PageRequest
from adapters.status import HealthState

__all__ = ["CHECKS"]

_CLOCK_SKEW = timedelta(minutes=5)
"""Clocks of two machines may differ by so much before a time in the future is a lie."""
_NO_SUCH_KEY = "no/such:key 没有"


async def _capabilities(subject: Subject) -> Findings:
    findings = Findings(looked_at="what the store grants, its mode, its health, the age of its data")
    store, granted = subject.store, subject.store.capabilities
    # Never a key that exists: a store that writes against its word must find nothing to write to.
    if await store.write_status(_NO_SUCH_KEY, "IDLE", None):
        findings.add("writing to a key that does not exist", field="write", expected="refused", found="accepted")
    explained = await store.explain(PageRequest(None, (), 1))
    if granted.mode == "indexed" and "store" in (explained.filter, explained.order, explained.limit):
        findings.add("how a page is answered", field="mode", expected="by the index", found="by the store's own query")
    if granted.mode == "live" and "index" in (explained.filter, explained.order, explained.limit):
        findings.add("how a page is answered", field="mode", expected="by the store or in memory", found="by an index")
    age = await store.as_of()
    if age.tzinfo is None:
        findings.add("the age of the data", field="as_of", expected="a time with its zone", found=str(age))
    elif age > datetime.now(UTC) + _CLOCK_SKEW:
        findings.add("the age of the data", field="as_of", expected="not in the future", found=str(age))
    health = await store.health()
    if health.state is HealthState.UNAVAILABLE:
        findings.add(
            "the health of a store that answers", field="health", expected="ok or degraded", found=health.state
        )
    elif health.fault is not None:
        findings.advice.append(f"The store answers out of an older state: {health.fault.message}.")
    return findings


async def _references(subject: Subject) -> Findings:
    findings = Findings()
    for field, listed in (("owner", await subject.store.units()), ("warehouse", await subject.store.warehouses())):
        keys = [entry["native"] for entry in listed]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            found = f"{key} {keys.count(key)} times"
            findings.add(f"the list for {field}", field=field, expected="each key once", found=found)
        known = set(keys)
        for row, _ in subject.seen:
            if row.get(field) is not None and row[field] not in known:
                findings.add(
                    "a row's reference", key=row["native"], field=field, expected="a key of the list", found=row[field]
                )
    findings.looked_at = f"owner and warehouse of {len(subject.seen)} rows"
    return findings


CHECKS = (
    Check(
        "capabilities",
        "the store does what its capabilities say, and no more",
        _capabilities,
        "Say in [capabilities] what the store really grants; an adapter of your own must refuse all else.",
    ),
    Check(
        "references",
        "each row's unit and warehouse stands in the store's list",
        _references,
        "Correct [units] or [warehouses] (table, key): a unit that is not in its list must be null with UNKNOWN_CODE.",
    ),
)
