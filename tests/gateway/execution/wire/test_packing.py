"""Compressed bodies: every kind is unpacked, none beyond its bound."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from gateway.execution.wire.errors import Broken, TooLarge
from gateway.execution.wire.packing import unpacked

TEXT = b'{"data":{"a":"' + b"x" * 500 + b'"}}'


def bare(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(TEXT)),
        (" GZip ", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
        ("gzip", gzip.compress(TEXT) + b"\0\0\0"),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", bare(TEXT)),
        ("identity", TEXT),
        ("rot13", TEXT),
    ],
)
def test_what_was_packed_comes_out(encoding: str, body: bytes) -> None:
    assert unpacked(encoding, body, len(TEXT)) == TEXT


def test_nothing_is_nothing() -> None:
    assert unpacked("gzip", b"", 10) == b""


@pytest.mark.parametrize(
    "body",
    [gzip.compress(TEXT), gzip.compress(TEXT[:300]) + gzip.compress(TEXT[300:])],
)
def test_no_more_comes_out_than_is_taken(body: bytes) -> None:
    with pytest.raises(TooLarge):
        unpacked("gzip", body, len(TEXT) - 1)


def test_what_is_too_large_is_not_unpacked_first() -> None:
    bomb = gzip.compress(b"0" * (64 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            unpacked("gzip", bomb, 1000)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(TEXT)[:-9]), ("gzip", TEXT), ("deflate", bare(TEXT)[:-2]), ("gzip", b"\x1f")],
)
def test_a_part_is_no_body(encoding: str, body: bytes) -> None:
    with pytest.raises(Broken):
        unpacked(encoding, body, len(TEXT))
