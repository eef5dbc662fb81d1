"""配置标准: how much of a class a unit may still take. The seam where the city's quota data will be connected.

Nobody knows a quota today, and the honest answer to that is `None`: the order then shows 无数据, and its approvers
know that nothing was checked.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

__all__ = ["NO_QUOTA", "Quota"]


class Quota(Protocol):
    async def left(self, region: str, unit: str, class_code: str | None) -> Decimal | None:
        """How many of the class (2022 scheme) the unit may still take; None where there is no such figure."""
        ...


class _NoQuota:
    async def left(self, region: str, unit: str, class_code: str | None) -> Decimal | None:
        return None


NO_QUOTA: Quota = _NoQuota()
