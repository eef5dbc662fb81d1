"""A backup gives back every row, and what is broken, tampered with, too new or in the way is refused before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from gwc.backup.manifest import Manifest, StoreEntry, check, seal
from gwc.backup.run import make_backup, restore_backup
from gwc.errors import CommandError
from gwc.keys import ensure_keys, private_key, public_key
from gwc.settings import Settings
from tests.gwc.backup.conftest import NewPlace, Place


def quiet(_: str) -> None:
    """Nobody listens."""


def test_every_row_comes_back(new_place: NewPlace, tmp_path: Path) -> None:
    here, there = new_place("here"), new_place("there")
    here.fill()
    make_backup(here.settings, tmp_path / "backup", True, quiet)
    restore_backup(there.settings, tmp_path / "backup", None, quiet)
    rows = there.rows()
    assert rows == here.rows()
    assert len(rows["overlay"]["orders"]) == 2 and rows["overlay"]["ledger_entries"]
    assert any(store["custody_holds"] for name, store in rows.items() if name != "overlay")


def test_rows_that_come_after_a_restore_get_new_numbers(new_place: NewPlace, tmp_path: Path) -> None:
    here, there = new_place("here"), new_place("there")
    here.fill()
    make_backup(here.settings, tmp_path / "backup", True, quiet)
    restore_backup(there.settings, tmp_path / "backup", None, quiet)
    there.fill("b")
    numbers = [row[0] for row in there.rows()["overlay"]["orders"]]
    assert numbers == sorted(set(numbers)) and len(numbers) == 4


def test_orders_move_from_a_file_to_a_server(tmp_path: Path, postgres_database: str) -> None:
    here = Place(Settings(data_dir=tmp_path / "here"))
    here.fill()
    make_backup(here.settings, tmp_path / "backup", True, quiet)
    there = Place(Settings(data_dir=tmp_path / "moved", overlay_url=postgres_database))
    restore_backup(there.settings, tmp_path / "backup", None, quiet)
    assert there.rows() == here.rows()


def _cut(folder: Path) -> None:
    path = folder / "stores" / "overlay" / "orders.jsonl"
    path.write_bytes(path.read_bytes()[:-10])


def _remove(folder: Path) -> None:
    (folder / "stores" / "overlay" / "steps.jsonl").unlink()


def _add(folder: Path) -> None:
    (folder / "stores" / "overlay" / "more.jsonl").write_text("[]")


def _forge(folder: Path) -> None:
    """As somebody who knows how a backup is made, but has not the city's key."""
    path = folder / "stores" / "overlay" / "orders.jsonl"
    path.write_bytes(path.read_bytes().replace("会议".encode(), "宴会".encode()))
    listed = orjson.loads((folder / "manifest.json").read_bytes())
    stores = {name: StoreEntry(**entry) for name, entry in listed["stores"].items()}
    other = folder.parent / "other-keys"
    ensure_keys(other)
    seal(folder, Manifest(listed["made_at"], stores), private_key(other, "internal"))


@pytest.mark.parametrize("damage", [_cut, _remove, _add, _forge])
def test_what_is_broken_or_tampered_with_is_refused(
    new_place: NewPlace, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    here, there = new_place("here"), new_place("there")
    here.fill()
    make_backup(here.settings, tmp_path / "backup", False, quiet)
    damage(tmp_path / "backup")
    key = here.settings.keys / "internal.pub.pem"
    with pytest.raises(CommandError, match=r"broken|not signed"):
        restore_backup(there.settings, tmp_path / "backup", key, quiet)
    assert there.rows() == {}


def test_a_backup_of_a_later_program_is_refused(new_place: NewPlace, tmp_path: Path) -> None:
    here, there = new_place("here"), new_place("there")
    here.fill()
    backup = tmp_path / "backup"
    make_backup(here.settings, backup, True, quiet)
    manifest = check(backup, public_key(here.settings.keys, "internal"))
    entry = manifest.stores["overlay"]
    later = Manifest(manifest.made_at, {**manifest.stores, "overlay": StoreEntry("9999", entry.rows)})
    seal(backup, later, private_key(here.settings.keys, "internal"))
    with pytest.raises(CommandError, match="revision 9999"):
        restore_backup(there.settings, backup, None, quiet)
    assert there.rows() == {}


def test_a_city_is_not_overwritten(new_place: NewPlace, tmp_path: Path) -> None:
    here = new_place("here")
    here.fill()
    make_backup(here.settings, tmp_path / "backup", True, quiet)
    before = here.rows()
    with pytest.raises(CommandError, match="not empty"):
        restore_backup(here.settings, tmp_path / "backup", None, quiet)
    assert here.rows() == before


def test_a_backup_goes_into_a_new_folder(new_place: NewPlace, tmp_path: Path) -> None:
    here = new_place("here")
    here.fill()
    with pytest.raises(CommandError, match="cannot be made"):
        make_backup(here.settings, tmp_path, True, quiet)


def test_files_and_keys_come_back(new_place: NewPlace, tmp_path: Path) -> None:
    here, there = new_place("here"), new_place("there")
    here.fill()
    photo = here.settings.state / "files" / "ab" / "abcd"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"\x89PNG")
    make_backup(here.settings, tmp_path / "backup", True, quiet)
    restore_backup(there.settings, tmp_path / "backup", None, quiet)
    assert (there.settings.state / "files" / "ab" / "abcd").read_bytes() == b"\x89PNG"
    assert private_key(there.settings.keys, "internal") == private_key(here.settings.keys, "internal")
    assert (there.settings.keys / "internal.key.pem").stat().st_mode & 0o077 == 0


def test_keys_stay_out_unless_they_are_asked_for(new_place: NewPlace, tmp_path: Path) -> None:
    here, there = new_place("here"), new_place("there")
    here.fill()
    make_backup(here.settings, tmp_path / "backup", False, quiet)
    assert not list((tmp_path / "backup").rglob("*.pem"))
    with pytest.raises(CommandError, match="no key"):
        restore_backup(there.settings, tmp_path / "backup", None, quiet)
