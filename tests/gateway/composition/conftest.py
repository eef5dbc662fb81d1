"""The other composer, one process for the session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.composition.peer.peer import Peer, running_peer


@pytest.fixture(scope="session")
def peer() -> Iterator[Peer]:
    with running_peer() as peer:
        yield peer
