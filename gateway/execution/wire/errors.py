"""Why a request over HTTP has no response. None of their texts holds anything secret.

WireError
├── Unreachable     no connection could be opened: nothing was sent
├── Broken          the connection ended before the response did; the next one may hold
├── Malformed       what came is no HTTP, and would come again
└── TooLarge        the response is larger than is taken
TimeoutError
└── UnsentInTime    the time was over before anything was sent
"""

from __future__ import annotations

__all__ = ["Broken", "Malformed", "TooLarge", "Unreachable", "UnsentInTime", "WireError"]


class WireError(Exception):
    pass


class Unreachable(WireError):
    pass


class Broken(WireError):
    pass


class Malformed(WireError):
    pass


class TooLarge(WireError):
    pass


class UnsentInTime(TimeoutError):
    pass
