"""What the command line says when it cannot go on: one clear line, a remedy, and an exit status."""

from __future__ import annotations

__all__ = ["CommandError"]


class CommandError(Exception):
    """Ends a command: `message` says what is wrong, `remedy` what to do. Printed without a traceback."""

    def __init__(self, message: str, remedy: str | None = None, status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.status = status
