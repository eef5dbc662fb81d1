"""The peer, one process for the session, and where there is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.composition.peer.peer import Peer, is_expected, running_peer

collect_ignore_glob = [] if is_expected() else ["test_*.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if collect_ignore_glob:
        terminalreporter.write_line(
            "Not collected: the comparison with another composer, which runs in Node 20 or newer (there is no `node`)."
        )


@pytest.fixture(scope="session")
def peer() -> Iterator[Peer]:
    with running_peer() as peer:
        yield peer
