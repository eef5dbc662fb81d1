"""Every code that the overlay refuses with, in Chinese and English: one module a kind, one table of them all."""

from __future__ import annotations

from overlay.words.approvals import APPROVALS
from overlay.words.bodies import BODIES
from overlay.words.counter import COUNTER
from overlay.words.flows import FLOWS
from overlay.words.names import NAMES_ZH
from overlay.words.orders import ORDERS
from overlay.words.papers import PAPERS
from overlay.words.shape import Words
from overlay.words.warehouses import WAREHOUSES

__all__ = ["NAMES_ZH", "OWNER_CODES", "WORDS", "Words"]

OWNER_CODES = frozenset({"ASSET_BUSY", "HOLD_EXPIRED", "VERSION_CHANGED", "NOT_SHAREABLE"})
"""Refusals of an owner's custody book that have words here, so that each reader has them in their own language."""

WORDS: dict[str, Words] = {**COUNTER, **ORDERS, **FLOWS, **APPROVALS, **BODIES, **WAREHOUSES, **PAPERS}
