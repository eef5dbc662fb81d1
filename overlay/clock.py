"""Time, as the overlay sees it: instants in UTC, loans in calendar days of Asia/Shanghai."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

__all__ = ["Clock", "parse_instant", "shanghai_time", "shanghai_today", "text_of", "utc_now"]

Clock = Callable[[], datetime]
"""Gives the present instant, with a time zone."""

_SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has had one zone and no daylight saving since 1991, so no zone database is needed."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def shanghai_today(now: datetime) -> date:
    return now.astimezone(_SHANGHAI).date()


def shanghai_time(now: datetime) -> str:
    """To the minute, as people read it."""
    return now.astimezone(_SHANGHAI).strftime("%Y-%m-%d %H:%M")


def text_of(instant: datetime) -> str:
    """RFC 3339 in UTC with six decimals: one width, so that the text's order is the time's order."""
    return f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def parse_instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
