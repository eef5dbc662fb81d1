"""`gwc backup DIR` and `gwc restore DIR`, from beginning to end."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from gwc.backup.manifest import Manifest, StoreEntry, check, seal
from gwc.backup.rows import BrokenRows, read_tables, write_tables
from gwc.backup.snapshot import snapshots
from gwc.backup.stores import Store, all_stores, engine_of, sqlite_file
from gwc.errors import CommandError
from gwc.keys import ensure_keys, private_key, public_key
from gwc.settings import Settings

__all__ = ["make_backup", "restore_backup"]

Say = Callable[[str], None]
SIGNER = "internal"
STORES, KEYS = "stores", "keys"


def make_backup(settings: Settings, folder: Path, with_keys: bool, say: Say) -> None:
    """Write a backup into a new folder, while the city runs. Raises `CommandError`."""
    ensure_keys(settings.keys)
    stores = [store for store in all_stores(settings) if _is_there(store)]
    if not any(store.name == "overlay" for store in stores):
        raise CommandError(
            "There is no overlay here to back up.", "Give its --data-dir, or GWC_OVERLAY_URL and GWC_CUSTODY_URL."
        )
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise CommandError(f"{folder} cannot be made: {error.strerror}.", "A backup goes into a new folder.") from None
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        entries = asyncio.run(_copy_stores(stores, folder / STORES))
    except (SQLAlchemyError, OSError) as error:
        raise CommandError(f"The stores cannot be read: {error}") from None
    for name, source in _folders(settings).items():
        if source.is_dir():
            shutil.copytree(source, folder / name)
    if with_keys:
        shutil.copytree(settings.keys, folder / KEYS)
    seal(folder, Manifest(made_at, entries), private_key(settings.keys, SIGNER))
    rows = sum(sum(entry.rows.values()) for entry in entries.values())
    say(f"{folder}: {len(entries)} stores, {rows} rows, as of {made_at}")


def restore_backup(settings: Settings, folder: Path, trusted: Path | None, say: Say) -> None:
    """Make the city that the backup is of, where there is none. Raises `CommandError`, and has then changed nothing."""
    manifest = check(folder, _trusted_key(settings, folder, trusted))
    stores = {store.name: store for store in all_stores(settings)}
    _check_target(settings, stores, manifest, folder)
    settings.state.mkdir(parents=True, exist_ok=True)
    try:
        for name, entry in manifest.stores.items():
            asyncio.run(_fill(stores[name], entry, folder / STORES / name))
    except (SQLAlchemyError, OSError, BrokenRows) as error:
        raise CommandError(f"The stores cannot be written: {error}", "Empty them, and begin again.") from None
    for name, target in (_folders(settings) | {KEYS: settings.keys}).items():
        if (folder / name).is_dir():
            _copy_missing(folder / name, target)
    say(f"restored as of {manifest.made_at}; open commands go on when the overlay starts")


# --- backup -----------------------------------------------------------------------------------------------------------


def _folders(settings: Settings) -> dict[str, Path]:
    """Files that never change once they lie there: attachments by digest, the ledger's anchors by day."""
    return {"files": settings.files, "anchors": settings.anchors}


def _is_there(store: Store) -> bool:
    file = sqlite_file(store.url)
    return file is None or file.exists()


async def _copy_stores(stores: list[Store], folder: Path) -> dict[str, StoreEntry]:
    entries: dict[str, StoreEntry] = {}
    async with snapshots(stores) as connections:
        for store, connection in zip(stores, connections, strict=True):
            revision = await connection.run_sync(store.migrations.revision)
            if revision is None:
                continue  # a book that was never opened
            if not store.migrations.knows(revision):
                raise CommandError(
                    f"{store.name} is at revision {revision}, which this program does not know.",
                    "Back up with the program that runs the city.",
                )
            rows = await write_tables(connection, store.metadata, folder / store.name)
            entries[store.name] = StoreEntry(revision, rows)
    return entries


# --- restore ----------------------------------------------------------------------------------------------------------


def _trusted_key(settings: Settings, folder: Path, trusted: Path | None) -> str:
    """The key that was given; else this city's own; else, where all is lost, the one that lies in the backup."""
    if trusted is not None:
        return trusted.read_text()
    for keys in (settings.keys, folder / KEYS):
        if (keys / f"{SIGNER}.pub.pem").exists():
            return public_key(keys, SIGNER)
    raise CommandError(
        "There is no key to check the backup by.", "Give the public half of the city's internal key: --public-key."
    )


def _check_target(settings: Settings, stores: Mapping[str, Store], manifest: Manifest, folder: Path) -> None:
    for name, entry in manifest.stores.items():
        store = stores.get(name)
        if store is None:
            raise CommandError(
                f"The settings have no place for {name}.", "Set GWC_CUSTODY_URL as where the backup was made."
            )
        if not store.migrations.knows(entry.revision):
            raise CommandError(
                f"{name} is of revision {entry.revision}, which this program does not know.",
                "Restore with the program that made the backup, or a later one.",
            )
    for store in stores.values():
        if _is_there(store) and asyncio.run(_has_tables(store)):
            raise CommandError(
                f"{store.name} is not empty.", "A city is restored where there is none: choose another place."
            )
    for name, target in _folders(settings).items():
        if (folder / name).is_dir() and target.is_dir() and any(target.iterdir()):
            raise CommandError(f"{target} is not empty.", "A city is restored where there is none.")


async def _has_tables(store: Store) -> bool:
    engine = engine_of(store.url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_tables_of, store)
    except (SQLAlchemyError, OSError) as error:
        raise CommandError(f"{store.name} cannot be reached: {error}") from None
    finally:
        await engine.dispose()


def _tables_of(connection: Connection, store: Store) -> bool:
    return bool({table.name for table in store.metadata.sorted_tables} & set(sa.inspect(connection).get_table_names()))


async def _fill(store: Store, entry: StoreEntry, folder: Path) -> None:
    """All of it or nothing: in one transaction."""
    engine = engine_of(store.url)
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.dialect.name == "sqlite" else "BEGIN")
            await connection.run_sync(_fill_now, store, entry, folder)
            await connection.exec_driver_sql("COMMIT")
    finally:
        await engine.dispose()


def _fill_now(connection: Connection, store: Store, entry: StoreEntry, folder: Path) -> None:
    store.migrations.upgrade(connection, entry.revision)
    found = read_tables(connection, folder, list(entry.rows))
    if found != entry.rows:
        raise BrokenRows(f"{store.name} has {found} rows, the manifest says {dict(entry.rows)}")


def _copy_missing(source: Path, target: Path) -> None:
    """What lies at the target stays: a key that is there already is the one that is trusted."""
    for path in sorted(source.rglob("*")):
        to = target / path.relative_to(source)
        if path.is_dir() or to.exists():
            continue
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, to)
        os.chmod(to, path.stat().st_mode & 0o777)
