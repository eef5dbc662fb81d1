"""Plugins that every test may use, and logs as the product's processes write them."""

from __future__ import annotations

from gwc.logs import plain_logs

pytest_plugins = ["tests.services", "tests.stores"]


def pytest_configure() -> None:
    plain_logs()
