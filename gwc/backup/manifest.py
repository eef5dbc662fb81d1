"""What lies in a backup: every file with size and SHA-256, each store's revision and rows, signed by the city's key.

A file that is missing, more, cut or changed is found, and so is a manifest that somebody wrote anew to fit: its
signature is by the city's internal key, whose public half the restorer has from elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidSignature

from contract.identity import load_private_key, load_public_key
from gwc.errors import CommandError

__all__ = ["FORMAT", "Manifest", "StoreEntry", "check", "seal"]

FORMAT = 1
NAME, SIGNATURE = "manifest.json", "manifest.sig"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class StoreEntry:
    revision: str
    rows: Mapping[str, int]
    """By table, in the order in which they are filled."""


@dataclass(frozen=True, slots=True)
class Manifest:
    made_at: str
    stores: Mapping[str, StoreEntry]


def seal(folder: Path, manifest: Manifest, private_pem: str) -> None:
    """Write the manifest over all files that the folder has: what is not in it is no backup yet."""
    files = {name: _facts(folder / name) for name in _files(folder)}
    text = orjson.dumps(
        {"format": FORMAT, **asdict(manifest), "files": files}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )
    (folder / SIGNATURE).write_text(load_private_key(private_pem).sign(text).hex())
    (folder / NAME).write_bytes(text)


def check(folder: Path, public_pem: str) -> Manifest:
    """The manifest of a backup that is whole and untouched. Raises `CommandError` that says what is wrong."""
    try:
        text, signature = (folder / NAME).read_bytes(), bytes.fromhex((folder / SIGNATURE).read_text())
    except (OSError, ValueError):
        raise CommandError(f"{folder} is no backup: it has no manifest.", "One that was broken off has none.") from None
    try:
        load_public_key(public_pem).verify(signature, text)
    except InvalidSignature:
        raise CommandError(
            "The manifest was not signed by this city's key.",
            "Give the key of the city that made it with --public-key; if that is this one, the backup was tampered with.",
        ) from None
    found = orjson.loads(text)
    if found["format"] != FORMAT:
        raise CommandError(f"The backup has format {found['format']}, this program reads {FORMAT}.", "Use its program.")
    _check_files(folder, found["files"])
    stores = {name: StoreEntry(**entry) for name, entry in found["stores"].items()}
    return Manifest(found["made_at"], stores)


def _check_files(folder: Path, listed: Mapping[str, list[object]]) -> None:
    there = set(_files(folder))
    wrong = [f"{name} is missing" for name in sorted(listed.keys() - there)]
    wrong += [f"{name} does not belong to it" for name in sorted(there - listed.keys())]
    wrong += [f"{name} was changed" for name in sorted(there & listed.keys()) if _facts(folder / name) != listed[name]]
    if wrong:
        raise CommandError(f"The backup is broken: {'; '.join(wrong[:5])}.", "Take another one.")


def _files(folder: Path) -> list[str]:
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (NAME, SIGNATURE)
    ]


def _facts(path: Path) -> list[object]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return [size, digest.hexdigest()]
