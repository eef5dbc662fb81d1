"""What the logs of every server show of an exception: its traceback as Python writes it."""

from __future__ import annotations

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback

__all__ = ["plain_logs"]


def plain_logs() -> None:
    """By default structlog draws tracebacks with the value of every variable, a store's password say and people's
    names, and draws them for seconds, while the process answers nobody. Logs that somebody has set up stay as they are.
    """
    if not structlog.is_configured():
        ConsoleRenderer.get_active().exception_formatter = plain_traceback
