"""What several parts need: who verifies whose tokens, and where a part keeps its state when no URL is given."""

from __future__ import annotations

from contract.identity import TokenVerifier
from gwc.keys import public_key
from gwc.settings import Settings

__all__ = ["internal_verifier", "state_url"]


def internal_verifier(settings: Settings) -> TokenVerifier:
    return TokenVerifier(public_key(settings.keys, "internal"))


def state_url(settings: Settings, name: str) -> str:
    """The SQLAlchemy URL of a SQLite file in the state folder."""
    return f"sqlite+aiosqlite:///{(settings.state / name).absolute()}"
