"""One library as a process of its own: `python -m tests.system.library_member REGION [AGE]`.

It serves the rows of its region by the contract of its age, on a free port, and is upgraded where it stands by SIGUSR1.
"""

from __future__ import annotations

import signal
import sys

import uvicorn

from gwc.serve import listen
from tests.gateway.support.ages import PublishingApp
from tests.gateway.support.library import ROWS, MemberData

AGES = {"new": {}, "old": {"  pages: Int\n": ""}, "wrong": {"  price: Decimal\n": "  price: Int\n"}}


def main(region: str, age: str = "new") -> None:
    app = PublishingApp(MemberData(region, [row for row in ROWS if row.branch == region]), AGES[age])
    signal.signal(signal.SIGUSR1, lambda *_: app.upgrade({}))
    listener = listen("127.0.0.1", 0)
    print(f"ready: http://127.0.0.1:{listener.getsockname()[1]}/graphql", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off")).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
