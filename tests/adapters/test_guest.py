"""A polite guest: allowed hours, rows in a second, the line's encryption."""

from __future__ import annotations

import logging
import ssl
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.guest import Gate, tls_context, warn_of_old_tls
from adapters.mapping import MappingError
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
        assert caught.value.code == "STORE_CLOSED"


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        (datetime(2026, 1, 1, 11, 30, 59), "2026-01-01 12:00"),
        (datetime(2026, 1, 1, 13, 0), "2026-01-01 22:00"),
        (datetime(2025, 12, 31, 6, 0), "2025-12-31 12:00"),
    ],
)
def test_a_closed_store_says_when_it_opens(moment: datetime, opens: str) -> None:
    gate = Gate(Guest(hours=(NIGHT, NOON)), now=lambda: moment)
    with pytest.raises(StoreUnavailable, match=f"it opens at {opens}$"):
        gate.enter()


def test_a_store_that_has_closed_for_today_opens_tomorrow() -> None:
    gate = Gate(Guest(hours=(NOON,)), now=lambda: datetime(2025, 12, 31, 23, 59))
    with pytest.raises(StoreUnavailable, match=r"it opens at 2026-01-01 12:00$"):
        gate.enter()


async def test_a_rate_of_rows_is_kept_over_batches() -> None:
    waited: list[float] = []
    time_s = 100.0

    async def sleep(seconds: float) -> None:
        nonlocal time_s
        waited.append(seconds)
        time_s += seconds

    gate = Gate(Guest(rows_per_s=100, rows_burst=50), sleep=sleep, clock=lambda: time_s)
    await gate.took(50)
    assert waited == [], "a page within the burst is not slowed"
    await gate.took(200)
    time_s += 10
    await gate.took(100)
    assert waited == pytest.approx([2.0, 0.5])


def test_a_burst_is_a_seconds_worth_unless_told() -> None:
    assert (Guest(rows_per_s=100).burst, Guest(rows_per_s=100, rows_burst=7).burst, Guest().burst) == (100, 7, 0)


def test_encryption() -> None:
    assert tls_context(Guest()) is None
    assert tls_context(Guest(tls="off")) is None
    verified = tls_context(Guest(tls="verify"))
    assert verified is not None
    assert (verified.verify_mode, verified.minimum_version) == (ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_2)
    old = tls_context(Guest(tls="require", tls_version_min="1.3"))
    assert old is not None
    assert (old.verify_mode, old.minimum_version) == (ssl.CERT_NONE, ssl.TLSVersion.TLSv1_3)


@pytest.mark.parametrize("tls_version_min", ["1.0", "1.2"])
def test_a_server_that_knows_no_better_than_tls_1_0(tmp_path: Path, tls_version_min: str) -> None:
    server, client = certified(tmp_path), tls_context(Guest(tls="require", tls_version_min=tls_version_min))
    assert client is not None
    if tls_version_min == "1.0":
        assert shaken_hands(client, server) == "TLSv1"
    else:
        with pytest.raises(ssl.SSLError):
            shaken_hands(client, server)


def test_an_old_line_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_old_tls("10.1.2.3", Guest(tls="require", tls_version_min="1.2"))
    assert caplog.records == []
    warn_of_old_tls("10.1.2.3", Guest(tls="require", tls_version_min="1.0"))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "INSECURE LINE to 10.1.2.3: TLS 1.0" in record.getMessage()


def certified(folder: Path) -> ssl.SSLContext:
    """A server that speaks TLS 1.0 alone, with a certificate that it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "old.invalid")])
    from_, until = datetime(2020, 1, 1), datetime(2120, 1, 1)
    signed = x509.CertificateBuilder(name, name, key.public_key(), 1, from_, until).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    bare = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(bare + signed.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1
    return context


def shaken_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> str | None:
    """The version both agree on, over a line in memory."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(down, up), server.wrap_bio(up, down, server_side=True)]
    while ends:
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
                version = end.version()
            except ssl.SSLWantReadError:
                pass
    return version


def test_what_a_mapping_says(tmp_path: Path) -> None:
    store = {"engine": "postgresql", "url": "postgresql://host/db"}
    guest: dict[str, Any] = {
        "hours": "22:00-06:00",
        "rows_per_s": 10,
        "connections_max": 1,
        "tls": "verify",
        "tls_ca": "ca.pem",
    }
    guest |= {"rows_burst": 5, "connect_timeout_s": 3, "tls_ciphers": "HIGH"}
    assert mapping_of(tmp_path, store=store, guest=guest).store.guest == Guest(
        connections_max=1,
        hours=(HourSpan(22 * 60, 6 * 60),),
        rows_per_s=10,
        tls="verify",
        tls_ca=str(tmp_path / "ca.pem"),
        tls_ciphers="HIGH",
        rows_burst=5,
        connect_timeout_s=3.0,
    )


@pytest.mark.parametrize(
    ("guest", "message"),
    [
        ({"rows_burst": 5}, "guest.rows_burst: no rate is kept"),
        ({"compression": True}, "guest.compression: the line to a postgresql store is not compressed"),
        ({"tls": "require", "tls_ciphers": "none such"}, "guest.tls_ciphers: OpenSSL knows none of these"),
        ({"tls_ciphers": "HIGH"}, "guest.tls_ciphers: tls is 'default'"),
    ],
)
def test_what_a_mapping_may_not_say(tmp_path: Path, guest: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingError) as caught:
        mapping_of(tmp_path, store={"engine": "postgresql", "url": "postgresql://host/db"}, guest=guest)
    assert str(caught.value).startswith(message)
