"""The four key pairs of a city, as PEM files in one folder.

- `access`: signs what clients carry (`gwc token` here; an identity provider in earnest). The gateway needs the public half.
- `internal`: signs the identity that travels inside. Gateway and overlay sign, every subgraph verifies.
- `rule`: signs virtual warehouses' rules. The overlay signs, districts verify.
- `ledger`: signs the ledger's daily anchors. The overlay signs, whoever audits verifies.

A process reads only the halves it needs, so a district's machine never holds a private key.
"""

from __future__ import annotations

import os
from pathlib import Path

from contract.identity import generate_key_pair
from gwc.errors import CommandError

__all__ = ["NAMES", "ensure_keys", "private_key", "public_key"]

NAMES = ("access", "internal", "rule", "ledger")


def ensure_keys(folder: Path) -> None:
    """Make the key pairs that are missing. A pair is written private half first, so a half pair is made anew."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            if _public(folder, name).exists() and _private(folder, name).exists():
                continue
            private, public = generate_key_pair()
            _write(_private(folder, name), private, 0o600)
            _write(_public(folder, name), public, 0o644)
    except OSError as error:
        raise CommandError(
            f"The keys cannot be written to {folder}: {error.strerror}.", "Choose another --data-dir."
        ) from None


def private_key(folder: Path, name: str) -> str:
    return _read(_private(folder, name))


def public_key(folder: Path, name: str) -> str:
    return _read(_public(folder, name))


def _private(folder: Path, name: str) -> Path:
    return folder / f"{name}.key.pem"


def _public(folder: Path, name: str) -> Path:
    return folder / f"{name}.pub.pem"


def _write(path: Path, text: str, mode: int) -> None:
    temporary = path.with_suffix(".tmp")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    temporary.replace(path)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise CommandError(
            f"The key {path} cannot be read: {error.strerror}.", "Make keys with `gwc keys`, or set GWC_KEYS_DIR."
        ) from None
