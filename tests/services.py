"""Real servers for tests: PostgreSQL, MariaDB, MongoDB's protocol, Redis, Mosquitto.

Each is a process of its own, started when a test first asks for it, on a free loopback port with its files in a
temporary folder, and stopped by its process id when the test session ends. A server that cannot be had fails the
test with the names of the packages to install; nothing is ever skipped. `POSTGRES_URL`, `MARIADB_URL`, `MONGO_URI`,
`REDIS_URL` and `MQTT_URL` point the same tests at servers of your own: there, tests make databases of their own
names, drop only those, and use only keys and topics of their own names.

Fixtures (this module is a pytest plugin, named in `tests/conftest.py`):

- `postgres_server`, `mariadb_server`, `mongo_server`, `redis_server`, `mosquitto_server`: the `Server`, one a session;
- `postgres_database`, `mariadb_database`, `mongo_database`: the URL of a new, empty database for one test.

The same servers are to be had without pytest: `with running_postgres() as server: …`.

MongoDB's protocol is spoken by SecantusDB (PyPI, development only, in its own process): Debian has no mongod.
"""

from __future__ import annotations

import asyncio
import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

__all__ = [
    "Server",
    "ServerUnavailable",
    "free_port",
    "running_mariadb",
    "running_mongo",
    "running_mosquitto",
    "running_postgres",
    "running_redis",
]

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
POLL_S = 0.02
START_ATTEMPTS = 3
"""A free port may be taken by somebody else before the server binds it; then another one is tried."""


class ServerUnavailable(RuntimeError):
    """A server that a test needs is not installed or does not start."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `pid` is None when it is the user's own."""

    name: str
    url: str
    pid: int | None

    def with_database(self, database: str) -> str:
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(path=f"/{database}"))


