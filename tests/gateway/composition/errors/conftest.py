"""After each test here, what it composed is given to another composer: its codes are ours, but for a table of reasons."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.supergraph.links import HORIZONTAL
from tests.gateway.composition.composing import RECORD
from tests.gateway.composition.peer.differences import DIFFERENCES
from tests.gateway.composition.peer.peer import Peer
from tests.node import is_expected


@pytest.fixture(autouse=True)
def codes_beside_the_peer(request: pytest.FixtureRequest) -> Iterator[None]:
    peer = request.getfixturevalue("peer") if is_expected() else None
    RECORD.clear()
    yield
    if peer is not None:
        check(f"{request.path.name}::{request.node.originalname}", peer)


def check(name: str, peer: Peer) -> None:
    differing = []
    for sources, composition in RECORD:
        if any(HORIZONTAL in source.sdl for source in sources):
            continue
        theirs = peer.compose(sources)
        codes = set() if isinstance(theirs, str) else {one.code for one in theirs}
        if codes != {one.code for one in composition.errors}:
            differing.append(f"ours {sorted(one.code for one in composition.errors)}, the peer's {theirs}")
    if name in DIFFERENCES:
        assert differing, "both agree now: take it out of the table"
    else:
        assert not differing
