"""A polite guest: allowed hours, rows in a second, the line's encryption."""

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path

import pytest

from adapters.guest import Gate, tls_context
from adapters.mapping.model import Guest, HourSpan
from adapters.model import StoreUnavailable
from tests.adapters.support import mapping_of

NIGHT, NOON = HourSpan(22 * 60, 6 * 60), HourSpan(12 * 60, 13 * 60)


@pytest.mark.parametrize(
    ("hour", "minute", "allowed"),
    [(21, 59, False), (22, 0, True), (0, 0, True), (5, 59, True), (6, 0, False), (12, 30, True), (13, 0, False)],
)
def test_allowed_hours(hour: int, minute: int, allowed: bool) -> None:
    gate = Gate(Guest(hours=(NIGHT, NOON)), now=lambda: datetime(2026, 1, 1, hour, minute))
    assert gate.is_open is allowed
    if not allowed:
        with pytest.raises(StoreUnavailable, match="22:00-06:00, 12:00-13:00") as caught:
            gate.enter()
        assert caught.value.code == "OUTSIDE_HOURS"


async def test_a_rate_of_rows_is_kept_over_batches() -> None:
    waited: list[float] = []
    time_s = 100.0

    async def sleep(seconds: float) -> None:
        nonlocal time_s
        waited.append(seconds)
        time_s += seconds

    gate = Gate(Guest(rows_per_s=100), sleep=sleep, clock=lambda: time_s)
    await gate.took(50)
    await gate.took(200)
    time_s += 10
    await gate.took(100)
    assert waited == pytest.approx([0.5, 2.0, 1.0])


def test_encryption() -> None:
    assert tls_context(Guest()) is None
    assert tls_context(Guest(tls="off")) is None
    verified = tls_context(Guest(tls="verify"))
    assert verified is not None
    assert (verified.verify_mode, verified.minimum_version) == (ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_2)
    old = tls_context(Guest(tls="require", tls_version_min="1.3"))
    assert old is not None
    assert (old.verify_mode, old.minimum_version) == (ssl.CERT_NONE, ssl.TLSVersion.TLSv1_3)


def test_what_a_mapping_says(tmp_path: Path) -> None:
    store = {"engine": "postgresql", "url": "postgresql://host/db"}
    guest = {"hours": "22:00-06:00", "rows_per_s": 10, "connections_max": 1, "tls": "verify", "tls_ca": "ca.pem"}
    assert mapping_of(tmp_path, store=store, guest=guest).store.guest == Guest(
        connections_max=1,
        hours=(HourSpan(22 * 60, 6 * 60),),
        rows_per_s=10,
        tls="verify",
        tls_ca=str(tmp_path / "ca.pem"),
    )
