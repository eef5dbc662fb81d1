"""The store of content: whole or not there, one for equals, and swept only when old and unnamed."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from overlay.files.blobs import Blobs, StorageFull

OLD = 1_000_000_000.0


def opened(folder: Path, spare: int = 0) -> Blobs:
    blobs = Blobs(folder, spare)
    blobs.open()
    return blobs


def put(blobs: Blobs, content: bytes) -> str:
    incoming = blobs.receive(len(content))
    incoming.write(content)
    return blobs.keep(incoming, content)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def age(blobs: Blobs, digest: str) -> None:
    os.utime(blobs.path(digest), (OLD, OLD))


def test_content_is_found_by_its_digest_and_kept_once(tmp_path: Path) -> None:
    blobs = opened(tmp_path)
    digest = put(blobs, b"hello")
    assert digest == hashlib.sha256(b"hello").hexdigest()
    assert put(blobs, b"hello") == digest
    assert blobs.read(digest) == b"hello"
    assert files(tmp_path) == [blobs.path(digest)]


def test_what_is_kept_is_what_it_was_cleaned_to(tmp_path: Path) -> None:
    blobs = opened(tmp_path)
    incoming = blobs.receive(11)
    incoming.write(b"photo")
    incoming.write(b" place")
    assert incoming.content() == b"photo place"
    assert blobs.read(blobs.keep(incoming, b"photo")) == b"photo"


def test_what_is_discarded_leaves_nothing(tmp_path: Path) -> None:
    incoming = opened(tmp_path).receive(5)
    incoming.write(b"hel")
    incoming.discard()
    assert files(tmp_path) == []


def test_content_that_is_gone_or_damaged_is_not_given(tmp_path: Path) -> None:
    blobs = opened(tmp_path)
    digest = put(blobs, b"hello")
    blobs.path(digest).write_bytes(b"jello")
    assert blobs.read(digest) is None
    assert blobs.read("0" * 64) is None


def test_a_sweep_takes_what_it_is_given_if_it_is_old(tmp_path: Path) -> None:
    blobs = opened(tmp_path)
    old, young = put(blobs, b"old"), put(blobs, b"young")
    age(blobs, old)
    assert blobs.stale(OLD + 1) == [old]
    assert blobs.sweep([old, young], OLD + 1) == 1
    assert files(tmp_path) == [blobs.path(young)]


def test_content_that_was_stored_again_since_it_was_listed_is_not_swept(tmp_path: Path) -> None:
    blobs = opened(tmp_path)
    digest = put(blobs, b"hello")
    age(blobs, digest)
    assert blobs.stale(OLD + 1) == [digest]
    put(blobs, b"hello")
    assert blobs.sweep([digest], OLD + 1) == 0
    assert blobs.read(digest) == b"hello"


def test_an_upload_that_died_in_the_middle_is_swept(tmp_path: Path) -> None:
    blobs = opened(tmp_path)
    incoming = blobs.receive(5)
    incoming.write(b"hel")
    os.utime(incoming.path, (OLD, OLD))
    assert blobs.sweep([], OLD + 1) == 1
    assert files(tmp_path) == []
    incoming.discard()


def test_a_disk_without_room_is_told_before_a_byte_is_written(tmp_path: Path) -> None:
    with pytest.raises(StorageFull):
        opened(tmp_path, spare=1 << 60).receive(1)
    assert files(tmp_path) == []


class FullDisk(io.FileIO):
    """A file on a disk that has room for a few bytes."""

    def write(self, content: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def create_on_full_disk(path: Path) -> BinaryIO:
    return io.BufferedWriter(FullDisk(path, "x"), buffer_size=4)  # type: ignore[return-value]


def test_a_disk_that_fills_up_meanwhile_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path, 0, create_on_full_disk)
    blobs.open()
    incoming = blobs.receive(11)
    with pytest.raises(StorageFull):
        incoming.write(b"hello world")
    incoming.discard()
    assert files(tmp_path) == []
