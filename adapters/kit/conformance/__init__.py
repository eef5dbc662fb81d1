"""The conformance kit: does a store do what the protocol asks? For ours, and for anybody's.

    report = await run_checks(store)                     # an open store of any kind
    report = await run_checks(store, witness=witness)    # also: does it say what its mapping says?

A store is read only; nothing is asked of it that could change it. Checks are data (`Check`): a caller may add its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from adapters.kit.conformance import aggregates, filters, order, pages, promises, quality, values
from adapters.kit.conformance.check import Check
from adapters.kit.conformance.report import CheckResult, Evidence, Findings, Report, Verdict
from adapters.kit.conformance.subject import ROWS_MAX, Subject, Witness, meet, testify
from adapters.kit.conformance.timing import PAGE_MS_MAX, timing_check
from adapters.model import Store

__all__ = [
    "CHECKS",
    "PAGE_MS_MAX",
    "ROWS_MAX",
    "Check",
    "CheckResult",
    "Evidence",
    "Findings",
    "Report",
    "Subject",
    "Verdict",
    "Witness",
    "run_checks",
    "testify",
]

CHECKS: tuple[Check, ...] = (
    *quality.CHECKS,
    *values.CHECKS,
    *order.CHECKS,
    *pages.CHECKS,
    *filters.CHECKS,
    *aggregates.CHECKS,
    *promises.CHECKS,
)
"""All checks of the protocol, in the order in which they are run and shown; timing, which has a bound, goes last."""


async def run_checks(
    store: Store,
    *,
    witness: Witness | None = None,
    why_no_witness: str = "",
    more: Sequence[Check] = (),
    rows_max: int = ROWS_MAX,
    page_ms_max: float = PAGE_MS_MAX,
    clock: Callable[[], float] = time.perf_counter,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> Report:
    """Check an open store. Raises `StoreUnavailable` where it stops answering.

    `more`: checks of the caller's own, run after ours. `progress(name, done, total)` is told of each before it runs.
    """
    subject = await meet(store, rows_max, witness, why_no_witness)
    checks = (*CHECKS, *more, timing_check(clock, page_ms_max))
    results = []
    for done, check in enumerate(checks):
        progress(check.name, done, len(checks))
        results.append(await check.result(subject))
    progress("", len(checks), len(checks))
    return Report(store.region, subject.total, len(subject.rows), tuple(results))
