"""`gwc ledger anchor` and `verify` as an auditor uses them: exit statuses for machines, lines for people."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from overlay.clock import text_of, utc_now
from overlay.ledger.entries import Transfer, append
from overlay.store.database import MIGRATIONS, Database
from tests.overlay.city import ManualClock
from tests.overlay.ledger.books import OPENING, OUT, Books

ASSET = "asset:330106:a"


def gwc(city: Path, *words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "gwc.cli", "ledger", *words, "--data-dir", str(city)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


async def books_of(city: Path) -> Books:
    (city / "state").mkdir(parents=True, exist_ok=True)
    books = Books(f"sqlite:///{city}/state/overlay.sqlite", ManualClock(), city / "unused")
    await books.database.open()
    return books


@pytest.fixture
async def city(tmp_path: Path) -> Path:
    books = await books_of(tmp_path / "var")
    async with books.database.write() as connection:
        transfer = Transfer(*OUT, Decimal(1), None)
        await append(connection, ASSET, "order:1", text_of(utc_now()), OPENING, transfer)
    await books.database.close()
    return tmp_path / "var"


async def test_an_anchor_is_made_once_and_verifies(city: Path) -> None:
    status, told = gwc(city, "anchor")
    assert (status, "4 entries" in told) == (0, True)
    (file,) = (city / "anchors").iterdir()
    assert gwc(city, "anchor")[0] == 0
    assert list((city / "anchors").iterdir()) == [file]
    status, told = gwc(city, "verify", "--anchor", str(file))
    assert (status, "it is what the anchors of" in told) == (0, True)
    status, told = gwc(city, "verify")
    assert (status, "only an anchor can tell" in told) == (0, True)


async def test_rewritten_history_passes_without_an_anchor_and_fails_with_one(city: Path) -> None:
    gwc(city, "anchor")
    (file,) = (city / "anchors").iterdir()
    books = await books_of(city)
    await books.rewrite_value(ASSET, "900.00")
    await books.database.close()
    assert gwc(city, "verify")[0] == 0
    status, told = gwc(city, "verify", "--anchor", str(file))
    assert status == 1
    day = json.loads(file.read_bytes())["anchor"]["day"]
    assert f"HISTORY_REWRITTEN {ASSET} (anchor of {day})" in told


async def test_a_file_that_is_no_anchor_of_this_key_fails(city: Path, tmp_path: Path) -> None:
    gwc(city, "anchor")
    (file,) = (city / "anchors").iterdir()
    changed = tmp_path / "changed.json"
    changed.write_bytes(file.read_bytes().replace(b'"entries":4', b'"entries":2'))
    status, told = gwc(city, "verify", "--anchor", str(changed))
    assert (status, "ANCHOR_INVALID" in told) == (1, True)


async def test_a_store_that_is_behind_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    store = tmp_path / "var" / "state" / "overlay.sqlite"
    store.parent.mkdir(parents=True)
    earlier = Database(f"sqlite:///{store}")
    async with earlier.write() as connection:
        await connection.run_sync(lambda sync: MIGRATIONS.upgrade(sync, "0005"))
    await earlier.close()
    before = store.read_bytes()
    status, told = gwc(tmp_path / "var", "verify")
    assert (status, "STORE_BEHIND: the store is at revision 0005" in told) == (2, True)
    assert store.read_bytes() == before


async def test_whoever_verifies_changes_no_byte(city: Path) -> None:
    """Of a copy with another kind of log, too, as a backup is."""
    store = city / "state" / "overlay.sqlite"
    with sqlite3.connect(store) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    before = store.read_bytes()
    assert gwc(city, "verify")[0] == 0
    assert store.read_bytes() == before


def test_what_cannot_be_looked_at_is_neither_right_nor_wrong(tmp_path: Path) -> None:
    status, told = gwc(tmp_path, "verify")
    assert (status, "There is no ledger" in told) == (2, True)
