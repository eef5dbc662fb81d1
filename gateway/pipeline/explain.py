"""What explain adds to an answer: the plan as `gwc plan` prints it, and how long its making and the whole took."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.plan.nodes import QueryPlan
from gateway.plan.text import print_plan

__all__ = ["Stopwatch", "explained"]


@dataclass(slots=True)
class Stopwatch:
    """Runs from when it is made."""

    started: float = field(default_factory=time.monotonic)
    prepared_ms: float = 0.0

    @property
    def milliseconds(self) -> float:
        return (time.monotonic() - self.started) * 1000

    def prepared(self) -> None:
        """The document is read and the plan at hand, made now or kept from before."""
        self.prepared_ms = self.milliseconds


def explained(plan: QueryPlan, trace: Mapping[str, Any], watch: Stopwatch | None) -> dict[str, Any]:
    """`trace`: what execution tells. Without `watch` (an event of a subscription), there is no time of the whole."""
    told: dict[str, Any] = {"plan": print_plan(plan)}
    if watch is not None:
        told["ms"] = round(watch.milliseconds, 2)
        told["prepareMs"] = round(watch.prepared_ms, 2)
    return {**told, **trace}
