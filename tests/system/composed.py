"""docker-compose.yml without containers: the very commands and environments of its services, on real servers here.

Host names become ports of this machine, volumes a folder; nothing else is changed. So a URL, an option or a database
that the file gets wrong is found without an image being built.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.services import Server
from tests.system.processes import GWC, GwcProcess

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")
_READY = r"ready.*(http://127\.0\.0\.1:\d+/(?:graphql|api/v2/assets))"


@dataclass(frozen=True)
class Servers:
    postgres: Server
    mariadb: Server
    mongo: Server
    redis: Server
    mosquitto: Server


class Composed:
    """The services of the file, started one by one; `urls` are those that listen."""

    def __init__(self, folder: Path, servers: Servers) -> None:
        self.folder = folder
        services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
        self.services: dict[str, dict[str, Any]] = {
            name: service for name, service in services.items() if service.get("image") == "gongwucang:latest"
        }
        names = [name for name in self.services if name != "seed"]
        self.ports = dict(zip(names, _free_ports(), strict=False))
        self.urls: dict[str, str] = {}
        self._servers = servers

    def here(self, text: str) -> str:
        """A text of the file, or of deploy/, with this machine's addresses."""
        text = _VARIABLE.sub(lambda found: found.group(2), text)
        text = re.sub(r"http://([\w-]+):\d+/", self._service_url, text)
        text = re.sub(
            r"(postgresql\+asyncpg)://\S+?@postgres/(\w+)", lambda m: _at(self._servers.postgres, m[1], m[2]), text
        )
        text = re.sub(r"(mysql\+asyncmy)://\S+?@mariadb/(\w+)", lambda m: _at(self._servers.mariadb, m[1], m[2]), text)
        text = text.replace("mongodb://mongo:27017/", self._servers.mongo.url)
        text = text.replace("mqtt://mosquitto:1883", self._servers.mosquitto.url)
        text = text.replace("redis://redis:6379/0", self._servers.redis.url)
        return text.replace("/srv/gwc", str(self.folder)).replace("/app/", f"{ROOT}/")

    def _service_url(self, found: re.Match[str]) -> str:
        return f"http://127.0.0.1:{self.ports[found[1]]}/" if found[1] in self.ports else found[0]

    def environment(self, name: str) -> Mapping[str, str]:
        own: Mapping[str, str] = self.services[name].get("environment", {})
        return {**os.environ, **{key: self.here(value) for key, value in own.items()}}

    def seed(self) -> None:
        """Run deploy/seed.sh as the seed service does."""
        deploy = self.folder / "deploy"
        deploy.mkdir(parents=True)
        for source in (DEPLOY / "seed.sh", DEPLOY / "supergraph.yaml", DEPLOY / "members.toml"):
            text = self.here(source.read_text("utf-8")).replace(f"{ROOT}/deploy", str(deploy))
            (deploy / source.name).write_text(text.replace("../schema", str(ROOT / "schema")), "utf-8")
        path = f"{GWC.parent}{os.pathsep}{os.environ['PATH']}"
        result = subprocess.run(
            ["sh", str(deploy / "seed.sh")],
            env={**self.environment("seed"), "PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert result.returncode == 0, result.stdout + result.stderr

    def start(self, name: str) -> GwcProcess:
        command = [self.here(part) for part in self.services[name]["command"]]
        command = [part.replace(f"{ROOT}/deploy", str(self.folder / "deploy")) for part in command]
        command[command.index("--host") + 1] = "127.0.0.1"
        command[command.index("--port") + 1] = str(self.ports[name])
        return GwcProcess(*command, environment=self.environment(name))


def _free_ports() -> Iterator[int]:
    """Free ones below the range that outgoing connections take theirs from: they must stay free till the services start."""
    for port in range(20_000 + os.getpid() % 8_000, 32_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            yield port


def _at(server: Server, scheme: str, database: str) -> str:
    return server.with_database(database).replace(server.url.split("://", 1)[0], scheme, 1)


@contextmanager
def composed(folder: Path, servers: Servers) -> Iterator[Composed]:
    """Seed, then every service; all are up when it gives them."""
    city = Composed(folder, servers)
    city.seed()
    processes = {name: city.start(name) for name in city.ports}
    try:
        for name, process in processes.items():
            city.urls[name] = process.wait_for(_READY).group(1)
        for name in ("telemetry", "telemetry-ingest"):
            processes[name].wait_for(r"telemetry: \d+ sensors")  # asked of the districts, through the gateway
        yield city
    finally:
        for process in processes.values():
            process.process.send_signal(signal.SIGINT)
        for process in processes.values():
            process.stop()
