"""Alembic's entry."""

from __future__ import annotations

from subgraphs.kit.migrations import run_revisions

run_revisions()
