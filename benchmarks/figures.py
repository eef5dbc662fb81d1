"""One line a figure, the same in every benchmark: `figure NAME VALUE UNIT goal OP VALUE met|short`."""

from __future__ import annotations

import operator
import os
import platform
import subprocess
from datetime import UTC, datetime

__all__ = ["figure", "machine"]

_OPERATORS = {"<=": operator.le, ">=": operator.ge, "=": operator.eq}


def figure(name: str, value: float, unit: str, op: str, goal: float) -> None:
    """Print a figure beside its goal, and whether the goal is met."""
    verdict = "met" if _OPERATORS[op](value, goal) else "short"
    print(f"figure {name} {value:.4g} {unit} goal {op} {goal:g} {verdict}", flush=True)


def machine() -> str:
    """Where and when: cores, processor, Python, date."""
    try:
        model = subprocess.run(["lscpu"], capture_output=True, text=True, check=True).stdout
        name = next((line.split(":", 1)[1].strip() for line in model.splitlines() if line.startswith("Model name")), "")
    except (OSError, subprocess.CalledProcessError):
        name = platform.processor()
    return f"{os.cpu_count()} cores, {name or 'unknown processor'}, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
