"""Climate profiles: what a store room's climate should be, read from `profiles.toml` beside this module.

Another file in the same form may take its place, so that a changed standard is no change of code.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from subgraphs.telemetry.model import SensorKind

__all__ = ["ClimateProfile", "ClimateRange", "InvalidProfile", "load_profiles"]

STANDARD_PROFILES = Path(__file__).with_name("profiles.toml")


class InvalidProfile(ValueError):
    """The file of profiles says something that cannot be."""


@dataclass(frozen=True, slots=True)
class ClimateRange:
    kind: SensorKind
    min: float | None
    max: float | None
    hysteresis: float
    daily_drift_max: float | None = None
    """Allowed drift within 24 hours as ±: the hourly means may span twice this."""

    def contains(self, value: float) -> bool:
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)


@dataclass(frozen=True, slots=True)
class ClimateProfile:
    code: str
    name: str
    name_en: str
    standard: str
    raise_after: timedelta
    silent_after: timedelta
    ranges: Mapping[SensorKind, ClimateRange]


def load_profiles(path: Path = STANDARD_PROFILES) -> dict[str, ClimateProfile]:
    """The profiles of a file, by code. Raises `InvalidProfile` with the place that is wrong."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InvalidProfile(f"{path}: {error}") from None
    return {code: _profile(f"{path.name}: [{code}]", code, table) for code, table in tables.items()}


def _profile(where: str, code: str, table: Any) -> ClimateProfile:
    try:
        profile = ClimateProfile(
            code=code,
            name=str(table["name"]),
            name_en=str(table["name_en"]),
            standard=str(table["standard"]),
            raise_after=timedelta(seconds=float(table["raise_after_s"])),
            silent_after=timedelta(seconds=float(table["silent_after_s"])),
            ranges={kind: _range(where, kind, table[kind]) for kind in SensorKind if kind in table},
        )
    except KeyError as error:
        raise InvalidProfile(f"{where} lacks {error}") from None
    except (TypeError, ValueError) as error:
        raise InvalidProfile(f"{where}: {error}") from None
    if profile.raise_after < timedelta(0) or profile.silent_after <= timedelta(0):
        raise InvalidProfile(f"{where}: raise_after_s is at least 0, silent_after_s more")
    return profile


def _range(where: str, kind: SensorKind, table: Mapping[str, Any]) -> ClimateRange:
    low, high, drift = (_number(table.get(name)) for name in ("min", "max", "daily_drift_max"))
    limits = ClimateRange(kind, low, high, float(table["hysteresis"]), drift)
    if limits.hysteresis < 0:
        raise InvalidProfile(f"{where} {kind}: hysteresis is at least 0")
    if low is not None and high is not None and low + limits.hysteresis >= high - limits.hysteresis:
        raise InvalidProfile(f"{where} {kind}: min and max leave no room between them for the hysteresis")
    return limits


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