@dataclass(frozen=True, slots=True)
class _Recipe:
    name: str
    variable: str
    """Names the user's own; empty: never one of his."""
    packages: str
    start: Callable[[Path, int], tuple[list[str], str | None]]
    """(folder, port) → the command line, and the system user to run it as (None: the caller)."""
    url: str
    """With `{port}`."""
    ready: bytes | None = None
    """What its log says when it serves; None: when the port accepts."""
    stop_signal: signal.Signals = signal.SIGTERM


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _binary(name: str, packages: str, variable: str, places: Sequence[str] = ()) -> str:
    beside_python = str(Path(sys.executable).parent)
    path = os.pathsep.join([beside_python, *places, os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise ServerUnavailable(
            f"{name} is not installed. Install it with `{packages}`, or set {variable} to a server of your own."
        )
    return found


def _system_user(name: str) -> str | None:
    """The user to run a server as that refuses to be root; None when we are not root anyway."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(name)
    except KeyError:
        return None
    return name


def _give(folder: Path, user: str | None) -> None:
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)


def _run(command: Sequence[str], user: str | None = None) -> None:
    done = subprocess.run(command, capture_output=True, cwd="/", check=False, **_as_user(user))  # type: ignore[call-overload]
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace")[-2000:]
        raise ServerUnavailable(f"`{' '.join(command)}` failed with {done.returncode}:\n{said}")


def _as_user(user: str | None) -> dict[str, object]:
    if user is None:
        return {}
    account = pwd.getpwnam(user)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


# --- recipes ---------------------------------------------------------------------------------------------------------

_APT = "apt-get install -y --no-install-recommends "


_NOT_DURABLE = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
"""Safe as long as the server is not killed, and no test does that: they kill its clients."""


def _start_postgres(folder: Path, port: int) -> tuple[list[str], str | None]:
    places = sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
    initdb = _binary("initdb", POSTGRES.packages, POSTGRES.variable, places)
    postgres = str(Path(initdb).resolve().parent / "postgres")
    user = _system_user("postgres")
    data = folder / "data"
    data.mkdir(mode=0o700)
    _give(data, user)
    _give(folder, user)
    _run(
        [initdb, "-D", str(data), "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"], user
    )
    options = ["listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "max_connections=200", *_NOT_DURABLE]
    return [postgres, "-D", str(data), "-p", str(port), *(part for o in options for part in ("-c", o))], user


def _start_mariadb(folder: Path, port: int) -> tuple[list[str], str | None]:
    install = _binary("mariadb-install-db", MARIADB.packages, MARIADB.variable)
    mariadbd = _binary("mariadbd", MARIADB.packages, MARIADB.variable)
    user = _system_user("mysql")
    data = folder / "data"
    data.mkdir(mode=0o700)
    _give(data, user)
    _give(folder, user)
    as_user = [] if user is None else [f"--user={user}"]
    _run(
        [
            install,
            "--no-defaults",
            *as_user,
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ]
    )
    return [
        mariadbd,
        "--no-defaults",
        f"--datadir={data}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--socket={folder}/s.sock",
        f"--pid-file={folder}/pid",
        "--innodb-buffer-pool-size=32M",
        "--innodb-flush-log-at-trx-commit=0",
        "--skip-name-resolve",
    ], user


def _start_mongo(folder: Path, port: int) -> tuple[list[str], str | None]:
    command = _binary("secantusd-py", MONGO.packages, MONGO.variable)
    where = ["--host", "127.0.0.1", "--port", str(port), "--storage-path", str(folder / "data")]
    return [command, *where, "--cache-size", "128M", "--log-level", "WARNING"], None


def _start_redis(folder: Path, port: int) -> tuple[list[str], str | None]:
    command = _binary("redis-server", REDIS.packages, REDIS.variable)
    keep_nothing = ["--save", "", "--appendonly", "no"]
    return [command, "--port", str(port), "--bind", "127.0.0.1", *keep_nothing, "--dir", str(folder)], None


def _start_mosquitto(folder: Path, port: int) -> tuple[list[str], str | None]:
    command = _binary("mosquitto", MOSQUITTO.packages, MOSQUITTO.variable)
    # The default limits make QoS 1 forty times slower: 0 means none.
    lines = [
        f"listener {port} 127.0.0.1",
        "allow_anonymous true",
        "max_inflight_messages 0",
        "max_queued_messages 0",
        "persistence false",
    ]
    if os.geteuid() == 0:
        lines.append("user root")  # else it becomes `mosquitto`, which may not read the folder
    config = folder / "mosquitto.conf"
    config.write_text("\n".join(lines) + "\n")
    return [command, "-c", str(config)], None


POSTGRES = _Recipe(
    "PostgreSQL",
    "POSTGRES_URL",
    _APT + "postgresql",
    _start_postgres,
    "postgresql://postgres@127.0.0.1:{port}/postgres",
    b"database system is ready to accept connections",
    signal.SIGINT,  # "fast shutdown": ends sessions that a failed test left open
)
MARIADB = _Recipe(
    "MariaDB",
    "MARIADB_URL",
    _APT + "mariadb-server",
    _start_mariadb,
    "mysql://root@127.0.0.1:{port}/mysql",
    b"ready for connections",
)
MONGO = _Recipe(
    "MongoDB (SecantusDB)",
    "MONGO_URI",
    "make setup (PyPI: SecantusDB)",
    _start_mongo,
    "mongodb://127.0.0.1:{port}/",
)
REDIS = _Recipe(
    "Redis",
    "REDIS_URL",
    _APT + "redis-server",
    _start_redis,
    "redis://127.0.0.1:{port}/0",
    b"Ready to accept connections",
)
MOSQUITTO = _Recipe(
    "Mosquitto", "MQTT_URL", _APT + "mosquitto", _start_mosquitto, "mqtt://127.0.0.1:{port}", b" running"
)


# --- running ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _running(recipe: _Recipe) -> Iterator[Server]:
    own = os.environ.get(recipe.variable) if recipe.variable else None
    if own:
        yield Server(recipe.name, own, None)
        return
    folder = Path(tempfile.mkdtemp(prefix="gwc-server-"))
    folder.chmod(0o755)  # `postgres` and `mysql` must enter
    try:
        process, port = _start(recipe, folder)
        try:
            yield Server(recipe.name, recipe.url.format(port=port), process.pid)
        finally:
            _stop(process, recipe.stop_signal)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(recipe: _Recipe, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    said = ""
    for attempt in range(START_ATTEMPTS):
        place = folder / str(attempt)
        place.mkdir(mode=0o755)
        port = free_port()
        command, user = recipe.start(place, port)
        log = place / "log"
        with log.open("wb") as sink:
            # In a session of its own, so that Ctrl-C ends the tests first and the servers after them.
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,
                **_as_user(user),  # type: ignore[call-overload]
            )
        if _becomes_ready(process, port, log, recipe.ready):
            return process, port
        _stop(process, signal.SIGKILL)
        said = log.read_bytes().decode(errors="replace")[-2000:]
    raise ServerUnavailable(f"{recipe.name} does not start; it says:\n{said}")


def _becomes_ready(process: subprocess.Popen[bytes], port: int, log: Path, ready: bytes | None) -> bool:
    until = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < until:
        if (ready is None or ready in log.read_bytes()) and _accepts(port):
            return True
        time.sleep(POLL_S)
    return False


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def running_postgres() -> contextlib.AbstractContextManager[Server]:
    return _running(POSTGRES)


def running_mariadb() -> contextlib.AbstractContextManager[Server]:
    return _running(MARIADB)


def running_encrypted_postgres(key: bytes, certificate: bytes) -> contextlib.AbstractContextManager[Server]:
    """Never the user's own: it speaks TLS with this certificate (both as PEM), and nothing else over the network."""

    def options(folder: Path) -> list[str]:
        return ["-c", "ssl=on", "-c", f"ssl_cert_file={folder}/certificate", "-c", f"ssl_key_file={folder}/key"]

    return _running(_with_files(POSTGRES, {"key": key, "certificate": certificate}, options))


def running_encrypted_mariadb(key: bytes, certificate: bytes) -> contextlib.AbstractContextManager[Server]:
    """The same."""

    def options(folder: Path) -> list[str]:
        return [f"--ssl-cert={folder}/certificate", f"--ssl-key={folder}/key"]

    return _running(_with_files(MARIADB, {"key": key, "certificate": certificate}, options))


def _with_files(recipe: _Recipe, files: Mapping[str, bytes], options: Callable[[Path], list[str]]) -> _Recipe:
    """With these files beside its data, which only the server may read, and more options."""

    def start(folder: Path, port: int) -> tuple[list[str], str | None]:
        command, user = recipe.start(folder, port)
        for name, content in files.items():
            (folder / name).touch(mode=0o600)
            (folder / name).write_bytes(content)
            _give(folder / name, user)
        return [*command, *options(folder)], user

    return replace(recipe, variable="", start=start)


def running_mongo() -> contextlib.AbstractContextManager[Server]:
    return _running(MONGO)


def running_redis() -> contextlib.AbstractContextManager[Server]:
    return _running(REDIS)


def running_mosquitto() -> contextlib.AbstractContextManager[Server]:
    return _running(MOSQUITTO)


# --- fixtures --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    with running_mariadb() as server:
        yield server


@pytest.fixture(scope="session")
def mongo_server() -> Iterator[Server]:
    with running_mongo() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Server]:
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def mosquitto_server() -> Iterator[Server]:
    with running_mosquitto() as server:
        yield server


def _database_name() -> str:
    return f"gwc_test_{uuid.uuid4().hex[:12]}"


@contextlib.contextmanager
def new_postgres_database(server: Server, template_url: str | None = None) -> Iterator[str]:
    """`postgresql://…/<new database>`, empty or a copy of another one to which nobody is connected; dropped in the end,
    connections that are left and all."""
    name = _database_name()
    template = "template1" if template_url is None else urlsplit(template_url).path.lstrip("/")
    run_apart(postgres_execute(server.url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    try:
        yield server.with_database(name)
    finally:
        run_apart(postgres_execute(server.url, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
def postgres_database(postgres_server: Server) -> Iterator[str]:
    """`postgresql://…/<new database>`; dropped after the test."""
    with new_postgres_database(postgres_server) as url:
        yield url


async def postgres_execute(url: str, statement: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
def mariadb_database(mariadb_server: Server) -> Iterator[str]:
    """`mysql://…/<new database>` in utf8mb4; dropped after the test."""
    name = _database_name()
    run_apart(mariadb_execute(mariadb_server.url, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4"))
    yield mariadb_server.with_database(name)
    run_apart(mariadb_execute(mariadb_server.url, f"DROP DATABASE `{name}`"))


async def mariadb_execute(url: str, statement: str) -> None:
    import asyncmy

    parts = urlsplit(url)
    connection = await asyncmy.connect(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        user=parts.username or "root",
        password=parts.password or "",
        autocommit=True,
    )
    try:
        async with connection.cursor() as cursor:
            await cursor.execute(statement)
    finally:
        await connection.ensure_closed()


def run_apart(work: Coroutine[Any, Any, None]) -> None:
    """Run in a thread with a loop of its own: so these fixtures can be asked for anywhere, async fixtures included."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


@pytest.fixture
def mongo_database(mongo_server: Server) -> Iterator[str]:
    """`mongodb://…/<new database>`; dropped after the test."""
    from pymongo import MongoClient

    name = _database_name()
    yield mongo_server.with_database(name)
    client: MongoClient[dict[str, object]] = MongoClient(mongo_server.url)
    try:
        client.drop_database(name)
    finally:
        client.close()
