"""Days and times out of whatever a legacy store keeps them in.

A reader gives a canonical text, or one of the `Fault`s: a date that is zero, partial or none at all is told apart,
for each becomes another issue. Formats are named by the mapping; nothing is guessed.

    ymd      2019-03-05, 2019/3/5, 2019.3.5, 2019年3月5日, with or without a time of day; 2025-01 and 2025-01-00 are partial
    compact  20190305; 00000000 is zero, 201903 is partial
    epoch_s, epoch_ms   since 1970-01-01 UTC; 0 is zero
    excel    serial days of the 1900 system, as a number (or a text of five digits, so that 2019.3 stays a partial date);
             60 is 1900-02-29, which never was
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.mapping.values import code_text

__all__ = ["FORMATS", "Fault", "read_day", "read_time", "zone_of"]

FORMATS = ("ymd", "compact", "epoch_s", "epoch_ms", "excel")


class Fault(Enum):
    ZERO = "ZERO_DATE"
    PARTIAL = "PARTIAL_DATE"
    INVALID = "INVALID_DATE"


_YMD = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?|年)?"
    r"(?:[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})?", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,12})?", re.ASCII)
_EXCEL_TEXT = re.compile(r"\d{5}(\.\d{1,12})?", re.ASCII)
_EXCEL_EPOCH = datetime(1899, 12, 30)
_EXCEL_LEAP_BUG = 60
_EXCEL_MAX = 2_958_466
_Parts: TypeAlias = "datetime | Fault | None"
"""A local or aware time; a fault; or None: this format does not apply."""


def zone_of(name: str) -> Any:
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:  # no time zone database on this machine: Shanghai has had one offset since 1991
        return UTC if name == "UTC" else timezone(timedelta(hours=8))


def read_day(value: Any, formats: tuple[str, ...], zone: Any) -> str | Fault | None:
    """A calendar day as ISO text; None where nothing is recorded."""
    moment = _read(value, formats, zone)
    if moment is None or isinstance(moment, Fault):
        return moment
    try:
        return (moment.astimezone(zone) if moment.tzinfo else moment).date().isoformat()
    except (OverflowError, ValueError):  # the day lies before year 1, or after 9999, in that zone
        return Fault.INVALID


def read_time(value: Any, formats: tuple[str, ...], zone: Any) -> str | Fault | None:
    """An instant as RFC 3339 in UTC, in whole seconds."""
    moment = _read(value, formats, zone)
    if moment is None or isinstance(moment, Fault):
        return moment
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    try:
        return aware.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    except (OverflowError, ValueError):
        return Fault.INVALID


def _read(value: Any, formats: tuple[str, ...], zone: Any) -> datetime | Fault | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    text = code_text(value)
    if text is None:
        return None
    for name in formats:
        if name == "excel" and isinstance(value, str) and not _EXCEL_TEXT.fullmatch(text):
            continue
        moment = _READERS[name](text, zone)
        if moment is not None:
            return moment
    return Fault.INVALID


def _built(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime | Fault:
    if year == month == day == 0:
        return Fault.ZERO
    if year and (not day or not month) and month <= 12:
        return Fault.PARTIAL
    try:
        return datetime(year, month, day, hour, minute, second)
    except ValueError:
        return Fault.INVALID


def _ymd(text: str, zone: Any) -> _Parts:
    match = _YMD.fullmatch(text)
    if match is None or (match[2] is None and match[4]):
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    moment = _built(year, month, day, hour, minute, second)
    if match[7] and isinstance(moment, datetime):
        sign, digits = match[7][0], match[7][1:].replace(":", "")
        offset = timedelta() if match[7] == "Z" else timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        try:
            return moment.replace(tzinfo=timezone(-offset if sign == "-" else offset))
        except ValueError:
            return Fault.INVALID
    return moment


def _compact(text: str, zone: Any) -> _Parts:
    if text == "0":
        return Fault.ZERO
    match = _COMPACT.fullmatch(text)
    if match is None:
        return None
    return _built(int(match[1]), int(match[2]), int(match[3] or 0))


def _epoch(divisor: int) -> Callable[[str, Any], _Parts]:
    def read(text: str, zone: Any) -> _Parts:
        if not _NUMBER.fullmatch(text):
            return None
        seconds = float(text) / divisor
        if seconds == 0:
            return Fault.ZERO
        try:
            return datetime.fromtimestamp(seconds, zone)
        except (ValueError, OverflowError, OSError):
            return Fault.INVALID

    return read


def _excel(text: str, zone: Any) -> _Parts:
    if not _NUMBER.fullmatch(text):
        return None
    serial = float(text)
    if serial == 0:
        return Fault.ZERO
    if serial < 0 or serial >= _EXCEL_MAX or int(serial) == _EXCEL_LEAP_BUG:
        return Fault.INVALID
    # Before the leap day that never was, Excel's serials are one day ahead of the calendar.
    days = serial + 1 if serial < _EXCEL_LEAP_BUG else serial
    return _EXCEL_EPOCH + timedelta(days=days)


_READERS: dict[str, Callable[[str, Any], _Parts]] = {
    "ymd": _ymd,
    "compact": _compact,
    "epoch_s": _epoch(1),
    "epoch_ms": _epoch(1000),
    "excel": _excel,
}
