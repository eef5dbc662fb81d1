"""Plugins that every test may use; logs and memory as in the product's processes."""

from __future__ import annotations

import gc

import pytest

from gwc.logs import plain_logs

pytest_plugins = ["tests.services", "tests.stores"]


def pytest_configure() -> None:
    plain_logs()


@pytest.fixture(autouse=True, scope="module")
def settled_memory() -> None:
    """What stands stays, as in a server (`gwc.serve`). The collector would go through all tests of the session again and
    again, for most of a second each time, and members that answer within a deadline would be late by it."""
    gc.collect()
    gc.freeze()
