"""The servers of these tests, each behind all its drivers."""

from __future__ import annotations

from tests.adapters.sql.servers import server

__all__ = ["server"]
