"""One city for the whole run: `gwc up` as a user starts it, on a free port, with its own data folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from contract.regions import REGIONS
from tests.node import is_expected
from tests.system.client import Client
from tests.system.processes import GWC, GwcProcess, gwc

collect_ignore = [] if is_expected() else ["test_hive.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if collect_ignore:
        terminalreporter.write_line(f"Not collected for want of Node 20 or newer: {', '.join(collect_ignore)}.")


@dataclass(frozen=True)
class City:
    process: GwcProcess
    url: str
    data_dir: Path

    @property
    def folder(self) -> Path:
        return self.data_dir / "city"

    def token(
        self,
        *roles: str,
        region: str | None = None,
        unit: str | None = None,
        person: str = "tester",
        inside: bool = False,
    ) -> str:
        arguments = [str(GWC), "token", "--data-dir", str(self.data_dir), "--person", person]
        for role in roles:
            arguments += ["--role", role]
        if inside:
            arguments += ["--inside"]
        if region:
            arguments += ["--region", region]
        if unit:
            arguments += ["--unit", unit]
        return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def running_city(folder: Path) -> Iterator[City]:
    """A city in the folder, until it is left."""
    data_dir = folder / "var"
    watchful = {**os.environ, "GWC_WATCH_EVERY_S": "0.2"}
    arguments = ("up", "--port", "0", "--data-dir", str(data_dir), "--no-simulate")
    with gwc(*arguments, environment=watchful) as (process, url):
        yield City(process, url, data_dir)


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """The city that most tests share: who changes it for good asks for one of their own."""
    with running_city(tmp_path_factory.mktemp("city")) as running:
        yield running


@pytest.fixture(scope="module")
def own_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """One of the module's own."""
    with running_city(tmp_path_factory.mktemp("own")) as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield session


@pytest.fixture
def anonymous(session: aiohttp.ClientSession, city: City) -> Client:
    return Client(session, city.url)


@pytest.fixture
def auditor(anonymous: Client, city: City) -> Client:
    return anonymous.as_(city.token("AUDITOR"))


@pytest.fixture(scope="session")
def regions() -> tuple[str, ...]:
    return tuple(REGIONS)


PersonFactory = Callable[..., Client]


@pytest.fixture
def person(anonymous: Client, city: City) -> PersonFactory:
    """A client acting as somebody: `person("KEEPER", region="330106")`."""

    def make(*roles: str, region: str | None = None, unit: str | None = None, name: str = "tester") -> Client:
        return anonymous.as_(city.token(*roles, region=region, unit=unit, person=name))

    return make
