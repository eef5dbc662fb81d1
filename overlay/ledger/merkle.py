"""The Merkle tree hash of RFC 6962 over leaves as they come: memory grows with the tree's height alone.

A leaf's hash is SHA-256(0x00, leaf), a node's SHA-256(0x01, left, right), so no leaf can pass for a node. With the root
and the handful of hashes beside its path, the holder of one lineage's statement can show that an anchor covers it.
"""

from __future__ import annotations

import hashlib

import orjson

__all__ = ["MerkleTree", "head_leaf"]

_HEAD = "gwc-ledger-head/1"


def head_leaf(lineage: str, sequence: int, hash_: str) -> bytes:
    """What an anchor says of one lineage: its last entry."""
    return orjson.dumps([_HEAD, lineage, sequence, hash_])


class MerkleTree:
    def __init__(self) -> None:
        self.leaves = 0
        self._complete: list[bytes] = []
        """Roots of complete subtrees, the largest first: one for each bit that is set in `leaves`."""

    def add(self, leaf: bytes) -> None:
        node = hashlib.sha256(b"\x00" + leaf).digest()
        merges = self.leaves
        while merges & 1:
            node = _node(self._complete.pop(), node)
            merges >>= 1
        self._complete.append(node)
        self.leaves += 1

    def root(self) -> str:
        if not self._complete:
            return hashlib.sha256().hexdigest()
        *left, node = self._complete
        for other in reversed(left):
            node = _node(other, node)
        return node.hex()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
