"""Start everything: three libraries, the reading lists, and the gateway before them. Ctrl-C ends all.

`python -m examples.libraries --without south` leaves a library out, to see what an answer is then.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

FOLDER = Path(__file__).parent
GATEWAY_PORT = 8320
LIBRARIES = {"east": 8321, "north": 8322, "south": 8323}
LISTS_PORT = 8324


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.libraries", description="Three libraries' books as one.")
    parser.add_argument("--without", choices=LIBRARIES, help="a library that is not started")
    without = parser.parse_args().without
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        for code, port in LIBRARIES.items():
            if code != without:
                start(running, code, "examples.libraries.library", code, str(port))
        start(running, "lists", "examples.libraries.lists", str(LISTS_PORT))
        supergraph = folder / "supergraph.graphql"
        gwc = (sys.executable, "-m", "gwc.cli")
        written = ("--supergraph", str(supergraph), "--api", str(folder / "api.graphql"))
        subprocess.run(
            [*gwc, "compose", "--config", str(FOLDER / "supergraph.yaml"), *written],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        options = ("--members", str(FOLDER / "members.toml"), "--data-dir", str(folder), "--port", str(GATEWAY_PORT))
        gateway = start(running, "gateway", "gwc.cli", "gateway", "--supergraph", str(supergraph), *options)
        gateway.wait()


def start(running: ExitStack, name: str, module: str, *arguments: str) -> subprocess.Popen[str]:
    """A process of its own, once it says that it is ready."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True)
    running.callback(process.wait)
    running.callback(process.terminate)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ready: "):
            print(f"{name:8} {line.removeprefix('ready: ').strip()}", flush=True)
            return process
    sys.exit(f"{name} did not start; the lines above say why.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
