"""What `gwc ledger` does in the overlay's store."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography.exceptions import InvalidKey
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from gwc.errors import CommandError
from gwc.keys import ensure_keys, private_key, public_key
from gwc.parts.common import state_url
from gwc.settings import Settings
from overlay.clock import utc_now
from overlay.ledger.anchor import FILE_BYTES_MAX, Anchor, InvalidAnchor, Signer, read_anchor
from overlay.ledger.anchors import AnchorRefused, Anchors, anchor_file
from overlay.ledger.findings import Finding
from overlay.ledger.verification import Verification, verify_ledger
from overlay.store.database import Database
from subgraphs.kit.migrations import StoreBehind, StoreTooNew

__all__ = ["make_anchor", "verify_files"]

Say = Callable[[str], None]


async def make_anchor(settings: Settings, say: Say) -> None:
    ensure_keys(settings.keys)
    async with _opened(settings) as database:
        signer = Signer(private_key(settings.keys, "ledger"))
        try:
            made = await Anchors(database, signer, settings.anchors, utc_now).make()
        except AnchorRefused as error:
            raise CommandError(f"No anchor: {error}.", "Verify the ledger: gwc ledger verify --anchor FILE") from None
        except DBAPIError as error:
            raise CommandError(f"The store did not let an anchor be made now: {error.orig}.", "Try again.") from None
        except OSError as error:
            raise CommandError(f"The anchor's file cannot be written: {error}.", "See GWC_ANCHORS_DIR.") from None
    say(f"{anchor_file(settings.anchors, made.day)}: {made.body['entries']} entries, root {made.body['root']}")


async def verify_files(settings: Settings, files: Sequence[Path], key: Path | None, say: Say) -> None:
    """Raises `CommandError` with status 1 when the ledger does not hold, 2 when it could not be looked at."""
    anchors = _read_anchors(files, settings, key, say) if files else []
    began = time.monotonic()
    async with _opened(settings, only_reads=True) as database:
        found = await verify_ledger(database, anchors)
    took_s = time.monotonic() - began
    for finding in found.findings.shown:
        say(_line(finding))
    say(f"{found.entries} entries of {found.lineages} lineages read in {took_s:.1f} s")
    _judge(found, len(anchors), len(files), say)


def _judge(found: Verification, anchors: int, files: int, say: Say) -> None:
    if not found.holds or anchors < files:
        counts = ", ".join(f"{count} × {code}" for code, count in sorted(found.findings.by_code.items()))
        raise CommandError(
            f"The ledger does not hold: {counts or 'not every anchor can be used'}.",
            "Keep the store as it is and tell the auditor; docs/ledger.md says what each code means.",
        )
    if found.reproduced:
        say(f"it is what the anchors of {', '.join(found.reproduced)} say")
        return
    say("it is whole in itself; whether it was rewritten as a whole only an anchor can tell: --anchor FILE")


def _read_anchors(files: Sequence[Path], settings: Settings, key: Path | None, say: Say) -> list[Anchor]:
    try:
        pem = public_key(settings.keys, "ledger") if key is None else key.read_text()
    except OSError as error:
        raise CommandError(f"The key {key} cannot be read: {error.strerror}.", None, 2) from None
    anchors = []
    for file in files:
        try:
            if file.stat().st_size > FILE_BYTES_MAX:
                raise InvalidAnchor(f"it is larger than {FILE_BYTES_MAX} bytes")
            anchors.append(read_anchor(file.read_bytes(), pem))
        except InvalidAnchor as error:
            say(f"ANCHOR_INVALID {file}: {error}")
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.", None, 2) from None
        except (ValueError, InvalidKey):
            raise CommandError(f"The key {key} is no public key in PEM.", None, 2) from None
    return anchors


def _line(finding: Finding) -> str:
    of = "" if finding.lineage is None else f" {finding.lineage}"
    since = "" if finding.day is None else f" (anchor of {finding.day})"
    return f"{finding.code}{of}{since}: {finding.detail}"


@asynccontextmanager
async def _opened(settings: Settings, *, only_reads: bool = False) -> AsyncIterator[Database]:
    url = settings.overlay_url or state_url(settings, "overlay.sqlite")
    remedy = "See GWC_OVERLAY_URL and --data-dir."
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
            raise CommandError(f"There is no ledger at {parsed.database}.", remedy, 2)
        database = Database(url, only_reads=only_reads)
        await (database.open_as_it_is() if only_reads else database.open())
    except StoreBehind as error:
        raise CommandError(
            f"STORE_BEHIND: {error}; to bring it there would change what is to be verified, so nothing was read.",
            "Verify it with the version that serves it, or let the overlay of this version open it first.",
            2,
        ) from None
    except (ArgumentError, ValueError, SQLAlchemyError, StoreTooNew, OSError) as error:
        raise CommandError(
            f"The overlay's store cannot be opened: {type(error).__name__}: {error}.", remedy, 2
        ) from None
    try:
        yield database
    finally:
        await database.close()
