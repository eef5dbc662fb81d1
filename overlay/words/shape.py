"""The shape of what is said when the overlay refuses: Chinese and English, with the remedy."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Words"]


class Words(NamedTuple):
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str
    transient: bool = False
    """Nothing was decided: the same command with the same key may succeed later, so the refusal is not kept."""
