"""Content by its digest: one file for each SHA-256, however many rows name it.

An upload is written beside the store, flushed to the disk, and only then renamed to its digest: a name in the store
always holds the whole content, whatever dies in the middle. What no row names is swept later, by age, so that an upload
whose row is about to be written is never taken away. All processes of an overlay share the folder.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from subgraphs.kit.disk import sync

__all__ = ["Blobs", "Incoming", "StorageFull"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
Open = Callable[[Path], BinaryIO]


class StorageFull(OSError):
    """The disk has no room for the content."""


def _create(path: Path) -> BinaryIO:
    return path.open("xb")


class Incoming:
    """Content that is being received. `keep` makes it part of the store, `discard` forgets it; one of them is called."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self._file = path, file
        self.size = 0

    def write(self, chunk: bytes) -> None:
        with _naming_full_disk():
            self._file.write(chunk)
        self.size += len(chunk)

    def content(self) -> bytes:
        with _naming_full_disk():
            self._file.flush()
        return self.path.read_bytes()

    def settle(self, content: bytes) -> None:
        """Hold exactly this, on the disk for good."""
        self._file.seek(0)
        self._file.truncate()
        self._file.write(content)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def discard(self) -> None:
        with suppress(OSError):  # a full disk may refuse the flush that closing does
            self._file.close()
        self.path.unlink(missing_ok=True)


class Blobs:
    """Every function blocks for the disk: call it off the loop."""

    def __init__(self, folder: Path, spare_bytes_min: int, create: Open = _create) -> None:
        self._folder, self._incoming = folder / "sha256", folder / "incoming"
        self._spare_bytes_min = spare_bytes_min
        self._create = create

    def open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._incoming.mkdir(parents=True, exist_ok=True)

    def receive(self, size: int) -> Incoming:
        """Room for `size` bytes, or `StorageFull`."""
        if shutil.disk_usage(self._incoming).free < size + self._spare_bytes_min:
            raise StorageFull(errno.ENOSPC, "less is free on the disk than uploads must leave")
        path = self._incoming / uuid.uuid4().hex
        with _naming_full_disk():
            return Incoming(path, self._create(path))

    def keep(self, incoming: Incoming, content: bytes) -> str:
        """Store the content under its digest, and give the digest. `content` is what is kept, cleaned or not."""
        digest = hashlib.sha256(content).hexdigest()
        target = self.path(digest)
        with _naming_full_disk():
            incoming.settle(content)
            target.parent.mkdir(exist_ok=True)
            # Content that is there already is replaced by its equal: the new time protects it from a sweep.
            incoming.path.replace(target)
            sync(target.parent)
        return digest

    def path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest

    def read(self, digest: str) -> bytes | None:
        """The content, or None when it is gone or is no longer what its name says."""
        try:
            content = self.path(digest).read_bytes()
        except FileNotFoundError:
            return None
        return content if hashlib.sha256(content).hexdigest() == digest else None

    def stale(self, before: float) -> list[str]:
        """Digests of content that was last stored before `before` (seconds since 1970)."""
        return [path.name for path in self._folder.glob("??/*") if _older(path, before)]

    def sweep(self, digests: Collection[str], before: float) -> int:
        """Take away these digests, if they are still that old, and uploads that were left in the middle."""
        taken = 0
        for path in self._sweepable(digests):
            if _older(path, before):
                path.unlink(missing_ok=True)
                taken += 1
        return taken

    def _sweepable(self, digests: Collection[str]) -> Iterator[Path]:
        yield from (self.path(digest) for digest in digests)
        yield from self._incoming.iterdir()


def _older(path: Path, before: float) -> bool:
    try:
        return path.stat().st_mtime < before
    except FileNotFoundError:
        return False


@contextmanager
def _naming_full_disk() -> Iterator[None]:
    """Names the one fault of the disk that a person can mend."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL and not isinstance(error, StorageFull):
            raise StorageFull(error.errno, error.strerror) from error
        raise
