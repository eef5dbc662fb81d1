"""How many cases each property is tried on: few in a test run, as many as `CASES` says in `make fuzz-horizontal`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

__all__ = ["CASES", "budget"]

CASES = int(os.environ.get("CASES", "25"))

budget = settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
