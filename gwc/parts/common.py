"""What several parts need: who verifies whose tokens, how long members are waited for, and where a part keeps its
state when no URL is given."""

from __future__ import annotations

from contract.identity import TokenVerifier
from gateway.execution.limits import ExecutionLimits
from gwc.keys import public_key
from gwc.settings import Settings

__all__ = ["execution_limits", "internal_verifier", "state_url"]


def execution_limits(settings: Settings) -> ExecutionLimits:
    """Of every gateway and group endpoint."""
    return ExecutionLimits(member_timeout_s=settings.member_timeout_ms / 1000)


def internal_verifier(settings: Settings) -> TokenVerifier:
    return TokenVerifier(public_key(settings.keys, "internal"))


def state_url(settings: Settings, name: str) -> str:
    """The SQLAlchemy URL of a SQLite file in the state folder."""
    return f"sqlite+aiosqlite:///{(settings.state / name).absolute()}"
