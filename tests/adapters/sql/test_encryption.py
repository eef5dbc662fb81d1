"""An encrypted line to real servers: who is trusted, who is refused and with what words, and no password in them."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy.engine import make_url

from adapters.mapping.model import Guest, StoreSettings
from adapters.model import StoreUnavailable
from adapters.sql.engine import EngineReader
from tests.adapters.sql.servers import plain
from tests.services import Server, running_encrypted_mariadb, running_encrypted_postgres

POSTGRES = ("postgresql+asyncpg", "postgresql+psycopg")
MARIADB = ("mysql+asyncmy", "mysql+aiomysql", "mysql+pymysql")
LIBPQ = "postgresql+psycopg"
PASSWORD = "s3cret-word"
PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs itself and others."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def file(self, folder: Path) -> str:
        path = folder / f"{self.certificate.serial_number}.pem"
        path.write_bytes(self.certificate.public_bytes(PEM))
        return str(path)


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def builder(subject: str, issuer: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now, day = datetime.now(UTC), timedelta(days=1)
    return x509.CertificateBuilder(
        named(issuer), named(subject), key, x509.random_serial_number(), now - day, now + 30 * day
    )


def authority(name: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    made = (
        builder(name, name, public)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_usage(signs_others=True), critical=True)
    )
    return Authority(key, made.sign(key, hashes.SHA256()))


def server_certificate(by: Authority) -> tuple[bytes, bytes]:
    """(key, certificate) of whoever is at 127.0.0.1, and of no name."""
    key = ec.generate_private_key(ec.SECP256R1())
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        builder("a district's server", "a district", key.public_key())
        .add_extension(here, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False
        )
        .add_extension(_usage(signs_others=False), critical=True)
    )  # fmt: skip
    bare = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return bare, made.sign(by.key, hashes.SHA256()).public_bytes(PEM)


def _usage(*, signs_others: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs_others, crl_sign=signs_others, encipher_only=False, decipher_only=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trusted() -> Authority:
    return authority("a district")


@pytest.fixture(scope="module")
def postgres(trusted: Authority) -> Iterator[Server]:
    with running_encrypted_postgres(*server_certificate(trusted)) as server:
        yield server


@pytest.fixture(scope="module")
def mariadb(trusted: Authority) -> Iterator[Server]:
    with running_encrypted_mariadb(*server_certificate(trusted)) as server:
        yield server


@pytest.fixture(params=[*POSTGRES, *MARIADB])
def url(request: pytest.FixtureRequest) -> str:
    driver: str = request.param
    server: Server = request.getfixturevalue("postgres" if driver in POSTGRES else "mariadb")
    return server.url.replace(server.url.partition("://")[0], driver, 1)


def reader(url: str, **guest: str) -> EngineReader:
    engine = url.partition("+")[0]
    return EngineReader(StoreSettings(engine=engine, url=url, guest=Guest(**guest)))  # type: ignore[arg-type]


async def line_of(found: EngineReader) -> str:
    """How the server says that this line is encrypted; empty where it is not."""
    if found.dialect.name == "postgresql":
        asked = plain("SELECT coalesce(version, '') FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        ((version,),) = await found.fetch(asked, {})
    else:
        ((_, version),) = await found.fetch(plain("SHOW SESSION STATUS LIKE 'Ssl_version'"), {})
    return str(version)


async def opened_line(url: str, **guest: str) -> str:
    found = reader(url, **guest)
    try:
        await found.open()
        return await line_of(found)
    finally:
        await found.close()


async def refused(url: str, **guest: str) -> StoreUnavailable:
    with_password = make_url(url).set(password=PASSWORD).render_as_string(hide_password=False)
    found = reader(with_password, **guest)
    try:
        with pytest.raises(StoreUnavailable) as caught:
            await found.open()
    finally:
        await found.close()
    assert PASSWORD not in f"{caught.value!r} {caught.value.__cause__!r} {found!r}"
    return caught.value


async def test_an_authority_that_is_trusted(url: str, trusted: Authority, tmp_path: Path) -> None:
    assert (await opened_line(url, tls="verify", tls_ca=trusted.file(tmp_path))).startswith("TLSv1.")


async def test_whoever_answers_where_encryption_is_all_that_is_asked_for(url: str) -> None:
    assert (await opened_line(url, tls="require")).startswith("TLSv1.")
    assert await opened_line(url, tls="require", tls_version_min="1.3") == "TLSv1.3"


async def test_no_line_is_left_when_a_reader_has_closed(url: str) -> None:
    """Under TLS, a line that was told to close still waits for the other side to agree."""
    found, before = reader(url, tls="require"), sockets()
    await found.open()
    await line_of(found)
    assert sockets() > before
    await found.close()
    assert sockets() == before


def sockets() -> int:
    """How many this process has open."""
    links = (Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd"))
    return sum(link.is_symlink() and os.readlink(link).startswith("socket:") for link in links)


async def test_a_line_that_is_to_be_plain(url: str) -> None:
    assert await opened_line(url, tls="off") == ""


async def test_an_authority_that_nobody_knows(url: str, tmp_path: Path) -> None:
    """The very same name, and another key."""
    told = await refused(url, tls="verify", tls_ca=authority("a district").file(tmp_path))
    if not url.startswith(LIBPQ):  # which says it in words alone, and words may hold anything
        assert told.fault.code == "STORE_UNTRUSTED"
        assert "certificate is not trusted" in str(told) and "guest.tls_ca" in str(told)


async def test_a_server_of_another_name(url: str, trusted: Authority, tmp_path: Path) -> None:
    elsewhere = make_url(url).set(host="localhost").render_as_string(hide_password=False)
    told = await refused(elsewhere, tls="verify", tls_ca=trusted.file(tmp_path))
    if not url.startswith(LIBPQ):
        assert told.fault.code == "STORE_UNTRUSTED"
