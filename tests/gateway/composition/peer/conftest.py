"""Where there is no Node, nothing here is collected; the end of the run says so."""

from __future__ import annotations

import pytest

from tests.node import is_expected

collect_ignore_glob = [] if is_expected() else ["test_*.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if collect_ignore_glob:
        terminalreporter.write_line(
            "Not collected: the comparison with another composer, which runs in Node 20 or newer (there is no `node`)."
        )
